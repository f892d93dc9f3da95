use super::{SMALLEST, parse};
use subgate::config;

#[test]
fn ten_mistakes_of_six_kinds_are_told_at_once() {
    let text = "\
listen:
  drain: 20
  helth: 127.0.0.1:19192
issuers:
- issuer: https://id.example.com
  algorithms: [RS256, RS265]
  leeway: 10m
- issuer: https://other.example.com
  audiences: [shop-api]
  keys: {jwks_file: missing.json}
  subject: {format: '[a-z'}
users:
  http:
    url: https://users.example.com/{realm}/{subject}
    not_found: {code: user_not_found}
  file: {path: users.yaml}
  concurrency: many
policies:
  logout: {require_user: false, roles: [admin]}
";
    let mistakes = parse(text).expect_err("mistakes");
    insta::assert_snapshot!(mistakes);
    // Wrong type, unknown key, missing key, bad value, missing file, contradiction.
    assert_eq!(mistakes.iter().len(), 10);
}

#[test]
fn keys_of_later_versions_are_unknown_and_named_as_such() {
    let text = format!(
        "{SMALLEST}relay: {{}}\nforeign: []\n\
         policies: {{default: {{mode: observe}}}}\ntelemetry: {{traces: {{}}}}\n"
    );
    let mistakes = parse(&text).expect_err("mistakes");
    assert_eq!(mistakes.iter().len(), 4, "{mistakes}");
    for mistake in mistakes.iter() {
        assert_eq!(
            mistake.remedy, "remove it: it is not in this version",
            "{mistake}"
        );
    }
}

#[test]
fn a_missing_file_is_a_mistake_with_the_path_that_was_given() {
    let mistakes = config::load("/nowhere/subgate.yaml".as_ref(), []).expect_err("a mistake");
    let text = mistakes.to_string();
    assert!(text.starts_with("/nowhere/subgate.yaml:1:1: "), "{text}");
}

#[test]
fn a_long_value_is_never_repeated() {
    let secret = "s3cr3t".repeat(10);
    let text = SMALLEST.replace("[shop-api]", &secret);
    let mistakes = parse(&text).expect_err("a mistake").to_string();
    assert!(mistakes.contains("a text of 60 characters"), "{mistakes}");
    assert!(!mistakes.contains("s3cr3t"), "{mistakes}");
}

#[test]
fn a_mistake_hides_the_value_it_spoils_and_nothing_else() {
    let text = SMALLEST.replace("[shop-api]", "[1]");
    let mistakes = parse(&text).expect_err("a mistake");
    assert_eq!(mistakes.iter().len(), 1, "{mistakes}");
    let text = SMALLEST
        .replace("https://id", "ftp://id")
        .replace("[shop-api]", "[1]");
    assert_eq!(parse(&text).expect_err("mistakes").iter().len(), 2);
}

#[test]
fn the_place_of_an_element_counts_those_spoiled_before_it() {
    let text = "issuers: [5, {issuer: ftp://x, audiences: any}]\nusers: {file: {path: users.yaml}}";
    let mistakes = parse(text).expect_err("mistakes").to_string();
    assert!(
        mistakes.contains("subgate.yaml:1:23: issuers/1/issuer"),
        "{mistakes}"
    );
}
