//! Directories: one contract that each of them keeps, and what of an HTTP answer is believed.

mod contract;
mod distrust;
mod grpc;
mod scim;
mod supabase;
mod transport;
mod trust;
mod validators;

use std::path::Path;
use std::sync::Arc;
use subgate::config;
use subgate::user::directory::{Answer, Answered, Directory, Query, Question, Unanswered};

/// The realm of the issuer in [`open`].
const REALM: &str = "https://id.example.com";

/// Opens a directory as configuration writes it, in the section `users`.
fn open(folder: &Path, users: &str) -> Box<dyn Directory> {
    let issuer =
        |name: &str| format!("- {{issuer: 'https://{name}.example.com', audiences: [shop-api]}}\n");
    let text = format!(
        "issuers:\n{}{}tenant: {{from: [{{claim: tenant}}]}}\nusers:\n{users}",
        issuer("id"),
        issuer("id2")
    );
    let loaded = config::parse("subgate.yaml", folder, &text, [])
        .unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let realms: Vec<Arc<str>> = loaded
        .config
        .issuers
        .iter()
        .map(|one| Arc::clone(&one.realm))
        .collect();
    loaded
        .config
        .users
        .directory
        .open(&realms)
        .expect("a directory")
}

/// Asks for one user.
async fn ask(
    directory: &dyn Directory,
    realm: &str,
    tenant: Option<&str>,
    subject: &str,
) -> Result<Answer, Unanswered> {
    let [realm, issuer, subject] = [realm, realm, subject].map(Arc::<str>::from);
    let tenant = tenant.map(Arc::from);
    let query = Query {
        realm: &realm,
        issuer: &issuer,
        tenant: tenant.as_ref(),
        subject: &subject,
    };
    let question = Question {
        query,
        consistent: false,
        etag: None,
    };
    let answered = directory.look_up(question).await?;
    Ok(answered.answer)
}

/// Asks for one user of `acme`, as somebody asks who remembers an answer or needs one that does not
/// lag.
async fn put_question(
    directory: &dyn Directory,
    subject: &str,
    consistent: bool,
    etag: Option<&str>,
) -> Result<Answered, Unanswered> {
    let [realm, tenant, subject] = [REALM, "acme", subject].map(Arc::<str>::from);
    let query = Query {
        realm: &realm,
        issuer: &realm,
        tenant: Some(&tenant),
        subject: &subject,
    };
    let question = Question {
        query,
        consistent,
        etag,
    };
    directory.look_up(question).await
}
