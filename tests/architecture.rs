//! The module graph, kept by a test: an edge that is not listed here does not exist.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// `(module, what it may use)`; the rest of the crate is closed to it.
const ALLOWED: &[(&str, &[&str])] = &[
    // Beneath them all.
    ("clock", &[]),
    ("load", &[]),
    ("secret", &[]),
    ("yaml", &[]),
    ("net", &["secret"]),
    ("datafile", &["net", "yaml"]),
    // What a decision looks at, and what it knows.
    ("request", &["net"]),
    ("lifecycle", &[]),
    ("credential", &["request"]),
    ("subject", &[]),
    ("token", &["clock", "load", "net", "credential", "subject"]),
    (
        "tenant",
        &["request", "subject", "token", "datafile", "yaml"],
    ),
    ("event", &["clock"]),
    (
        "revocation",
        &[
            "clock", "event", "load", "net", "datafile", "subject", "token", "tenant", "yaml",
        ],
    ),
    (
        "user",
        &[
            "clock", "event", "load", "net", "secret", "datafile", "yaml",
        ],
    ),
    (
        "decision",
        &[
            "clock",
            "event",
            "load",
            "request",
            "credential",
            "token",
            "subject",
            "tenant",
            "revocation",
            "user",
        ],
    ),
    // What is told of it.
    (
        "telemetry",
        &["secret", "subject", "token", "user", "decision"],
    ),
    (
        "envoy",
        &["request", "token", "user", "decision", "telemetry"],
    ),
    (
        "server",
        &[
            "clock",
            "load",
            "secret",
            "net",
            "lifecycle",
            "request",
            "decision",
            "telemetry",
            "envoy",
        ],
    ),
    // Where the parts meet.
    (
        "config",
        &[
            "yaml",
            "net",
            "credential",
            "subject",
            "token",
            "tenant",
            "revocation",
            "user",
            "decision",
            "telemetry",
            "envoy",
            "server",
        ],
    ),
    (
        "app",
        &[
            "clock",
            "load",
            "secret",
            "yaml",
            "net",
            "lifecycle",
            "credential",
            "token",
            "subject",
            "tenant",
            "revocation",
            "event",
            "user",
            "decision",
            "telemetry",
            "envoy",
            "server",
            "config",
        ],
    ),
    (
        "cli",
        &[
            "clock",
            "yaml",
            "net",
            "lifecycle",
            "token",
            "revocation",
            "user",
            "telemetry",
            "config",
            "app",
        ],
    ),
];

#[test]
fn modules_use_only_what_lies_below_them() {
    for (module, used) in graph() {
        let allowed = ALLOWED.iter().find(|(name, _)| *name == module);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("`{module}` is not in the table"));
        let strays: Vec<_> = used
            .iter()
            .filter(|name| !allowed.contains(&name.as_str()))
            .collect();
        assert!(strays.is_empty(), "`{module}` must not use {strays:?}");
        let unused: Vec<_> = allowed
            .iter()
            .filter(|name| !used.iter().any(|used| used == *name))
            .collect();
        assert!(
            unused.is_empty(),
            "`{module}` does not use {unused:?}: strike them"
        );
    }
}

#[test]
fn the_table_has_no_cycle() {
    let mut below: BTreeSet<&str> = BTreeSet::new();
    for (module, allowed) in ALLOWED {
        for used in *allowed {
            assert!(
                below.contains(used),
                "`{module}` uses `{used}`, which is listed after it"
            );
        }
        assert!(below.insert(module), "`{module}` is listed twice");
    }
}

#[test]
fn what_the_wire_is_made_of_stays_in_envoy_and_in_the_directory_that_speaks_it() {
    let directory = source().join("user/directory/grpc/wire.rs");
    for path in files(&source()).filter(|path| path.strip_prefix(source().join("envoy")).is_err()) {
        if path != source().join("envoy.rs") && path != directory {
            let text = code(&path);
            assert!(
                !text.contains("envoy::pb") && !text.contains("OUT_DIR"),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn no_module_is_a_mod_rs_or_a_drawer() {
    const DRAWERS: &[&str] = &[
        "mod", "utils", "util", "helpers", "common", "manager", "handler",
    ];
    for path in files(&source()) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(!DRAWERS.contains(&name), "{}", path.display());
    }
}

#[test]
fn a_use_of_the_crate_is_found_in_every_form() {
    let text = "use crate::{\n    b::{X, Y}, c,\n};\nuse crate::a::Z; fn f() -> crate::d::W {}";
    let found: Vec<_> = used_in(text).into_iter().collect();
    assert_eq!(found, ["a", "b", "c", "d"]);
}

/// The top-level modules, each with those it uses.
fn graph() -> BTreeMap<String, BTreeSet<String>> {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    // A slice's tests may stand on its neighbours; its code may not.
    let is_code = |path: &PathBuf| path.file_stem().is_some_and(|name| name != "tests");
    for path in files(&source()).filter(is_code) {
        let inside = path.strip_prefix(source()).unwrap().with_extension("");
        let module = inside.iter().next().unwrap().to_str().unwrap().to_owned();
        if module != "lib" && module != "main" {
            let mut used = used_in(&code(&path));
            used.remove(&module);
            graph.entry(module).or_default().extend(used);
        }
    }
    graph
}

/// The modules that follow `crate::`, alone or in braces.
fn used_in(text: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for rest in text.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            None => used.extend(first_word(rest)),
            Some(list) => {
                let mut depth = 1;
                for item in list.split_inclusive([',', '{', '}']) {
                    if depth == 1 {
                        used.extend(first_word(item));
                    }
                    match item.chars().last() {
                        Some('{') => depth += 1,
                        Some('}') => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
        }
    }
    used
}

/// A module's name; types and macros of the crate's root would begin otherwise.
fn first_word(text: &str) -> Option<String> {
    let word = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let word: String = text.trim_start().chars().take_while(word).collect();
    word.starts_with(|c: char| c.is_ascii_lowercase())
        .then_some(word)
}

/// A file without its comments, whose links bind nothing.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every Rust file below a directory.
fn files(dir: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
}
