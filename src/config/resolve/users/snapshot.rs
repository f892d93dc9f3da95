//! The key `users.snapshot`.

use crate::config::document::Snapshot as Written;
use crate::config::report::At;
use crate::config::resolve::file;
use crate::user::{Snapshot, snapshot};
use crate::yaml::shown;
use rustix::fs::{Access, access};
use std::path::{Path, PathBuf};

/// The least bytes of a key, those of the hash: a shorter one is weaker than the hash (RFC 2104 3).
const KEY: usize = 32;

#[expect(
    clippy::option_option,
    reason = "no snapshot, or a mistake that was reported"
)]
pub(super) fn resolve(at: &At<'_>, written: Option<Written>) -> Option<Option<Snapshot>> {
    let Some(Written {
        file,
        key_file,
        max,
    }) = written
    else {
        return Some(None);
    };
    let file = file.and_then(|written| target(&at.key("file"), &written));
    let key_file = key_file.and_then(|written| file::secret(&at.key("key_file"), &written, KEY));
    Some(Some(Snapshot {
        file: file?,
        key_file: key_file?,
        max,
    }))
}

/// A file that need not be there yet, in a folder in which it can be made.
fn target(at: &At<'_>, written: &str) -> Option<PathBuf> {
    let path = at.beside(written);
    if path.is_dir() || path.file_name().is_none() {
        at.wrong(
            "the path of a file",
            format!("{}, a folder", shown(written)),
            "add the file's name",
        );
        return None;
    }
    if path.exists() && !path.is_file() {
        at.wrong(
            "the path of a file",
            format!("{}, which is none", shown(written)),
            "choose another path",
        );
        return None;
    }
    if path.exists() && !snapshot::may_replace(&path) {
        at.warn(
            &shown(written),
            "there is another file, or a damaged snapshot: it is neither used nor replaced; remove it, or choose another path",
        );
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    };
    // The file is replaced by a rename, which asks for the right to write the folder, not the file.
    match access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) if folder.is_dir() => Some(path),
        Ok(()) => {
            at.wrong(
                "a file in a folder",
                format!("{}, whose parent is none", shown(written)),
                "correct the path (relative to the configuration's folder)",
            );
            None
        }
        Err(error) => {
            at.wrong(
                "a file in a folder that is there and may be written",
                format!("{} ({error})", shown(written)),
                "create the folder, correct the path (relative to the configuration's folder), or \
                 let subgate write there",
            );
            None
        }
    }
}
