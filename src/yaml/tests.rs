use super::*;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Shelf {
    books: Vec<Book>,
    #[serde(default)]
    labels: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Book {
    title: String,
    pages: Option<u32>,
    #[schemars(extend("format" = "date-time"))]
    bought: Option<String>,
}

fn mistakes(text: &str) -> String {
    let read: Result<Shelf, _> = from_str("shelf.yaml", text);
    read.expect_err("mistakes").to_string()
}

#[test]
fn a_text_becomes_a_value() {
    let text = "books:\n- {title: A, pages: 7, bought: 2026-01-31T12:00:00Z}\n- title: '5'\n\
                labels: {a: [1, true, ~, 1.5, x], b: {c: d}}\n";
    let shelf: Shelf = from_str("shelf.yaml", text).expect("a shelf");
    assert_eq!(shelf.books[0].pages, Some(7));
    assert_eq!(shelf.books[1].title, "5");
    assert_eq!(
        shelf.labels["a"],
        serde_json::json!([1, true, null, 1.5, "x"])
    );
}

#[test]
fn every_mistake_is_told_in_the_order_of_the_file() {
    let text =
        "books:\n- {titel: A, pages: -1}\n- {title: 5, bought: yesterday}\n- x\n- {}\nlabel: 1\n";
    assert_eq!(
        mistakes(text),
        "\
shelf.yaml:2:4: books/0/titel: expected a known key, got `titel`; did you mean `title`?
shelf.yaml:2:21: books/0/pages: expected a whole number, at least 0, got the number -1; write that instead
shelf.yaml:3:11: books/1/title: expected a text, got the number 5; put it in quotes, if it is meant as text
shelf.yaml:3:22: books/1/bought: expected a time (RFC 3339) such as `2026-01-31T12:00:00Z`, got `yesterday`; write for example `2026-01-31T12:00:00Z`
shelf.yaml:4:3: books/2: expected a mapping, got `x`; write that instead
shelf.yaml:5:3: books/3/title: expected a text, got no such key; add `title: …`
shelf.yaml:6:1: label: expected a known key, got `label`; did you mean `labels`?"
    );
}

#[test]
fn an_optional_key_is_left_out_and_never_null() {
    assert!(mistakes("books: [{title: a, pages: }]").contains("pages: expected a whole number"));
    assert!(mistakes("books: [{title: a, pages: null}]").contains("got nothing"));
}

#[test]
fn an_empty_text_lacks_what_is_required() {
    for text in ["", "# nothing\n", "---\n", "~"] {
        assert!(
            mistakes(text).contains(": books: expected a list, got no such key"),
            "{text:?}"
        );
    }
}

#[test]
fn an_alias_bomb_is_refused_where_its_fuse_lies() {
    let bomb = "labels:\n  a: &a [x, x]\n  b: &b [*a, *a]\n  c: [*b, *b]\nbooks: []\n";
    assert!(
        mistakes(bomb).starts_with(
            "shelf.yaml:2:6: labels/a: expected a value, got an anchor; remove the `&…`"
        )
    );
}

#[test]
fn a_number_beyond_its_type_is_a_mistake() {
    assert!(!mistakes("books: [{title: a, pages: 99999999999}]").is_empty());
    assert!(!mistakes("books: [{title: a, pages: 1e999}]").is_empty());
}

#[test]
fn durations_and_sizes_have_units() {
    use std::time::Duration;
    assert_eq!(duration("90s"), Some(Duration::from_secs(90)));
    assert_eq!(duration("1h 30m"), Some(Duration::from_secs(5400)));
    assert_eq!(size("16KiB"), Some(16_384));
    for wrong in ["", "5", "-1s", "soon"] {
        assert_eq!(duration(wrong), None, "{wrong}");
        assert_eq!(size(wrong), None, "{wrong}");
    }
}

#[test]
fn mistakes_show_no_control_characters_and_no_long_texts() {
    assert_eq!(shown("a\u{1b}[0m\n"), "`a\\u{1b}[0m\\n`");
    assert_eq!(shown(&"x".repeat(41)), "a text of 41 characters");
}
