//! Why there is no trustworthy answer.

use std::time::Duration;

/// Why there is no trustworthy answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("directory: {}", reason.as_str())]
pub struct Unanswered {
    /// The reason.
    pub reason: Reason,
    /// When the directory asked to be asked again.
    pub retry_after: Option<Duration>,
}

macro_rules! reasons {
    ($($variant:ident $name:literal $doc:literal)*) => {
        /// Why an answer is not trusted, or did not come: a closed list, for logs and metrics.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $(#[doc = $doc] $variant,)*
        }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

reasons! {
    Timeout "timeout" "No answer in time."
    Connect "connect" "No connection."
    Tls "tls" "The server is not who it should be, or does not speak TLS."
    Throttled "throttled" "429: the directory wants to be asked less."
    Unauthorized "unauthorized" "401 or 403: the directory does not know us."
    Redirected "redirected" "A redirect, which is never followed."
    ServerError "server_error" "A status from 500 on."
    UnexpectedStatus "unexpected_status" "Another status that means nothing here."
    UnrecognizedNotFound "unrecognized_not_found" "A 404 or 410 that is not the directory's own form of not-found."
    TooLarge "too_large" "An answer longer than is read."
    Truncated "truncated" "An answer that broke off."
    MalformedAnswer "malformed_answer" "An answer that is no record: no JSON object, no id, or values of the wrong type."
    OtherSubject "other_subject" "The record of another user, or of one that is not named."
    OtherTenant "other_tenant" "The record of a user of another tenant."
    Ambiguous "ambiguous" "Several records where there must be one."
    TenantUnasked "tenant_unasked" "The directory asks inside a tenant, and there is none."
    Unaskable "unaskable" "A subject or tenant for which this directory cannot be asked."
    CanaryMissing "canary_missing" "A not-found that is not believed: the realm's canary was not found either."
    CanaryUnanswered "canary_unanswered" "A not-found that is not believed: nothing trustworthy came about the realm's canary."
    VanishGuard "vanish_guard" "A not-found that is held: too many known users vanished at once."
    Outdated "outdated" "An answer older than what an event, or an earlier answer, told, or than it may be served."
    BreakerOpen "breaker_open" "Not asked: the directory failed again and again, or asked for a pause."
    Crowded "crowded" "No room for another look-up."
    Internal "internal" "A fault of ours."
}

impl Reason {
    /// The position in [`ALL`](Self::ALL).
    pub fn index(self) -> usize {
        Self::ALL
            .iter()
            .position(|reason| *reason == self)
            .unwrap_or_default()
    }
}

impl Unanswered {
    /// No trustworthy answer, and nothing said of when there may be one.
    pub const fn because(reason: Reason) -> Self {
        Self {
            reason,
            retry_after: None,
        }
    }
}
