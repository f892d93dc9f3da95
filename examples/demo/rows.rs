//! What is sent, and what must come of it.

mod directory;
mod tokens;
mod users;

pub(crate) use directory::of_globex;

use crate::deeds::Deed;
use crate::parts::client::{Request, get};
use crate::parts::issuer::Issuer;
use crate::parts::token::Token;
use std::net::SocketAddr;

/// One request.
pub(crate) struct Row {
    /// The number of the cause in the documentation; empty for what is no cause.
    pub(crate) cause: &'static str,
    /// The cause in words.
    pub(crate) what: &'static str,
    /// What was sent.
    pub(crate) sent: &'static str,
    /// The same, ready to send.
    pub(crate) request: Request,
    /// What happens before.
    pub(crate) before: Vec<Deed>,
    /// The status that must come.
    pub(crate) status: u16,
    /// The code that must come; empty for an allowed request, and for Envoy's own refusal.
    pub(crate) code: &'static str,
    /// Why no trustworthy answer about the user came, in the log; empty where one did, or none was
    /// asked for.
    pub(crate) reason: &'static str,
    /// What the service must see: name and value, or that there is no such header.
    pub(crate) seen: Vec<(&'static str, Option<&'static str>)>,
}

fn allowed(cause: &'static str, what: &'static str, sent: &'static str, request: Request) -> Row {
    let seen = vec![
        ("x-user-id", Some("u-alice")),
        ("x-tenant-id", Some("acme")),
    ];
    Row {
        cause,
        what,
        sent,
        request,
        before: Vec::new(),
        status: 200,
        code: "",
        reason: "",
        seen,
    }
}

fn refused(
    cause: &'static str,
    what: &'static str,
    sent: &'static str,
    request: Request,
    (status, code): (u16, &'static str),
) -> Row {
    Row {
        cause,
        what,
        sent,
        request,
        before: Vec::new(),
        status,
        code,
        reason: "",
        seen: Vec::new(),
    }
}

impl Row {
    fn after(mut self, deeds: impl IntoIterator<Item = Deed>) -> Self {
        self.before = deeds.into_iter().collect();
        self
    }

    fn because(mut self, reason: &'static str) -> Self {
        self.reason = reason;
        self
    }

    fn service_sees(mut self, seen: &[(&'static str, Option<&'static str>)]) -> Self {
        self.seen = seen.to_vec();
        self
    }
}

/// All rows, in the order in which they are sent.
pub(crate) fn all(acme: &Issuer, partner: &Issuer, unreachable: SocketAddr) -> Vec<Row> {
    let mut rows = passes(acme, partner);
    rows.extend(tokens::all(acme, unreachable));
    rows.extend(users::all(acme));
    rows.extend(directory::all(acme));
    rows
}

fn bearer(token: Token) -> Request {
    get("/").bearer(&token.sign())
}

fn passes(acme: &Issuer, partner: &Issuer) -> Vec<Row> {
    let nobody = [
        ("x-user-id", None),
        ("x-user-roles", None),
        ("x-tenant-id", None),
    ];
    let spoofed = |request: Request| {
        request
            .header("X-User-Id", "admin")
            .header("x-user-roles", "admin")
    };
    vec![
        allowed(
            "8",
            "the store's own id is passed on",
            "good token",
            bearer(acme.token()),
        ),
        allowed(
            "6",
            "letter case, white space",
            "sub ` ALICE`",
            bearer(acme.token().subject(" ALICE")),
        ),
        allowed(
            "3",
            "old ids in live tokens",
            "sub `auth0|alice`",
            bearer(partner.token().subject("auth0|alice")),
        ),
        allowed(
            "11",
            "a second identity provider",
            "partner's token",
            bearer(partner.token().subject("auth0|alice")),
        ),
        allowed(
            "",
            "spoofed x-user-id",
            "good token, x-user-id: admin",
            spoofed(bearer(acme.token())),
        )
        .service_sees(&[
            ("x-user-id", Some("u-alice")),
            ("x-user-roles", Some("reader")),
        ]),
        refused(
            "",
            "spoofed x_user_id (stopped by Envoy)",
            "good token, x_user_id: admin",
            bearer(acme.token()).header("x_user_id", "admin"),
            (400, ""),
        ),
        allowed("", "anonymous route", "nothing", get("/public")).service_sees(&nobody),
        allowed(
            "",
            "spoofed, anonymous route",
            "x-user-id: admin",
            spoofed(get("/public")),
        )
        .service_sees(&nobody),
    ]
}
