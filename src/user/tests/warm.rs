//! Users and marks go from one process to the next.

use super::script::*;
use super::world::*;
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::event::{self, Event, Kind, Whom};
use crate::user::*;
use std::fs;
use std::path::Path;

fn written(folder: &Path) -> Config {
    fs::write(folder.join("key"), [7; 32]).unwrap();
    let mut config = config();
    // By the wall clock no time passes here.
    config.cache.fresh = secs(3600);
    config.snapshot = Some(Snapshot {
        file: folder.join("users.snapshot"),
        key_file: folder.join("key"),
        max: 2,
    });
    config
}

fn deleted(subject: &str) -> Event {
    Event {
        kind: Kind::UserDeleted,
        time: Timestamp::from_secs(1_700_000_000),
        realm: "realm".into(),
        tenant: Some("acme".into()),
        whom: Some(Whom::Subject(subject.into())),
        version: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_during_an_outage_loses_no_user_and_no_mark() {
    let folder = tempfile::tempdir().unwrap();
    let before = configured(written(folder.path()), &[Line::Found("u-1")]);
    for subject in ["alice", "bob"] {
        before.find(subject).await.unwrap();
    }
    event::apply(&deleted("bob"), &before.ledger, SystemClock.now()).unwrap();
    assert_eq!(before.users.save().unwrap(), Some(1));

    let fails = Line::Fails(Reason::UnexpectedStatus);
    let after = configured(written(folder.path()), &[fails]);
    assert_eq!(after.users.warm().unwrap(), Some(1));
    // Stale: it is served only because the directory does not answer.
    assert_eq!(after.alice().await, says("stale", "u-1"));
    let bob = after.find("bob").await.unwrap();
    assert_eq!((bob.cached, id_of(&bob)), (Cached::Mark, "none".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_user_of_the_snapshot_is_asked_for_before_it_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let before = configured(written(folder.path()), &[Line::Found("u-1")]);
    before.alice().await;
    before.users.save().unwrap();
    let after = configured(written(folder.path()), &[Line::NotFound]);
    after.users.warm().unwrap();
    assert_eq!(after.alice().await, says("miss", "none"));
}

#[tokio::test(start_paused = true)]
async fn the_youngest_answers_are_kept_where_not_all_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let before = configured(written(folder.path()), &[Line::Found("u-1")]);
    for subject in ["alice", "bob", "carol"] {
        before.find(subject).await.unwrap();
        pass(secs(1)).await;
    }
    assert_eq!(before.users.save().unwrap(), Some(2));
    let after = configured(written(folder.path()), &[Line::Fails(Reason::Tls)]);
    assert_eq!(after.users.warm().unwrap(), Some(2));
    assert!(after.find("alice").await.is_err());
    assert!(after.find("carol").await.is_ok());
}

/// A gRPC service that is reached so.
fn grpc(port: u16, change: impl FnOnce(&mut directory::Grpc)) -> directory::Config {
    let mut grpc = directory::Grpc {
        endpoint: directory::Endpoint::Tcp {
            tls: false,
            host: url::Host::Ipv4([127, 0, 0, 1].into()),
            port,
        },
        token_file: None,
        tls: crate::net::tls::ClientTls::default(),
        watch: false,
        required: Vec::new(),
    };
    change(&mut grpc);
    directory::Config::Grpc(Box::new(grpc))
}

#[tokio::test(start_paused = true)]
async fn marks_are_taken_up_whatever_was_changed_and_users_unless_the_directory_is_another() {
    let watched = grpc(1, |grpc| {
        grpc.watch = true;
        grpc.token_file = Some("/run/token".into());
    });
    let stricter = grpc(1, |grpc| grpc.required.push("email".to_owned()));
    for (directory, keeps_users) in [
        (grpc(1, |_| {}), true),
        (watched, true),
        (grpc(2, |_| {}), false),
        (stricter, false),
        (directory::Config::File("/other/users.yaml".into()), false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut config = written(folder.path());
        config.directory = grpc(1, |_| {});
        let before = configured(config, &[Line::Found("u-1")]);
        for subject in ["alice", "bob"] {
            before.find(subject).await.unwrap();
        }
        event::apply(&deleted("bob"), &before.ledger, SystemClock.now()).unwrap();
        before.users.save().unwrap();

        let mut config = written(folder.path());
        config.directory = directory;
        config.timeout = secs(7);
        config.retries = 5;
        config.concurrency = 9;
        let name = config.directory.fingerprint();
        let after = configured(config, &[Line::Fails(Reason::Tls)]);
        assert_eq!(
            after.users.warm().unwrap(),
            Some(usize::from(keeps_users)),
            "{name}"
        );
        assert_eq!(after.find("alice").await.is_ok(), keeps_users, "{name}");
        let bob = after.find("bob").await.unwrap();
        assert_eq!(
            (bob.cached, id_of(&bob)),
            (Cached::Mark, "none".to_owned()),
            "{name}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_another_key_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let before = configured(written(folder.path()), &[Line::Found("u-1")]);
    before.alice().await;
    before.users.save().unwrap();
    let after = configured(written(folder.path()), &[Line::NotFound]);
    fs::write(folder.path().join("key"), [8; 32]).unwrap();
    assert!(matches!(
        after.users.warm(),
        Err(WarmError::File(snapshot::SnapshotError::Mac(_)))
    ));
    assert_eq!(after.users.size().0, 0);
}
