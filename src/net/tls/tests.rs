use super::*;
use crate::net::listen::{Listener, bind, connect};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, Issuer, KeyPair};
use rustls::pki_types::ServerName;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

type Ca = CertifiedIssuer<'static, KeyPair>;

fn ca() -> Ca {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A leaf for `localhost`, written as `NAME.crt` and `NAME.key`.
fn identity(dir: &Path, name: &str, issuer: &Issuer<'_, KeyPair>) -> Identity {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let leaf = params.signed_by(&key, issuer).unwrap();
    let identity = Identity {
        cert_file: dir.join(format!("{name}.crt")),
        key_file: dir.join(format!("{name}.key")),
    };
    fs::write(&identity.cert_file, leaf.pem()).unwrap();
    fs::write(&identity.key_file, key.serialize_pem()).unwrap();
    identity
}

struct Files {
    dir: TempDir,
    ca: Ca,
    server: ServerTls,
}

impl Files {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ca = ca();
        fs::write(dir.path().join("ca.crt"), ca.pem()).unwrap();
        let server = ServerTls {
            identity: identity(dir.path(), "server", &ca),
            client_ca_file: None,
        };
        Self { dir, ca, server }
    }

    fn mutual() -> Self {
        let mut files = Self::new();
        files.server.client_ca_file = Some(files.path("ca.crt"));
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn client(&self) -> ClientTls {
        ClientTls {
            ca_file: Some(self.path("ca.crt")),
            identity: None,
        }
    }

    fn known_client(&self) -> ClientTls {
        ClientTls {
            identity: Some(identity(self.dir.path(), "client", &self.ca)),
            ..self.client()
        }
    }
}

async fn listener() -> Listener {
    bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap()
}

/// What each side makes of a handshake; the client reads one byte, to learn what the server thinks.
async fn shake(acceptor: &Acceptor, client: &ClientTls) -> (Result<(), TlsError>, io::Result<()>) {
    let listener = listener().await;
    let address = listener.local_addr();
    let config = client.load(&[b"h2"]).unwrap();
    let client = async {
        let stream = connect(&address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await?;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        stream.read(&mut [0]).await.map(drop)
    };
    let server = async {
        let stream = listener.accept().await;
        let mut shaken = acceptor.accept(stream).await?;
        shaken.shutdown().await.map_err(TlsError::Handshake)
    };
    tokio::join!(server, client)
}

#[tokio::test]
async fn a_client_that_trusts_the_server_gets_through() {
    let files = Files::new();
    let acceptor = Acceptor::new(&files.server).unwrap();
    let (server, client) = shake(&acceptor, &files.client()).await;
    server.unwrap();
    client.unwrap();
}

#[tokio::test]
async fn a_client_that_trusts_another_does_not() {
    let files = Files::new();
    let acceptor = Acceptor::new(&files.server).unwrap();
    fs::write(files.path("ca.crt"), ca().pem()).unwrap();
    let (server, client) = shake(&acceptor, &files.client()).await;
    assert!(matches!(server, Err(TlsError::Handshake(_))), "{server:?}");
    client.unwrap_err();
}

#[tokio::test]
async fn mutual_tls_lets_in_known_clients_only() {
    let files = Files::mutual();
    let acceptor = Acceptor::new(&files.server).unwrap();
    let (server, client) = shake(&acceptor, &files.known_client()).await;
    server.unwrap();
    client.unwrap();

    let (server, client) = shake(&acceptor, &files.client()).await;
    assert!(matches!(server, Err(TlsError::Handshake(_))), "{server:?}");
    client.unwrap_err();

    let stranger = ClientTls {
        identity: Some(identity(files.dir.path(), "stranger", &ca())),
        ..files.client()
    };
    let (server, client) = shake(&acceptor, &stranger).await;
    assert!(matches!(server, Err(TlsError::Handshake(_))), "{server:?}");
    client.unwrap_err();
}

#[tokio::test]
async fn a_reload_takes_the_new_certificate() {
    let files = Files::new();
    let acceptor = Acceptor::new(&files.server).unwrap();
    let new = ca();
    identity(files.dir.path(), "server", &new);
    fs::write(files.path("ca.crt"), new.pem()).unwrap();
    acceptor.reload().unwrap();
    let (server, client) = shake(&acceptor, &files.client()).await;
    server.unwrap();
    client.unwrap();
}

#[tokio::test]
async fn a_bad_new_version_is_refused_and_the_old_one_serves_on() {
    let files = Files::new();
    let acceptor = Acceptor::new(&files.server).unwrap();
    fs::write(&files.server.identity.cert_file, "half a certif").unwrap();
    let error = acceptor.reload().unwrap_err();
    assert!(error.to_string().contains("server.crt"), "{error}");
    let (server, client) = shake(&acceptor, &files.client()).await;
    server.unwrap();
    client.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_is_given_up_after_five_seconds() {
    let files = Files::new();
    let acceptor = Acceptor::new(&files.server).unwrap();
    let listener = listener().await;
    let address = listener.local_addr();
    let (_silent, accepted) = tokio::join!(connect(&address), listener.accept());
    let began = tokio::time::Instant::now();
    let error = acceptor.accept(accepted).await.unwrap_err();
    assert!(matches!(error, TlsError::HandshakeTimeout), "{error}");
    assert_eq!(began.elapsed(), Duration::from_secs(5));
}

#[test]
fn each_unfit_file_is_named_with_what_was_expected() {
    let files = Files::mutual();
    let Identity {
        cert_file,
        key_file,
    } = &files.server.identity;
    let (cert, key) = (fs::read(cert_file).unwrap(), fs::read(key_file).unwrap());
    let refused = |path: &Path, bytes: &[u8]| {
        let kept = fs::read(path).unwrap();
        fs::write(path, bytes).unwrap();
        let error = Acceptor::new(&files.server).unwrap_err().to_string();
        fs::write(path, kept).unwrap();
        error
    };
    let other_key = KeyPair::generate().unwrap().serialize_pem();
    let rows = [
        (refused(cert_file, b""), "PEM certificates in", "server.crt"),
        (
            refused(cert_file, &key),
            "PEM certificates in",
            "server.crt",
        ),
        (refused(key_file, b""), "one private key in", "server.key"),
        (refused(key_file, &cert), "one private key in", "server.key"),
        (
            refused(key_file, other_key.as_bytes()),
            "to be that of",
            "server.key",
        ),
        (
            refused(&files.path("ca.crt"), b"-"),
            "PEM certificates in",
            "ca.crt",
        ),
    ];
    for (error, expected, file) in rows {
        assert!(error.contains(expected) && error.contains(file), "{error}");
    }
    fs::remove_file(key_file).unwrap();
    let error = Acceptor::new(&files.server).unwrap_err();
    assert!(matches!(error, TlsError::Read { .. }), "{error}");
}

#[test]
fn no_error_shows_key_material() {
    let files = Files::new();
    let key_file = &files.server.identity.key_file;
    let key = fs::read_to_string(key_file).unwrap();
    let mangled = key.replace("PRIVATE KEY-----\n", "PRIVATE KEY-----\n!SECRET!");
    fs::write(key_file, mangled).unwrap();
    let error = Acceptor::new(&files.server).unwrap_err();
    assert!(
        !format!("{error} {error:?}").contains("SECRET"),
        "{error:?}"
    );
}

#[test]
fn the_files_to_watch_are_all_that_were_read() {
    let files = Files::mutual();
    let acceptor = Acceptor::new(&files.server).unwrap();
    let names = |paths: Vec<PathBuf>| -> Vec<_> {
        let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        paths.iter().map(name).collect()
    };
    assert_eq!(
        names(acceptor.files()),
        ["server.crt", "server.key", "ca.crt"]
    );
    let client = files.known_client().files();
    assert_eq!(names(client), ["client.crt", "client.key", "ca.crt"]);
}
