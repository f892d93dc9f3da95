//! Why a call failed, in our words.

use super::super::{Reason, Unanswered};
use super::link::Unreachable;
use http::header::RETRY_AFTER;
use std::error::Error;
use std::io;
use std::time::Duration;
use tonic::{Code, Status};

/// What a failed `GetUser` says.
pub(super) fn unanswered(status: &Status) -> Unanswered {
    let reason = reason(status);
    let may_say_when = [Reason::Throttled, Reason::ServerError].contains(&reason);
    Unanswered {
        reason,
        retry_after: may_say_when.then(|| retry_after(status)).flatten(),
    }
}

fn reason(status: &Status) -> Reason {
    // What a server says has no cause; what became of the connection has.
    if let Some(cause) = status.source() {
        return lost(cause);
    }
    match status.code() {
        // The client's own word for a message beyond its bound; no server says it of a user.
        Code::OutOfRange => Reason::TooLarge,
        Code::NotFound => Reason::UnrecognizedNotFound,
        Code::DeadlineExceeded => Reason::Timeout,
        Code::Unauthenticated | Code::PermissionDenied => Reason::Unauthorized,
        Code::ResourceExhausted => Reason::Throttled,
        Code::Unavailable
        | Code::Internal
        | Code::Unknown
        | Code::DataLoss
        | Code::Aborted
        | Code::Cancelled => Reason::ServerError,
        Code::Ok
        | Code::InvalidArgument
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Unimplemented => Reason::UnexpectedStatus,
    }
}

/// Why there is no connection, or no whole answer on it.
fn lost(cause: &(dyn Error + 'static)) -> Reason {
    if let Some(unreachable) = cause.downcast_ref() {
        return match unreachable {
            Unreachable::Connect(_) | Unreachable::Slow => Reason::Connect,
            Unreachable::Tls(_) | Unreachable::NoHttp2 => Reason::Tls,
        };
    }
    if cause.is::<rustls::Error>() {
        return Reason::Tls;
    }
    // An `io::Error` hides its content from `source`.
    let inside = cause
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
        .map(|inner| inner as &(dyn Error + 'static));
    inside
        .or_else(|| cause.source())
        .map_or(Reason::Truncated, lost)
}

/// `retry-after` in whole seconds, at most an hour.
fn retry_after(status: &Status) -> Option<Duration> {
    let value = status.metadata().get(RETRY_AFTER.as_str())?;
    let seconds: u64 = value.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(3600)))
}
