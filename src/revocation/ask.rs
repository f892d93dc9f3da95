//! Does Redis let us in, as whom we are to come?

use super::config::{Mode, Redis};
use super::template::Template;
use crate::net::redis::{self, Connection, Login, Options, RedisError};
use std::time::Duration;

/// How long one command may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// What became of one login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What the login is for.
    pub right: Right,
    /// The primary and what it is; else what is wrong, and what to do.
    pub outcome: Result<String, String>,
}

/// What a login is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// To read.
    Read,
    /// To write.
    Write,
}

impl Right {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl Redis {
    /// Looks for the primary with every login, and reads a key of each kind.
    pub async fn ask(&self) -> Vec<Asked> {
        let reader = Asked {
            right: Right::Read,
            outcome: self.read().await,
        };
        let Some(writer) = &self.writer else {
            return vec![reader];
        };
        let writer = Asked {
            right: Right::Write,
            outcome: self.reach(writer).await,
        };
        vec![reader, writer]
    }

    async fn read(&self) -> Result<String, String> {
        let redis = redis::Redis::new(&self.connection, &self.connection.login);
        let redis = redis.map_err(|error| error.to_string())?;
        let mut reached = String::new();
        for key in self.samples() {
            let connection = connect(&redis, &key).await?;
            reached = shown(&connection);
            exists(connection, &key)
                .await
                .map_err(|error| told(&error))?;
        }
        Ok(reached)
    }

    async fn reach(&self, login: &Login) -> Result<String, String> {
        let redis = redis::Redis::new(&self.connection, login);
        let redis = redis.map_err(|error| error.to_string())?;
        Ok(shown(&connect(&redis, &self.own_sample()).await?))
    }

    /// A key of each kind that is read.
    fn samples(&self) -> Vec<Vec<u8>> {
        let own = match self.mode {
            Mode::Replica | Mode::Both => Some(self.own_sample()),
            Mode::Lookup => None,
        };
        let listed = self.keys.iter().map(Template::sample);
        own.into_iter().chain(listed).collect()
    }

    fn own_sample(&self) -> Vec<u8> {
        ["{", &self.key_prefix, "}:sample"].concat().into_bytes()
    }
}

async fn connect(redis: &redis::Redis, key: &[u8]) -> Result<Connection, String> {
    let options = Options {
        response_timeout: ANSWER_WITHIN,
        pushes: None,
    };
    let connection = redis.primary(key, options).await;
    connection.map_err(|error| told(&error))
}

async fn exists(mut connection: Connection, key: &[u8]) -> Result<(), RedisError> {
    let mut question = ::redis::cmd("EXISTS");
    let answer = question.arg(key).query_async::<i64>(&mut connection).await;
    answer.map(|_| ()).map_err(|error| connection.error(&error))
}

fn shown(connection: &Connection) -> String {
    let server = connection.server();
    format!(
        "primary {}, {} {}",
        connection.node(),
        server.name,
        server.version
    )
}

fn told(error: &RedisError) -> String {
    format!("{error}; {}", error.reason.remedy())
}
