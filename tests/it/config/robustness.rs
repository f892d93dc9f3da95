use super::{SMALLEST, parse_in};
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use subgate::config;

/// Nobody's files are named here.
fn judge(text: &str) {
    let _ = parse_in(Path::new("/nowhere"), text);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        judge(&text);
    }

    #[test]
    fn no_text_of_yaml_marks_makes_it_panic(text in "[-a-c:#&*!|>'\"%@`{}\\[\\],? \n\t0~<.]{0,200}") {
        judge(&text);
    }

    #[test]
    fn no_change_of_a_configuration_makes_it_panic(
        at in any::<prop::sample::Index>(),
        length in 0_usize..20,
        put in "[-a-z:&*!{}\\[\\]$ \n0-9]{0,12}",
    ) {
        let full = include_str!("full.yaml");
        let characters: Vec<_> = full.chars().collect();
        let start = at.index(characters.len());
        let end = (start + length).min(characters.len());
        let mut text: String = characters[..start].iter().collect();
        text.push_str(&put);
        text.extend(&characters[end..]);
        judge(&text);
    }

    #[test]
    fn no_variable_makes_it_panic(name in "SUBGATE__[A-Z0-9_]{0,30}", value in any::<String>()) {
        let variables = [(name, value)];
        let _ = config::parse("subgate.yaml", Path::new("/nowhere"), SMALLEST, variables);
    }
}

#[test]
fn bytes_that_are_no_text_are_a_mistake() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("subgate.yaml");
    fs::write(&path, b"issuers: \xff\xfe").expect("a file");
    let mistakes = config::load(&path, []).expect_err("a mistake");
    assert!(
        mistakes.to_string().contains("expected UTF-8"),
        "{mistakes}"
    );
}

#[test]
fn deep_nesting_is_a_mistake() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")] {
        let text = format!("issuers: {}{}", open.repeat(5000), close.repeat(5000));
        assert!(parse_in(Path::new("/nowhere"), &text).is_err());
    }
    let mut indented = String::new();
    for depth in 0..300 {
        indented.push_str(&" ".repeat(depth));
        indented.push_str("a:\n");
    }
    let mistakes = parse_in(Path::new("/nowhere"), &indented).expect_err("a mistake");
    assert!(
        mistakes.to_string().contains("at most 64 levels"),
        "{mistakes}"
    );
}
