//! Users who come, go and change while their tokens live, and stores that lag, break and vanish.

use super::{Deed, Row, allowed, bearer, refused};
use crate::parts::client::Request;
use crate::parts::issuer::Issuer;
use crate::parts::token::Token;
use crate::parts::users::User;
use serde_json::{Value, json};
use std::time::Duration;
use subgate::clock::{Clock as _, SystemClock};

/// The users of a tenant that loses them all, and how many of them are asked for before it is held.
const LOST: [&str; 8] = ["g1", "g2", "g3", "g4", "g5", "g6", "g7", "g8"];
const ASKED: usize = 6;

const UNAVAILABLE: (u16, &str) = (503, "directory_unavailable");

/// Everything that may happen to a user meanwhile.
pub(super) fn all(acme: &Issuer) -> Vec<Row> {
    let mut rows = events(acme);
    rows.extend(young(acme));
    rows.extend(outages(acme));
    rows.extend(losses(acme));
    rows
}

/// The users of the tenant that loses them.
pub(crate) fn of_globex() -> impl Iterator<Item = User> {
    LOST.iter().map(|subject| User::named(subject).of("globex"))
}

fn events(acme: &Issuer) -> Vec<Row> {
    let lena = |token: Token| bearer(token.subject("lena"));
    let told = |kind, ago| event(kind, ago, &json!({"subject": "lena"}));
    let renamed = json!({"subject": "ann-old", "new_subject": "ann"});
    let globex = json!({"tenant": "globex"});
    let rita = || bearer(acme.token().subject("rita"));
    // Told without a time: as of the moment in which it is told.
    let promoted = event("user.updated", 0, &json!({"subject": "rita", "time": null}));
    vec![
        allowed(
            "19",
            "roles changed, the old ones remembered",
            "sub rita, event user.updated",
            rita(),
        )
        .after([
            Deed::Added(User::named("rita")),
            Deed::Sent(rita()),
            Deed::Gone("rita"),
            Deed::Added(User::named("rita").roles(&["admin"])),
            promoted,
        ])
        .service_sees(&[
            ("x-user-id", Some("u-rita")),
            ("x-user-roles", Some("admin")),
        ]),
        refused(
            "2",
            "deleted, but a replica still has the user",
            "sub lena, event user.deleted",
            lena(acme.token()),
            (403, "user_not_found"),
        )
        .after([Deed::Sent(lena(acme.token())), told("user.deleted", 40)]),
        refused(
            "1",
            "made anew, token from before",
            "sub lena, event user.created",
            lena(acme.token()),
            (401, "token_revoked"),
        )
        .after([told("user.created", 30)]),
        allowed(
            "1",
            "made anew, token from after",
            "sub lena, issued since",
            lena(acme.token().issued_ago(5)),
        )
        .service_sees(&[("x-user-id", Some("u-lena"))]),
        allowed(
            "3",
            "id changed, old id in a live token",
            "sub ann-old, event user.id_changed",
            bearer(acme.token().subject("ann-old")),
        )
        .after([event("user.id_changed", 0, &renamed)])
        .service_sees(&[("x-user-id", Some("u-ann"))]),
        refused(
            "9",
            "tenant suspended",
            "claim globex, event tenant.suspended",
            in_globex(acme, "g1"),
            (403, "tenant_suspended"),
        )
        .after([event("tenant.suspended", 20, &globex)]),
        allowed(
            "9",
            "tenant resumed",
            "claim globex, event tenant.resumed",
            in_globex(acme, "g1"),
        )
        .after([event("tenant.resumed", 10, &globex)])
        .service_sees(&[("x-user-id", Some("u-g1")), ("x-tenant-id", Some("globex"))]),
    ]
}

fn young(acme: &Issuer) -> Vec<Row> {
    let newt = || bearer(acme.token().subject("newt").issued_ago(1));
    vec![
        refused(
            "13",
            "user not visible yet",
            "sub newt, issued 1 s ago",
            newt(),
            (503, "user_not_yet_visible"),
        ),
        allowed(
            "13",
            "visible a moment later",
            "the same, a second later",
            newt(),
        )
        .after([Deed::Added(User::named("newt")), Deed::SecondPasses])
        .service_sees(&[("x-user-id", Some("u-newt"))]),
    ]
}

fn outages(acme: &Issuer) -> Vec<Row> {
    vec![
        refused(
            "15",
            "store down, user unknown",
            "sub zoe",
            bearer(acme.token().subject("zoe")),
            UNAVAILABLE,
        )
        .after([Deed::StoreDown])
        .because("connect"),
        allowed(
            "15",
            "store down, user known",
            "good token",
            bearer(acme.token()),
        )
        .after([Deed::StoreDown, Deed::Aged])
        .because("connect"),
    ]
}

fn losses(acme: &Issuer) -> Vec<Row> {
    let ask = |subject: &&'static str| Deed::Sent(in_globex(acme, subject));
    let met = LOST.iter().map(ask);
    let gone = LOST.iter().map(|subject| Deed::Gone(subject));
    let asked = LOST.iter().take(ASKED).map(ask);
    let lost: Vec<Deed> = met.chain(gone).chain([Deed::Aged]).chain(asked).collect();
    vec![
        allowed(
            "17",
            "a tenant's users vanish, user known",
            "claim globex, sub g8",
            in_globex(acme, "g8"),
        )
        .after(lost)
        .because("vanish_guard")
        .service_sees(&[("x-user-id", Some("u-g8"))]),
        refused(
            "17",
            "store emptied, user unknown",
            "sub max",
            bearer(acme.token().subject("max")),
            UNAVAILABLE,
        )
        .after([Deed::StoreEmptied, Deed::SecondPasses])
        .because("canary_missing"),
        allowed(
            "17",
            "store emptied, user known",
            "good token",
            bearer(acme.token()),
        )
        .because("canary_missing"),
    ]
}

/// An event of so many seconds ago.
fn event(kind: &str, ago: u64, members: &Value) -> Deed {
    let time = SystemClock.now().minus(Duration::from_secs(ago));
    let mut event = json!({
        "type": kind, "issuer": "acme", "tenant": "acme", "time": time.to_string(),
    });
    for (name, value) in members.as_object().into_iter().flatten() {
        event[name] = value.clone();
    }
    Deed::Event(event)
}

fn in_globex(acme: &Issuer, subject: &str) -> Request {
    bearer(acme.token().subject(subject).claim("tenant", "globex"))
}
