//! `revoke`, `restore` and `revoked`, as a shell runs them, over a real Redis.

use crate::parts::redis::Redis as Server;
use crate::parts::{free_address, until};
use crate::replica::{config, following, strike, token, tokens, writer, written};
use serde_json::Value;
use std::fs;
use std::process::Command;
use subgate::revocation::store::{Written, WrittenStrike};
use tempfile::TempDir;

/// A configuration in a folder of its own.
struct Shell(TempDir);

struct Said {
    code: Option<i32>,
    text: String,
}

impl Shell {
    /// With this store.
    fn new(revocation: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!(
            "issuers:\n- issuer: https://id.acme.example\n  name: acme\n  audiences: any\n  tenants: [shop, bank]\n  \
             subject: {{normalize: [trim, lowercase], rewrite: [{{match: '^auth0\\|(.+)$', to: '$1'}}], unmatched: pass}}\n\
             users: {{file: {{path: users.yaml}}}}\nrevocation: {revocation}\n"
        );
        fs::write(folder.path().join("subgate.yaml"), text).expect("a file");
        fs::write(folder.path().join("users.yaml"), "users: []\n").expect("a file");
        Self(folder)
    }

    /// With this server, and a login that writes.
    fn of(server: &Server) -> Self {
        Self::new(&format!(
            "{{redis: {{url: 'redis://{}', writer: {{}}}}}}",
            server.address()
        ))
    }

    /// Runs a command, its arguments parted by blanks.
    fn run(&self, line: &str) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_subgate"))
            .args(line.split(' '))
            .arg("--config")
            .arg(self.0.path().join("subgate.yaml"))
            .env("USER", "alice")
            .output()
            .expect("the command runs");
        let [out, err] = [output.stdout, output.stderr];
        let [out, err] = [out, err].map(|text| String::from_utf8(text).expect("text"));
        Said {
            code: output.status.code(),
            text: out + &err,
        }
    }

    /// Runs a command that is to come out well.
    fn well(&self, line: &str) -> String {
        let Said { code, text } = self.run(line);
        assert_eq!(code, Some(0), "{line}: {text}");
        text
    }

    /// What is revoked, for programs.
    fn revoked(&self) -> Vec<Value> {
        let text = self.well("revoked --output json");
        let told: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(told["unreadable"], 0, "{told}");
        told["revoked"].as_array().expect("a list").clone()
    }
}

#[tokio::test]
async fn a_token_is_revoked_in_every_copy_listed_and_restored() {
    let server = Server::start().await;
    let (shell, replica) = (Shell::of(&server), following(&config(&server)).await);
    let revoke = "revoke token abc --issuer acme --reason stolen";
    let text = shell.well(revoke);
    assert!(
        text.starts_with(
            "token \"abc\" of \"https://id.acme.example\": revoked (altogether, until "
        ),
        "{text}"
    );
    until("the copy has it", async || tokens(&replica) == 1).await;
    let again = shell.well("revoke token abc --issuer https://id.acme.example --reason stolen");
    assert!(again.contains("\"abc\""), "{again}");
    let listed = shell.revoked();
    let first = &listed[0];
    for (member, expected) in [
        ("kind", "token"),
        ("value", "abc"),
        ("issuer", "https://id.acme.example"),
        ("by", "alice"),
        ("source", "cli"),
        ("reason", "stolen"),
    ] {
        assert_eq!(first[member], expected, "{first}");
    }
    assert!(
        first["since"].is_string() && first["until"].is_string(),
        "{first}"
    );
    let text = shell.well("revoked");
    assert!(
        text.contains("by \"alice\", from \"cli\", because \"stolen\""),
        "{text}"
    );
    let text = shell.well("restore token abc --issuer acme");
    assert_eq!(
        text,
        "token \"abc\" of \"https://id.acme.example\": restored\n"
    );
    assert_eq!(shell.revoked(), Vec::<Value>::new());
    let text = shell.well("restore token xyz --issuer acme");
    assert!(text.ends_with(": was not revoked\n"), "{text}");
}

#[tokio::test]
async fn names_are_written_as_tokens_are_read_and_each_kind_strikes_in_its_own_way() {
    let server = Server::start().await;
    let shell = Shell::of(&server);
    for (line, expected) in [
        (
            "revoke subject auth0|ALICE --issuer acme --tenant SHOP",
            "subject \"alice\" of \"https://id.acme.example\" in tenant \"shop\": revoked (all issued until ",
        ),
        (
            "revoke user 17 --issuer acme --before 2026-01-02T03:04:05Z",
            "user \"17\" of \"https://id.acme.example\" in all tenants: revoked (all issued until 2026-01-02T03:04:05Z, until ",
        ),
        (
            "revoke tenant Bank --all",
            "tenant \"bank\": revoked (altogether, until it is restored)\n",
        ),
        (
            "revoke issuer acme",
            "issuer \"https://id.acme.example\": revoked (altogether, until it is restored)\n",
        ),
        (
            "revoke key k1 --issuer acme --until 2100-01-01T00:00:00Z",
            "key \"k1\" of \"https://id.acme.example\": revoked (altogether, until 2100-01-01T00:00:00Z)\n",
        ),
        (
            "revoke session s1 --issuer acme",
            "session \"s1\" of \"https://id.acme.example\": revoked (altogether, until 20",
        ),
    ] {
        let text = shell.well(line);
        assert!(text.starts_with(expected), "{line}: {text}");
    }
    assert_eq!(shell.revoked().len(), 6);
}

#[tokio::test]
async fn what_is_written_wrongly_is_refused_with_what_is_expected_and_changes_nothing() {
    let server = Server::start().await;
    let shell = Shell::of(&server);
    for (line, code, expected) in [
        (
            "revoke token a",
            1,
            "issuer: expected the issuer of the token, came none",
        ),
        (
            "revoke token a --issuer nobody",
            1,
            "issuer: expected URL or name of a configured issuer: acme, came \"nobody\"",
        ),
        (
            "revoke token a --issuer acme --tenant shop",
            1,
            "tenant: expected none beside the kind `token`, came \"shop\"",
        ),
        (
            "revoke tenant shop --issuer acme",
            1,
            "issuer: expected none beside the kind `tenant`, came \"acme\"",
        ),
        (
            "revoke subject a --issuer acme --tenant other",
            1,
            "tenant: expected one for which the issuer speaks, came \"other\"",
        ),
        (
            "revoke subject null --issuer acme",
            1,
            "value: expected a subject as tokens of acme write it, came \"null\"",
        ),
        (
            "revoke tenant a/b",
            1,
            "value: expected a tenant of the configured format, came \"a/b\"",
        ),
        (
            "revoke token a --issuer acme --before now",
            1,
            "--before: expected none: it is refused altogether",
        ),
        (
            "revoke token a --issuer acme --all",
            1,
            "--all: expected none: it is refused altogether",
        ),
        (
            "revoke token a --issuer acme --until -5m",
            1,
            "--until: expected a time that has not come",
        ),
        (
            "revoke tenant shop --before +2h",
            1,
            "time: expected one that lies at most 5 minutes ahead",
        ),
        ("revoke tenant shop --before yesterday", 64, "RFC 3339"),
        (
            "revoke tenant shop --before now --all",
            64,
            "cannot be used with",
        ),
        ("revoke tokn a --issuer acme", 64, "'token'"),
        ("revoke token", 64, "<VALUE>"),
        ("restore", 64, "--diverged"),
        ("restore token", 64, "<VALUE>"),
        ("restore --source cli", 64, "--since"),
        (
            "restore token a --issuer acme --diverged",
            64,
            "cannot be used with",
        ),
    ] {
        let said = shell.run(line);
        assert_eq!(said.code, Some(code), "{line}: {}", said.text);
        assert!(said.text.contains(expected), "{line}: {}", said.text);
    }
    assert_eq!(shell.revoked(), Vec::<Value>::new());
}

#[tokio::test]
async fn what_one_source_revoked_since_then_is_taken_back_and_nothing_else() {
    let server = Server::start().await;
    let (shell, store) = (Shell::of(&server), writer(&config(&server)));
    for (jti, source) in [("a", "feed"), ("b", "feed"), ("b", "cli"), ("c", "cli")] {
        let strike = WrittenStrike {
            source: source.into(),
            ..strike()
        };
        let written = written(&store, &token(jti), &strike).await;
        assert_eq!(written, Ok(Written::New), "{jti} {source}");
    }
    let text = shell.well("restore --source feed --since -1h");
    assert!(
        text.contains("2 names restored of what came from \"feed\""),
        "{text}"
    );
    let standing: Vec<_> = shell
        .revoked()
        .iter()
        .map(|one| format!("{} {}", one["value"], one["source"]))
        .collect();
    assert_eq!(standing, ["\"b\" \"cli\"", "\"c\" \"cli\""]);
    let text = shell.well("restore --source feed --since -1h");
    assert!(text.starts_with("0 names"), "{text}");
}

#[tokio::test]
async fn a_store_that_lost_writes_is_accepted_by_an_operators_word() {
    let server = Server::start().await;
    let shell = Shell::of(&server);
    shell.well("revoke token a --issuer acme");
    let replica = following(&config(&server)).await;
    server.cli(&["flushall"]);
    shell.well("revoke token b --issuer acme");
    until("the copy noticed", async || replica.has_diverged()).await;
    assert_eq!(tokens(&replica), 2, "an emptied store restores nobody");
    assert_eq!(
        shell.well("restore --diverged"),
        "the store is accepted as it is\n"
    );
    until("the copy let go", async || {
        !replica.has_diverged() && tokens(&replica) == 1
    })
    .await;
}

#[tokio::test]
async fn without_a_store_that_can_be_written_the_answer_says_what_is_missing() {
    let nobody = free_address();
    let revoke = "revoke token a --issuer acme";
    for (revocation, line, code, expected) in [
        (
            "{memory: {}}".to_owned(),
            revoke,
            1,
            "revocation: expected `redis`",
        ),
        (
            format!("{{redis: {{url: 'redis://{nobody}'}}}}"),
            revoke,
            1,
            "revocation.redis.writer: expected a login that may write, came none",
        ),
        (
            format!("{{redis: {{url: 'redis://{nobody}', writer: {{}}}}}}"),
            revoke,
            2,
            "then run this again",
        ),
        (
            format!("{{redis: {{url: 'redis://{nobody}'}}}}"),
            "revoked",
            2,
            "revocation.redis: ",
        ),
        ("{redis: {}}".to_owned(), "revoked", 1, "subgate.yaml:"),
    ] {
        let said = Shell::new(&revocation).run(line);
        assert_eq!(said.code, Some(code), "{revocation} {line}: {}", said.text);
        assert!(
            said.text.contains(expected),
            "{revocation} {line}: {}",
            said.text
        );
    }
}
