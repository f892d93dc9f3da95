use super::{SMALLEST, folder, parse, parse_in};
use std::path::PathBuf;
use subgate::net::listen::Address;
use subgate::tenant::{Known, Source};
use subgate::token::issuer::{Audiences, KeySource, Tenants};
use subgate::user::directory;

/// Every key of this version.
const FULL: &str = include_str!("full.yaml");

#[test]
fn issuers_and_users_are_enough() {
    parse(SMALLEST).expect("a configuration");
}

#[test]
fn every_key_at_once_is_a_configuration() {
    let folder = folder();
    let loaded = parse_in(folder.path(), FULL).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let config = loaded.config;
    assert_eq!(
        config.listen.check[1],
        Address::Unix {
            path: PathBuf::from("/run/subgate/check.sock"),
            mode: Some(0o660)
        }
    );
    assert_eq!(
        config.listen.check[2],
        Address::Abstract("subgate".to_owned())
    );
    assert!(matches!(config.issuers[1].keys, KeySource::Url { .. }));
    assert!(matches!(config.issuers[2].keys, KeySource::File(_)));
    assert!(matches!(config.issuers[3].keys, KeySource::Secret(_)));
    assert_eq!(config.issuers[3].audiences, Audiences::Any);
    let Tenants::Of(tenants) = &config.issuers[0].tenants else {
        panic!("the tenants are listed");
    };
    assert!(
        tenants.contains("acme"),
        "normalized as a request's tenant is"
    );
    assert!(
        config.tenant.required,
        "`{{tenant}}` in the URL asks for one"
    );
    assert_eq!(
        config.tenant.from[1],
        Source::Header("x-tenant-id".to_owned())
    );
    assert!(matches!(config.tenant.known, Known::File(_)));
    assert!(matches!(config.users.directory, directory::Config::Http(_)));
    let canary = &config.users.canaries[0];
    assert_eq!((&*canary.realm, &*canary.subject), ("people", "canary1"));
    assert_eq!(canary.tenant.as_deref(), Some("acme"));
    assert_eq!(config.users.retries, 3);
    let snapshot = config.users.snapshot.expect("a snapshot");
    assert_eq!(snapshot.file, folder.path().join("users.snapshot"));
    assert_eq!(config.policies.policies.len(), 3);
}

#[test]
fn every_file_is_to_be_watched() {
    let folder = folder();
    let loaded = parse_in(folder.path(), FULL).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let names: Vec<_> = loaded
        .files
        .iter()
        .map(|path| {
            path.strip_prefix(folder.path())
                .unwrap()
                .display()
                .to_string()
        })
        .collect();
    assert_eq!(
        names,
        [
            "keys.json",
            "revocations.yaml",
            "secret",
            "tenants.yaml",
            "tls.crt",
            "tls.key",
            "token"
        ]
    );
}

#[test]
fn risky_settings_are_named() {
    let folder = folder();
    let loaded = parse_in(folder.path(), FULL).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let warnings: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(warnings.join("\n"));
}

#[test]
fn a_directory_in_a_file_needs_no_more_than_its_path() {
    let text = "issuers: [{issuer: https://id.example.com, audiences: [a]}]\n\
                users: {file: {path: users.yaml}}";
    let loaded = parse(text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert!(matches!(
        loaded.config.users.directory,
        directory::Config::File(_)
    ));
}
