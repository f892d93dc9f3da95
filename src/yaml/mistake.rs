//! What is wrong, where, and what to write instead.

use std::fmt;
use std::sync::Arc;

/// One mistake, told so that it can be corrected without a manual.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// Where it was written.
    pub place: Place,
    /// The key it is about.
    pub path: String,
    /// What was expected there.
    pub expected: String,
    /// What came instead.
    pub came: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            place,
            path,
            expected,
            came,
            remedy,
        } = self;
        write!(f, "{place}: ")?;
        if !path.is_empty() {
            write!(f, "{path}: ")?;
        }
        write!(f, "expected {expected}, got {came}; {remedy}")
    }
}

/// Where something was written; files sort before variables, lines in their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In a file.
    File {
        /// The file's name.
        file: Arc<str>,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// In an environment variable of this name.
    Variable(Arc<str>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// All mistakes of one run; displayed one a line, in the order of their places.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// The mistakes, in the order of their places.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Mistake> {
        self.0.iter()
    }

    /// These and others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self.0.sort();
        self
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<Mistake>> for Mistakes {
    fn from(mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort();
        mistakes.dedup();
        Self(mistakes)
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{mistake}")?;
        }
        Ok(())
    }
}

/// The way from the root to a value: keys, and indexes of lists, displayed as `issuers/0/name`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(Vec<Arc<str>>);

impl Path {
    /// The path of a key below this one.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        let mut segments = self.0.clone();
        segments.push(key.into());
        Self(segments)
    }

    /// The path of an element below this one.
    #[must_use]
    pub fn item(&self, index: usize) -> Self {
        self.key(&index.to_string())
    }

    /// The keys and indexes, from the root.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|segment| &**segment)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

/// A value as a mistake may show it: between backquotes, or only its length where it is long enough
/// to be a secret that strayed.
pub fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    let length = text.chars().count();
    if length > LONGEST {
        return format!("a text of {length} characters");
    }
    let mut shown = String::from("`");
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown.push('`');
    shown
}
