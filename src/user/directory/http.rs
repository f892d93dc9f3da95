//! A JSON user service, asked with one GET, and its answers judged.

use super::rest::{self, Rest, Service, record};
use super::{
    Answer, Fields, Http, NotFoundCode, Pointer, Query, Reach, Reason, Unanswered, UrlPart,
};
use crate::event::Version;
use crate::net::http::Answer as Said;
use crate::user::record::{Status, User};
use serde_json::Value;

/// Asks a user service.
pub type HttpDirectory = Rest<Http>;

impl Service for Http {
    const PLACES: (&'static str, &'static str) = ("users.http", "users.http.token_file");

    fn reach(&self) -> &Reach {
        &self.reach
    }

    fn url(&self, query: Query<'_>) -> Result<String, Unanswered> {
        self.url.fill(query)
    }

    fn judge(&self, query: Query<'_>, said: &Said) -> Result<Answer, Unanswered> {
        let may_be_not_found = self.not_found.status.contains(&said.status);
        if may_be_not_found && self.is_not_found(said) {
            return Ok(Answer::NotFound);
        }
        match said.status {
            200 => self
                .record(query, said)
                .map(Answer::Found)
                .map_err(Unanswered::because),
            _ if may_be_not_found => Err(Unanswered::because(Reason::UnrecognizedNotFound)),
            _ => Err(rest::refusal(said)),
        }
    }

    fn proves_tenant(&self) -> bool {
        self.url.parts.contains(&UrlPart::Tenant) || self.fields.tenant.is_some()
    }

    fn names_by_subject(&self) -> bool {
        self.fields.id.is_none()
    }
}

impl Http {
    /// Whether this is the directory's own form of not-found, and not an ingress's page.
    fn is_not_found(&self, said: &Said) -> bool {
        let of_type = said.content_type.as_deref() == Some(&*self.not_found.content_type);
        of_type
            && match &self.not_found.code {
                NotFoundCode::Any => true,
                NotFoundCode::At { pointer, is } => serde_json::from_slice::<Value>(&said.body)
                    .is_ok_and(|body| {
                        record::at(&body, pointer).and_then(Value::as_str) == Some(is)
                    }),
            }
    }

    fn record(&self, query: Query<'_>, said: &Said) -> Result<User, Reason> {
        let body = record::object(&said.body)?;
        let Fields {
            id,
            subject,
            tenant,
            status,
            roles,
            version,
        } = &self.fields;
        let field = |pointer: &Option<Pointer>| {
            pointer
                .as_ref()
                .and_then(|pointer| record::at(&body, pointer))
        };
        if subject.is_some()
            && field(subject).and_then(record::name).as_deref() != Some(query.subject)
        {
            return Err(Reason::OtherSubject);
        }
        if let (Some(asked), Some(_)) = (query.tenant, tenant)
            && field(tenant).and_then(record::name).as_deref() != Some(asked)
        {
            return Err(Reason::OtherTenant);
        }
        let id = match id {
            Some(_) => Some(
                field(id)
                    .and_then(record::name)
                    .ok_or(Reason::MalformedAnswer)?
                    .into_boxed_str(),
            ),
            None => None,
        };
        let attributes = record::attributes(&body, &self.attributes)?;
        Ok(User {
            id,
            status: self.status(field(status))?,
            roles: field(roles)
                .map(record::texts)
                .transpose()?
                .unwrap_or_default(),
            lacks: record::lacking(&attributes, &self.required),
            version: field(version)
                .map(record::scalar)
                .transpose()?
                .and_then(|text| Version::parse(&text)),
            attributes,
        })
    }

    fn status(&self, status: Option<&Value>) -> Result<Status, Reason> {
        let Some(status) = status.map(record::scalar).transpose()? else {
            return Ok(Status::Active);
        };
        let disabled = self
            .disabled_values
            .iter()
            .any(|value| value.eq_ignore_ascii_case(&status));
        Ok(if disabled {
            Status::Disabled
        } else {
            Status::Active
        })
    }
}
