//! Tries every cause against a real Envoy, and shows what a client gets and what a service sees.
//!
//! `make demo` builds everything and starts this: two issuers and a user service in this process, the
//! sidecar's release binary, and Envoy with the very file that users copy. It sends a request for each
//! row, after what makes its cause: events are told, users come and go, the store breaks. It prints a
//! table, then stays up and prints curl lines with fresh tokens. `make demo ARGS=--once` ends after the table, and
//! fails if a row is not as it should be; `--tcp` takes the file for TCP instead of a Unix socket.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a demonstration talks to its terminal, and stops with a sentence if a part is missing"
)]

#[expect(dead_code, reason = "the tests use what is not used here")]
#[path = "../tests/parts/lib.rs"]
mod parts;
#[path = "demo/deeds.rs"]
mod deeds;
#[path = "demo/rows.rs"]
mod rows;
#[path = "demo/table.rs"]
mod table;

use crate::deeds::Scene;
use crate::parts::backend::Backend;
use crate::parts::client::{Answer, Client};
use crate::parts::configuration::{Check, Configuration};
use crate::parts::envoy::{self, Envoy};
use crate::parts::issuer::Issuer;
use crate::parts::key::Algorithm;
use crate::parts::sidecar::Sidecar;
use crate::parts::users::{Mood, User, Users};
use crate::rows::Row;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;

/// How long a user's record is fresh here; short, so that a stale one can be shown.
const FRESH: Duration = Duration::from_millis(300);

/// A little more than the second for which the word of a canary is good.
const CANARY_LASTS: Duration = Duration::from_millis(1100);

/// Opens the admin API.
const OPERATOR: &str = "an-operators-token";

/// How the user service is trusted here. It is asked once, so that a row tells how that ended, and
/// waits for no other try; a tenant is held after few losses.
const TRUST: &str = "retries: 0
canary: [{issuer: acme, tenant: acme, subject: canary}]
vanish_guard: {min: 5}
";

const ACME: &str = "keys: {discovery: true, min_refresh: 100ms}
status_lists: ['http://127.0.0.1:9/lists/']
subject: {normalize: [trim, lowercase], format: '[a-z0-9-]+'}
";

const SECTIONS: &str = "tenant:
  from: [{claim: tenant}, {header: x-tenant-id}]
  known: [acme, globex]
policies:
  default: {}
  public: {anonymous: allow}
  orders: {scopes: ['orders:write']}
routes:
- {path: /orders/, methods: [POST], policy: orders}
revocation: {memory: {file: '{folder}/revocations.yaml'}}
identity:
  headers: {x-user-email: attributes.email}
";

const REVOCATIONS: &str = "tokens: [{issuer: acme, jti: lost-laptop, reason: the laptop was lost}]
subjects: [{issuer: acme, subject: frank, before: '2100-01-01T00:00:00Z', reason: he left}]
";

/// A route whose policy is misspelt, put before the last one of the file.
const MISSPELT: &str = "              - match: {path: /misspelt}
                route: {cluster: service}
                typed_per_filter_config:
                  envoy.filters.http.ext_authz:
                    \"@type\": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
                    check_settings: {context_extensions: {policy: pulbic}}
";
const LAST_ROUTE: &str =
    "              - match: {prefix: /}\n                route: {cluster: service}\n";

/// What was asked for on the command line.
#[derive(Default)]
struct Arguments {
    once: bool,
    tcp: bool,
}

/// Everything, running.
struct Stage {
    acme: Issuer,
    partner: Issuer,
    /// An issuer that was never reached.
    unreachable: SocketAddr,
    users: Users,
    /// Stopped when it is dropped.
    _backend: Backend,
    sidecar: Sidecar,
    /// Where events are told.
    admin: SocketAddr,
    envoy: Envoy,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match arguments(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("demo: {message}; expected --once, --tcp or nothing");
            return ExitCode::from(64);
        }
    };
    let stage = Stage::build(arguments.tcp).await;
    let wrong = stage.play().await;
    if arguments.once {
        return if wrong == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    stage.stay().await;
    ExitCode::SUCCESS
}

fn arguments(given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    for argument in given {
        match argument.as_str() {
            "--once" => arguments.once = true,
            "--tcp" => arguments.tcp = true,
            other => return Err(format!("`{other}` means nothing here")),
        }
    }
    Ok(arguments)
}

impl Stage {
    async fn build(tcp: bool) -> Self {
        let acme = Issuer::with(&[Algorithm::RS256, Algorithm::ES256]);
        let partner = Issuer::with(&[Algorithm::EdDSA]);
        let unreachable = parts::free_address();
        let users = people();
        let admin = parts::free_address();
        let backend = Backend::start();
        let configuration = Configuration::new(&acme, &users)
            .issuer(&acme.url(), ACME)
            .and_issuer(
                &partner.url(),
                "partner",
                "subject: {rewrite: [{match: '^auth0\\|(.+)$', to: '$1'}]}",
            )
            .and_issuer(&format!("http://{unreachable}"), "unreachable", "")
            .users(&format!(
                "cache: {{fresh: {}ms, stale_while_revalidate: 0s, stale_if_error: 15m}}\n{TRUST}",
                FRESH.as_millis()
            ))
            .listen(&format!(
                "admin: '{admin}'\nadmin_token_file: admin-token\n"
            ))
            .file("admin-token", OPERATOR)
            .check(if tcp { Check::Tcp } else { Check::Socket })
            .sections(SECTIONS)
            .file("revocations.yaml", REVOCATIONS);
        let sidecar = Sidecar::start(&program(), |place| configuration.install(place)).await;
        let place = sidecar.place();
        let file = if tcp {
            envoy::file(envoy::TCP).sidecars(&[place.check])
        } else {
            envoy::file(envoy::UDS).sidecar_at_socket(&place.socket())
        };
        let file =
            file.service(backend.address())
                .swap(LAST_ROUTE, &format!("{MISSPELT}{LAST_ROUTE}"), 1);
        let envoy = Envoy::start(&file).await;
        envoy.healthy("subgate", 1).await;
        Self {
            acme,
            partner,
            unreachable,
            users,
            _backend: backend,
            sidecar,
            admin,
            envoy,
        }
    }

    /// Sends every row and prints the table; returns how many rows are wrong.
    async fn play(&self) -> usize {
        let scene = Scene {
            users: &self.users,
            admin: Client::new(self.admin),
            envoy: &self.envoy,
        };
        let mut shown = Vec::new();
        for mut row in rows::all(&self.acme, &self.partner, self.unreachable) {
            for deed in std::mem::take(&mut row.before) {
                scene.happens(deed).await;
            }
            let (answer, took) = self.send(&row).await;
            self.users.up();
            let reason = self.reason(&answer).await;
            shown.push(table::Line::new(&row, &answer, &reason, took));
        }
        // The last rows emptied the store.
        for user in everybody() {
            self.users.add(user);
        }
        table::print(&shown);
        let wrong = shown.iter().filter(|line| line.is_wrong()).count();
        match wrong {
            0 => println!("{} rows, all as they should be", shown.len()),
            _ => println!("{} rows, {wrong} of them wrong", shown.len()),
        }
        wrong
    }

    /// Why no trustworthy answer about the user came, as the log says; empty if one did.
    async fn reason(&self, answer: &Answer) -> String {
        let id = match (answer.status, answer.code().is_empty()) {
            (200, _) => answer.seen("x-request-id").into_iter().next(),
            // Envoy refused by itself.
            (_, true) => None,
            (_, false) => answer.json()["request_id"].as_str().map(str::to_owned),
        };
        let Some(id) = id else {
            return String::new();
        };
        let line = self
            .sidecar
            .logged("the decision is in the log", |line| {
                line["request_id"] == *id
            })
            .await;
        line["reason"].as_str().unwrap_or_default().to_owned()
    }

    async fn send(&self, row: &Row) -> (Answer, Duration) {
        let began = Instant::now();
        let answer = self.envoy.client().send(&row.request).await;
        (answer, began.elapsed())
    }

    /// Prints curl lines until the user has seen enough.
    async fn stay(&self) {
        let url = format!("http://{}", self.envoy.address());
        let lines = [
            ("a user that exists", self.acme.token().expires_in(3600)),
            (
                "a user that does not",
                self.acme.token().subject("dave").expires_in(3600),
            ),
            (
                "a disabled user",
                self.acme.token().subject("bob").expires_in(3600),
            ),
            (
                "a user of a partner",
                self.partner.token().subject("auth0|alice").expires_in(3600),
            ),
        ];
        println!("\nEnvoy listens at {url}. Try:");
        for (what, token) in lines {
            println!(
                "\n# {what}\ncurl -i {url}/ -H 'authorization: Bearer {}'",
                token.sign()
            );
        }
        println!("\n# nobody\ncurl -i {url}/");
        let admin = format!(
            "curl -H 'authorization: Bearer {OPERATOR}' http://{}/v1",
            self.admin
        );
        println!("\n# what the vanish guard holds, and how the canary is\n{admin}/guard");
        let event =
            r#"{"type": "user.deleted", "issuer": "acme", "tenant": "acme", "subject": "alice"}"#;
        println!("\n# alice is deleted, whatever the store says\n{admin}/events --json '{event}'");
        println!("\nCtrl-C ends it.");
        if let Err(error) = tokio::signal::ctrl_c().await {
            eprintln!("demo: cannot wait for Ctrl-C: {error}");
        }
    }
}

fn everybody() -> impl Iterator<Item = User> {
    let of_acme = [
        User::named("alice"),
        User::named("bob").status("disabled"),
        User::named("carol").without_email(),
        User::named("zoe"),
        User::named("lena"),
        User::named("ann"),
        User::named("canary"),
    ];
    of_acme.into_iter().chain(rows::of_globex())
}

fn people() -> Users {
    let users = Users::start(everybody());
    for (subject, mood) in [
        ("status-500", Mood::Status(500)),
        ("html-404", Mood::HtmlNotFound),
        ("json-404", Mood::OtherNotFound),
        ("other-user", Mood::OtherUser),
        ("other-tenant", Mood::OtherTenant),
        ("garbage", Mood::Garbage),
    ] {
        users.mood_about(subject, mood);
    }
    users
}

/// The sidecar that was built together with this example.
fn program() -> PathBuf {
    let own = std::env::current_exe().expect("the path of this example");
    let built = own
        .parent()
        .and_then(|examples| examples.parent())
        .map(|target| target.join("subgate"));
    built.filter(|program| program.exists()).unwrap_or_else(|| {
        panic!(
            "expected the program beside {}: run `make demo`",
            own.display()
        )
    })
}
