//! What went wrong, as problem details (RFC 9457).

use super::AdminError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// The longest `detail`, in characters: it may repeat what came.
const LONGEST: usize = 400;

/// An answer that says why it is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    /// The one member of query or body that is wrong.
    field: Option<&'static str>,
    /// `WWW-Authenticate` (RFC 6750 3).
    challenge: Option<&'static str>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            field: None,
            challenge: None,
        }
    }

    pub(super) fn token_missing() -> Self {
        Self {
            challenge: Some("Bearer realm=\"subgate-admin\""),
            ..Self::new(
                StatusCode::UNAUTHORIZED,
                "token_missing",
                "expected `Authorization: Bearer` with the token of listen.admin_token_file, once",
            )
        }
    }

    pub(super) fn token_wrong() -> Self {
        Self {
            challenge: Some("Bearer realm=\"subgate-admin\", error=\"invalid_token\""),
            ..Self::new(
                StatusCode::UNAUTHORIZED,
                "token_wrong",
                "the token is not that of listen.admin_token_file",
            )
        }
    }
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        let detail = error.to_string();
        match error {
            AdminError::Invalid { field, .. } => Self {
                field: Some(field),
                ..Self::new(StatusCode::BAD_REQUEST, "invalid", detail)
            },
            AdminError::Conflict(_) => Self::new(StatusCode::CONFLICT, "conflict", detail),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self {
            status,
            code,
            detail,
            field,
            challenge,
        } = self;
        let mut body = json!({
            "type": format!("urn:subgate:admin:{code}"),
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "code": code,
            "detail": detail.chars().take(LONGEST).collect::<String>(),
        });
        if let (Some(field), Some(body)) = (field, body.as_object_mut()) {
            body.insert("field".to_owned(), field.into());
        }
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response =
            (status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response();
        if let Some(challenge) = challenge {
            let challenge = HeaderValue::from_static(challenge);
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
