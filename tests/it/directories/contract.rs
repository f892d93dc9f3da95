//! What every directory does, whichever way it is asked.

mod houses;

use super::{REALM, ask, put_question};
use crate::parts::PATIENCE;
use houses::{Behind, Subject, Versions, key};
use std::fs;
use std::sync::Arc;
use subgate::event::Version;
use subgate::user::User;
use subgate::user::directory::Answer;
use subgate::user::record::Status;

const REALM2: &str = "https://id2.example.com";

/// One user, as a test puts it into whatever stands behind a directory.
#[derive(Clone)]
struct Row {
    realm: &'static str,
    tenant: &'static str,
    subject: &'static str,
    id: &'static str,
    status: &'static str,
    roles: &'static [&'static str],
    email: &'static str,
    version: &'static str,
}

const ALICE: Row = Row {
    realm: REALM,
    tenant: "acme",
    subject: "alice",
    id: "u-1",
    status: "active",
    roles: &["reader", "a,b"],
    email: "alice@example.com",
    version: "7",
};

impl Subject {
    /// Changes who is in it, and waits until the directory can know.
    async fn holds(&self, rows: &[Row]) {
        let mut versions = self.directory.versions();
        versions
            .iter_mut()
            .for_each(tokio::sync::watch::Receiver::mark_unchanged);
        (self.put)(rows);
        if let Some(mut versions) = versions {
            let changed = tokio::time::timeout(PATIENCE, versions.changed());
            changed
                .await
                .expect("the change is seen")
                .expect("the directory lives");
        }
    }

    async fn find(&self, realm: &str, tenant: &str, subject: &str) -> Option<User> {
        let called = (self.called)(subject);
        match ask(&*self.directory, realm, Some(tenant), &called).await {
            Ok(Answer::Found(mut user)) => {
                let given = user.id.as_deref().unwrap_or_default();
                if let Some(&id) = self.ids.lock().get(&key(realm, tenant, given)) {
                    user.id = Some(id.into());
                }
                Some(user)
            }
            Ok(Answer::NotFound) => None,
            Ok(Answer::Unchanged) => panic!("{realm} {tenant} {subject}: no validator was sent"),
            Err(unanswered) => panic!("{realm} {tenant} {subject}: {unanswered}"),
        }
    }
}

async fn it_finds_whoever_is_there_with_all_that_is_known(house: Subject) {
    house.holds(&[ALICE]).await;
    let user = house.find(REALM, "acme", "alice").await.expect("alice");
    assert_eq!(user.id.as_deref(), Some("u-1"));
    assert_eq!(user.status, Status::Active);
    assert_eq!(
        user.roles.iter().map(|role| &**role).collect::<Vec<_>>(),
        ["reader", "a,b"]
    );
    let email = user.attribute("email").expect("an attribute");
    assert_eq!(
        email.iter().map(|one| &**one).collect::<Vec<_>>(),
        ["alice@example.com"]
    );
    assert_eq!((user.lacks, user.attributes.len()), (None, 1));
    assert!(house.directory.proves_tenant() && !house.directory.names_by_subject());
}

async fn it_does_not_find_who_is_not_there(house: Subject) {
    assert_eq!(house.find(REALM, "acme", "alice").await, None);
    house.holds(&[ALICE]).await;
    for subject in ["bob", "Alice", "alic", "alice2", "u-1", "alice "] {
        assert_eq!(
            house.find(REALM, "acme", subject).await,
            None,
            "{subject:?}"
        );
    }
}

async fn it_tells_who_is_disabled(house: Subject) {
    for (status, expected) in [
        ("active", Status::Active),
        ("disabled", Status::Disabled),
        ("Suspended", Status::Disabled),
        ("deleted", Status::Disabled),
        ("INACTIVE", Status::Disabled),
    ] {
        house.holds(&[Row { status, ..ALICE }]).await;
        let user = house.find(REALM, "acme", "alice").await.expect("alice");
        assert_eq!(user.status, expected, "{status}");
    }
}

async fn it_keeps_tenants_and_realms_apart(house: Subject) {
    house
        .holds(&[
            ALICE,
            Row {
                tenant: "globex",
                id: "u-2",
                ..ALICE
            },
            Row {
                realm: REALM2,
                id: "u-3",
                ..ALICE
            },
        ])
        .await;
    for (realm, tenant, expected) in [
        (REALM, "acme", Some("u-1")),
        (REALM, "globex", Some("u-2")),
        (REALM2, "acme", Some("u-3")),
        (REALM2, "globex", None),
        (REALM, "ACME", None),
    ] {
        let user = house.find(realm, tenant, "alice").await;
        let id = user.as_ref().and_then(|user| user.id.as_deref());
        assert_eq!(id, expected, "{realm} {tenant}");
    }
}

async fn it_takes_any_subject_for_one_name(house: Subject) {
    const ODD: [&str; 16] = [
        "a/b",
        "..%2f",
        "%2e%2e",
        "../alice",
        "\u{fc}",
        "a b",
        "a?b",
        "a#b",
        "a&b=c",
        "a%",
        "a+b",
        "auth0|x",
        "x@y.example",
        "a\\b",
        "{subject}",
        "\u{1f600}",
    ];
    let rows: Vec<Row> = ODD
        .iter()
        .map(|&subject| Row {
            subject,
            id: subject,
            ..ALICE
        })
        .collect();
    for subject in ODD {
        assert_eq!(
            house.find(REALM, "acme", subject).await,
            None,
            "{subject:?}"
        );
    }
    house.holds(&rows).await;
    for subject in ODD {
        let user = house.find(REALM, "acme", subject).await;
        let id = user.as_ref().and_then(|user| user.id.as_deref());
        assert_eq!(id, Some(subject));
    }
    for subject in ["a", "b", "alice", "a%20b", "a%2fb"] {
        assert_eq!(
            house.find(REALM, "acme", subject).await,
            None,
            "{subject:?}"
        );
    }
}

async fn it_sees_changes(house: Subject) {
    house.holds(&[ALICE]).await;
    assert!(house.find(REALM, "acme", "alice").await.is_some());
    house.holds(&[Row { id: "u-9", ..ALICE }]).await;
    let user = house.find(REALM, "acme", "alice").await.expect("alice");
    assert_eq!(user.id.as_deref(), Some("u-9"));
    house.holds(&[]).await;
    assert_eq!(house.find(REALM, "acme", "alice").await, None);
}

async fn it_carries_the_version_of_a_record(house: Subject) {
    house.holds(&[ALICE]).await;
    let user = house.find(REALM, "acme", "alice").await.expect("alice");
    match house.versions {
        Versions::Given => assert_eq!(user.version, Some(Version::Number(7))),
        Versions::Times => assert!(
            matches!(user.version, Some(Version::Time(_))),
            "{:?}",
            user.version
        ),
    }
}

async fn it_asks_past_whatever_lags_where_that_is_wanted_and_nowhere_else(house: Subject) {
    house.holds(&[ALICE]).await;
    let alice = (house.called)("alice");
    for consistent in [false, true, false] {
        let answered = put_question(&*house.directory, &alice, consistent, None).await;
        let answer = answered.expect("an answer").answer;
        assert!(matches!(answer, Answer::Found(_)), "{answer:?}");
        match &house.behind {
            Behind::Service {
                asked_consistently, ..
            } => assert_eq!(asked_consistently(), consistent),
            Behind::Nothing { .. } => assert!(!house.directory.lags()),
        }
    }
}

async fn it_finds_nobody_missing_while_it_is_down(house: Subject) {
    house.holds(&[ALICE]).await;
    let is_down = match &house.behind {
        Behind::Service { down, .. } => {
            down();
            true
        }
        Behind::Nothing { take_away } => {
            take_away();
            false
        }
    };
    for subject in ["alice", "bob"] {
        let called = (house.called)(subject);
        let asked = ask(&*house.directory, REALM, Some("acme"), &called);
        let answer = tokio::time::timeout(PATIENCE, asked).await.expect("an end");
        if is_down {
            assert!(answer.is_err(), "{subject}: {answer:?}");
        } else {
            let is_there = matches!(answer, Ok(Answer::Found(_)));
            assert_eq!(is_there, subject == "alice", "{answer:?}");
        }
    }
}

macro_rules! contract {
    ($($directory:ident)* : $sentences:tt) => {
        $(mod $directory { contract!(@ $directory $sentences); })*
    };
    (@ $directory:ident [$($sentence:ident)*]) => {
        $(#[tokio::test]
        async fn $sentence() {
            super::$sentence(super::houses::$directory().await).await;
        })*
    };
}

contract! {
    http express grpc file scim2_server scimmy supabase : [
        it_finds_whoever_is_there_with_all_that_is_known
        it_does_not_find_who_is_not_there
        it_tells_who_is_disabled
        it_keeps_tenants_and_realms_apart
        it_takes_any_subject_for_one_name
        it_sees_changes
        it_carries_the_version_of_a_record
        it_asks_past_whatever_lags_where_that_is_wanted_and_nowhere_else
        it_finds_nobody_missing_while_it_is_down
    ]
}

/// Of the file alone.
#[test]
fn a_file_with_mistakes_is_refused_with_their_places() {
    use subgate::user::directory::FileDirectory;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("users.yaml");
    let realms: Vec<Arc<str>> = vec![REALM.into(), REALM2.into()];
    for (text, place, word) in [
        ("users:\n- {subject: a}\n", ":2:", "realm"),
        (
            "users:\n- {realm: https://other.example, subject: a}\n",
            ":2:",
            "realm",
        ),
        (
            "users:\n- {realm: https://id.example.com, subject: a, status: disbled}\n",
            ":2:",
            "status",
        ),
        (
            "users:\n- {realm: https://id.example.com, subject: a, roles: admin}\n",
            ":2:",
            "roles",
        ),
        (
            "users:\n- {realm: https://id.example.com, sub: a}\n",
            ":2:",
            "subject",
        ),
        (
            "users:\n- {realm: https://id.example.com, subject: a}\n- {realm: https://id.example.com, subject: a}\n",
            ":3:",
            "once",
        ),
        ("users: 1\n", ":1:", "users"),
    ] {
        fs::write(&path, text).expect("a file");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let _inside = runtime.enter();
        let mistakes = FileDirectory::open(&path, &realms)
            .expect_err(text)
            .to_string();
        assert!(
            mistakes.contains(place) && mistakes.contains(word),
            "{text}: {mistakes}"
        );
    }
}
