//! The sets, each read into vectors of one form.

use crate::spki;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

/// A token, the keys it may be verified under, and what its set says of it.
#[derive(Debug)]
pub(crate) struct Vector {
    pub(crate) set: &'static str,
    pub(crate) name: String,
    pub(crate) token: String,
    /// Public keys, or one secret with its `alg`.
    pub(crate) keys: Vec<Value>,
    pub(crate) expected: Expected,
    pub(crate) payload: Option<String>,
}

/// What a set says of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Valid,
    Invalid,
}

impl Expected {
    fn of(valid: bool) -> Self {
        if valid { Self::Valid } else { Self::Invalid }
    }
}

/// All sets.
pub(crate) fn all() -> Vec<Vector> {
    let mut all = wycheproof();
    all.extend(rfc7515());
    all.extend(cookbook().into_iter().filter_map(compact));
    all.extend(golang_jwt());
    all
}

/// A file of the folder, as JSON.
pub(crate) fn json(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The documents of the cookbook, by name.
pub(crate) fn cookbook() -> Vec<(String, Value)> {
    let mut documents = Vec::new();
    for part in ["jws", "curve25519", "rfc7797"] {
        let folder = folder().join("cookbook").join(part);
        for entry in fs::read_dir(folder).expect("the cookbook") {
            let path = entry.expect("a file").path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                let file = path.file_name().and_then(OsStr::to_str).expect("a name");
                let name = format!("{part}/{file}");
                let document = json(&format!("cookbook/{name}"));
                documents.push((name, document));
            }
        }
    }
    documents
}

/// Bytes out of base64url.
pub(crate) fn base64(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

fn folder() -> PathBuf {
    let folder = std::env::var_os("SUBGATE_VECTORS").filter(|folder| !folder.is_empty());
    folder.map(PathBuf::from).expect(
        "set SUBGATE_VECTORS to the folder of the public test vectors: without them nothing was tested",
    )
}

fn text(name: &str) -> String {
    let path = folder().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A member that is a text.
fn member(value: &Value, name: &str) -> String {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no text `{name}` in {value}"))
        .to_owned()
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name]
        .as_array()
        .unwrap_or_else(|| panic!("no list `{name}`"))
}

fn wycheproof() -> Vec<Vector> {
    let document = json("wycheproof/json_web_signature_test.json");
    let mut vectors = Vec::new();
    for group in list(&document, "testGroups") {
        let key = group.get("public").unwrap_or_else(|| &group["private"]);
        for test in list(group, "tests") {
            vectors.push(Vector {
                set: "wycheproof",
                name: format!("wycheproof {}", test["tcId"]),
                token: member(test, "jws"),
                keys: vec![key.clone()],
                expected: Expected::of(test["result"] == "valid"),
                payload: None,
            });
        }
    }
    vectors
}

fn rfc7515() -> Vec<Vector> {
    let document = json("rfc7515/appendix_a.json");
    let examples = document.as_array().expect("a list");
    let public: Vec<Value> = examples
        .iter()
        .map(|example| example["key"].clone())
        .filter(|key| !key.is_null() && key["kty"] != "oct")
        .collect();
    let vector = |example: &Value| {
        let mut keys = public.clone();
        if example["key"].is_object() {
            let mut key = example["key"].clone();
            key["alg"] = example["alg"].clone();
            keys = vec![key];
        }
        Vector {
            set: "rfc7515",
            name: format!("rfc7515 {}", member(example, "id")),
            token: member(example, "token"),
            keys,
            expected: Expected::of(example["result"] == "valid"),
            payload: None,
        }
    };
    examples.iter().map(vector).collect()
}

/// The compact form of an example, if it has one; what is not a signature is invalid.
fn compact((name, document): (String, Value)) -> Option<Vector> {
    let token = document["output"]["compact"].as_str()?.to_owned();
    let input = &document["input"];
    let mut key = input["key"].clone();
    if key["kty"] != "oct" {
        for private in ["d", "p", "q", "dp", "dq", "qi"] {
            key.as_object_mut().expect("a key").remove(private);
        }
    }
    Some(Vector {
        set: "cookbook",
        name: format!("cookbook {name}"),
        token,
        keys: vec![key],
        expected: Expected::of(document.get("signing").is_some()),
        payload: input["payload"].as_str().map(str::to_owned),
    })
}

fn golang_jwt() -> Vec<Vector> {
    let document = json("golang-jwt/tokens.json");
    let tokens = document.as_array().expect("a list");
    let vector = |token: &Value| Vector {
        set: "golang-jwt",
        name: format!(
            "golang-jwt {} {}",
            member(token, "source"),
            member(token, "name")
        ),
        token: member(token, "token"),
        keys: golang_keys(token),
        expected: Expected::of(token["valid"] == true),
        payload: None,
    };
    tokens.iter().map(vector).collect()
}

/// The keys that golang-jwt's test gives its parser, by file or by the name of a function.
fn golang_keys(token: &Value) -> Vec<Value> {
    let public = |file: &str| spki::jwk(&text(&format!("golang-jwt/{file}")));
    if let Some(file) = token["key"].as_str() {
        let text = text(&format!("golang-jwt/{file}"));
        if file != "hmacTestKey.b64" {
            return vec![spki::jwk(&text)];
        }
        let secret = STANDARD.decode(text.trim()).expect("base64");
        let secret = URL_SAFE_NO_PAD.encode(secret);
        return vec![json!({"kty": "oct", "alg": token["alg"], "k": secret})];
    }
    match member(token, "keyfunc").as_str() {
        "defaultKeyFunc"
        | "multipleFirstKeyFunc"
        | "multipleLastKeyFunc"
        | "multipleAltTypedKeyFunc" => {
            vec![public("ec256-public.pem"), public("sample_key.pub")]
        }
        // These give no key at all, or only what their library does not take for one.
        "nilKeyFunc"
        | "emptyKeyFunc"
        | "errorKeyFunc"
        | "multipleEmptyKeyFunc"
        | "multipleZeroKeyFunc"
        | "emptyVerificationKeySetFunc"
        | "multipleVerificationKeysFunc" => Vec::new(),
        other => panic!("no keys are known of `{other}`"),
    }
}
