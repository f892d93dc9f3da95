//! YAML files that people write: read with places, checked against the schema of their type, and
//! answered with all mistakes at once.
//!
//! The reading has three steps, so that one run tells everything: [`Tree::parse`] builds a tree whose
//! nodes know where they were written, [`Tree::check`] compares it with the JSON Schema of the type
//! and spoils what is wrong, and [`Tree::read`] deserializes the rest.

mod check;
mod format;
mod mistake;
mod open;
mod schema;
mod tree;
mod variable;

pub use check::Later;
pub use format::{duration, size};
pub use mistake::{Mistake, Mistakes, Path, Place, shown};
pub use open::{from_file, open, read_regular};
pub use schema::schema;
pub use tree::{Spot, Tree};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// Reads a file's text as a `T`.
///
/// `file` is the name that mistakes bear. Whatever `T` accepts must follow from its schema: types,
/// known and required keys, enums, bounds, and the formats `human-duration`, `byte-size` and
/// `date-time` are checked here.
///
/// # Errors
/// All mistakes of the text, in the order of their places.
pub fn from_str<T: DeserializeOwned + JsonSchema>(file: &str, text: &str) -> Result<T, Mistakes> {
    let mut tree = Tree::parse(file, text);
    tree.check(&schema::<T>(), Later::NONE);
    let value = tree.read();
    let mistakes = tree.into_mistakes();
    match value {
        Some(value) if mistakes.is_empty() => Ok(value),
        Some(_) | None => Err(mistakes),
    }
}

#[cfg(test)]
mod tests;
