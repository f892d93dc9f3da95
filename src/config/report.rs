//! What the resolution brings to light: mistakes, risky settings, and the files that are named.

use crate::yaml::{Mistake, Mistakes, Path, Place, Tree, read_regular, shown};
use std::cell::RefCell;
use std::fmt;
use std::path::{self, PathBuf};

/// A setting that is valid, and risky.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// Where it was written.
    pub place: Place,
    /// Its key and value, such as `issuers/0/audiences: any`.
    pub setting: String,
    /// What it means.
    pub meaning: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.setting, self.meaning)
    }
}

/// Collects, so that the resolution can go on after a mistake.
#[derive(Debug)]
pub(super) struct Report {
    tree: Tree,
    folder: PathBuf,
    mistakes: RefCell<Vec<Mistake>>,
    warnings: RefCell<Vec<Warning>>,
    files: RefCell<Vec<PathBuf>>,
}

impl Report {
    pub(super) fn new(tree: Tree, folder: &path::Path) -> Self {
        Self {
            tree,
            folder: folder.to_owned(),
            mistakes: RefCell::default(),
            warnings: RefCell::default(),
            files: RefCell::default(),
        }
    }

    pub(super) fn root(&self) -> At<'_> {
        At {
            report: self,
            path: Path::default(),
        }
    }

    /// The warnings in the order of the file, and the files, each once.
    pub(super) fn take(&mut self) -> (Vec<Warning>, Vec<PathBuf>) {
        let mut warnings = self.warnings.take();
        warnings.sort();
        let mut files = self.files.take();
        files.sort();
        files.dedup();
        (warnings, files)
    }

    pub(super) fn into_mistakes(self) -> Mistakes {
        let mut tree = self.tree;
        for mistake in self.mistakes.into_inner() {
            tree.report(mistake);
        }
        tree.into_mistakes()
    }
}

/// A value of the document, by its path.
#[derive(Clone, Debug)]
pub(super) struct At<'r> {
    report: &'r Report,
    path: Path,
}

impl At<'_> {
    #[must_use]
    pub(super) fn key(&self, key: &str) -> Self {
        Self {
            report: self.report,
            path: self.path.key(key),
        }
    }

    #[must_use]
    pub(super) fn item(&self, index: usize) -> Self {
        Self {
            report: self.report,
            path: self.path.item(index),
        }
    }

    /// Reports a mistake of this value, unless it, or an element of it, was reported before: what is
    /// left of it then proves nothing.
    pub(super) fn wrong(
        &self,
        expected: impl Into<String>,
        came: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if self.report.tree.is_spoiled(&self.path) {
            return;
        }
        let spot = self.report.tree.spot(&self.path);
        self.report.mistakes.borrow_mut().push(Mistake {
            place: spot.place,
            path: spot.path,
            expected: expected.into(),
            came: came.into(),
            remedy: remedy.into(),
        });
    }

    /// Reports a risky setting.
    pub(super) fn warn(&self, value: &str, meaning: &str) {
        let spot = self.report.tree.spot(&self.path);
        self.report.warnings.borrow_mut().push(Warning {
            place: spot.place,
            setting: format!("{}: {value}", spot.path),
            meaning: meaning.to_owned(),
        });
    }

    /// Whether anything of this value was reported as a mistake and left out.
    pub(super) fn is_spoiled(&self) -> bool {
        self.report.tree.is_spoiled_below(&self.path)
    }

    /// The path that this value names, for a file that need not be there.
    pub(super) fn beside(&self, written: &str) -> PathBuf {
        self.report.folder.join(written)
    }

    /// Reads the file that this value names, and notes that it is to be watched.
    ///
    /// What was written is shown where it is no file, but not for a secret: it may be the secret itself.
    pub(super) fn file(&self, written: &str) -> Option<(PathBuf, Vec<u8>)> {
        let secret = ["key_file", "secret_file", "token_file", "password_file"]
            .iter()
            .any(|ending| {
                self.path
                    .segments()
                    .last()
                    .is_some_and(|key| key.ends_with(ending))
            });
        let path = self.report.folder.join(written);
        self.report.files.borrow_mut().push(path.clone());
        match read_regular(&path) {
            Ok(bytes) => Some((path, bytes)),
            Err(error) => {
                let came = if secret {
                    "none there".to_owned()
                } else {
                    shown(written)
                };
                self.wrong(
                    "a readable file",
                    format!("{came} ({error})"),
                    "create it, correct the path (relative to the configuration's folder), or let \
                     subgate read it",
                );
                None
            }
        }
    }
}
