//! The key `issuers`.

use super::{ClientTls, Period};
use crate::{subject, token};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An issuer whose tokens are believed.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["issuer", "audiences"]))]
pub(in crate::config) struct Issuer {
    /// Its identifier, compared byte by byte with the claim `iss`.
    #[expect(
        clippy::struct_field_names,
        reason = "the file has the key of this name"
    )]
    #[schemars(length(min = 1), example = "https://id.example.com")]
    pub(in crate::config) issuer: Option<String>,
    /// A short unique name for metrics and logs. Default: host and path of the issuer.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) name: Option<String>,
    /// The namespace of its subjects. Default: the issuer. Shared only where every sharer writes it.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) realm: Option<String>,
    /// Where its keys come from: exactly one source.
    pub(in crate::config) keys: Keys,
    /// The algorithms it signs with; must be written with `secret_file`.
    #[schemars(length(min = 1))]
    pub(in crate::config) algorithms: Vec<Algorithm>,
    /// The audiences of which a token must name one; `any` must be written out.
    #[schemars(example = ["shop-api"])]
    pub(in crate::config) audiences: Option<Audiences>,
    /// The values of the header `typ`, if a token has one.
    pub(in crate::config) token_types: Vec<String>,
    /// Claims without which a token is malformed, beside `iss` and `exp`.
    pub(in crate::config) required_claims: Vec<String>,
    /// How far the clocks may be apart; at most 5m.
    pub(in crate::config) leeway: Period,
    /// The longest life of a token.
    pub(in crate::config) max_lifetime: Period,
    /// Added to revocation instants, for an issuer whose clock runs ahead; at most 1h.
    pub(in crate::config) clock_ahead: Period,
    /// The tenants it may speak for: `any`, or a list.
    pub(in crate::config) tenants: Tenants,
    /// How client-credentials tokens are told, and whether they pass.
    pub(in crate::config) machines: Machines,
    /// URLs beneath which its Token Status Lists are believed; empty: `status` in a token means nothing.
    pub(in crate::config) status_lists: Vec<String>,
    /// How it writes the subject.
    pub(in crate::config) subject: Subject,
}

/// Where an issuer's keys come from, and how they are kept.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Keys {
    /// Asks `{issuer}/.well-known/openid-configuration`. The default, where no other source is
    /// written.
    #[schemars(extend("default" = true))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) discovery: Option<bool>,
    /// The URL of a key set.
    #[schemars(extend("format" = "uri"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) jwks_url: Option<String>,
    /// A key set in a file, which is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) jwks_file: Option<String>,
    /// A file whose bytes are the secret of HS256, HS384 or HS512, which is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) secret_file: Option<String>,
    /// Allows plain HTTP to other than loopback addresses.
    pub(in crate::config) allow_plaintext: bool,
    /// How often the set is fetched anew.
    pub(in crate::config) refresh: Period,
    /// The least interval between fetches for unknown key ids.
    pub(in crate::config) min_refresh: Period,
    /// How long kept keys serve while the provider is down.
    pub(in crate::config) max_stale: Period,
    /// The time-out of one fetch.
    pub(in crate::config) timeout: Period,
    /// How the provider is reached.
    pub(in crate::config) tls: ClientTls,
}

words! {
    /// A signature algorithm (RFC 7518 3.1, RFC 8037).
    Algorithm => token::issuer::Algorithm {
        /// HMAC with SHA-256.
        HS256 = "HS256",
        /// HMAC with SHA-384.
        HS384 = "HS384",
        /// HMAC with SHA-512.
        HS512 = "HS512",
        /// RSASSA-PKCS1-v1_5 with SHA-256.
        RS256 = "RS256",
        /// RSASSA-PKCS1-v1_5 with SHA-384.
        RS384 = "RS384",
        /// RSASSA-PKCS1-v1_5 with SHA-512.
        RS512 = "RS512",
        /// RSASSA-PSS with SHA-256.
        PS256 = "PS256",
        /// RSASSA-PSS with SHA-384.
        PS384 = "PS384",
        /// RSASSA-PSS with SHA-512.
        PS512 = "PS512",
        /// ECDSA with P-256 and SHA-256.
        ES256 = "ES256",
        /// ECDSA with P-384 and SHA-384.
        ES384 = "ES384",
        /// Ed25519, by the name of RFC 8037.
        EdDSA = "EdDSA",
        /// Ed25519, by the fully specified name of RFC 9864.
        Ed25519 = "Ed25519",
    }
}

words! {
    /// One way to bring spellings together.
    Normalization => subject::Normalization {
        /// Cuts ASCII white space off both ends.
        Trim = "trim",
        /// Makes ASCII letters lower case.
        Lowercase = "lowercase",
        /// Unicode normalization form C.
        Nfc = "nfc",
        /// Makes a UUID hyphenated and lower case.
        Uuid = "uuid",
    }
}

words! {
    /// What becomes of a subject that no rewrite rule matches.
    Unmatched => subject::Unmatched {
        /// It is refused.
        Refuse = "refuse",
        /// It is taken as it is.
        Pass = "pass",
    }
}

/// `any`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum Any {
    /// All of them.
    Any,
}

/// `any`, or the audiences of which a token must name one.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum Audiences {
    /// Tokens for anyone.
    Any(Any),
    /// One of these.
    Of(#[schemars(length(min = 1))] Vec<String>),
}

/// `any`, or the tenants that it may speak for.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum Tenants {
    /// All.
    Any(Any),
    /// These.
    Of(#[schemars(length(min = 1))] Vec<String>),
}

/// How client-credentials tokens are told, and whether they pass.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Machines {
    /// A token is a machine's if any of these claims has this value, or its subject is its client.
    pub(in crate::config) when: Vec<ClaimIs>,
    /// Whether a machine passes, without a user.
    pub(in crate::config) allow: bool,
}

/// A claim and its value.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["claim", "is"]))]
pub(in crate::config) struct ClaimIs {
    /// The claim.
    #[schemars(length(min = 1), example = &"gty")]
    pub(in crate::config) claim: Option<String>,
    /// The value: a text equal to it, or a list that holds it.
    #[schemars(example = "client-credentials")]
    pub(in crate::config) is: Option<String>,
}

/// How an issuer writes the subject.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Subject {
    /// The claim that names it.
    #[schemars(length(min = 1))]
    pub(in crate::config) claim: String,
    /// Brings spellings together, in this order.
    pub(in crate::config) normalize: Vec<Normalization>,
    /// What it must look like then: `any`, `uuid`, `integer`, `email`, or a regular expression that
    /// matches the whole.
    pub(in crate::config) format: SubjectFormat,
    /// Placeholders that are nobody.
    pub(in crate::config) reserved: Vec<String>,
    /// Rewrites it, before it is normalized: the first rule that matches.
    pub(in crate::config) rewrite: Vec<Rewrite>,
    /// What becomes of a subject that no rule matches, where there are rules.
    pub(in crate::config) unmatched: Unmatched,
}

/// The form of a subject: a word, or a regular expression.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum SubjectFormat {
    /// A known form.
    Known(KnownFormat),
    /// A regular expression that matches the whole.
    Pattern(#[schemars(extend("format" = "regex"))] String),
}

/// A form of subjects that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum KnownFormat {
    /// No rule.
    Any,
    /// A hyphenated UUID.
    Uuid,
    /// ASCII digits.
    Integer,
    /// One `@` with something on both sides.
    Email,
}

/// A rule that maps one spelling of a subject to another.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["match", "to"]))]
pub(in crate::config) struct Rewrite {
    /// A regular expression, searched as written: anchor it.
    #[schemars(extend("format" = "regex"), example = r"^auth0\|(.+)$")]
    pub(in crate::config) r#match: Option<String>,
    /// The replacement; `$1` and `${name}` are groups.
    #[schemars(example = "$1")]
    pub(in crate::config) to: Option<String>,
}

impl Default for Issuer {
    fn default() -> Self {
        Self {
            issuer: None,
            name: None,
            realm: None,
            keys: Keys::default(),
            algorithms: vec![
                Algorithm::RS256,
                Algorithm::PS256,
                Algorithm::ES256,
                Algorithm::EdDSA,
            ],
            audiences: None,
            token_types: vec!["at+jwt".to_owned(), "JWT".to_owned()],
            required_claims: Vec::new(),
            leeway: Period::secs(30),
            max_lifetime: Period::hours(24),
            clock_ahead: Period::secs(0),
            tenants: Tenants::Any(Any::Any),
            machines: Machines::default(),
            status_lists: Vec::new(),
            subject: Subject::default(),
        }
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            discovery: None,
            jwks_url: None,
            jwks_file: None,
            secret_file: None,
            allow_plaintext: false,
            refresh: Period::secs(300),
            min_refresh: Period::secs(10),
            max_stale: Period::hours(24),
            timeout: Period::secs(5),
            tls: ClientTls::default(),
        }
    }
}

impl Default for Subject {
    fn default() -> Self {
        let reserved = ["", "null", "undefined", "none", "0", "anonymous"];
        Self {
            claim: "sub".to_owned(),
            normalize: vec![Normalization::Trim],
            format: SubjectFormat::Known(KnownFormat::Any),
            reserved: reserved.map(str::to_owned).to_vec(),
            rewrite: Vec::new(),
            unmatched: Unmatched::Refuse,
        }
    }
}
