//! An issuer, users, a sidecar, Envoy and a service: everything a request meets.

use crate::parts::backend::Backend;
use crate::parts::client::{Answer, Request};
use crate::parts::configuration::{Check, Configuration};
use crate::parts::envoy::{self, Envoy};
use crate::parts::issuer::Issuer;
use crate::parts::key::Algorithm;
use crate::parts::sidecar::Sidecar;
use crate::parts::users::{User, Users};
use std::path::Path;

/// Envoy with `ext_authz` and nothing else that protects.
pub(crate) const BARE: &str = include_str!("bare.yaml");

/// Policies for the routes of [`BARE`].
pub(crate) const POLICIES: &str = "policies:
  default: {}
  public: {anonymous: allow}
  logout: {require_user: false}
  cors: {preflight: allow}
  writers: {scopes: ['orders:write']}
  admins: {roles: [admin]}
";

/// Everything, running.
pub(crate) struct World {
    pub(crate) issuer: Issuer,
    pub(crate) users: Users,
    pub(crate) backend: Backend,
    pub(crate) sidecar: Sidecar,
    pub(crate) envoy: Envoy,
}

/// The sidecar's program, as built for these tests.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_subgate"))
}

/// Users of the tenant `acme`: `alice` is well, `bob` disabled, `carol` has no e-mail address.
pub(crate) fn people() -> Users {
    Users::start([
        User::named("alice"),
        User::named("bob").status("disabled"),
        User::named("carol").without_email(),
    ])
}

impl World {
    /// Bare Envoy over a Unix socket, an ordinary configuration and [`POLICIES`].
    pub(crate) async fn start() -> Self {
        Self::configured(|configuration| configuration).await
    }

    /// Like [`World::start`], with the sidecar's configuration changed.
    pub(crate) async fn configured(change: impl FnOnce(Configuration) -> Configuration) -> Self {
        Self::with(Issuer::start(), BARE, change).await
    }

    /// With an Envoy file that asks at a socket path.
    pub(crate) async fn with(
        issuer: Issuer,
        file: &str,
        change: impl FnOnce(Configuration) -> Configuration,
    ) -> Self {
        let users = people();
        let backend = Backend::start();
        let configuration = change(Configuration::new(&issuer, &users).and_sections(POLICIES));
        let sidecar = Sidecar::start(program(), |place| configuration.install(place)).await;
        let file = envoy::file(file)
            .service(backend.address())
            .sidecar_at_socket(&sidecar.place().socket());
        let envoy = Envoy::start(&file).await;
        Self {
            issuer,
            users,
            backend,
            sidecar,
            envoy,
        }
    }

    /// With an Envoy file that asks at TCP addresses.
    pub(crate) async fn over_tcp(
        file: &str,
        prepare: impl FnOnce(envoy::Configuration, &Issuer) -> envoy::Configuration,
    ) -> Self {
        let issuer = Issuer::with(&Algorithm::ALL);
        let users = people();
        let backend = Backend::start();
        let configuration = Configuration::new(&issuer, &users)
            .and_sections(POLICIES)
            .check(Check::Tcp);
        let sidecar = Sidecar::start(program(), |place| configuration.install(place)).await;
        let file = envoy::file(file)
            .service(backend.address())
            .sidecars(&[sidecar.place().check]);
        let envoy = Envoy::start(&prepare(file, &issuer)).await;
        envoy.healthy("subgate", 1).await;
        Self {
            issuer,
            users,
            backend,
            sidecar,
            envoy,
        }
    }

    /// Sends a request to Envoy.
    pub(crate) async fn send(&self, request: &Request) -> Answer {
        self.envoy.client().send(request).await
    }
}

/// What a test asks of an answer.
pub(crate) trait Expected {
    /// It passed: the service answered.
    fn is_allowed(&self);
    /// It was refused by the sidecar with a status and a code.
    fn is_refused(&self, status: u16, code: &str);
}

impl Expected for Answer {
    #[track_caller]
    fn is_allowed(&self) {
        assert_eq!(
            self.status, 200,
            "expected the service's answer, came {self:?}"
        );
        assert!(
            self.json()["headers"].is_array(),
            "expected the service's answer, came {self:?}"
        );
    }

    #[track_caller]
    fn is_refused(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.code().as_str()),
            (status, code),
            "came {self:?}"
        );
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert!(
            self.body.len() < 1024,
            "Envoy may cut a body of {} bytes",
            self.body.len()
        );
    }
}
