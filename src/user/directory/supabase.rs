//! The admin API of Supabase Auth (GoTrue), asked for one user, and its answers judged.

use super::rest::{self, Rest, record};
use super::{
    Answer, Answered, Directory, Pointer, Query, Question, Reach, Reason, SetupError, Unanswered,
    UrlPart, UrlTemplate,
};
use crate::event::Version;
use crate::net::http::Answer as Said;
use crate::user::record::{Status, User};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::pin::Pin;

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
#[derive(Debug)]
pub struct SupabaseDirectory {
    config: Supabase,
    rest: Rest,
}

impl SupabaseDirectory {
    /// Makes ready to ask; the file of the service key is read now, and again when it changes.
    pub fn new(config: Supabase) -> Result<Self, SetupError> {
        let places = ("users.supabase", "users.supabase.service_key_file");
        let rest = Rest::new(places, &config.reach, rest::Shown::BearerAndApiKey)?;
        Ok(Self { config, rest })
    }

    async fn ask(&self, question: Question<'_>) -> Result<Answered, Unanswered> {
        let query = question.query;
        // GoTrue answers anything else with a 404 that is about the question, not about a user.
        if !is_uuid(query.subject) {
            return Err(Unanswered::because(Reason::Unaskable));
        }
        let base = self.config.url.fill(query)?;
        let url = format!("{base}/admin/users/{}", query.subject);
        let judge = |said: &Said| self.judge(query, said);
        let mut answered = self.rest.ask(&url, question, judge).await?;
        // A ban ends without a change of the record: a validator would keep it for ever.
        if let Answer::Found(user) = &answered.answer
            && user.status == Status::Disabled
        {
            answered.etag = None;
        }
        Ok(answered)
    }

    fn judge(&self, query: Query<'_>, said: &Said) -> Result<Answer, Unanswered> {
        match said.status {
            200 => self.record(query, said).map_err(Unanswered::because),
            404 if is_not_found(said) => Ok(Answer::NotFound),
            _ => Err(rest::refusal(said)),
        }
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
        if let (Some(asked), Some(tenant)) = (query.tenant, &self.config.tenant)
            && record::at(&body, tenant).and_then(record::name).as_deref() != Some(asked)
        {
            return Err(Reason::OtherTenant);
        }
        // The row of a user who was deleted softly stays, and is answered like any other.
        if instant(&body, "deleted_at")?.is_some() {
            return Ok(Answer::NotFound);
        }
        let attributes = record::attributes(&body, &self.config.attributes)?;
        Ok(Answer::Found(User {
            id: id.map(Box::from),
            status: status(&body, said)?,
            roles: self.roles(&body)?,
            lacks: record::lacking(&attributes, &self.config.required),
            version: body
                .get("updated_at")
                .and_then(Value::as_str)
                .and_then(Version::parse),
            attributes,
        }))
    }

    fn roles(&self, body: &Value) -> Result<Box<[Box<str>]>, Reason> {
        let roles = self.config.roles.as_ref();
        match roles.and_then(|roles| record::at(body, roles)) {
            None => Ok(Box::default()),
            Some(Value::String(role)) if role.is_empty() => Ok(Box::default()),
            Some(Value::String(role)) => Ok([role.as_str().into()].into()),
            Some(list) => record::texts(list),
        }
    }
}

impl Directory for SupabaseDirectory {
    fn look_up<'d>(
        &'d self,
        question: Question<'d>,
    ) -> Pin<Box<dyn Future<Output = Result<Answered, Unanswered>> + Send + 'd>> {
        Box::pin(self.ask(question))
    }

    fn proves_tenant(&self) -> bool {
        self.config.url.parts.contains(&UrlPart::Tenant) || self.config.tenant.is_some()
    }

    fn names_by_subject(&self) -> bool {
        false
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

/// A UUID as GoTrue writes it: with hyphens, in lower case.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}
