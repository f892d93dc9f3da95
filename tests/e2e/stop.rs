//! Stopping: one of several instances may go without costing a request.

use crate::parts::backend::Backend;
use crate::parts::client::{Client, get};
use crate::parts::configuration::{Check, Configuration};
use crate::parts::envoy::{self, Envoy, TCP};
use crate::parts::issuer::Issuer;
use crate::parts::sidecar::Sidecar;
use crate::parts::until;
use crate::world::{Expected, World, people, program};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::task::JoinSet;

/// Requests without end, from several clients, until told otherwise.
struct Load {
    enough: Arc<AtomicBool>,
    sent: Arc<AtomicUsize>,
    clients: JoinSet<Vec<String>>,
}

impl Load {
    fn start(client: Client, issuer: &Issuer) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(AtomicUsize::new(0));
        let mut clients = JoinSet::new();
        for _ in 0..8 {
            let (enough, sent) = (Arc::clone(&enough), Arc::clone(&sent));
            let request = get("/").bearer(&issuer.token().sign());
            clients.spawn(async move {
                let mut failed = Vec::new();
                while !enough.load(Ordering::Relaxed) {
                    match client.try_send(&request).await {
                        Ok(answer) if answer.status == 200 => {}
                        other => failed.push(format!("{other:?}")),
                    }
                    sent.fetch_add(1, Ordering::Relaxed);
                }
                failed
            });
        }
        Self {
            enough,
            sent,
            clients,
        }
    }

    /// Waits for so many requests more.
    async fn more(&self, count: usize) {
        let from = self.sent.load(Ordering::Relaxed);
        until("requests are sent", async || {
            self.sent.load(Ordering::Relaxed) >= from + count
        })
        .await;
    }

    async fn failures(self) -> Vec<String> {
        self.enough.store(true, Ordering::Relaxed);
        self.clients.join_all().await.concat()
    }
}

#[tokio::test]
async fn sigterm_under_load_to_one_of_two_instances_fails_no_request() {
    let (issuer, users, backend) = (Issuer::start(), people(), Backend::start());
    let configuration = Configuration::new(&issuer, &users)
        .and_sections(crate::world::POLICIES)
        .check(Check::Tcp);
    let mut one = Sidecar::start(program(), |place| configuration.install(place)).await;
    let other = Sidecar::start(program(), |place| configuration.install(place)).await;
    let file = envoy::file(TCP)
        .service(backend.address())
        .sidecars(&[one.place().check, other.place().check]);
    let envoy = Envoy::start(&file).await;
    envoy.healthy("subgate", 2).await;

    let load = Load::start(envoy.client(), &issuer);
    load.more(200).await;
    one.terminate();
    let status = one.ended().await;
    load.more(200).await;
    let failures = load.failures().await;
    assert!(
        failures.is_empty(),
        "{} failed, such as {}",
        failures.len(),
        failures[0]
    );
    assert!(status.success(), "{status}");
    envoy.healthy("subgate", 1).await;
}

#[tokio::test]
async fn it_is_unready_at_once_still_answers_while_it_drains_and_then_takes_its_socket_away() {
    let mut world = World::start().await;
    let token = world.issuer.token().sign();
    world.send(&get("/").bearer(&token)).await.is_allowed();
    world.sidecar.terminate();
    let health = world.sidecar.health();
    until("it is unready", async || {
        health.get("/readyz").await.status == 503
    })
    .await;
    assert_eq!(health.get("/livez").await.status, 200);
    world.send(&get("/").bearer(&token)).await.is_allowed();
    assert!(world.sidecar.ended().await.success());
    assert!(!world.sidecar.place().path("check.sock").exists());
}

#[tokio::test]
async fn a_killed_instance_lets_nobody_pass() {
    let mut world = World::start().await;
    let token = world.issuer.token().sign();
    world.send(&get("/").bearer(&token)).await.is_allowed();
    let seen = world.backend.seen().len();
    world.sidecar.kill();
    for _ in 0..20 {
        assert_eq!(world.send(&get("/").bearer(&token)).await.status, 503);
        assert_eq!(world.send(&get("/public")).await.status, 503);
    }
    assert_eq!(world.backend.seen().len(), seen);
}
