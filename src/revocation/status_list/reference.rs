//! What a token says of its status (section 6): where the list is, and its place there.

use crate::token::claims::Claims;
use serde_json::Value;

/// A token's place in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference<'t> {
    pub(super) index: u64,
    pub(super) uri: &'t str,
}

/// What is wrong with a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Fault {
    /// The claim has not its form.
    #[error("claim `status` has no `status_list` with a whole number `idx` and a text `uri`")]
    Form,
    /// The list is one that nobody trusts.
    #[error("the status list that it names is outside of its issuer's status_lists")]
    Untrusted,
    /// The list has no such place.
    #[error("the status list that it names has no such index")]
    OutOfRange,
}

impl<'t> Reference<'t> {
    /// Reads the claim `status`; a token without it refers to no list.
    ///
    /// A status that is told by other means alone cannot be known here, and is none to pass by.
    pub(super) fn of(claims: &'t Claims) -> Result<Option<Self>, Fault> {
        let Some(status) = claims.get("status") else {
            return Ok(None);
        };
        let list = status.get("status_list").and_then(Value::as_object);
        let index = list.and_then(|list| list.get("idx")?.as_u64());
        let uri = list.and_then(|list| list.get("uri")?.as_str());
        match (index, uri) {
            (Some(index), Some(uri)) => Ok(Some(Self { index, uri })),
            (None | Some(_), None | Some(_)) => Err(Fault::Form),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tsl_02_a_reference_has_a_whole_number_and_a_text_or_the_token_is_malformed() {
        let claims = |status: &Value| {
            let mut all = json!({"iss": "https://id.example", "exp": 1});
            if *status != json!("absent") {
                all["status"] = status.clone();
            }
            Claims::parse(all.to_string().as_bytes()).unwrap()
        };
        let read = |status: &Value| {
            let claims = claims(status);
            Reference::of(&claims)
                .map(|found| found.map(|found| (found.index, found.uri.to_owned())))
        };
        assert_eq!(read(&json!("absent")), Ok(None));
        let good = json!({"status_list": {"idx": 7, "uri": "https://a/1", "more": 1}, "other": {}});
        assert_eq!(read(&good), Ok(Some((7, "https://a/1".to_owned()))));
        for status in [
            json!(null),
            json!({}),
            json!([]),
            json!(5),
            json!({"other": {}}),
            json!({"status_list": null}),
            json!({"status_list": []}),
            json!({"status_list": {"idx": 1}}),
            json!({"status_list": {"uri": "https://a/1"}}),
            json!({"status_list": {"idx": -1, "uri": "https://a/1"}}),
            json!({"status_list": {"idx": 1.5, "uri": "https://a/1"}}),
            json!({"status_list": {"idx": "1", "uri": "https://a/1"}}),
            json!({"status_list": {"idx": null, "uri": "https://a/1"}}),
            json!({"status_list": {"idx": 1, "uri": 5}}),
            json!({"status_list": {"idx": 1, "uri": ["https://a/1"]}}),
        ] {
            assert_eq!(read(&status), Err(Fault::Form), "{status}");
        }
    }
}
