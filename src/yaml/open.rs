//! Data files: read from disk, judged by a reader that knows more than their schema.

use super::{Later, Mistake, Mistakes, Path, Tree, schema};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::{fs, io};

/// Reads a file whole; what is no regular file (a pipe, a device, a directory) is an error, since it
/// cannot be watched and might never end.
///
/// # Errors
/// What the system says, or that it is no regular file.
pub fn read_regular(path: &std::path::Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    fs::read(path)
}

/// Opens a file, for a reader that goes on to judge the value by itself.
///
/// The tree keeps all mistakes, that the file cannot be read among them.
pub fn open<T: DeserializeOwned + JsonSchema>(path: &std::path::Path) -> (Tree, Option<T>) {
    let file = path.display().to_string();
    let text =
        read_regular(path).and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other));
    match text {
        Ok(text) => {
            let mut tree = Tree::parse(&file, &text);
            tree.check(&schema::<T>(), Later::NONE);
            let value = tree.read();
            (tree, value)
        }
        Err(error) => {
            let mut tree = Tree::parse(&file, "{}");
            let remedy = "correct the path or the file's permissions";
            tree.report_at(
                &Path::default(),
                "a YAML file in UTF-8",
                &error.to_string(),
                remedy,
            );
            (tree, None)
        }
    }
}

/// Reads a file as a `T`.
///
/// # Errors
/// All mistakes of the text, in the order of their places, or that the file cannot be read.
pub fn from_file<T: DeserializeOwned + JsonSchema>(path: &std::path::Path) -> Result<T, Mistakes> {
    let (tree, value) = open(path);
    let mistakes = tree.into_mistakes();
    match value {
        Some(value) if mistakes.is_empty() => Ok(value),
        Some(_) | None => Err(mistakes),
    }
}

impl Tree {
    /// Adds a mistake about the value at a path.
    pub fn report_at(&mut self, path: &Path, expected: &str, came: &str, remedy: &str) {
        let spot = self.spot(path);
        self.report(Mistake {
            place: spot.place,
            path: spot.path,
            expected: expected.to_owned(),
            came: came.to_owned(),
            remedy: remedy.to_owned(),
        });
    }
}
