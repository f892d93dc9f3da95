//! A SCIM service (RFC 7644), asked for one user by id or by a filter, and its answers judged.

use super::rest::{self, Rest, Service, record};
use super::{Answer, Pointer, Query, Reach, Reason, Unanswered, UrlPart, UrlTemplate};
use crate::event::Version;
use crate::net::http::Answer as Said;
use crate::user::record::{Status, User};
use serde_json::Value;
use std::collections::BTreeMap;

/// The schema of a list (RFC 7644 3.4.2).
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// The schema of an error (RFC 7644 3.12).
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// How a SCIM service is asked, and how its answers are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Scim {
    /// The base URL, without a slash at its end, with `{tenant}` and `{realm}` where wanted.
    pub url: UrlTemplate,
    /// What of a user the subject is.
    pub by: ScimBy,
    /// How the service is reached.
    pub reach: Reach,
    /// Where the roles are; `None`: nowhere.
    pub roles: Option<ScimRoles>,
    /// Attributes kept for identity headers: name to pointer.
    pub attributes: BTreeMap<String, Pointer>,
    /// Attributes without which a record is incomplete.
    pub required: Vec<String>,
}

/// What of a user the subject is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScimBy {
    /// The resource's `id`.
    Id,
    /// An attribute that is asked for with a filter.
    Attribute {
        /// Its path, as a filter names it.
        path: String,
        /// Its place in the resource.
        at: Pointer,
    },
}

/// Where the roles are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScimRoles {
    /// The place of the list.
    pub at: Pointer,
    /// The member of each object in it that is the role; a text in it is a role itself.
    pub member: String,
}

/// Asks a SCIM service.
pub type ScimDirectory = Rest<Scim>;

impl Service for Scim {
    const PLACES: (&'static str, &'static str) = ("users.scim", "users.scim.token_file");

    fn reach(&self) -> &Reach {
        &self.reach
    }

    fn url(&self, query: Query<'_>) -> Result<String, Unanswered> {
        let base = self.url.fill(query)?;
        match &self.by {
            ScimBy::Id => Ok(format!("{base}/Users/{}", rest::segment(query.subject)?)),
            ScimBy::Attribute { path, .. } => {
                let filter = format!("{path} eq {}", quoted(query.subject)?);
                // Two are enough to know that there are several.
                let filter = rest::encoded(&filter);
                Ok(format!("{base}/Users?count=2&filter={filter}"))
            }
        }
    }

    fn judge(&self, query: Query<'_>, said: &Said) -> Result<Answer, Unanswered> {
        match &self.by {
            ScimBy::Id => self.judge_resource(query, said),
            ScimBy::Attribute { at, .. } => self.judge_list(query, said, at.as_str()),
        }
    }

    /// A SCIM user names no tenant; it is proven where the URL names it.
    fn proves_tenant(&self) -> bool {
        self.url.parts.contains(&UrlPart::Tenant)
    }
}

impl Scim {
    /// The answer to a question by id.
    fn judge_resource(&self, query: Query<'_>, said: &Said) -> Result<Answer, Unanswered> {
        match said.status {
            200 => self
                .found(query, &body(said)?, "/id")
                .map_err(Unanswered::because),
            404 if is_not_found(said) => Ok(Answer::NotFound),
            _ => Err(rest::refusal(said)),
        }
    }

    /// The answer to a question with a filter: a list, whoever is there or not.
    fn judge_list(&self, query: Query<'_>, said: &Said, at: &str) -> Result<Answer, Unanswered> {
        if said.status != 200 {
            return Err(rest::refusal(said));
        }
        let list = body(said)?;
        let malformed = Unanswered::because(Reason::MalformedAnswer);
        if !is_of_schema(&list, LIST) {
            return Err(malformed);
        }
        let total = list.get("totalResults").and_then(Value::as_u64);
        let resources = match list.get("Resources") {
            None | Some(Value::Null) => &[],
            Some(Value::Array(resources)) => resources.as_slice(),
            Some(_) => return Err(malformed),
        };
        match (total, resources) {
            (Some(0), []) => Ok(Answer::NotFound),
            (Some(1), [one]) => self.found(query, one, at).map_err(Unanswered::because),
            (Some(2..), _) | (Some(_), [_, _, ..]) => Err(Unanswered::because(Reason::Ambiguous)),
            (Some(0), [_]) | (Some(1), []) | (None, _) => Err(malformed),
        }
    }

    /// The record, if its value at `at` is the subject, letter for letter.
    fn found(&self, query: Query<'_>, resource: &Value, at: &str) -> Result<Answer, Reason> {
        if !resource.is_object() {
            return Err(Reason::MalformedAnswer);
        }
        let text = |at: &str| resource.pointer(at).and_then(Value::as_str);
        if text(at) != Some(query.subject) {
            return Err(Reason::OtherSubject);
        }
        let id = text("/id").filter(|id| !id.is_empty());
        let attributes = record::attributes(resource, &self.attributes)?;
        Ok(Answer::Found(User {
            id: Some(id.ok_or(Reason::MalformedAnswer)?.into()),
            status: status(resource.get("active"))?,
            roles: self.roles(resource)?,
            lacks: record::lacking(&attributes, &self.required),
            version: text("/meta/lastModified").and_then(Version::parse),
            attributes,
        }))
    }

    fn roles(&self, resource: &Value) -> Result<Box<[Box<str>]>, Reason> {
        let Some(ScimRoles { at, member }) = &self.roles else {
            return Ok(Box::default());
        };
        let Some(list) = record::at(resource, at) else {
            return Ok(Box::default());
        };
        let role = |item: &Value| {
            let role = item
                .as_object()
                .map_or(Some(item), |object| object.get(member));
            role.and_then(Value::as_str)
                .map(Box::from)
                .ok_or(Reason::MalformedAnswer)
        };
        let list = list.as_array().ok_or(Reason::MalformedAnswer)?;
        list.iter().map(role).collect()
    }
}

/// A text in a filter is a JSON string (RFC 7644 3.4.2.2); control characters name nobody.
fn quoted(subject: &str) -> Result<String, Unanswered> {
    if subject.is_empty() || subject.chars().any(char::is_control) {
        return Err(Unanswered::because(Reason::Unaskable));
    }
    let escaped = subject.replace('\\', r"\\").replace('"', "\\\"");
    Ok(format!("\"{escaped}\""))
}

/// The body of an answer in one of SCIM's two media types (RFC 7644 3.1).
fn body(said: &Said) -> Result<Value, Unanswered> {
    let of_type = matches!(
        said.content_type.as_deref(),
        Some("application/scim+json" | "application/json")
    );
    let malformed = Unanswered::because(Reason::MalformedAnswer);
    if !of_type {
        return Err(malformed);
    }
    record::object(&said.body).map_err(Unanswered::because)
}

/// Whether this is SCIM's own 404; some servers write its status as a number.
fn is_not_found(said: &Said) -> bool {
    body(said).is_ok_and(|error| {
        let status = error.get("status");
        let is_404 = status
            .is_some_and(|status| status.as_str() == Some("404") || status.as_u64() == Some(404));
        is_404 && is_of_schema(&error, ERROR)
    })
}

fn is_of_schema(body: &Value, schema: &str) -> bool {
    let schemas = body.get("schemas").and_then(Value::as_array);
    schemas.is_some_and(|schemas| schemas.iter().any(|one| one.as_str() == Some(schema)))
}

/// `active` (RFC 7643 4.1.1); a user without it is active. Some servers write it as a text.
fn status(active: Option<&Value>) -> Result<Status, Reason> {
    match active {
        None | Some(Value::Null | Value::Bool(true)) => Ok(Status::Active),
        Some(Value::Bool(false)) => Ok(Status::Disabled),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Status::Active),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Status::Disabled),
        Some(Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(Reason::MalformedAnswer)
        }
    }
}
