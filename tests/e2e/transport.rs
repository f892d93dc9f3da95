//! How Envoy reaches the sidecar.

use crate::parts::backend::Backend;
use crate::parts::client::get;
use crate::parts::configuration::{Check, Configuration};
use crate::parts::envoy::{self, Envoy, TCP, UDS};
use crate::parts::issuer::Issuer;
use crate::parts::sidecar::Sidecar;
use crate::parts::until;
use crate::world::{Expected, World, people, program};
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn envoy_asks_at_an_abstract_socket() {
    let (issuer, users, backend) = (Issuer::start(), people(), Backend::start());
    let name = format!("subgate-test-{}", backend.address().port());
    let configuration = Configuration::new(&issuer, &users)
        .and_sections(crate::world::POLICIES)
        .check(Check::Abstract(name.clone()));
    let _sidecar = Sidecar::start(program(), |place| configuration.install(place)).await;
    let file = envoy::file(UDS)
        .service(backend.address())
        .sidecar_at_socket(&format!("@{name}"));
    let envoy = Envoy::start(&file).await;
    let answer = envoy
        .client()
        .send(&get("/").bearer(&issuer.token().sign()))
        .await;
    answer.is_allowed();
    assert_eq!(answer.seen("x-user-id"), ["u-alice"]);
    envoy
        .client()
        .send(&get("/"))
        .await
        .is_refused(401, "token_missing");
}

#[tokio::test]
async fn a_unix_socket_has_the_mode_that_was_asked_for() {
    let world = World::start().await;
    let socket = std::fs::metadata(world.sidecar.place().socket()).expect("a socket");
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn envoy_may_start_first_and_a_killed_sidecar_may_come_back_at_its_socket() {
    let (issuer, users, backend) = (Issuer::start(), people(), Backend::start());
    let configuration = Configuration::new(&issuer, &users).and_sections(crate::world::POLICIES);
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("check.sock").display().to_string();
    let file = envoy::file(UDS)
        .service(backend.address())
        .sidecar_at_socket(&socket);
    let envoy = Envoy::start(&file).await;
    let token = issuer.token().sign();
    let send = async || envoy.client().send(&get("/").bearer(&token)).await;
    assert_eq!(send().await.status, 503);

    for _life in 0..2 {
        let mut sidecar = Sidecar::start(program(), |place| {
            configuration
                .install(place)
                .replace(&place.socket(), &socket)
        })
        .await;
        until("Envoy finds the socket", async || {
            send().await.status == 200
        })
        .await;
        // Killed, it leaves its socket behind.
        sidecar.kill();
        assert!(folder.path().join("check.sock").exists());
        assert_eq!(send().await.status, 503);
    }
}

#[tokio::test]
async fn envoys_health_checks_see_the_service_by_its_name() {
    let world = World::over_tcp(TCP, |file, _| file).await;
    world.envoy.healthy("subgate", 1).await;
    assert!(
        world
            .envoy
            .counter("cluster.subgate.health_check.success")
            .await
            > 0
    );
    assert_eq!(
        world
            .envoy
            .counter("cluster.subgate.health_check.failure")
            .await,
        0
    );
}

/// Three certificates of one authority: the authority's own, the sidecar's and Envoy's.
pub(crate) struct Certificates {
    pub(crate) authority: String,
    pub(crate) server: (String, String),
    pub(crate) client: (String, String),
}

impl Certificates {
    pub(crate) fn make() -> Self {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut parameters = rcgen::CertificateParams::default();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let own_name = rcgen::DnType::CommonName;
        parameters.distinguished_name.push(own_name, "authority");
        let authority = parameters.self_signed(&key).expect("a certificate").pem();
        let issuer = rcgen::Issuer::new(parameters, key);
        let leaf = |name: &str| {
            let key = rcgen::KeyPair::generate().expect("a key");
            let parameters = rcgen::CertificateParams::new([name.to_owned()]).expect("a name");
            let signed = parameters.signed_by(&key, &issuer).expect("a certificate");
            (signed.pem(), key.serialize_pem())
        };
        Self {
            server: leaf("subgate.test"),
            client: leaf("envoy.test"),
            authority,
        }
    }
}

#[tokio::test]
async fn over_tls_envoy_knows_the_sidecar_and_the_sidecar_knows_envoy() {
    let (issuer, users, backend) = (Issuer::start(), people(), Backend::start());
    let Certificates {
        authority,
        server,
        client,
    } = Certificates::make();
    let configuration = Configuration::new(&issuer, &users)
        .and_sections(crate::world::POLICIES)
        .check(Check::Tcp)
        .file("ca.pem", &authority)
        .file("server.pem", &server.0)
        .file("server.key", &server.1)
        .file("client.pem", &client.0)
        .file("client.key", &client.1);
    let sidecar = Sidecar::start(program(), |place| {
        configuration.install(place).replace(
            "listen:\n",
            &format!(
                "listen:\n  check_tls: {{cert_file: {folder}/server.pem, key_file: {folder}/server.key, \
                 client_ca_file: {folder}/ca.pem}}\n",
                folder = place.folder()
            ),
        )
    })
    .await;
    let folder = sidecar.place().folder();
    let file = |own: &str| {
        let tls = format!(
            "  - name: subgate
    type: STATIC
    transport_socket:
      name: envoy.transport_sockets.tls
      typed_config:
        \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        sni: subgate.test
        common_tls_context:
          {own}
          validation_context:
            trusted_ca: {{filename: {folder}/ca.pem}}
            match_typed_subject_alt_names: [{{san_type: DNS, matcher: {{exact: subgate.test}}}}]
"
        );
        let port = sidecar.place().check.port();
        let address = format!("socket_address: {{address: 127.0.0.1, port_value: {port}}}");
        envoy::file(crate::world::BARE)
            .service(backend.address())
            .swap("  - name: subgate\n    type: STATIC\n", &tls, 1)
            .swap("pipe: {path: /run/subgate/check.sock}", &address, 1)
    };
    let known = file(&format!(
        "tls_certificates: [{{certificate_chain: {{filename: {folder}/client.pem}}, \
         private_key: {{filename: {folder}/client.key}}}}]"
    ));
    let envoy = Envoy::start(&known).await;
    let token = issuer.token().sign();
    let send = async || envoy.client().send(&get("/").bearer(&token)).await;
    until("hands are shaken", async || send().await.status == 200).await;
    assert_eq!(send().await.seen("x-user-id"), ["u-alice"]);

    let stranger = Envoy::start(&file("tls_certificates: []")).await;
    let answer = stranger.client().send(&get("/").bearer(&token)).await;
    assert_eq!(answer.status, 503, "{answer:?}");
}
