//! A flood of strangers: the user service is spared, and known users feel nothing of it.

use crate::parts::client::{Client, Request, exchange, get};
use crate::parts::faulty::person;
use crate::scene::Scene;
use crate::world::Expected;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// Strangers a second, and for how many seconds.
const RATE: usize = 2000;
const SECONDS: usize = 2;

/// Clients that share the strangers, each with a connection of its own.
const CLIENTS: usize = 40;

const CONCURRENCY: u64 = 16;
const KNOWN: usize = 20;

/// Sends its share in time, or as fast as answers come, and tells the codes that came back.
async fn client(envoy: SocketAddr, requests: Vec<Request>) -> BTreeSet<String> {
    let mut stream = TcpStream::connect(envoy).await.expect("a connection");
    let mut ticks = interval(Duration::from_micros((1_000_000 * CLIENTS / RATE) as u64));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut codes = BTreeSet::new();
    for request in requests {
        ticks.tick().await;
        let answer = exchange(&mut stream, &request).await.expect("an answer");
        codes.insert(answer.code());
    }
    codes
}

#[tokio::test]
async fn a_flood_of_strangers_reaches_half_of_the_room_and_known_users_are_answered_from_memory() {
    let known: Vec<String> = (0..KNOWN).map(|number| format!("known-{number}")).collect();
    let people = known.iter().map(|subject| person("acme", subject));
    let users = format!(
        "concurrency: {CONCURRENCY}\ntimeout: 10s\nwait: 200ms\ncache: {{fresh: 1h, not_found_for: 1h}}\n"
    );
    let mut scene = Scene::with(people.collect(), &users).await;
    for subject in &known {
        scene.ask(subject).await.is_allowed();
    }
    scene.service.slow(Duration::from_millis(20));

    // Signed before the first is sent: a flood costs whoever sends it nothing then.
    let stranger = |number| {
        let token = scene.issuer.token().subject(&format!("stranger-{number}"));
        get("/")
            .bearer(&token.sign())
            .header("connection", "keep-alive")
    };
    let mut strangers: Vec<Request> = (0..RATE * SECONDS).map(stranger).collect();
    let mut flood = JoinSet::new();
    while !strangers.is_empty() {
        let rest = strangers.split_off(strangers.len().min(RATE * SECONDS / CLIENTS));
        flood.spawn(client(scene.envoy.address(), strangers));
        strangers = rest;
    }

    let is_over = Arc::new(AtomicBool::new(false));
    let familiar = tokio::spawn({
        let requests: Vec<Request> = known
            .iter()
            .map(|subject| get("/").bearer(&scene.issuer.token().subject(subject).sign()))
            .collect();
        let (is_over, client): (_, Client) = (Arc::clone(&is_over), scene.envoy.client());
        async move {
            let mut rounds = 0;
            while !is_over.load(Ordering::Relaxed) {
                for request in &requests {
                    client.send(request).await.is_allowed();
                }
                rounds += 1;
            }
            rounds
        }
    });
    let codes: BTreeSet<String> = flood.join_all().await.into_iter().flatten().collect();
    is_over.store(true, Ordering::Relaxed);
    assert!(familiar.await.expect("known users pass") >= 1);

    let expected = ["directory_unavailable", "overloaded", "user_not_found"];
    for code in &codes {
        assert!(expected.contains(&code.as_str()), "{codes:?}");
    }
    let (_, at_once) = scene.service.all_calls().await;
    assert!(at_once <= CONCURRENCY / 2, "{at_once} calls at once");
    assert!(at_once > 1, "no flood: {at_once} calls at once");
    for subject in &known {
        assert_eq!(scene.service.calls(subject).await, 1, "{subject}");
    }
}
