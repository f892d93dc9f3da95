//! Real Envoy as a process, and the very files that users copy, with the addresses of a test in them.

use super::client::Client;
use serde_json::Value;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command};
use tempfile::TempDir;

/// `envoy/plain/uds.yaml`.
pub(crate) const UDS: &str = include_str!("../../envoy/plain/uds.yaml");
/// `envoy/plain/tcp.yaml`.
pub(crate) const TCP: &str = include_str!("../../envoy/plain/tcp.yaml");
/// `envoy/plain/jwt-authn.yaml`.
pub(crate) const JWT_AUTHN: &str = include_str!("../../envoy/plain/jwt-authn.yaml");

/// A configuration in which places are exchanged, each as often as it is expected there.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    text: String,
}

/// A configuration with the addresses of the moment.
pub(crate) fn file(text: &str) -> Configuration {
    Configuration {
        text: text.to_owned(),
    }
    .swap("port_value: 10000", "port_value: 0", 1)
    .swap("port_value: 9901", "port_value: 0", 1)
}

impl Configuration {
    /// Exchanges a text that occurs exactly so often.
    ///
    /// # Panics
    /// If it occurs more or less often: then the file has changed, and its tests must too.
    pub(crate) fn swap(mut self, from: &str, to: &str, times: usize) -> Self {
        let found = self.text.matches(from).count();
        assert_eq!(found, times, "expected `{from}` so often in the Envoy file");
        self.text = self.text.replace(from, to);
        self
    }

    /// The service behind.
    pub(crate) fn service(self, address: SocketAddr) -> Self {
        self.swap(
            "port_value: 8080",
            &format!("port_value: {}", address.port()),
            2,
        )
    }

    /// The sidecar at a Unix socket, by path or, with `@`, abstract.
    pub(crate) fn sidecar_at_socket(self, path: &str) -> Self {
        self.swap(
            "path: /run/subgate/check.sock",
            &format!("path: \"{path}\""),
            1,
        )
    }

    /// The sidecar, or several of them, at TCP addresses.
    pub(crate) fn sidecars(self, addresses: &[SocketAddr]) -> Self {
        let entry = "        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 19191}}}\n";
        let entries = addresses.iter().map(|address| {
            entry.replace(
                "port_value: 19191",
                &format!("port_value: {}", address.port()),
            )
        });
        self.swap(entry, &entries.collect::<String>(), 1)
    }
}

/// A running Envoy; it is killed when it is dropped.
pub(crate) struct Envoy {
    process: Child,
    folder: Option<TempDir>,
    address: SocketAddr,
    admin: SocketAddr,
}

impl Envoy {
    /// Starts with a configuration, and waits until it is ready.
    ///
    /// # Panics
    /// If Envoy is not there, does not like the configuration, or does not get ready.
    pub(crate) async fn start(file: &Configuration) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let configuration = folder.path().join("envoy.yaml");
        fs::write(&configuration, &file.text).expect("the configuration is written");
        let told = folder.path().join("admin");
        let log = File::create(folder.path().join("envoy.log")).expect("a log file");
        let process = Command::new(super::part("bin/envoy"))
            .args([
                "--use-dynamic-base-id",
                "--concurrency",
                "1",
                "--log-level",
                "info",
            ])
            .args(["--file-flush-interval-msec", "50"])
            .arg("--config-path")
            .arg(&configuration)
            .arg("--admin-address-path")
            .arg(&told)
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("Envoy starts");
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut envoy = Self {
            process,
            folder: Some(folder),
            address: nowhere,
            admin: nowhere,
        };
        envoy.get_ready(told).await;
        envoy
    }

    async fn get_ready(&mut self, told: PathBuf) {
        super::until("Envoy tells its admin address", async || {
            let ended = self.process.try_wait().expect("a process");
            assert!(ended.is_none(), "Envoy ended: {}", self.log());
            match fs::read_to_string(&told).unwrap_or_default().trim().parse() {
                Ok(admin) => {
                    self.admin = admin;
                    true
                }
                Err(_) => false,
            }
        })
        .await;
        let admin = Client::new(self.admin);
        super::until("Envoy is ready", async || {
            admin
                .try_get("/ready")
                .await
                .is_ok_and(|answer| answer.status == 200)
        })
        .await;
        let listeners = admin.get("/listeners?format=json").await.json();
        let port =
            &listeners["listener_statuses"][0]["local_address"]["socket_address"]["port_value"];
        let port = port.as_u64().and_then(|port| u16::try_from(port).ok());
        self.address.set_port(port.expect("a listener's port"));
    }

    /// Where its listener is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client for its listener.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// A counter of its own; zero where it has none of the name.
    pub(crate) async fn counter(&self, name: &str) -> u64 {
        let path = format!("/stats?format=json&filter=^{}$", name.replace('.', "%5C."));
        let stats = Client::new(self.admin).get(&path).await.json();
        stats["stats"][0]["value"].as_u64().unwrap_or(0)
    }

    /// Waits until so many hosts of a cluster are healthy.
    pub(crate) async fn healthy(&self, cluster: &str, hosts: u64) {
        let path = format!("/stats?format=json&filter=^cluster.{cluster}.membership_healthy$");
        let admin = Client::new(self.admin);
        super::until("the hosts of the cluster are healthy", async || {
            let stats = admin.get(&path).await.json();
            stats["stats"][0]["value"] == hosts
        })
        .await;
    }

    /// Its log and access log so far.
    pub(crate) fn log(&self) -> String {
        let folder = self.folder.as_ref().expect("a folder until it is dropped");
        fs::read_to_string(folder.path().join("envoy.log")).unwrap_or_default()
    }

    /// The access log's line about a request, once it is there.
    pub(crate) async fn access(&self, request_path: &str) -> Value {
        let mut entry = Value::Null;
        super::until("the access log has the request", async || {
            let log = self.log();
            let lines = log
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            entry = lines
                .rev()
                .find(|line| line["path"] == request_path)
                .unwrap_or_default();
            !entry.is_null()
        })
        .await;
        entry
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _already_gone = self.process.kill();
        let _already_gone = self.process.wait();
        if std::thread::panicking()
            && let Some(folder) = self.folder.take()
        {
            eprintln!("Envoy's log: {}", folder.keep().join("envoy.log").display());
        }
    }
}

/// Whether Envoy itself can load a file as it stands; what it says if not.
pub(crate) fn validate(path: &str) -> Result<(), String> {
    let output = Command::new(super::part("bin/envoy"))
        .args(["--mode", "validate", "--config-path"])
        .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path))
        .output()
        .expect("Envoy starts");
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}
