//! What is remembered takes no more memory than it may, and what it is said to take.

use super::script::*;
use super::world::*;
use crate::event::Version;
use crate::user::directory::Lifetime;
use crate::user::remembered::Given;
use crate::user::*;

#[tokio::test(start_paused = true)]
async fn what_is_remembered_is_bounded_by_its_weight() {
    let mut small = config();
    small.cache.max_memory = 64 * 1024;
    let world = configured(small, &[Line::Found("u-1")]);
    for number in 0..2000 {
        world.find(&format!("user-{number}")).await.unwrap();
    }
    let (found, bytes, _) = world.users.size();
    assert!(bytes <= 64 * 1024, "{bytes}");
    assert!((20..200).contains(&found), "{found}");
}

#[tokio::test(start_paused = true)]
async fn strangers_that_are_not_found_never_crowd_out_users_that_are() {
    let mut small = config();
    small.cache.max_memory = 128 * 1024;
    let world = configured(small, &[Line::Found("u-1")]);
    for number in 0..50 {
        world.find(&format!("user-{number}")).await.unwrap();
    }
    world.script.now_says(&[Line::NotFound]);
    for number in 0..5000 {
        world.find(&format!("stranger-{number}")).await.unwrap();
    }
    for number in 0..50 {
        let known = world.find(&format!("user-{number}")).await.unwrap();
        assert_eq!(known.cached, Cached::Hit, "{number}");
    }
    let (_, _, not_found) = world.users.size();
    assert!(not_found < 100, "{not_found}");
}

/// Users of a kind.
type Kind = fn(usize) -> (Key, User);

fn plain(number: usize) -> (Key, User) {
    let subject = format!("{number:08x}-5a17-4c0d-a0b1-{number:012x}");
    let user = User {
        id: Some(format!("user-{number:08}").into()),
        roles: ["editor".into(), "viewer".into()].into(),
        ..User::default()
    };
    (key("acme", &subject), user)
}

const KINDS: [(&str, Kind); 5] = [
    ("plain", plain),
    ("of long subjects", |number| {
        let (key, user) = plain(number);
        let subject = format!("auth0|waad|{}", key.subject).into();
        (Key { subject, ..key }, user)
    }),
    ("with attributes and versions", |number| {
        let (key, user) = plain(number);
        let email = format!("user-{number}@example.com");
        let user = User {
            attributes: [
                ("email".into(), [email.into()].into()),
                ("teams".into(), ["red".into(), "green".into()].into()),
            ]
            .into(),
            version: Version::parse(&number.to_string()),
            ..user
        };
        (key, user)
    }),
    ("with roles of their own", |number| {
        let (key, user) = plain(number);
        let roles = (0..8).map(|role| format!("project-{number}-{role}").into());
        let roles = roles.collect();
        (key, User { roles, ..user })
    }),
    ("each with a tenant of its own", |number| {
        let (key, user) = plain(number);
        let tenant = Some(format!("tenant-{number:08}").into());
        (Key { tenant, ..key }, user)
    }),
];

/// The bytes that are asked of the allocator, which rounds up, are about the weight. A little may be
/// freed by other threads, or for them.
#[test]
fn users_weigh_what_they_take() {
    for (name, kind) in KINDS {
        let mut settings = config().cache;
        settings.max_memory = 1 << 32;
        let remembered = Remembered::new(&settings);
        let Key { realm, issuer, .. } = key("acme", "alice");
        let counted = allocation_counter::measure(|| {
            for number in 0..50_000 {
                let (key, user) = kind(number);
                let key = Key {
                    realm: realm.clone(),
                    issuer: issuer.clone(),
                    ..key
                };
                let given = Given {
                    sent: Instant::now(),
                    lifetime: Lifetime::default(),
                    etag: None,
                    epoch: 0,
                    revoked: None,
                };
                remembered.found(&key, user, given);
            }
            remembered.size();
        });
        let (_, weight, _) = remembered.size();
        let taken = u64::try_from(counted.bytes_current).unwrap();
        assert!(
            (taken * 19 / 20..taken * 4 / 3).contains(&weight),
            "{name}: {weight} of {taken}"
        );
    }
}
