//! Whom the token names: reads the declared claim, rewrites, normalizes and judges its form.

use regex::Regex;

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
