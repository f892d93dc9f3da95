//! Rewrite rules that can make one subject of two are named.

use super::parse;

/// What is said of the `subject` of each issuer, all in one realm.
fn warnings(subjects: &[&str]) -> Vec<String> {
    let issuers: Vec<_> = subjects
        .iter()
        .enumerate()
        .map(|(index, subject)| {
            format!(
                "- {{issuer: 'https://{index}.example.com', realm: people, audiences: [a], \
                 subject: {subject}}}\n"
            )
        })
        .collect();
    let text = format!(
        "issuers:\n{}users: {{file: {{path: users.yaml}}}}",
        issuers.concat()
    );
    let loaded = parse(&text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    loaded.warnings.iter().map(ToString::to_string).collect()
}

/// Exactly one warning, of this rule, with these words.
fn one(subjects: &[&str], rule: &str, words: &str) {
    let told = warnings(subjects);
    assert!(
        matches!(told.as_slice(), [only] if only.contains(rule) && only.contains(words)),
        "expected {rule}: {words:?}\ngot {told:#?}"
    );
}

#[test]
fn rules_that_keep_users_apart_are_not_named() {
    for subjects in [
        &[r"{}"][..],
        &[r"{}", r"{}"],
        &[r"{rewrite: [{match: '^auth0\|(.+)$', to: '$1'}]}"],
        &[r"{normalize: [trim, lowercase], rewrite: [{match: '^auth0\|(.+)$', to: '$1'}]}"],
        &[r"{rewrite: [{match: '(?i)^auth0\|(.+)$', to: '$1'}]}"],
        &[r"{rewrite: [{match: '^a\|(.+)$', to: 'a-$1'}, {match: '^b\|(.+)$', to: 'b-$1'}]}"],
        &[r"{rewrite: [{match: '^a\|(\d+)$', to: '$1'}, {match: '^b\|([a-z]+)$', to: '$1'}]}"],
        &[r"{format: integer, unmatched: pass, rewrite: [{match: '^a\|([a-z]+)$', to: '$1'}]}"],
    ] {
        assert_eq!(warnings(subjects), [""; 0], "{subjects:?}");
    }
}

#[test]
fn two_rules_of_equal_form_are_named_with_an_example() {
    one(
        &[r"{rewrite: [{match: '^a\|(.+)$', to: '$1'}, {match: '^b\|(?<id>.+)$', to: '${id}'}]}"],
        r"subgate.yaml:2:120: issuers/0/subject/rewrite/1: `^b\|(?<id>.+)$`",
        "it makes `1` of `b|1`, and issuers/0/subject/rewrite/0 makes it of `a|1`; unless both",
    );
}

#[test]
fn an_example_is_one_that_the_format_lets_pass() {
    one(
        &[
            r"{format: uuid, rewrite: [{match: '^a\|(.+)$', to: '$1'}, {match: '^b\|(.+)$', to: '$1'}]}",
        ],
        "issuers/0/subject/rewrite/1",
        "makes `00000000-0000-4000-8000-000000000001` of `b|00000000-0000-4000-8000-000000000001`",
    );
    one(
        &[
            r"{format: 'u-\d{4}', rewrite: [{match: '^a\|(.+)$', to: '$1'}, {match: '^b\|(.+)$', to: '$1'}]}",
        ],
        "issuers/0/subject/rewrite/1",
        "it makes `u-0000` of `b|u-0000`",
    );
}

#[test]
fn a_rule_that_drops_what_tells_users_apart_is_named() {
    one(
        &[r"{rewrite: [{match: '^(auth0|google)\|(.+)$', to: '$2'}]}"],
        "issuers/0/subject/rewrite/0",
        "it makes `1` of `auth0|1` and of `google|1`; keep in `to` what tells them apart",
    );
    one(
        &[r"{rewrite: [{match: '^guest-.*$', to: guest}]}"],
        "issuers/0/subject/rewrite/0",
        "it makes `guest` of `guest-` and of `guest-1`",
    );
    one(
        &[r"{rewrite: [{match: 'auth0\|', to: ''}]}"],
        "issuers/0/subject/rewrite/0",
        "it makes `1` of `1auth0|` and of `auth0|1`",
    );
}

#[test]
fn what_passes_as_it_is_may_be_what_a_rule_makes() {
    one(
        &[r"{unmatched: pass, rewrite: [{match: '^a\|(.+)$', to: '$1'}]}"],
        "issuers/0/subject/rewrite/0",
        "it makes `1` of `a|1`, and issuers/0 takes `1` as it is (`unmatched: pass`)",
    );
    one(
        &[r"{}", r"{rewrite: [{match: '^a\|(.+)$', to: '$1'}]}"],
        "issuers/1/subject/rewrite/0",
        "it makes `1` of `a|1`, and issuers/0 takes `1` as it is (it has no rules)",
    );
}

#[test]
fn issuers_of_one_realm_are_held_against_each_other() {
    let rule = r"{rewrite: [{match: '^a\|(.+)$', to: '$1'}]}";
    let other = r"{rewrite: [{match: '^b\|(.+)$', to: '$1'}]}";
    one(
        &[rule, other],
        "issuers/1/subject/rewrite/0",
        "and issuers/0/subject/rewrite/0 makes it of `a|1`",
    );
    assert_eq!(warnings(&[rule, rule]), [""; 0], "one subject is one user");
}

#[test]
fn rules_for_which_no_example_is_found_are_judged_by_their_form() {
    one(
        &[
            r"{format: '[A-Z]{5}-[0-9]{300}', rewrite: [{match: '^a\|(.+)$', to: '$1'}, {match: '^b\|(.+)$', to: '$1'}]}",
        ],
        "issuers/0/subject/rewrite/1",
        "its `to` has the form of that of issuers/0/subject/rewrite/0; unless both are one person",
    );
}
