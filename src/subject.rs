//! Whom the token names: reads the declared claim, rewrites, normalizes and judges its form.

mod normalization;

pub use normalization::Kinds;
pub(crate) use normalization::apply as normalize;

use regex::Regex;
use serde_json::Value;
use std::sync::Arc;

/// The longest subject, in characters (OpenID Connect Core 2 allows 255).
const MAX_CHARS: usize = 255;

/// Whom a token names, in the form in which the directory is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    raw: Arc<str>,
    normalized: Arc<str>,
    changed: Kinds,
}

/// Why a claim names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SubjectError {
    /// The declared claim is not there.
    #[error("the token has no such claim, or it is null")]
    Missing,
    /// The claim is not of the declared format.
    #[error("{0}")]
    Invalid(Invalid),
    /// The claim holds a placeholder.
    #[error("the subject is one of the reserved values")]
    Reserved,
}

/// What is wrong with a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Invalid {
    /// The claim is not a string.
    #[error("the claim is not a string")]
    Type,
    /// It is empty, or longer than 255 characters.
    #[error("expected 1 to 255 characters")]
    Length,
    /// It has control characters.
    #[error("expected no control characters")]
    Control,
    /// No rewrite rule matches it.
    #[error("no rewrite rule of the issuer matches it")]
    Unmatched,
    /// Its normalization would make ASCII of other characters.
    #[error("a character would become ASCII by normalization")]
    Confusable,
    /// It is not of the declared format.
    #[error("it is not of the issuer's declared format")]
    Format,
    /// It is `.` or `..`, which is no path segment.
    #[error("it cannot be one path segment")]
    PathSegment,
}

impl Subject {
    /// Reads the declared claim: rewritten, normalized, then held against reserved values and format.
    pub fn read(config: &Config, claim: Option<&Value>) -> Result<Self, SubjectError> {
        match claim {
            None | Some(Value::Null) => Err(SubjectError::Missing),
            Some(Value::String(raw)) => Self::of(config, raw),
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                Err(SubjectError::Invalid(Invalid::Type))
            }
        }
    }

    /// Reads a subject that is at hand as text, such as one that an operator writes.
    pub fn of(config: &Config, raw: &str) -> Result<Self, SubjectError> {
        let invalid = |what| Err(SubjectError::Invalid(what));
        if raw.chars().nth(MAX_CHARS).is_some() {
            return invalid(Invalid::Length);
        }
        if raw.chars().any(char::is_control) {
            return invalid(Invalid::Control);
        }
        let Some((_, rewritten)) = config.rewritten(raw) else {
            return invalid(Invalid::Unmatched);
        };
        let (normalized, changed) = match normalization::apply(&config.normalize, rewritten) {
            Ok(normalized) => normalized,
            Err(what) => return invalid(what),
        };
        if config.reserved.contains(&normalized) {
            return Err(SubjectError::Reserved);
        }
        if normalized.is_empty() || normalized.chars().nth(MAX_CHARS).is_some() {
            return invalid(Invalid::Length);
        }
        if !config.format.fits(&normalized) {
            return invalid(Invalid::Format);
        }
        if matches!(normalized.as_str(), "." | "..") {
            return invalid(Invalid::PathSegment);
        }
        Ok(Self {
            raw: raw.into(),
            normalized: normalized.into(),
            changed,
        })
    }

    /// The subject as the token has it.
    pub const fn raw(&self) -> &Arc<str> {
        &self.raw
    }

    /// The subject as the directory is asked for it.
    pub const fn normalized(&self) -> &Arc<str> {
        &self.normalized
    }

    /// Which normalizations changed something.
    pub const fn changed(&self) -> Kinds {
        self.changed
    }
}

impl Config {
    /// What becomes of a raw subject before it is normalized, and the place of the rule that made it,
    /// the first that matches; `None` if one had to match and none does.
    pub fn rewritten(&self, raw: &str) -> Option<(Option<usize>, String)> {
        let mut rules = self.rewrite.iter().enumerate();
        match (
            rules.find(|(_, rule)| rule.matches.is_match(raw)),
            self.unmatched,
        ) {
            (Some((place, rule)), _) => {
                let rewritten = rule.matches.replace(raw, rule.to.as_str());
                Some((Some(place), rewritten.into_owned()))
            }
            (None, Unmatched::Refuse) if !self.rewrite.is_empty() => None,
            (None, Unmatched::Refuse | Unmatched::Pass) => Some((None, raw.to_owned())),
        }
    }
}

impl Format {
    fn fits(&self, subject: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Uuid => normalization::is_hyphenated_uuid(subject),
            Self::Integer => subject.bytes().all(|byte| byte.is_ascii_digit()),
            Self::Email => match subject.split_once('@') {
                Some((local, domain)) => {
                    !local.is_empty()
                        && !domain.is_empty()
                        && !domain.contains('@')
                        && !subject.contains(char::is_whitespace)
                }
                None => false,
            },
            Self::Pattern(pattern) => pattern.is_match(subject),
        }
    }
}

/// How one issuer writes its subjects.
#[derive(Clone, Debug)]
pub struct Config {
    /// The claim that names the subject, `sub` unless configured.
    pub claim: String,
    /// Normalizations, in the order in which they are applied.
    pub normalize: Vec<Normalization>,
    /// What a normalized subject must look like.
    pub format: Format,
    /// Placeholders that are nobody, compared after normalization.
    pub reserved: Vec<String>,
    /// The first rule that matches rewrites the raw subject.
    pub rewrite: Vec<Rewrite>,
    /// What becomes of a subject that no rule matches; irrelevant without rules.
    pub unmatched: Unmatched,
}

/// One way to bring spellings together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Normalization {
    /// ASCII white space at both ends is cut off.
    Trim,
    /// ASCII letters become lower case.
    Lowercase,
    /// Unicode normalization form C.
    Nfc,
    /// A UUID in any spelling becomes hyphenated lower case; what is none stays as it is.
    Uuid,
}

/// The declared form of a subject.
#[derive(Clone, Debug)]
pub enum Format {
    /// No rule.
    Any,
    /// A hyphenated UUID, any case.
    Uuid,
    /// ASCII digits.
    Integer,
    /// One `@` with something on both sides, no white space.
    Email,
    /// A regular expression that matches the whole subject.
    Pattern(Regex),
}

/// A rule that maps one spelling of a subject to another.
#[derive(Clone, Debug)]
pub struct Rewrite {
    /// A regular expression, searched as written: anchor it.
    pub matches: Regex,
    /// The replacement; `$1` and `${name}` refer to groups.
    pub to: String,
}

/// What becomes of a subject that no rewrite rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmatched {
    /// It is refused.
    Refuse,
    /// It is taken as it is.
    Pass,
}

/// Equality of the written form; a compiled expression is its pattern.
impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, Self::Any)
            | (Self::Uuid, Self::Uuid)
            | (Self::Integer, Self::Integer)
            | (Self::Email, Self::Email) => true,
            (Self::Pattern(one), Self::Pattern(two)) => one.as_str() == two.as_str(),
            (Self::Any | Self::Uuid | Self::Integer | Self::Email | Self::Pattern(_), _) => false,
        }
    }
}

impl PartialEq for Rewrite {
    fn eq(&self, other: &Self) -> bool {
        self.matches.as_str() == other.matches.as_str() && self.to == other.to
    }
}

impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            claim,
            normalize,
            format,
            reserved,
            rewrite,
            unmatched,
        } = self;
        *claim == other.claim
            && *normalize == other.normalize
            && *format == other.format
            && *reserved == other.reserved
            && *rewrite == other.rewrite
            && *unmatched == other.unmatched
    }
}

#[cfg(test)]
mod tests;
