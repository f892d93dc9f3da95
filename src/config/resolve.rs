//! From the document to the checked whole: every rule that the file alone can decide.
//!
//! Each part is resolved by itself and reports its own mistakes; `None` means that there were some.
//! What concerns several parts stands in [`across`], which reads the document, so that a mistake in
//! one part hides none of another.

mod across;
mod file;
mod header;
mod identity;
mod issuers;
mod keys;
mod listen;
mod policies;
mod quantity;
mod responses;
mod revocation;
mod rewrites;
mod subject;
mod telemetry;
mod template;
mod tenant;
mod url;
mod users;

use super::Config;
use super::document::Document;
use super::report::At;

pub(super) fn resolve(at: &At<'_>, document: Document) -> Option<Config> {
    across::check(at, &document);
    let asks_inside_tenant = across::asks_inside_tenant(document.users.as_ref());
    let Document {
        listen,
        issuers,
        tenant,
        users,
        revocation,
        policies,
        routes,
        identity,
        responses,
        telemetry,
        limits,
    } = document;
    let listen = listen::resolve(&at.key("listen"), listen);
    let tenant = tenant::resolve(&at.key("tenant"), tenant, asks_inside_tenant);
    let issuers = issuers::resolve(
        &at.key("issuers"),
        issuers.unwrap_or_default(),
        tenant.as_ref(),
    );
    rewrites::check(&at.key("issuers"), &issuers);
    let beside = users::Beside {
        issuers: &issuers,
        all_issuers: issuers.iter().all(Option::is_some) && !at.key("issuers").is_spoiled(),
        tenant: tenant.as_ref(),
        asks_inside_tenant,
        asks_supabase: (users.as_ref()).is_some_and(|users| users.supabase.is_some()),
    };
    let users = users.and_then(|users| users::resolve(&at.key("users"), users, &beside));
    let revocation = revocation::resolve(&at.key("revocation"), revocation);
    let policies = policies::resolve(at, policies, routes);
    let identity = identity::resolve(&at.key("identity"), identity);
    let responses = responses::resolve(&at.key("responses"), responses);
    let telemetry = telemetry::resolve(&at.key("telemetry").key("log"), telemetry);
    let limits = quantity::limits(&at.key("limits"), &limits);
    Some(Config {
        listen: listen?,
        issuers: issuers.into_iter().collect::<Option<_>>()?,
        tenant: tenant?,
        users: users?,
        revocation: revocation?,
        policies: policies?,
        identity: identity?,
        responses: responses?,
        telemetry: telemetry?,
        limits: limits?,
    })
}
