//! The commands, as a shell runs them.

use std::fs;
use std::process::{Command, Output, Stdio};

fn subgate(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_subgate"))
        .args(arguments)
        .envs(environment.iter().copied())
        .output()
        .expect("the command runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

const RIGHT: &str = "\
issuers: [{issuer: https://id.example.com, audiences: any}]
users: {file: {path: users.yaml}}
";

/// Runs `check` on a text.
fn check(text: &str, more: &[&str], environment: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("subgate.yaml");
    fs::write(&path, text).expect("a file");
    fs::write(folder.path().join("users.yaml"), "users: []\n").expect("a file");
    let path = path.to_str().expect("a path of text");
    let arguments = [&["check", "--config", path], more].concat();
    subgate(&arguments, environment)
}

#[test]
fn check_exits_0_and_names_risky_settings_if_the_configuration_is_right() {
    let output = check(RIGHT, &[], &[]);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    assert!(text.contains("issuers/0/audiences: any"), "{text}");
    assert!(text.ends_with("right: issuers 1, policies 1\n"), "{text}");
}

#[test]
fn check_exits_1_and_tells_the_mistakes_if_it_is_not() {
    let output = check("issuers: 5\nusers: 6\n", &[], &[]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    assert!(
        text.contains("subgate.yaml:1:10: issuers: expected a list"),
        "{text}"
    );
    assert!(text.ends_with("2 mistakes\n"), "{text}");
}

/// Runs `check --connect` with one user in the file, and this canary.
fn connect(canary: &str, more: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!(
        "issuers: [{{issuer: https://id.example.com, name: acme, audiences: any, \
         algorithms: [HS256], keys: {{secret_file: secret}}}}]\n\
         users: {{file: {{path: users.yaml}}, canary: [{{issuer: acme, subject: {canary}}}]}}\n"
    );
    for (name, content) in [
        ("subgate.yaml", text.as_str()),
        ("users.yaml", "users: [{subject: tweety}]\n"),
        ("secret", "0123456789abcdef0123456789abcdef"),
    ] {
        fs::write(folder.path().join(name), content).expect("a file");
    }
    let path = folder.path().join("subgate.yaml");
    let path = path.to_str().expect("a path of text");
    let arguments = [&["check", "--connect", "--config", path], more].concat();
    subgate(&arguments, &[])
}

#[test]
fn check_connect_asks_issuers_for_keys_and_the_directory_for_canaries() {
    let found = connect("tweety", &[]);
    let text = stdout(&found);
    assert_eq!(found.status.code(), Some(0), "{text}");
    assert!(text.contains("issuer acme: 1 keys\n"), "{text}");
    assert!(
        text.ends_with("canary of https://id.example.com: found\n"),
        "{text}"
    );
}

#[test]
fn check_connect_exits_2_where_a_canary_is_not_found() {
    let missing = connect("sylvester", &[]);
    let text = stdout(&missing);
    assert_eq!(missing.status.code(), Some(2), "{text}");
    assert!(
        text.contains("canary of https://id.example.com: missing: the directory answers"),
        "{text}"
    );
    let missing = connect("sylvester", &["--output", "json"]);
    let answer: serde_json::Value = serde_json::from_slice(&missing.stdout).expect("JSON");
    assert_eq!(answer["issuers"][0]["keys"], 1);
    assert_eq!(answer["canaries"][0]["realm"], "https://id.example.com");
    assert_eq!(answer["canaries"][0]["state"], "missing");
}

#[test]
fn check_connect_tells_a_missing_canary_from_a_directory_that_does_not_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("subgate.yaml");
    fs::write(
        folder.path().join("secret"),
        "0123456789abcdef0123456789abcdef",
    )
    .expect("a file");
    let asked = |users: &str| {
        let text = format!(
            "issuers: [{{issuer: https://id.example.com, name: acme, audiences: any, \
             algorithms: [HS256], keys: {{secret_file: secret}}}}]\nusers: {{{users}}}\n"
        );
        fs::write(&path, text).expect("a file");
        let path = path.to_str().expect("a path of text");
        subgate(&["check", "--connect", "--config", path], &[])
    };
    // Port 1 of loopback is nobody's.
    let http = "http: {url: 'http://127.0.0.1:1/{subject}', not_found: {code: user_not_found}}";
    let down = asked(&format!(
        "{http}, canary: [{{issuer: acme, subject: tweety}}]"
    ));
    let told = stdout(&down);
    assert_eq!(down.status.code(), Some(2), "{told}");
    assert!(
        told.contains("nothing trustworthy was answered: connect;"),
        "{told}"
    );
    let none = asked(http);
    let told = stdout(&none);
    assert_eq!(none.status.code(), Some(0), "{told}");
    assert!(
        told.contains("directory: not asked, because no realm has a canary"),
        "{told}"
    );
}

#[test]
fn check_answers_programs_in_json() {
    for (text, valid) in [(RIGHT, true), ("users: 6\n", false)] {
        let output = check(text, &["--output", "json"], &[]);
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(answer["valid"], valid);
        assert_eq!(
            answer["mistakes"].as_array().map(Vec::is_empty),
            Some(valid)
        );
    }
    let output = check("users: 6\n", &["--output", "json"], &[]);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let second = &answer["mistakes"][1];
    assert_eq!(second["path"], "users");
    assert_eq!(
        (&second["place"]["line"], &second["place"]["column"]),
        (&1.into(), &8.into())
    );
}

#[test]
fn variables_override_the_file_and_are_checked_with_it() {
    let output = check(RIGHT, &[], &[("SUBGATE__USERS__TIMEOUT", "2s")]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let output = check(RIGHT, &[], &[("SUBGATE__USERS__TIMEOT", "2s")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("SUBGATE__USERS__TIMEOT: users/timeot: expected a known key"));
}

#[test]
fn a_configuration_that_is_not_there_is_a_mistake() {
    let output = subgate(&["check", "--config", "/nowhere/subgate.yaml"], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("/nowhere/subgate.yaml:1:1: expected a configuration"));
}

#[test]
fn wrong_usage_exits_64_and_names_the_nearest_flag() {
    for arguments in [&["chekc"][..], &["check"], &[], &["check", "--confg", "x"]] {
        let output = subgate(arguments, &[]);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
    let output = subgate(&["check", "--confg", "x"], &[]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("'--config'"), "{told}");
}

#[test]
fn help_version_schema_and_completions_exit_0() {
    let help = subgate(&["check", "--help"], &[]);
    assert_eq!(help.status.code(), Some(0));
    assert!(stdout(&help).contains("Example:"));
    let version = subgate(&["--version"], &[]);
    assert_eq!(version.status.code(), Some(0));
    assert!(stdout(&version).contains("commit ") && stdout(&version).contains("features: "));
    let schema = subgate(&["schema"], &[]);
    assert_eq!(schema.status.code(), Some(0));
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&schema.stdout).expect("JSON"),
        subgate::config::schema()
    );
    for shell in ["bash", "zsh", "fish"] {
        let script = subgate(&["completions", shell], &[]);
        assert_eq!(script.status.code(), Some(0));
        assert!(stdout(&script).contains("subgate"));
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_subgate"))
        .arg("schema")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_reader_that_leaves_early_changes_nothing_of_what_check_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("subgate.yaml");
    let unknown: Vec<_> = (0..5000).map(|key| format!("unknown_{key}: 1")).collect();
    fs::write(&path, unknown.join("\n")).expect("a file");
    let mut child = Command::new(env!("CARGO_BIN_EXE_subgate"))
        .args(["check", "--config"])
        .arg(&path)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
}

#[test]
fn a_secret_that_was_pasted_where_its_file_belongs_is_not_shown() {
    let text = "\
issuers: [{issuer: https://id.example.com, audiences: any, algorithms: [HS256], keys: {secret_file: PASTED-SECRET-1}}]
users: {http: {url: 'https://u/{subject}', not_found: {code: c}, token_file: PASTED-SECRET-2}}
telemetry: {log: {subject: hash, subject_key_file: PASTED-SECRET-3}}
";
    let output = check(text, &[], &[]);
    assert_eq!(output.status.code(), Some(1));
    let told = stdout(&output);
    assert_eq!(
        told.matches("expected a readable file").count(),
        3,
        "{told}"
    );
    assert!(!told.contains("PASTED"), "{told}");
}

#[test]
fn what_is_no_regular_file_is_no_configuration_and_holds_nobody_up() {
    for path in ["/dev/zero", "/dev"] {
        let output = subgate(&["check", "--config", path], &[]);
        assert_eq!(output.status.code(), Some(1));
        let told = stdout(&output);
        assert!(told.contains("not a regular file"), "{told}");
    }
}

#[test]
fn a_plain_issuer_is_a_name_where_nothing_is_fetched() {
    let text = RIGHT.replace(
        "https://id.example.com, audiences: any",
        "http://kong:8000/auth/v1, audiences: any, algorithms: [HS256], keys: {secret_file: users.yaml}",
    );
    let output = check(&text, &[], &[]);
    // The file is too short for a secret, and that is all that is wrong.
    let told = stdout(&output);
    assert!(told.contains("a secret of at least 32 bytes"), "{told}");
    assert!(told.ends_with("1 mistake\n"), "{told}");
}
