use super::*;
use proptest::prelude::*;
use serde_json::json;

fn config() -> Config {
    Config {
        claim: "sub".into(),
        normalize: vec![Normalization::Trim],
        format: Format::Any,
        reserved: ["", "null", "undefined", "none", "0", "anonymous"]
            .map(String::from)
            .to_vec(),
        rewrite: Vec::new(),
        unmatched: Unmatched::Refuse,
    }
}

fn read(config: &Config, value: &Value) -> Result<String, SubjectError> {
    Subject::read(config, Some(value)).map(|subject| subject.normalized().to_string())
}

fn invalid(what: Invalid) -> Result<String, SubjectError> {
    Err(SubjectError::Invalid(what))
}

#[test]
fn clm_09_a_subject_is_a_string_of_1_to_255_characters_without_controls() {
    let config = config();
    assert_eq!(Subject::read(&config, None), Err(SubjectError::Missing));
    assert_eq!(read(&config, &Value::Null), Err(SubjectError::Missing));
    // `product.md` row 12 names a numeric `sub` `subject_invalid`: it overrides the general rule of
    // `decision.md`, by which a claim of the wrong type is `token_malformed`.
    for value in [json!(7), json!(true), json!(["a"]), json!({})] {
        assert_eq!(read(&config, &value), invalid(Invalid::Type), "{value}");
    }
    assert_eq!(read(&config, &json!("x".repeat(255))), Ok("x".repeat(255)));
    assert_eq!(
        read(&config, &json!("x".repeat(256))),
        invalid(Invalid::Length)
    );
    for text in ["a\r\nx-admin: 1", "a\0", "a\tb", "\u{85}"] {
        assert_eq!(
            read(&config, &json!(text)),
            invalid(Invalid::Control),
            "{text:?}"
        );
    }
}

#[test]
fn placeholders_are_reserved_after_normalization_and_before_the_format() {
    let mut config = config();
    config.format = Format::Uuid;
    for text in ["", "  ", "null", " undefined ", "0", "anonymous"] {
        assert_eq!(
            read(&config, &json!(text)),
            Err(SubjectError::Reserved),
            "{text:?}"
        );
    }
}

#[test]
fn jwt_07_without_a_declared_normalization_subjects_are_compared_as_they_are() {
    let mut config = config();
    config.normalize.clear();
    for text in [" Alice ", "A\u{308}", "\u{c4}", "ALICE"] {
        assert_eq!(read(&config, &json!(text)), Ok(text.to_owned()));
    }
}

#[test]
fn each_normalization_does_what_it_says_and_tells_that_it_did() {
    let mut config = config();
    for (kind, from, to) in [
        (Normalization::Trim, " alice\u{20}", "alice"),
        (Normalization::Lowercase, "Alice\u{c9}", "alice\u{c9}"),
        (Normalization::Nfc, "e\u{301}", "\u{e9}"),
        (
            Normalization::Uuid,
            "{0F8FAD5B-D9CB-469F-A165-70867728950E}",
            "0f8fad5b-d9cb-469f-a165-70867728950e",
        ),
        (
            Normalization::Uuid,
            "urn:uuid:0f8fad5bd9cb469fa16570867728950e",
            "0f8fad5b-d9cb-469f-a165-70867728950e",
        ),
        (
            Normalization::Uuid,
            "0F8FAD5BD9CB469FA16570867728950E",
            "0f8fad5b-d9cb-469f-a165-70867728950e",
        ),
    ] {
        config.normalize = vec![kind];
        let subject = Subject::of(&config, from).unwrap();
        assert_eq!((&**subject.normalized(), &**subject.raw()), (to, from));
        assert_eq!(subject.changed().iter().collect::<Vec<_>>(), [kind]);
        assert!(Subject::of(&config, to).unwrap().changed().is_empty());
    }
    assert_eq!(read(&config, &json!("no-uuid")), Ok("no-uuid".into()));
}

#[test]
fn what_is_no_uuid_stays_as_it_is_however_long_and_hyphenated() {
    let mut config = config();
    config.normalize = vec![Normalization::Uuid];
    for text in [
        &format!("a{}", "-".repeat(31)),
        &format!("{}a", "-".repeat(31)),
        "0f8fad5b-d9cb-469f-a165-70867728",
        "0f8fad5bd9cb-469fa165-7086772895",
        "0f8fad5-bd9cb-469f-a165-70867728950e",
        "0f8fad5b-d9cb-469f-a165-7086772895-e",
        "0f8fad5bd9cb469fa16570867728950g",
        "{0f8fad5bd9cb469fa16570867728950e",
        "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728",
        "\u{e9}0f8fad5bd9cb469fa1657086772895",
    ] {
        let subject = Subject::of(&config, text).unwrap();
        assert_eq!(&**subject.normalized(), text);
        assert!(subject.changed().is_empty(), "{text}");
    }
}

#[test]
fn what_would_become_ascii_is_invalid() {
    let mut config = config();
    config.normalize = vec![Normalization::Nfc, Normalization::Lowercase];
    for text in ["\u{212a}arl", "a\u{37e}b", "\u{1fef}"] {
        assert_eq!(
            read(&config, &json!(text)),
            invalid(Invalid::Confusable),
            "{text}"
        );
    }
    // ASCII rules leave other alphabets alone: the Kelvin sign stays itself.
    config.normalize = vec![Normalization::Lowercase];
    assert_eq!(read(&config, &json!("\u{212a}")), Ok("\u{212a}".into()));
}

#[test]
fn a_rewrite_rule_maps_and_what_no_rule_matches_is_invalid_unless_it_may_pass() {
    let mut config = config();
    let matches = Regex::new(r"^auth0\|(.+)$").unwrap();
    config.rewrite = vec![Rewrite {
        matches,
        to: "$1".into(),
    }];
    assert_eq!(read(&config, &json!("auth0|alice")), Ok("alice".into()));
    assert_eq!(read(&config, &json!("alice")), invalid(Invalid::Unmatched));
    config.unmatched = Unmatched::Pass;
    assert_eq!(read(&config, &json!("alice")), Ok("alice".into()));
}

#[test]
fn formats_hold_the_whole_subject() {
    let mut config = config();
    for (format, good, bad) in [
        (
            Format::Uuid,
            "0f8fad5b-d9cb-469f-a165-70867728950e",
            "0f8fad5bd9cb469fa16570867728950e",
        ),
        (Format::Integer, "42", "42a"),
        (Format::Email, "a@b.example", "a@b@c"),
        (
            Format::Pattern(Regex::new("^(?:u-[0-9]+)$").unwrap()),
            "u-7",
            "u-7\u{20}x",
        ),
    ] {
        config.format = format;
        assert_eq!(read(&config, &json!(good)), Ok(good.to_owned()));
        assert_eq!(
            read(&config, &json!(bad)),
            invalid(Invalid::Format),
            "{bad}"
        );
    }
}

#[test]
fn what_is_no_path_segment_reaches_no_directory() {
    for text in [".", ".."] {
        assert_eq!(read(&config(), &json!(text)), invalid(Invalid::PathSegment));
    }
}

proptest! {
    #[test]
    fn normalizing_twice_is_normalizing_once(text in "\\PC{0,40}") {
        let mut config = config();
        config.normalize = vec![Normalization::Trim, Normalization::Lowercase, Normalization::Nfc, Normalization::Uuid];
        if let Ok(once) = Subject::of(&config, &text) {
            let twice = Subject::of(&config, once.normalized()).unwrap();
            prop_assert_eq!(twice.normalized(), once.normalized());
        }
    }
}
