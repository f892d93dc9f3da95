//! Good tokens that name nobody, or somebody who may not, and answers that say nothing.

use super::{Row, bearer, refused};
use crate::parts::client::{get, request};
use crate::parts::issuer::Issuer;

/// What is wrong with subjects, tenants and users.
pub(super) fn all(acme: &Issuer) -> Vec<Row> {
    let mut rows = subjects(acme);
    rows.extend(tenants(acme));
    rows.extend(users(acme));
    rows
}

fn subjects(acme: &Issuer) -> Vec<Row> {
    let named = |subject: &str| bearer(acme.token().subject(subject));
    vec![
        refused(
            "12",
            "no subject",
            "no sub",
            bearer(acme.token().without("sub")),
            (401, "subject_missing"),
        ),
        refused(
            "5",
            "another kind of id",
            "sub an e-mail address",
            named("alice@example.com"),
            (401, "subject_invalid"),
        ),
        refused(
            "7",
            "encoded id",
            "sub `al%69ce`",
            named("al%69ce"),
            (401, "subject_invalid"),
        ),
        refused(
            "12",
            "placeholder",
            "sub `undefined`",
            named("undefined"),
            (401, "subject_reserved"),
        ),
    ]
}

fn tenants(acme: &Issuer) -> Vec<Row> {
    let token = || acme.token();
    vec![
        refused(
            "18",
            "no tenant",
            "no claim, no header",
            bearer(token().without("tenant")),
            (400, "tenant_missing"),
        ),
        refused(
            "18",
            "wrong tenant",
            "claim acme, header globex",
            bearer(token()).header("x-tenant-id", "globex"),
            (403, "tenant_mismatch"),
        ),
        refused(
            "18",
            "tenant that is none",
            "claim initech",
            bearer(token().claim("tenant", "initech")),
            (403, "tenant_unknown"),
        ),
        refused(
            "18",
            "user of another tenant",
            "claim globex",
            bearer(token().claim("tenant", "globex")),
            (403, "user_not_found"),
        ),
    ]
}

fn users(acme: &Issuer) -> Vec<Row> {
    let named = |subject: &str| bearer(acme.token().subject(subject));
    let outage = (503, "directory_unavailable");
    let order = request("POST", "/orders/").bearer(&acme.token().sign());
    let misspelt = get("/misspelt").bearer(&acme.token().sign());
    vec![
        refused(
            "1",
            "user deleted",
            "sub dave",
            named("dave"),
            (403, "user_not_found"),
        ),
        refused(
            "4",
            "user disabled",
            "sub bob",
            named("bob"),
            (403, "user_disabled"),
        ),
        refused(
            "4",
            "record lacks e-mail",
            "sub carol",
            named("carol"),
            (403, "user_incomplete"),
        ),
        refused(
            "",
            "scope not granted",
            "POST /orders/",
            order,
            (403, "scope_insufficient"),
        ),
        refused(
            "15",
            "store says 500",
            "sub status-500",
            named("status-500"),
            outage,
        )
        .because("server_error"),
        refused(
            "16",
            "an ingress's HTML 404",
            "sub html-404",
            named("html-404"),
            outage,
        )
        .because("unrecognized_not_found"),
        refused(
            "16",
            "a JSON 404 of another shape",
            "sub json-404",
            named("json-404"),
            outage,
        )
        .because("unrecognized_not_found"),
        refused(
            "16",
            "another user in the answer",
            "sub other-user",
            named("other-user"),
            outage,
        )
        .because("other_subject"),
        refused(
            "18",
            "another tenant's record in the answer",
            "sub other-tenant",
            named("other-tenant"),
            outage,
        )
        .because("other_tenant"),
        refused(
            "20",
            "corrupt record",
            "sub garbage",
            named("garbage"),
            outage,
        )
        .because("malformed_answer"),
        refused(
            "",
            "misspelt policy on a route",
            "GET /misspelt",
            misspelt,
            (503, "policy_unknown"),
        ),
    ]
}
