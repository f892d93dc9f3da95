//! `docs/openapi.yaml` and what the process answers are the same.

use super::{Office, TOKEN, problem};
use crate::parts::client::{Answer, Request, get, request};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use subgate::server::admin;
use subgate::yaml;

/// The methods that a path item may have.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

struct Document(Value);

impl Document {
    fn read() -> Self {
        let text = include_str!("../../../docs/openapi.yaml");
        let read = yaml::from_str::<Value>("docs/openapi.yaml", text);
        Self(read.unwrap_or_else(|mistakes| panic!("{mistakes}")))
    }

    /// Each operation: method, path, and the operation.
    fn operations(&self) -> Vec<(String, String, &Value)> {
        let paths = object(&self.0["paths"]).iter();
        let operations = paths.flat_map(|(path, item)| {
            let members = object(item).iter();
            let methods = members.filter(|(name, _)| METHODS.contains(&name.as_str()));
            methods.map(|(method, does)| (method.to_uppercase(), path.clone(), does))
        });
        operations.collect()
    }

    /// What stands behind a `$ref`, or the value itself.
    fn resolved<'d>(&'d self, value: &'d Value) -> &'d Value {
        match value.get("$ref") {
            None => value,
            Some(reference) => {
                let reference = reference.as_str().expect("a reference");
                let pointer = reference.strip_prefix('#').expect("a place in this file");
                let found = self.0.pointer(pointer);
                self.resolved(found.unwrap_or_else(|| panic!("nothing is at {reference}")))
            }
        }
    }

    /// Holds an answer against what the document says of its status.
    fn hold(&self, operation: &Value, answer: &Answer) {
        let status = answer.status.to_string();
        let response = operation["responses"].get(&status);
        let response = response.unwrap_or_else(|| panic!("{status} is not documented: {answer:?}"));
        let response = self.resolved(response);
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let required = header["required"] == true;
            assert!(
                !required || !answer.header(name).is_empty(),
                "{name}: {answer:?}"
            );
        }
        let kind = answer.header("content-type");
        let content = response["content"].get(kind);
        let content = content.unwrap_or_else(|| panic!("{kind} is not documented: {answer:?}"));
        self.fits(&content["schema"], &answer.json(), "");
    }

    /// Holds a value against a schema; a keyword that is not known here fails, so that none is
    /// passed over.
    fn fits(&self, schema: &Value, value: &Value, at: &str) {
        let schema = self.resolved(schema);
        for (keyword, wanted) in object(schema) {
            let right = match keyword.as_str() {
                "description" | "format" | "example" => true,
                "type" => match wanted.as_str().expect("a type") {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "number" => value.is_number(),
                    "integer" => value.is_u64() || value.is_i64(),
                    other => panic!("{at}: no type is called {other}"),
                },
                "enum" => wanted.as_array().expect("a list").contains(value),
                "minimum" => value.as_f64() >= wanted.as_f64(),
                "required" => {
                    let mut names = wanted.as_array().expect("a list").iter();
                    names.all(|name| value.get(name.as_str().expect("a name")).is_some())
                }
                "additionalProperties" => {
                    assert_eq!(*wanted, false, "{at}");
                    let known = object(&schema["properties"]);
                    object(value).keys().all(|name| known.contains_key(name))
                }
                "properties" => {
                    for (name, schema) in object(wanted) {
                        if let Some(value) = value.get(name) {
                            self.fits(schema, value, &format!("{at}/{name}"));
                        }
                    }
                    true
                }
                "items" => {
                    for value in value.as_array().into_iter().flatten() {
                        self.fits(wanted, value, &format!("{at}/-"));
                    }
                    true
                }
                other => panic!("{at}: the keyword {other} is not known to this test"),
            };
            assert!(right, "{at}: expected {keyword} {wanted}, came {value}");
        }
    }
}

#[track_caller]
fn object(value: &Value) -> &Map<String, Value> {
    value
        .as_object()
        .unwrap_or_else(|| panic!("expected an object, came {value}"))
}

#[test]
fn the_document_has_the_routes_of_the_server_and_no_other() {
    let document = Document::read();
    let documented = document.operations().into_iter();
    let documented: BTreeSet<_> = documented.map(|(method, path, _)| (method, path)).collect();
    let routes = admin::routes().map(|(method, path)| (method.to_string(), path.to_owned()));
    assert_eq!(documented, routes.collect());
}

#[test]
fn every_route_has_its_row_for_operators() {
    let text = include_str!("../../../docs/operations.md");
    for (method, path) in admin::routes() {
        let row = format!("| `{method} {path}");
        assert!(text.contains(&row), "docs/operations.md lacks {row}");
    }
}

#[test]
fn every_reference_and_every_name_of_the_document_is_one() {
    let document = Document::read();
    let mut references = Vec::new();
    walk(&document.0, &mut references);
    for reference in &references {
        document.resolved(&json!({ "$ref": reference }));
    }
    for (kind, named) in object(&document.0["components"]) {
        for name in object(named).keys().filter(|_| kind != "securitySchemes") {
            let used = format!("#/components/{kind}/{name}");
            assert!(references.contains(&used), "{used} is not used");
        }
    }
    let operations = document.operations();
    let ids: BTreeSet<_> = operations
        .iter()
        .map(|(_, _, does)| does["operationId"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids.len(), operations.len());
}

fn walk(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == "$ref" {
                    references.push(member.as_str().expect("a reference").to_owned());
                }
                walk(member, references);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, references)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Each operation with each status that is documented for it, by a real call.
#[tokio::test]
async fn every_documented_answer_is_given_and_is_as_documented() {
    let office = Office::open().await;
    let document = Document::read();
    let known = office.world.issuer.token().sign();
    assert_eq!(office.world.bearer(&known).await.code(), "allow");
    let stranger = office.world.issuer.token().subject("dave").sign();
    office.world.bearer(&stranger).await;

    let mut given = BTreeSet::new();
    for (method, path, does) in document.operations() {
        let target = match path.as_str() {
            "/v1/users" => "/v1/users?issuer=acme&tenant=acme&subject=alice".to_owned(),
            _ => path.clone(),
        };
        for asked in calls(&method, &target, &document, does) {
            let answer = office.client.send(&asked).await;
            assert!(!matches!(answer.status, 404 | 405), "{asked:?}: {answer:?}");
            document.hold(does, &answer);
            given.insert((method.clone(), path.clone(), answer.status.to_string()));
        }
        let answer = office.client.send(&request(&method, &target)).await;
        assert_eq!(problem(&answer, 401).0, "token_missing", "{method} {path}");
    }
    let documented = document.operations().into_iter();
    let documented = documented.flat_map(|(method, path, does)| {
        let statuses = object(&does["responses"]).keys().cloned();
        statuses.map(move |status| (method.clone(), path.clone(), status))
    });
    assert_eq!(given, documented.collect());
}

/// Calls that are right, and that go wrong in each way that an operation has.
fn calls(method: &str, target: &str, document: &Document, operation: &Value) -> Vec<Request> {
    let right = || request(method, target).bearer(TOKEN);
    let mut calls = vec![
        request(method, target),
        request(method, target).bearer("another-operators-token"),
    ];
    if target.starts_with("/v1/users") {
        calls.push(right());
        for subject in ["dave", "bob", "null"] {
            let target = target.replace("alice", subject);
            calls.push(request(method, &target).bearer(TOKEN));
        }
        calls.push(get("/v1/users").bearer(TOKEN));
    }
    let Some(body) = operation.get("requestBody") else {
        calls.push(right());
        return calls;
    };
    let content = &body["content"]["application/json"];
    document.fits(&content["schema"], &content["example"], "example");
    let example = content["example"].to_string();
    if body["required"] == false {
        calls.push(right());
    }
    calls.push(right().body("application/json", &example));
    calls.push(right().body("application/json", "{\"issuer\": \"nobody\"}"));
    calls.push(right().body("application/json", &" ".repeat(64 * 1024 + 1)));
    calls.push(right().body("text/plain", &example));
    if target == "/v1/events" {
        let round = json!({
            "type": "user.id_changed", "issuer": "acme", "subject": "a", "new_subject": "a",
        });
        calls.push(right().body("application/json", &round.to_string()));
    }
    calls
}
