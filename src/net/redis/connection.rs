//! One connection: made, logged in, and asked what it leads to.

use super::error::RedisError;
use super::login::Credentials;
use super::wire::Wire;
use super::{Node, Options, Reason};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{
    AsyncConnectionConfig, Cmd, Pipeline, ProtocolVersion, RedisConnectionInfo, RedisFuture, Value,
};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::AbortOnDropHandle;

/// How operators see our connections in `CLIENT LIST`.
const NAME: &str = "subgate";

/// A connection to one node, in RESP3; its clones share it, and it ends with the last of them.
///
/// It is not made again when it breaks. A command that blocks holds up those after it: such ones get
/// a connection of their own.
#[derive(Clone)]
pub struct Connection {
    inner: MultiplexedConnection,
    node: Arc<Node>,
    server: Arc<Server>,
    _driver: Arc<AbortOnDropHandle<()>>,
}

/// What a node said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// What it is, such as `redis` or `valkey`.
    pub name: String,
    /// Its version.
    pub version: String,
    pub(super) role: Role,
}

/// What a node is to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Primary,
    Replica,
    Sentinel,
}

impl Connection {
    /// The node that it leads to.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// What the node said of itself.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Gives later commands of this clone another time.
    pub fn set_response_timeout(&mut self, timeout: Duration) {
        self.inner.set_response_timeout(timeout);
    }

    /// An error of a command on this connection, with node and reason.
    pub fn error(&self, error: &redis::RedisError) -> RedisError {
        RedisError::command(&self.node, error)
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        self.inner.req_packed_command(command)
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.inner.req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.inner.get_db()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("node", &self.node)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// What it takes to make one.
pub(super) struct Dial<'d> {
    pub(super) node: &'d Node,
    pub(super) credentials: &'d Credentials,
    pub(super) database: u32,
    pub(super) options: Options,
}

impl Dial<'_> {
    pub(super) async fn connect(self, wire: &Wire) -> Result<Connection, RedisError> {
        let node = self.node;
        let login = self.login()?;
        let Options {
            response_timeout,
            pushes,
        } = self.options;
        let stream = wire.connect(node).await?;
        let mut config = AsyncConnectionConfig::new().set_response_timeout(Some(response_timeout));
        if let Some(pushes) = pushes {
            config = config.set_push_sender(pushes);
        }
        let made = MultiplexedConnection::new_with_config(&login, stream, config).await;
        let (mut inner, driver) = made.map_err(|error| RedisError::login(node, &error))?;
        let driver = AbortOnDropHandle::new(tokio::spawn(driver));
        // The first HELLO logged in, and the crate keeps its answer. HELLO is open to every user.
        let mut hello = redis::cmd("HELLO");
        hello.arg(3).arg("SETNAME").arg(NAME);
        let said = hello.query_async(&mut inner).await;
        let said = said.map_err(|error| RedisError::command(node, &error))?;
        let server = Server::read(&said)
            .ok_or_else(|| RedisError::new(Reason::Protocol, node, "it does not say what it is"))?;
        Ok(Connection {
            inner,
            node: Arc::new(node.clone()),
            server: Arc::new(server),
            _driver: Arc::new(driver),
        })
    }

    fn login(&self) -> Result<RedisConnectionInfo, RedisError> {
        let mut login = RedisConnectionInfo::default()
            .set_protocol(ProtocolVersion::RESP3)
            .set_skip_set_lib_name()
            .set_db(self.database.into());
        if let Some(username) = self.credentials.username() {
            login = login.set_username(username);
        }
        if let Some(password) = self.credentials.password() {
            // What was read as text is ASCII.
            let password = std::str::from_utf8(password.expose())
                .map_err(|_| RedisError::new(Reason::Auth, self.node, "the password is no text"))?;
            login = login.set_password(password);
        }
        Ok(login)
    }
}

impl Server {
    /// Reads what HELLO answers; a Sentinel has no role.
    fn read(said: &Value) -> Option<Self> {
        let Value::Map(members) = said else {
            return None;
        };
        let member = |name: &str| {
            let found = members.iter().find(|(key, _)| text(key) == Some(name));
            found.and_then(|(_, value)| text(value))
        };
        let role = match (member("role"), member("mode")) {
            (Some("master"), _) => Role::Primary,
            (Some("replica" | "slave"), _) => Role::Replica,
            (None, Some("sentinel")) => Role::Sentinel,
            (Some(_) | None, _) => return None,
        };
        Some(Self {
            name: short(member("server")?),
            version: short(member("version")?),
            role,
        })
    }
}

/// A text of either kind.
pub(super) fn text(value: &Value) -> Option<&str> {
    if let Value::SimpleString(text) = value {
        return Some(text);
    }
    let Value::BulkString(bytes) = value else {
        return None;
    };
    std::str::from_utf8(bytes).ok()
}

fn short(said: &str) -> String {
    let shown = said.chars().filter(char::is_ascii_graphic);
    shown.take(32).collect()
}
