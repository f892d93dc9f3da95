//! What a file of revocations strikes, by the rules of the whole configuration.

use crate::world::{World, http};
use subgate::config;

/// The ordinary configuration with a file of revocations.
async fn revoking(text: &str) -> World {
    World::configured(|same| {
        same.file("revocations.yaml", text)
            .and_sections("revocation: {memory: {file: revocations.yaml}}\n")
    })
    .await
}

/// Of a directory whose ids are the subjects, a user is revoked by that id, asked for or not.
#[tokio::test]
async fn a_user_whose_subject_is_the_id_is_revoked_by_it_also_where_no_user_is_required() {
    let world = World::configured(|same| {
        same.users("  fields: {id: none}\n")
            .file(
                "revocations.yaml",
                "users: [{issuer: acme, id: alice, reason: left}]\n",
            )
            .and_sections(
                "revocation: {memory: {file: revocations.yaml}}\n\
                 policies: {default: {}, logout: {require_user: false}}\n",
            )
    })
    .await;
    let bearer = format!("Bearer {}", world.issuer.token().sign());
    for policy in ["default", "logout"] {
        let asked = http(&[("authorization", &bearer)]);
        let told = world.ask_about(asked, &[("policy", policy)]).await;
        assert_eq!(
            (told.status, told.code()),
            (401, "token_revoked"),
            "{policy}"
        );
    }
}

#[tokio::test]
async fn a_tenant_is_written_in_any_spelling_that_its_rules_bring_together() {
    for entry in [
        "tenants: [{tenant: ' ACME'}]\n",
        "subjects: [{issuer: acme, subject: alice, tenant: ACME}]\n",
        "users: [{issuer: acme, id: u-alice, tenant: Acme}]\n",
    ] {
        let world = revoking(entry).await;
        for tenant in ["acme", "ACME"] {
            let token = world.issuer.token().claim("tenant", tenant).sign();
            let told = world.bearer(&token).await;
            assert_eq!(told.code(), "token_revoked", "{entry} {tenant}");
        }
    }
}

#[tokio::test]
async fn a_tenant_that_cannot_be_one_is_a_mistake_in_its_place() {
    let world = revoking("tenants: []\n").await;
    let file = world.file.with_file_name("revocations.yaml");
    for (text, place) in [
        ("tenants:\n- tenant: a/b\n", ":2:11: tenants/0/tenant:"),
        (
            "subjects:\n- issuer: acme\n  subject: alice\n  tenant: a/b\n",
            ":4:11: subjects/0/tenant:",
        ),
        (
            "users:\n- issuer: acme\n  id: u-1\n  tenant: ''\n",
            ":4:11: users/0/tenant:",
        ),
    ] {
        std::fs::write(&file, text).expect("a file");
        let Err(mistakes) = config::load(&world.file, []) else {
            panic!("expected a mistake of {text}");
        };
        let told = mistakes.to_string();
        assert!(
            mistakes.iter().len() == 1 && told.contains(&format!("revocations.yaml{place}")),
            "{told}"
        );
    }
}
