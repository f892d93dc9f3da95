//! How a refusal looks to the client.

use crate::decision::Refusal;
use crate::decision::refusal::{Blame, Code};
use crate::request::Request;
use serde_json::json;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The sentence of Supabase Auth that its clients match to sign a user out.
const SUPABASE_USER_NOT_FOUND: &str = "User from sub claim in JWT does not exist";

/// The longest body in bytes; Envoy may cut longer ones.
const MAX_BODY: usize = 1024;

/// `google.rpc.Code`, which Envoy only compares with zero.
const PERMISSION_DENIED: u8 = 7;
const UNAVAILABLE: u8 = 14;
const UNAUTHENTICATED: u8 = 16;

/// Writes denials as configured.
#[derive(Debug)]
pub struct Responses {
    config: Config,
}

/// One denial, ready to be encoded.
#[derive(Debug)]
pub struct Denial {
    /// What it is to Envoy.
    pub kind: Kind,
    /// The HTTP status.
    pub status: u16,
    /// The `google.rpc.Code`, never zero.
    pub grpc_status: u8,
    /// The headers.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body.
    pub body: String,
}

/// What a denial is to Envoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A denial: `failure_mode_allow` does not see it.
    Denial,
    /// An error: Envoy's failure mode rules.
    EnvoyError,
}

impl Responses {
    /// Writes denials so.
    pub const fn new(config: Config) -> Self {
        Self { config }
    }

    /// What a client is told; nothing of its token, subject or key stands in it.
    pub fn denial(
        &self,
        refusal: &Refusal,
        request: Option<&Request<'_>>,
        request_id: Option<&str>,
    ) -> Denial {
        let code = refusal.code();
        let grpc = request.is_some_and(Request::is_grpc);
        let status = self.status(code, grpc);
        let message = self.message(code);
        let mut headers = vec![(Cow::Borrowed("cache-control"), "no-store".to_owned())];
        let body = match (grpc, self.config.format) {
            // Envoy makes grpc-message of it.
            (true, _) => format!("{code}: {message}"),
            (false, format) => {
                let (media_type, body) = format.body(code, status, message, request_id);
                headers.push((Cow::Borrowed("content-type"), media_type.to_owned()));
                body
            }
        };
        if let Some(challenge) = self.challenge(refusal, status, message) {
            headers.push((Cow::Borrowed("www-authenticate"), challenge));
        }
        if let Some(after) = refusal.retry_after() {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.push((Cow::Borrowed("retry-after"), seconds.max(1).to_string()));
        }
        for (name, value) in &self.config.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            headers.push((Cow::Owned(name.as_str().to_owned()), value));
        }
        Denial {
            kind: self.kind(code),
            status,
            grpc_status: grpc_status(code),
            headers,
            body,
        }
    }

    fn status(&self, code: Code, grpc: bool) -> u16 {
        match self.config.statuses.get(&code) {
            Some(status) => *status,
            // Envoy makes INTERNAL of 400, PERMISSION_DENIED of 403.
            None if grpc && code.default_status() == 400 => 403,
            None => code.default_status(),
        }
    }

    fn message(&self, code: Code) -> &str {
        match (self.config.messages.get(&code), self.config.format) {
            (Some(message), _) => message,
            (None, Format::Supabase) if code == Code::UserNotFound => SUPABASE_USER_NOT_FOUND,
            (None, Format::Json | Format::Problem | Format::Supabase) => code.default_message(),
        }
    }

    fn kind(&self, code: Code) -> Kind {
        match (self.config.unavailable, code) {
            (Unavailable::EnvoyError, Code::DirectoryUnavailable | Code::RevocationUnavailable) => {
                Kind::EnvoyError
            }
            (Unavailable::EnvoyError | Unavailable::Deny, _) => Kind::Denial,
        }
    }

    /// `WWW-Authenticate` by RFC 6750 3: with every 401, and where authenticating again may help.
    fn challenge(&self, refusal: &Refusal, status: u16, message: &str) -> Option<String> {
        let realm = quotable(&self.config.realm);
        let described = |error: &str| {
            format!(
                r#"Bearer realm="{realm}", error="{error}", error_description="{}""#,
                quotable(message)
            )
        };
        let code = refusal.code();
        if let Refusal::Scopes(scopes) = refusal {
            let error = described("insufficient_scope");
            return Some(format!(r#"{error}, scope="{}""#, quotable(scopes)));
        }
        if code == Code::TokenMissing {
            Some(format!(r#"Bearer realm="{realm}""#))
        } else if code == Code::ScopeInsufficient {
            Some(described("insufficient_scope"))
        } else if status == 401 || code == Code::UserNotFound {
            Some(described("invalid_token"))
        } else {
            None
        }
    }
}

impl Format {
    fn body(
        self,
        code: Code,
        status: u16,
        message: &str,
        request_id: Option<&str>,
    ) -> (&'static str, String) {
        let render = |request_id: Option<&str>| match self {
            Self::Json => {
                json!({ "code": code.as_str(), "message": message, "request_id": request_id })
            }
            Self::Problem => json!({
                "type": format!("urn:subgate:refusal:{code}"),
                "title": message,
                "status": status,
                "code": code.as_str(),
                "request_id": request_id,
            }),
            Self::Supabase => {
                json!({ "code": status, "error_code": code.as_str(), "msg": message })
            }
        };
        let media_type = match self {
            Self::Json | Self::Supabase => "application/json",
            Self::Problem => "application/problem+json",
        };
        let body = render(request_id).to_string();
        let body = if body.len() < MAX_BODY {
            body
        } else {
            render(None).to_string()
        };
        (media_type, body)
    }
}

fn grpc_status(code: Code) -> u8 {
    match (code.blame(), code.default_status()) {
        (Blame::Dependency | Blame::Us, _) => UNAVAILABLE,
        (Blame::Caller, 401) => UNAUTHENTICATED,
        (Blame::Caller, _) => PERMISSION_DENIED,
    }
}

/// The characters that may stand in a quoted string of a challenge (RFC 6750 3).
fn quotable(text: &str) -> String {
    let allowed = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    text.chars().filter(allowed).collect()
}

/// The form of denials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The form of the body.
    pub format: Format,
    /// Whether Envoy's failure mode rules where a dependency is out.
    pub unavailable: Unavailable,
    /// Statuses that differ from the table.
    pub statuses: BTreeMap<Code, u16>,
    /// Messages that differ from the table.
    pub messages: BTreeMap<Code, String>,
    /// Headers added to every denial.
    pub headers: Vec<(http::HeaderName, http::HeaderValue)>,
    /// The realm in `WWW-Authenticate`.
    pub realm: String,
}

/// The form of a denial's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `{"code":…,"message":…,"request_id":…}`.
    Json,
    /// Problem details (RFC 9457).
    Problem,
    /// The shape that Supabase Auth's clients know.
    Supabase,
}

/// What Envoy is told where a dependency is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// A denial.
    Deny,
    /// An error, so that Envoy's `failure_mode_allow` and `status_on_error` rule (Envoy 1.37+).
    EnvoyError,
}

#[cfg(test)]
mod tests;
