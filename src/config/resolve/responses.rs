//! The key `responses`.

use super::header;
use crate::config::document::Responses;
use crate::config::report::At;
use crate::decision::refusal::Code;
use crate::envoy::response::Config;
use crate::yaml::shown;
use std::collections::BTreeMap;

/// Leaves room in the 1 KiB of a body for its other members, and for escapes.
const LONGEST_MESSAGE: usize = 256;

pub(super) fn resolve(at: &At<'_>, responses: Responses) -> Option<Config> {
    let Responses {
        format,
        unavailable,
        statuses,
        messages,
        headers,
        realm,
    } = responses;
    let statuses = coded(&at.key("statuses"), statuses, |at, status| {
        let is_denial = (400..=599).contains(status);
        if !is_denial {
            at.wrong(
                "a status from 400 to 599",
                status.to_string(),
                "write for example `401`",
            );
        }
        is_denial
    });
    let messages = coded(&at.key("messages"), messages, |at, message| {
        let is_line = (1..=LONGEST_MESSAGE).contains(&message.len())
            && !message.chars().any(char::is_control);
        if !is_line {
            at.wrong(
                format!("one line of 1 to {LONGEST_MESSAGE} bytes"),
                format!("{} bytes", message.len()),
                "write a short sentence",
            );
        }
        is_line
    });
    let set_elsewhere = [
        ("content-type", "remove it: the format decides"),
        ("www-authenticate", "remove it: write `responses.realm`"),
        ("cache-control", "remove it: denials are never stored"),
    ];
    let headers = header::map(&at.key("headers"), headers, &set_elsewhere);
    let is_quotable = (1..=128).contains(&realm.len())
        && realm
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && !b"\"\\".contains(&byte));
    if !is_quotable {
        at.key("realm").wrong(
            "a realm of visible ASCII without quotes and backslashes",
            shown(&realm),
            "write for example `subgate`",
        );
    }
    Some(Config {
        format: format.into(),
        unavailable: unavailable.into(),
        statuses: statuses?,
        messages: messages?,
        headers: headers?,
        realm,
    })
}

/// Values by code, each judged.
fn coded<V>(
    at: &At<'_>,
    written: BTreeMap<String, V>,
    is_right: impl Fn(&At<'_>, &V) -> bool,
) -> Option<BTreeMap<Code, V>> {
    let mut values = Some(BTreeMap::new());
    for (name, value) in written {
        let at = at.key(&name);
        let code = Code::parse(&name);
        if code.is_none() {
            let near = Code::ALL
                .iter()
                .max_by(|one, two| {
                    let likeness = |code: &Code| strsim::jaro_winkler(code.as_str(), &name);
                    likeness(one).total_cmp(&likeness(two))
                })
                .map_or("", |code| code.as_str());
            at.wrong("a code", shown(&name), format!("did you mean `{near}`?"));
        }
        let is_right = is_right(&at, &value);
        match (code, &mut values) {
            (Some(code), Some(values)) if is_right => {
                values.insert(code, value);
            }
            (Some(_) | None, _) => values = None,
        }
    }
    values
}
