//! Answers of a SCIM service that mean neither that a user is there nor that it is not.

use super::{BY_EXTERNAL_ID, BY_ID, error, list, reason, resource, scim, with};
use crate::parts::http::Answer as Said;
use serde_json::{Value, json};
use subgate::user::directory::Reason;

/// What a service says, and why that is not believed.
type Row = (&'static str, Said, Reason);

async fn are_not_believed(members: &str, rows: impl IntoIterator<Item = Row>) {
    for (name, said, expected) in rows {
        assert_eq!(reason(members, said).await, expected, "{name}");
    }
}

fn html(status: u16) -> Said {
    Said::new(status, "text/html", "<h1>Not Found</h1>")
}

fn text(status: u16, body: &Value) -> Said {
    Said::new(status, "text/plain", body.to_string())
}

#[tokio::test]
async fn an_answer_to_an_id_that_is_neither_a_user_nor_scims_own_404_is_not_believed() {
    let other = Said::json(404, &json!({"detail": "Not Found"}));
    let endless = with("x", "x".repeat(200_000).into());
    let unrecognized = [
        ("an ingress's 404", html(404)),
        ("a framework's 404", other),
        ("another status inside", scim(404, &error("400"))),
        ("a status that is none", scim(404, &error(404.5))),
        ("no schema", scim(404, &json!({"status": "404"}))),
        ("an error as text", text(404, &error("404"))),
        ("410", scim(410, &error("410"))),
    ];
    let unrecognized = unrecognized.map(|(name, said)| (name, said, Reason::UnrecognizedNotFound));
    are_not_believed(BY_ID, unrecognized).await;
    are_not_believed(
        BY_ID,
        [
            (
                "a list",
                scim(200, &list(0, json!([]))),
                Reason::OtherSubject,
            ),
            (
                "an error with 200",
                scim(200, &error("404")),
                Reason::OtherSubject,
            ),
            ("401", scim(401, &error("401")), Reason::Unauthorized),
            ("429", scim(429, &error("429")), Reason::Throttled),
            ("500", scim(500, &error("404")), Reason::ServerError),
            (
                "304 to no validator",
                Said::new(304, "text/plain", ""),
                Reason::UnexpectedStatus,
            ),
            (
                "garbage",
                Said::new(200, "application/scim+json", "{"),
                Reason::MalformedAnswer,
            ),
            ("HTML", html(200), Reason::MalformedAnswer),
            (
                "a record as text",
                text(200, &resource()),
                Reason::MalformedAnswer,
            ),
            (
                "half an answer",
                scim(200, &resource()).cut_off(),
                Reason::Truncated,
            ),
            ("an endless body", scim(200, &endless), Reason::TooLarge),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_answer_to_a_filter_that_is_no_list_of_one_or_none_is_not_believed() {
    let bare = json!({"totalResults": 0, "Resources": []});
    are_not_believed(
        BY_EXTERNAL_ID,
        [
            (
                "a 404",
                scim(404, &error("404")),
                Reason::UnrecognizedNotFound,
            ),
            (
                "a filter refused",
                scim(400, &error("400")),
                Reason::UnexpectedStatus,
            ),
            ("500", scim(500, &error("500")), Reason::ServerError),
        ],
    )
    .await;
    let malformed = [
        ("a list as text", text(200, &list(0, json!([])))),
        ("no list", scim(200, &resource())),
        ("a list without schema", scim(200, &bare)),
        ("no total", scim(200, &list(json!(null), json!([])))),
        ("a total as text", scim(200, &list("0", json!([])))),
        ("one that is missing", scim(200, &list(1, json!([])))),
        ("one too many", scim(200, &list(0, json!([resource()])))),
        ("a record as list", scim(200, &list(1, resource()))),
        ("a text for a record", scim(200, &list(1, json!(["alice"])))),
    ];
    let malformed = malformed.map(|(name, said)| (name, said, Reason::MalformedAnswer));
    are_not_believed(BY_EXTERNAL_ID, malformed).await;
}

#[tokio::test]
async fn several_users_for_one_subject_are_nobody() {
    let two = json!([resource(), with("id", json!("u-2"))]);
    for body in [
        list(json!(2), two.clone()),
        list(json!(1), two),
        list(json!(7), json!([resource()])),
        list(json!(2), json!([])),
    ] {
        assert_eq!(
            reason(BY_EXTERNAL_ID, scim(200, &body)).await,
            Reason::Ambiguous,
            "{body}"
        );
    }
}

#[tokio::test]
async fn the_value_that_was_asked_for_must_come_back_letter_for_letter() {
    for (members, member) in [(BY_ID, "id"), (BY_EXTERNAL_ID, "externalId")] {
        for value in [
            json!("bob"),
            json!("Alice"),
            json!("alice "),
            json!(null),
            json!(7),
            json!(["alice"]),
        ] {
            let record = with(member, value.clone());
            let body = if members == BY_ID {
                record
            } else {
                list(json!(1), json!([record]))
            };
            assert_eq!(
                reason(members, scim(200, &body)).await,
                Reason::OtherSubject,
                "{member} {value}"
            );
        }
    }
    for id in [json!(null), json!(""), json!(7)] {
        let body = list(json!(1), json!([with("id", id)]));
        assert_eq!(
            reason(BY_EXTERNAL_ID, scim(200, &body)).await,
            Reason::MalformedAnswer,
            "{body}"
        );
    }
}
