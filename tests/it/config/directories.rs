//! Rules of the directories that are no JSON user service.

use super::rules::expect;
use super::{folder, parse_in};

#[test]
fn each_rule_of_a_directory_has_its_mistake() {
    const SUPABASE: &str = "supabase: {url: 'https://s/auth/v1', service_key_file: token";
    let folder = folder();
    let rows = include_str!("directories.table").lines();
    for row in rows.filter(|row| !row.is_empty() && !row.starts_with('#')) {
        let (directory, words) = row.split_once(" | ").expect("two columns");
        let directory = directory.replace("SUPABASE", SUPABASE);
        let text =
            format!("issuers: [{{issuer: 'https://a', audiences: any}}]\nusers: {{{directory}}}\n");
        expect(folder.path(), &text, words);
    }
}

/// What issuers, tenants and headers ask of the other directories.
#[test]
fn another_directory_tells_realms_and_tenants_apart_too() {
    const SCIM: &str = "scim: {url: 'https://s', by: id}";
    const SUPABASE: &str = "supabase: {url: 'https://s', service_key_file: token}";
    let two = "- {issuer: 'https://b', audiences: any}\n";
    let requested = "tenant: {from: [{header: x-tenant}]}";
    let header = "identity: {headers: {x-plan: attributes.plan}}";
    let rows = [
        (
            SCIM,
            two,
            "",
            "users/scim/url: expected `{realm}`, because there are several realms",
        ),
        (
            SUPABASE,
            two,
            "",
            "users/supabase/url: expected `{realm}`, because there are several",
        ),
        (
            SCIM,
            "",
            requested,
            "users/scim/url: expected `{tenant}`, because only the request names",
        ),
        (
            SUPABASE,
            "",
            requested,
            "users/supabase/fields/tenant: expected a JSON pointer, because only the request names",
        ),
        (
            SCIM,
            "",
            header,
            "expected an attribute of `users.scim.attributes`",
        ),
        (
            SUPABASE,
            "",
            header,
            "expected an attribute of `users.supabase.attributes`",
        ),
    ];
    let folder = folder();
    for (directory, issuer, rest, words) in rows {
        let text = format!(
            "issuers:\n- {{issuer: 'https://a', audiences: any}}\n{issuer}users: {{{directory}}}\n{rest}"
        );
        expect(folder.path(), &text, words);
    }
    let apart = "issuers:\n- {issuer: 'https://a', audiences: any}\n- {issuer: 'https://b', audiences: any}\n\
         users: {supabase: {url: 'https://s/{realm}', service_key_file: token, fields: {tenant: /app_metadata/tenant}}}\n\
         tenant: {from: [{header: x-tenant}]}";
    parse_in(folder.path(), apart).unwrap_or_else(|mistakes| panic!("{mistakes}"));
}

/// Any of them may be the one that is kept.
#[test]
fn where_several_directories_are_written_each_tells_its_own_mistakes() {
    let folder = folder();
    let text = "issuers:\n- {issuer: 'https://a', audiences: any}\n- {issuer: 'https://b', audiences: any}\n\
                users:\n  http: {url: 'https://h/users', not_found: {code: gone}}\n  \
                scim: {url: 'https://s', by: id, roles: roles}\n  \
                supabase: {url: 'https://s/{realm}', service_key_file: nowhere}\n  \
                file: {path: nowhere.yaml}\n  grpc: 7\n";
    let mistakes = parse_in(folder.path(), text).unwrap_err();
    let told: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    for words in [
        "users: expected exactly one directory, got `http` and `grpc` and `scim` and `supabase` and `file`",
        "users/http/url: expected `{subject}` in the URL",
        "users/scim/roles: expected a JSON pointer",
        "users/scim/url: expected `{realm}`, because there are several realms",
        "users/supabase/service_key_file: expected a readable file",
        "users/file/path: expected a readable file",
        "users/grpc: expected",
    ] {
        assert!(
            told.iter().any(|one| one.contains(words)),
            "{words}: {told:#?}"
        );
    }
}

#[test]
fn a_canary_that_supabase_cannot_be_asked_for_is_a_mistake_with_its_line() {
    const UUID: &str = "2f9c2b1e-6a0d-4c53-9d8e-0b6f4f1d7a11";
    let folder = folder();
    let parsed = |subject: &str, normalize: &str| {
        let text = format!(
            "issuers: [{{issuer: 'https://a', name: a, audiences: [b], subject: {{{normalize}}}}}]\n\
             users:\n  supabase: {{url: 'https://s', service_key_file: token}}\n  \
             canary:\n  - {{issuer: a, subject: '{subject}'}}\n"
        );
        parse_in(folder.path(), &text)
    };
    let upper = UUID.to_uppercase();
    for subject in ["canary", &upper] {
        let mistakes = parsed(subject, "").expect_err(subject).to_string();
        assert!(
            mistakes.contains(":5:")
                && mistakes.contains("users/canary/0/subject: expected the UUID of a user")
                && mistakes.contains("in lower case, with hyphens"),
            "{mistakes}"
        );
    }
    for (subject, normalize) in [
        (UUID, ""),
        (&upper, "format: uuid, normalize: [trim, uuid]"),
    ] {
        parsed(subject, normalize).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    }
}

#[test]
fn an_attribute_that_users_write_themselves_is_a_risk() {
    let folder = folder();
    let text = "issuers: [{issuer: 'https://a', audiences: [b], subject: {format: uuid}}]\n\
                users: {supabase: {url: 'https://s', service_key_file: token, \
                attributes: {name: /user_metadata/name, plan: /app_metadata/plan}}}";
    let loaded = parse_in(folder.path(), text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let named: Vec<_> = loaded
        .warnings
        .iter()
        .map(|one| one.setting.as_str())
        .collect();
    assert_eq!(
        named,
        ["users/supabase/attributes/name: `/user_metadata/name`"]
    );
}

#[test]
fn subjects_that_supabase_cannot_be_asked_for_are_a_risk() {
    let folder = folder();
    let text = "issuers: [{issuer: 'https://a', audiences: [b]}]\n\
                users: {supabase: {url: 'https://s', service_key_file: token}}";
    let loaded = parse_in(folder.path(), text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let warnings: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].contains("issuers/0/subject/format: not `uuid`"),
        "{warnings:?}"
    );
}

#[test]
fn a_file_at_the_snapshots_place_that_is_none_is_a_risk_and_no_mistake() {
    let folder = folder();
    std::fs::write(folder.path().join("users.yaml"), "users: []\n").expect("a file");
    std::fs::write(folder.path().join("key"), [7; 32]).expect("a file");
    for (content, risks) in [(&[0; 4096][..], 1), (b"subgate us", 0), (b"", 0)] {
        std::fs::write(folder.path().join("snapshot"), content).expect("a file");
        let text = "issuers: [{issuer: 'https://a', audiences: [b]}]\n\
                    users: {file: {path: users.yaml}, snapshot: {file: snapshot, key_file: key}}";
        let loaded = parse_in(folder.path(), text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert_eq!(loaded.warnings.len(), risks, "{:?}", loaded.warnings);
    }
}
