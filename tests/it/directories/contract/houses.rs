//! Each directory, with what stands behind it, and a way to change who is in it.

use super::Row;
use crate::directories::open;
use crate::parts::directory_grpc::GrpcDirectory;
use crate::parts::express::Express;
use crate::parts::gotrue::GoTrue;
use crate::parts::http::{Answer as Said, Server};
use crate::parts::scim::ScimServer;
use parking_lot::Mutex;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use subgate::user::directory::Directory;

/// Puts these users in the place of all others.
type Put = dyn Fn(&[Row]);

/// What stands behind a directory.
pub(super) enum Behind {
    /// A service that can be asked in vain.
    Service {
        /// Whether its latest question was to be answered past caches and replicas.
        asked_consistently: Box<dyn Fn() -> bool>,
        /// Ends it.
        down: Box<dyn Fn()>,
    },
    /// Nothing that could lag, or be down: it has read all there is.
    Nothing {
        /// Takes away what it has read.
        take_away: Box<dyn Fn()>,
    },
}

/// Which version a record bears.
#[derive(Clone, Copy, Debug)]
pub(super) enum Versions {
    /// That of the row.
    Given,
    /// The time at which the service says that it changed.
    Times,
}

/// A directory, and a way to change who is in it.
pub(super) struct Subject {
    pub(super) directory: Box<dyn Directory>,
    pub(super) put: Box<Put>,
    pub(super) behind: Behind,
    pub(super) versions: Versions,
    /// How a subject is called there.
    pub(super) called: fn(&str) -> String,
    /// The ids of rows, by realm, tenant and the id that the directory gave.
    pub(super) ids: Ids,
    _alive: Box<dyn std::any::Any>,
}

pub(super) type Ids = Arc<Mutex<HashMap<[String; 3], &'static str>>>;

impl Subject {
    /// Whose subjects and ids are those of the rows.
    fn plain(
        directory: Box<dyn Directory>,
        put: impl Fn(&[Row]) + 'static,
        behind: Behind,
        alive: impl std::any::Any,
    ) -> Self {
        Self {
            directory,
            put: Box::new(put),
            behind,
            versions: Versions::Given,
            called: str::to_owned,
            ids: Ids::default(),
            _alive: Box::new(alive),
        }
    }
}

impl Behind {
    /// `asked` is the `cache-control` of the latest question.
    fn service<S: 'static>(
        service: &Arc<Mutex<S>>,
        asked: impl Fn(&S) -> String + 'static,
        down: impl Fn(&mut S) + 'static,
    ) -> Self {
        let (asking, ending) = (Arc::clone(service), Arc::clone(service));
        Self::Service {
            asked_consistently: Box::new(move || asked(&asking.lock()) == "no-cache"),
            down: Box::new(move || down(&mut ending.lock())),
        }
    }
}

pub(super) async fn http() -> Subject {
    let rows: Arc<Mutex<Vec<Row>>> = Arc::default();
    let latest: Arc<Mutex<String>> = Arc::default();
    let server = Server::start({
        let (rows, latest) = (Arc::clone(&rows), Arc::clone(&latest));
        move |request| {
            *latest.lock() = request.values("cache-control").join(",");
            service(&rows.lock(), &request.target)
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let directory = open(folder.path(), &user_service(server.address()));
    let put = move |new: &[Row]| *rows.lock() = new.to_vec();
    let server = Arc::new(Mutex::new(server));
    let asked = move |_: &Server| latest.lock().clone();
    let behind = Behind::service(&server, asked, |server| server.down());
    Subject::plain(directory, put, behind, (server, folder))
}

/// A user service in a framework of others.
pub(super) async fn express() -> Subject {
    let express = Express::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let directory = open(folder.path(), &user_service(express.address()));
    let express = Arc::new(Mutex::new(express));
    let behind = Behind::service(&express, Express::asked, Express::down);
    let put = {
        let express = Arc::clone(&express);
        move |new: &[Row]| {
            let rows: Vec<_> = new
                .iter()
                .map(|row| {
                    let mut record = record(row);
                    record["realm"] = row.realm.into();
                    record
                })
                .collect();
            express.lock().put(&rows);
        }
    };
    Subject::plain(directory, put, behind, (express, folder))
}

fn user_service(address: SocketAddr) -> String {
    format!(
        "  http:\n    url: http://{address}/r/{{realm}}/t/{{tenant}}/u/{{subject}}\n    \
         not_found: {{code: user_not_found}}\n    attributes: {{email: /email}}\n"
    )
}

/// It chooses ids itself, so that users are found by another attribute.
pub(super) async fn scim2_server() -> Subject {
    scim(
        ScimServer::scim2_server().await,
        "filter: 'externalId eq \"{subject}\"'",
    )
}

/// It takes the id that it is given.
pub(super) async fn scimmy() -> Subject {
    scim(ScimServer::scimmy().await, "by: id")
}

fn scim(server: ScimServer, by: &str) -> Subject {
    let folder = tempfile::tempdir().expect("a folder");
    let users = format!(
        "  scim:\n    url: http://{}/r/{{realm}}/t/{{tenant}}/v2\n    {by}\n    \
         attributes: {{email: /emails/0/value}}\n",
        server.address()
    );
    let ids = Ids::default();
    let server = Arc::new(Mutex::new(server));
    let behind = Behind::service(&server, ScimServer::asked, ScimServer::down);
    let put = {
        let (server, ids) = (Arc::clone(&server), Arc::clone(&ids));
        move |rows: &[Row]| {
            let server = server.lock();
            server.empty();
            for row in rows {
                let user = json!({
                    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                    "userName": format!("name of {}", row.id),
                    "externalId": row.subject,
                    "active": row.status == "active",
                    "roles": row.roles.iter().map(|role| json!({"value": role})).collect::<Vec<_>>(),
                    "emails": [{"value": row.email, "primary": true}],
                });
                let id = server.create(row.realm, row.tenant, &user);
                ids.lock().insert(key(row.realm, row.tenant, &id), row.id);
            }
        }
    };
    Subject {
        ids,
        versions: Versions::Times,
        ..Subject::plain(open(folder.path(), &users), put, behind, (server, folder))
    }
}

pub(super) async fn supabase() -> Subject {
    let server = GoTrue::start();
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("key"), "service-key").expect("a file");
    let users = format!(
        "  supabase:\n    url: http://{}/r/{{realm}}/t/{{tenant}}/auth/v1\n    service_key_file: key\n",
        server.address()
    );
    let ids = Ids::default();
    let server = Arc::new(Mutex::new(server));
    let behind = Behind::service(&server, GoTrue::asked, |server| server.down());
    let put = {
        let (server, ids) = (Arc::clone(&server), Arc::clone(&ids));
        move |rows: &[Row]| {
            let users = rows.iter().map(|row| {
                let id = uuid(row.subject);
                let mut user = GoTrue::user();
                user["id"] = id.as_str().into();
                user["email"] = row.email.into();
                user["app_metadata"]["roles"] = row.roles.into();
                if row.status != "active" {
                    user["banned_until"] = "2027-11-23T12:00:00Z".into();
                }
                ids.lock().insert(key(row.realm, row.tenant, &id), row.id);
                let encoded = |text| utf8_percent_encode(text, SEGMENT).to_string();
                let (realm, tenant) = (encoded(row.realm), encoded(row.tenant));
                (
                    format!("/r/{realm}/t/{tenant}/auth/v1/admin/users/{id}"),
                    user,
                )
            });
            server.lock().put(users.collect());
        }
    };
    Subject {
        ids,
        called: uuid,
        versions: Versions::Times,
        ..Subject::plain(open(folder.path(), &users), put, behind, (server, folder))
    }
}

pub(super) fn key(realm: &str, tenant: &str, id: &str) -> [String; 3] {
    [realm, tenant, id].map(str::to_owned)
}

/// What stays as it is in a URL.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.');

/// A UUID for each text, since subjects are nothing else there.
fn uuid(text: &str) -> String {
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for byte in text.bytes() {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
    }
    let hex = format!("{hash:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}

/// A user service: five segments and no more, each decoded once.
fn service(rows: &[Row], target: &str) -> Said {
    let parts: Vec<String> = target
        .split('/')
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let ["", "r", realm, "t", tenant, "u", subject] = parts.as_slice() else {
        return Said::new(404, "text/html", "<h1>no such page</h1>");
    };
    let found = rows
        .iter()
        .find(|row| [row.realm, row.tenant, row.subject] == [*realm, *tenant, *subject]);
    match found {
        Some(row) => Said::json(200, &record(row)),
        None => Said::json(404, &json!({"code": "user_not_found"})),
    }
}

fn record(row: &Row) -> Value {
    json!({
        "id": row.id, "subject": row.subject, "tenant": row.tenant, "status": row.status,
        "roles": row.roles, "email": row.email, "version": row.version,
    })
}

pub(super) async fn grpc() -> Subject {
    let service = GrpcDirectory::start();
    let users = format!("  grpc: {{endpoint: 'http://{}'}}\n", service.address());
    let service = Arc::new(Mutex::new(Some(service)));
    let order = {
        let service = Arc::clone(&service);
        move |name: &str, arguments: &Value| {
            let mut service = service.lock();
            service.as_mut().expect("it is up").order(name, arguments)
        }
    };
    let folder = tempfile::tempdir().expect("a folder");
    let directory = open(folder.path(), &users);
    let put = {
        let order = order.clone();
        move |rows: &[Row]| {
            let rows: Vec<Value> = rows.iter().map(whole_record).collect();
            order("put", &json!({ "rows": rows }));
        }
    };
    let behind = Behind::Service {
        asked_consistently: Box::new(move || {
            let calls = order("called", &json!({}));
            let latest = calls.as_array().and_then(|calls| calls.last());
            latest.expect("a question")["consistency"] == "CONSISTENCY_CONSISTENT"
        }),
        down: Box::new(move || drop(service.lock().take())),
    };
    Subject::plain(directory, put, behind, folder)
}

fn whole_record(row: &Row) -> Value {
    json!({
        "realm": row.realm, "tenant": row.tenant, "subject": row.subject,
        "id": row.id, "status": row.status, "roles": row.roles, "version": row.version,
        "attributes": {"email": row.email},
    })
}

pub(super) async fn file() -> Subject {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("users.yaml");
    fs::write(&path, "users: []\n").expect("a file");
    let directory = open(folder.path(), "  file: {path: users.yaml}\n");
    let behind = Behind::Nothing {
        take_away: Box::new({
            let path = path.clone();
            move || fs::remove_file(&path).expect("the file was there")
        }),
    };
    let put = move |rows: &[Row]| {
        let rows: Vec<Value> = rows.iter().map(whole_record).collect();
        // JSON is YAML.
        fs::write(&path, json!({ "users": rows }).to_string()).expect("a file");
    };
    Subject::plain(directory, put, behind, folder)
}
