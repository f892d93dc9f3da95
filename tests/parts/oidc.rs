//! A real OpenID provider as a process.

use super::client::Client;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A running provider; it is killed when it is dropped.
pub(crate) struct OpenIdProvider {
    process: Child,
    address: SocketAddr,
}

impl OpenIdProvider {
    /// The signature algorithms it has keys for.
    pub(crate) const ALGORITHMS: [&'static str; 9] = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
    ];

    /// Starts, and waits until its discovery document is there.
    pub(crate) async fn start() -> Self {
        let address = super::free_address();
        let provider = Self {
            process: launch(address),
            address,
        };
        provider.ready().await;
        provider
    }

    /// Ends it and starts it again, with new keys.
    pub(crate) async fn restart(&mut self) {
        self.end();
        self.process = launch(self.address);
        self.ready().await;
    }

    /// Its identifier.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// An access token for a client, signed with an algorithm.
    pub(crate) async fn token(&self, algorithm: &str) -> String {
        let form = format!("grant_type=client_credentials&scope=read&resource=urn:api:{algorithm}");
        let call = format!(
            "POST /token HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\
             authorization: Basic c3ZjOnN2Yy1zZWNyZXQ=\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            self.address,
            form.len(),
        );
        let mut stream = TcpStream::connect(self.address)
            .await
            .expect("the provider listens");
        stream
            .write_all(call.as_bytes())
            .await
            .expect("the provider reads");
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .await
            .expect("the provider answers");
        let token = answer
            .split("\"access_token\":\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        token
            .unwrap_or_else(|| panic!("expected a token, came {answer}"))
            .to_owned()
    }

    async fn ready(&self) {
        let client = Client::new(self.address);
        super::until("the OpenID provider is ready", async || {
            let document = client.try_get("/.well-known/openid-configuration").await;
            document.is_ok_and(|answer| answer.status == 200)
        })
        .await;
    }

    fn end(&mut self) {
        let _already_gone = self.process.kill();
        let _already_gone = self.process.wait();
    }
}

fn launch(address: SocketAddr) -> Child {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parts/oidc-provider.mjs");
    Command::new("node")
        .arg(script)
        .arg(super::part("node"))
        .arg(address.port().to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("node starts")
}

impl Drop for OpenIdProvider {
    fn drop(&mut self) {
        self.end();
    }
}
