//! Envoy's questions, prepared, and what a right answer to each is.

use crate::check_request::{Form, check_request};
use crate::load::{Answer, Ask, Traffic};
use crate::noop;
use crate::population::{Person, Population};
use crate::{Error, Result};
use bytes::{BufMut, Bytes, BytesMut};
use envoy_types::pb::envoy::config::core::v3::HeaderValueOption;
use envoy_types::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use prost::Message;

/// Who answers, and so what is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    /// The user whose token it is.
    EachUser,
    /// The one answer of [`noop`].
    OneForAll,
}

/// The `Check` calls of a population.
#[derive(Debug)]
pub(crate) struct Checks {
    asks: Vec<Ask>,
    user_ids: Vec<String>,
}

impl Checks {
    pub(crate) fn new(population: &Population, form: Form, answers: Answers) -> Result<Self> {
        let people = &population.people;
        Ok(Self {
            asks: people
                .iter()
                .map(|person| call(person, form))
                .collect::<Result<_>>()?,
            user_ids: people
                .iter()
                .map(|person| match answers {
                    Answers::EachUser => person.id.clone(),
                    Answers::OneForAll => noop::USER_ID.to_owned(),
                })
                .collect(),
        })
    }
}

impl Traffic for Checks {
    fn count(&self) -> usize {
        self.asks.len()
    }

    fn ask(&self, nth: usize) -> Option<Ask> {
        self.asks.get(nth).cloned()
    }

    fn judge(&self, nth: usize, answer: &Answer, thorough: bool) -> Result {
        let message = message(answer)?;
        // `status` with its default code: the first field of an allow.
        if !message.starts_with(&[0x0a, 0x00]) || thorough {
            let response = CheckResponse::decode(message)?;
            let user_id = self.user_ids.get(nth).ok_or("no such user")?;
            return allows(&response, user_id)
                .map_err(|wrong| format!("{wrong} in the answer {response:?}").into());
        }
        Ok(())
    }
}

/// Takes the one gRPC message out of an answer that says `grpc-status: 0`.
pub(crate) fn message(answer: &Answer) -> Result<Bytes> {
    let status = answer
        .trailers
        .as_ref()
        .unwrap_or(&answer.headers)
        .get("grpc-status");
    if status.is_none_or(|status| status != "0") {
        return Err(format!("expected grpc-status 0, got {answer:?}").into());
    }
    let (prefix, message) = answer
        .body
        .split_first_chunk::<5>()
        .ok_or_else(|| Error::from(format!("no gRPC message in {:?}", answer.body)))?;
    let [0, length @ ..] = prefix else {
        return Err("a compressed answer to a call that offered none".into());
    };
    if usize::try_from(u32::from_be_bytes(*length))? != message.len() {
        return Err("not exactly one gRPC message".into());
    }
    Ok(answer.body.slice(prefix.len()..))
}

/// Says what is wrong with an answer that must let this user pass.
pub(crate) fn allows(response: &CheckResponse, user_id: &str) -> std::result::Result<(), String> {
    let code = response.status.as_ref().map(|status| status.code);
    let Some(HttpResponse::OkResponse(ok)) = &response.http_response else {
        return Err("expected an ok_response".to_owned());
    };
    if code != Some(0) {
        return Err("expected status code 0".to_owned());
    }
    for (name, value) in [
        ("x-user-id", Some(user_id)),
        ("x-tenant-id", None),
        ("x-user-roles", None),
    ] {
        if !ok.headers.iter().any(|set| sets(set, name, value)) {
            return Err(format!(
                "expected {name} to be overwritten with {value:?} (None: any value)"
            ));
        }
    }
    Ok(())
}

#[expect(deprecated, reason = "Envoy looks at `append` first, by version")]
fn sets(option: &HeaderValueOption, name: &str, value: Option<&str>) -> bool {
    option.append.as_ref().is_some_and(|append| !append.value)
        && option.append_action == i32::from(HeaderAppendAction::OverwriteIfExistsOrAdd)
        && option.header.as_ref().is_some_and(|header| {
            header.key == name && value.is_none_or(|value| header.value == value)
        })
}

fn call(person: &Person, form: Form) -> Result<Ask> {
    Ok(Ask {
        head: head()?,
        body: Some(framed(&check_request(person, form))?),
    })
}

/// The head of every call.
pub(crate) fn head() -> Result<http::Request<()>> {
    let head = http::Request::post("http://subgate/envoy.service.auth.v3.Authorization/Check")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-timeout", "1000m")
        .header("user-agent", "envoy")
        .body(())?;
    Ok(head)
}

/// A message as gRPC sends it.
pub(crate) fn framed(message: &impl Message) -> Result<Bytes> {
    let mut body = BytesMut::with_capacity(5 + message.encoded_len());
    body.put_u8(0);
    body.put_u32(u32::try_from(message.encoded_len())?);
    message.encode(&mut body)?;
    Ok(body.freeze())
}
