//! The admin API of Supabase Auth (GoTrue), asked for one user, and its answers judged.

use super::rest::{self, Rest, Service, Shown, record};
use super::{Answer, Pointer, Query, Reach, Reason, Unanswered, UrlPart, UrlTemplate};
use crate::event::Version;
use crate::net::http::Answer as Said;
use crate::user::record::{Status, User};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// The code with which GoTrue says that a user is not there, and nothing else.
const NOT_FOUND: &str = "user_not_found";

/// How the admin API is asked, and how its answers are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Supabase {
    /// The base URL, without a slash at its end, with `{tenant}` and `{realm}` where wanted.
    pub url: UrlTemplate,
    /// How the service is reached; its token is the service key.
    pub reach: Reach,
    /// Where the tenant is, which must equal what was asked where one was; `None`: nowhere.
    pub tenant: Option<Pointer>,
    /// Where the roles are, a list of texts or one text; `None`: nowhere.
    pub roles: Option<Pointer>,
    /// Attributes kept for identity headers: name to pointer.
    pub attributes: BTreeMap<String, Pointer>,
    /// Attributes without which a record is incomplete.
    pub required: Vec<String>,
}

/// Asks the admin API.
pub type SupabaseDirectory = Rest<Supabase>;

impl Service for Supabase {
    const PLACES: (&'static str, &'static str) =
        ("users.supabase", "users.supabase.service_key_file");

    const SHOWN: Shown = Shown::BearerAndApiKey;

    fn reach(&self) -> &Reach {
        &self.reach
    }

    /// GoTrue answers what is no UUID with a 404 that is about the question, not about a user.
    fn url(&self, query: Query<'_>) -> Result<String, Unanswered> {
        if !Self::can_be_asked_for(query.subject) {
            return Err(Unanswered::because(Reason::Unaskable));
        }
        let base = self.url.fill(query)?;
        Ok(format!("{base}/admin/users/{}", query.subject))
    }

    fn judge(&self, query: Query<'_>, said: &Said) -> Result<Answer, Unanswered> {
        match said.status {
            200 => self.record(query, said).map_err(Unanswered::because),
            404 if is_not_found(said) => Ok(Answer::NotFound),
            _ => Err(rest::refusal(said)),
        }
    }

    /// A ban ends without a change of the record: a validator would keep it for ever.
    fn lasts(&self, answer: &Answer) -> bool {
        !matches!(answer, Answer::Found(user) if user.status == Status::Disabled)
    }

    fn proves_tenant(&self) -> bool {
        self.url.parts.contains(&UrlPart::Tenant) || self.tenant.is_some()
    }
}

impl Supabase {
    /// Whether a user can have this id: a UUID as GoTrue writes it, with hyphens and in lower case.
    pub fn can_be_asked_for(subject: &str) -> bool {
        subject.len() == 36
            && subject
                .bytes()
                .enumerate()
                .all(|(index, byte)| match index {
                    8 | 13 | 18 | 23 => byte == b'-',
                    _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
                })
    }

    fn record(&self, query: Query<'_>, said: &Said) -> Result<Answer, Reason> {
        if said.content_type.as_deref() != Some("application/json") {
            return Err(Reason::MalformedAnswer);
        }
        let body = record::object(&said.body)?;
        let id = body.get("id").and_then(Value::as_str);
        if id != Some(query.subject) {
            return Err(Reason::OtherSubject);
        }
        if let (Some(asked), Some(tenant)) = (query.tenant, &self.tenant)
            && record::at(&body, tenant).and_then(record::name).as_deref() != Some(asked)
        {
            return Err(Reason::OtherTenant);
        }
        // The row of a user who was deleted softly stays, and is answered like any other.
        if instant(&body, "deleted_at")?.is_some() {
            return Ok(Answer::NotFound);
        }
        let attributes = record::attributes(&body, &self.attributes)?;
        Ok(Answer::Found(User {
            id: id.map(Box::from),
            status: status(&body, said)?,
            roles: self.roles(&body)?,
            lacks: record::lacking(&attributes, &self.required),
            version: body
                .get("updated_at")
                .and_then(Value::as_str)
                .and_then(Version::parse),
            attributes,
        }))
    }

    fn roles(&self, body: &Value) -> Result<Box<[Box<str>]>, Reason> {
        let roles = self.roles.as_ref();
        match roles.and_then(|roles| record::at(body, roles)) {
            None => Ok(Box::default()),
            Some(Value::String(role)) if role.is_empty() => Ok(Box::default()),
            Some(Value::String(role)) => Ok([role.as_str().into()].into()),
            Some(list) => record::texts(list),
        }
    }
}

/// Whether the code is that of a user who is not there: `error_code`, or `code` since the API version
/// of 2024-01-01, where it took the place of the status.
fn is_not_found(said: &Said) -> bool {
    let of_type = said.content_type.as_deref() == Some("application/json");
    of_type
        && record::object(&said.body).is_ok_and(|error| {
            let code = match error.get("error_code") {
                None => error.get("code"),
                code => code,
            };
            code.and_then(Value::as_str) == Some(NOT_FOUND)
        })
}

/// Disabled while `banned_until` lies ahead, by the clock of the directory: its `Date`.
fn status(body: &Value, said: &Said) -> Result<Status, Reason> {
    let Some(until) = instant(body, "banned_until")? else {
        return Ok(Status::Active);
    };
    let now = rest::now(&said.headers).ok_or(Reason::MalformedAnswer)?;
    Ok(if until > now {
        Status::Disabled
    } else {
        Status::Active
    })
}

/// The time in a member; GoTrue leaves it out, or writes null, where there is none.
fn instant(body: &Value, member: &str) -> Result<Option<Timestamp>, Reason> {
    match body.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => match text.parse() {
            Ok(time) => Ok(Some(time)),
            Err(_) => Err(Reason::MalformedAnswer),
        },
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(Reason::MalformedAnswer)
        }
    }
}
