//! The documents say what is so: configurations, commands, links and verbs in them are tried.
//!
//! A block marked `yaml subgate` is a configuration, or some of its sections; `yaml NAME.yaml` is a
//! data file of that name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use subgate::config::{self, Loaded};
use subgate::decision::Code;
use subgate::revocation;
use subgate::user::directory::{FileDirectory, Reason};
use subgate::yaml::Mistakes;

const ISSUERS: &str = "issuers: [{issuer: https://id.example.com, name: acme, audiences: any}]\n";
const USERS: &str = "users: {file: {path: users.yaml}}\n";

#[test]
fn every_configuration_in_the_documents_is_one() {
    let mut tried = 0;
    for (path, text) in documents() {
        for Block { info, text } in blocks(&text) {
            let has = |key: &str| text.lines().any(|line| line.starts_with(key));
            let whole = info == "yaml" && has("issuers:") && has("users:");
            if whole || info == "yaml subgate" {
                tried += 1;
                parse(&completed(&text))
                    .unwrap_or_else(|mistakes| panic!("{}:\n{text}\n{mistakes}", path.display()));
            }
        }
    }
    assert!(tried >= 4, "{tried} configurations found");
}

#[tokio::test]
async fn every_data_file_in_the_documents_is_one() {
    let loaded = parse(&completed("")).expect("a configuration");
    let folder = tempfile::tempdir().expect("a folder");
    for (document, text) in documents() {
        for Block { info, text } in blocks(&text) {
            let Some(name) = info.strip_prefix("yaml ").filter(|name| *name != "subgate") else {
                continue;
            };
            let path = folder.path().join(name);
            fs::write(&path, &text).expect("a file");
            let realms = [Arc::from("https://id.example.com")];
            let read = match name {
                "users.yaml" => FileDirectory::open(&path, &realms).map(drop),
                "revocations.yaml" => revocation::Config::File(path)
                    .judge(&loaded.config.issuers, &loaded.config.tenant),
                other => panic!("{}: no file is called {other}", document.display()),
            };
            read.unwrap_or_else(|mistakes| panic!("{}:\n{mistakes}", document.display()));
        }
    }
}

#[test]
fn every_command_in_the_readme_is_one() {
    let mut tried = 0;
    for Block { info, text } in blocks(&read("README.md")) {
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix("$ subgate "));
        for line in lines.filter(|_| info == "console") {
            tried += 1;
            let words = line.split(['>', '|']).next().unwrap_or_default();
            let output = Command::new(env!("CARGO_BIN_EXE_subgate"))
                .args(words.split_whitespace())
                .arg("--help")
                .output()
                .expect("the command runs");
            assert_eq!(output.status.code(), Some(0), "subgate {line}: {output:?}");
        }
    }
    assert!(tried >= 5, "{tried} commands found");
}

#[test]
fn the_envoy_snippets_of_the_readme_are_out_of_the_file_that_is_tested() {
    let file = read("envoy/plain/tcp.yaml");
    let line = |line: &str| {
        line.split(" #")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let file: Vec<_> = file.lines().map(line).collect();
    for Block { info, text } in blocks(&read("README.md")) {
        if info != "yaml" {
            continue;
        }
        let mut rest = file.iter();
        for wanted in text.lines().map(str::trim) {
            assert!(
                rest.any(|line| line == wanted),
                "envoy/plain/tcp.yaml lacks, at this place: {wanted}"
            );
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    for (path, text) in documents() {
        for link in links(&text) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                _ => path.parent().expect("a folder").join(file),
            };
            assert!(target.exists(), "{}: {link}", path.display());
            if !anchor.is_empty() {
                let headings: Vec<_> = headings(&fs::read_to_string(&target).expect("text"));
                assert!(
                    headings.iter().any(|heading| heading == anchor),
                    "{}: {link}: there is only {headings:?}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn every_verb_of_make_that_is_named_is_there() {
    let makefile = read("Makefile");
    let rules = makefile.lines().filter_map(|line| line.split_once(':'));
    let verbs: BTreeSet<_> = rules.map(|(verb, _)| verb).collect();
    for (path, text) in documents() {
        for code in code_spans(&text) {
            let mut words = code.trim_start_matches("$ ").split_whitespace();
            if let (Some("make"), Some(verb)) = (words.next(), words.next()) {
                assert!(verbs.contains(verb), "{}: make {verb}", path.display());
            }
        }
    }
}

#[test]
fn every_code_is_in_the_readme_and_every_key_in_the_changelog() {
    let readme = read("README.md");
    for code in Code::ALL {
        assert!(readme.contains(&format!("`{code}`")), "README.md: {code}");
    }
    let changelog = read("CHANGELOG.md");
    let spans = code_spans(&changelog);
    let named: BTreeSet<_> = spans
        .iter()
        .flat_map(|span| span.split(['.', '[', ']']))
        .collect();
    let schema = config::schema();
    let definitions = schema["$defs"].as_object().expect("definitions").values();
    for object in definitions.chain([&schema]) {
        let branches = object["oneOf"].as_array().into_iter().flatten();
        for object in branches.chain([object]) {
            for key in object["properties"].as_object().into_iter().flatten() {
                assert!(named.contains(key.0.as_str()), "CHANGELOG.md: {}", key.0);
            }
        }
    }
}

#[test]
fn every_reason_of_a_directory_has_its_row_in_the_order_of_the_program() {
    let text = read("docs/directory.md");
    let rows = rows(&text, "## Reasons");
    let written: Vec<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    let reasons: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(written, reasons);
    for row in rows {
        assert!(
            row.len() == 3 && row.iter().skip(1).all(|cell| cell.len() > 10),
            "{row:?}"
        );
    }
}

/// What a reason means, and what to look at, is said once; other places lead there.
#[test]
fn the_reasons_of_a_directory_have_one_table() {
    let is_table = |text: &str| text.lines().any(|line| line.starts_with("| reason |"));
    let tables: Vec<_> = documents()
        .into_iter()
        .filter(|(_, text)| is_table(text))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(tables, [root().join("docs/directory.md")]);
}

#[test]
fn every_fault_has_what_is_seen_why_and_how_it_heals_with_reasons_that_are_some() {
    let text = read("docs/directory.md");
    let rows = rows(&text, "## Faults");
    assert!(rows.len() >= 16, "{} faults", rows.len());
    let named: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    for row in rows {
        let [_, _, _, reason, _] = row.as_slice() else {
            panic!("expected five cells: {row:?}");
        };
        for reason in reason.split('`').skip(1).step_by(2) {
            assert!(named.contains(reason), "{reason}");
        }
    }
}

/// Settings of `users` that are not directories stand in the table with the defaults of the schema.
#[test]
fn the_settings_of_the_directory_page_are_those_of_the_schema_with_their_defaults() {
    let schema = config::schema();
    let follow = |node: &serde_json::Value| match node["$ref"].as_str() {
        Some(reference) => schema
            .pointer(reference.trim_start_matches('#'))
            .cloned()
            .expect("a definition"),
        None => node.clone(),
    };
    let users = follow(&schema["properties"]["users"]);
    let text = read("docs/directory.md");
    let rows = rows(&text, "## Settings");
    let mut written = BTreeSet::new();
    for row in &rows {
        let [setting, default, meaning, change] = row.as_slice() else {
            panic!("expected four cells: {row:?}");
        };
        assert!(meaning.len() > 10 && change.len() > 10, "{row:?}");
        let setting = setting.trim_matches('`');
        let node = setting.split('.').fold(users.clone(), |node, key| {
            let below = &node["properties"][key];
            assert!(!below.is_null(), "no key users.{setting}");
            let default = below["default"].clone();
            let mut below = follow(below);
            if !default.is_null() {
                below["default"] = default;
            }
            below
        });
        let plain = &node["default"];
        let plain = plain
            .as_str()
            .map_or_else(|| plain.to_string(), str::to_owned);
        // What other keys, or nothing, decide has no default in the schema.
        if plain != "null" {
            assert_eq!(default.trim_matches('`'), plain, "{setting}");
        }
        written.insert(setting.split('.').next().expect("a key").to_owned());
    }
    let directories = ["http", "grpc", "scim", "supabase", "file"];
    for key in users["properties"].as_object().expect("keys").keys() {
        let is_directory = directories.contains(&key.as_str());
        assert!(
            is_directory || written.contains(key),
            "docs/directory.md: {key}"
        );
    }
}

#[test]
fn every_line_of_the_log_that_is_worth_an_alert_is_one_of_the_program() {
    let operations = read("docs/operations.md");
    let (_, rest) = operations
        .split_once("Other lines worth an alert")
        .expect("the list of lines");
    let rows = rest.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    let lines: Vec<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    assert!(lines.len() >= 20, "{lines:?}");
    let program = program(&root().join("src"));
    for line in lines {
        // At the beginning of a literal: so it begins in the log.
        assert!(program.contains(&format!("\"{line}")), "not in src: {line}");
    }
}

/// The source of the program without its tests, each literal on one line.
fn program(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            text += &program(&path);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            let source = fs::read_to_string(&path).expect("text");
            let mut pieces = source.split("\\\n");
            text += pieces.next().unwrap_or_default();
            for piece in pieces {
                text += piece.trim_start();
            }
        }
    }
    text
}

/// The rows of the first table below a heading, cell by cell.
fn rows<'d>(document: &'d str, heading: &str) -> Vec<Vec<&'d str>> {
    let lines = document.lines().skip_while(|line| *line != heading);
    let table = lines.skip_while(|line| !line.starts_with('|'));
    let table = table.take_while(|line| line.starts_with('|')).skip(2);
    let cells = |row: &'d str| row.trim_matches('|').split(" | ").map(str::trim).collect();
    table.map(cells).collect()
}

/// A fenced block, without the indentation of its fence.
struct Block {
    info: String,
    text: String,
}

fn blocks(document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        let inner = line.trim_start();
        if let Some(info) = inner.strip_prefix("```") {
            let indent = " ".repeat(line.len() - inner.len());
            let text = lines.by_ref().take_while(|line| line.trim() != "```");
            let text =
                text.map(|line| line.strip_prefix(&indent).unwrap_or(line).to_owned() + "\n");
            blocks.push(Block {
                info: info.trim().to_owned(),
                text: text.collect(),
            });
        }
    }
    blocks
}

/// What stands in backticks, in indented lines, and in lines of blocks.
fn code_spans(document: &str) -> Vec<String> {
    let fenced = blocks(document);
    let fenced = fenced.iter().flat_map(|block| block.text.lines());
    let indented = document
        .lines()
        .filter_map(|line| line.strip_prefix("    "));
    let inline = prose(document);
    let inline = inline.split('`').skip(1).step_by(2);
    fenced
        .chain(indented)
        .chain(inline)
        .map(str::to_owned)
        .collect()
}

/// A document without its fenced blocks.
fn prose(document: &str) -> String {
    let mut outside = true;
    let lines = document.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        outside ^= fence;
        outside && !fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The targets of links to other files of the project, and to headings.
fn links(document: &str) -> impl Iterator<Item = &str> {
    let targets = document.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://"))
}

/// The anchors of a document's headings, as hosts make them.
fn headings(document: &str) -> Vec<String> {
    let text = prose(document);
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        let kept = words
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// Some sections of a configuration, with those that it cannot be without.
fn completed(text: &str) -> String {
    let lacks = |key: &str| !text.lines().any(|line| line.starts_with(key));
    let issuers = if lacks("issuers:") { ISSUERS } else { "" };
    let users = if lacks("users:") { USERS } else { "" };
    format!("{issuers}{users}{text}")
}

fn parse(text: &str) -> Result<Loaded, Mistakes> {
    let folder = tempfile::tempdir().expect("a folder");
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])
        .and_then(|parameters| parameters.self_signed(&key))
        .expect("a certificate");
    for (name, content) in [
        ("tls.crt", certificate.pem()),
        ("ca.crt", certificate.pem()),
        ("tls.key", key.serialize_pem()),
        ("keys.json", r#"{"keys": []}"#.to_owned()),
        ("secret", "s".repeat(64)),
        ("token", "token-of-an-operator".to_owned()),
        ("service-key", "key-of-a-service".to_owned()),
        ("users.yaml", "users: []\n".to_owned()),
        ("tenants.yaml", "tenants: [acme]\n".to_owned()),
        ("revocations.yaml", "tokens: []\n".to_owned()),
    ] {
        fs::write(folder.path().join(name), content).expect("a file");
    }
    config::parse("subgate.yaml", folder.path(), text, [])
}

/// Every document, by its path.
fn documents() -> Vec<(PathBuf, String)> {
    let folders = ["", "docs", "envoy"].map(|folder| root().join(folder));
    let entries = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).expect("a folder"));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let paths = paths.filter(|path| path.extension().is_some_and(|end| end == "md"));
    paths
        .map(|path| {
            let text = fs::read_to_string(&path).expect("text");
            (path, text)
        })
        .collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("a file of the project")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
