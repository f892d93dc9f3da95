//! The warm-start file: users from one process to the next, so that a restart during an outage of the
//! directory loses none.
//!
//! Lines of text: a first one with the version, then one JSON value a line behind a letter for its
//! kind, then HMAC-SHA256 (RFC 2104) over all before it. The file holds what the directory told of
//! people, in plain text: only its owner may read it.
//!
//! All of this blocks: call it where that harms nobody.

mod error;
mod line;
mod seal;

pub use error::SnapshotError;

use crate::clock::Timestamp;
use crate::secret::Secret;
use crate::user::User;
use line::{Head, Kind, Row, RowRead};
use rustix::fs::OFlags;
use seal::{LONGEST_LINE, Opened, Sealing};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is kept from one process to the next; `M` is what the marks of events are written as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content<M> {
    /// When it was written, by the wall clock.
    pub saved: Timestamp,
    /// The users, those that were asked for last first: of too many, the last are not read.
    pub users: Vec<SavedUser>,
    /// What events told; all of them are read.
    pub marks: Vec<M>,
}

/// What was kept by the process before this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken<M> {
    /// When it was written, by the wall clock.
    pub saved: Timestamp,
    /// The users; `None` where they are those of another directory.
    pub users: Option<Vec<SavedUser>>,
    /// What events told, whatever the directory.
    pub marks: Vec<M>,
}

/// A user, and when the directory told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedUser {
    /// The namespace of the subject.
    pub realm: Arc<str>,
    /// The URL of the issuer that named it.
    pub issuer: Arc<str>,
    /// The tenant, where there is one.
    pub tenant: Option<Arc<str>>,
    /// The normalized subject.
    pub subject: Arc<str>,
    /// What the directory told.
    pub user: Arc<User>,
    /// When it did, by the wall clock; the lifetime of the answer is counted from there.
    pub answered: Timestamp,
    /// The validator of the answer.
    pub etag: Option<Box<str>>,
}

/// Writes a snapshot in place of the one that is there, whole or not at all; answers how many users
/// are in it.
///
/// `fingerprint` names the directory: users are not read for another one. A user whose record
/// is longer than 256 KiB is left out. The file is made beside its target with mode 0600, and renamed
/// once it is on the disk; a symbolic link at `path` is replaced, not followed.
pub fn write<M: Serialize>(
    path: &Path,
    key: &Secret,
    fingerprint: &str,
    content: &Content<M>,
) -> Result<usize, SnapshotError> {
    let mac = seal::key(key)?;
    if !may_replace(path) {
        return Err(SnapshotError::NotASnapshot(path.to_owned()));
    }
    let failed = |source| SnapshotError::Write {
        path: path.to_owned(),
        source,
    };
    let (folder, made) = beside(path).map_err(failed)?;
    // One that a process of the same number left when it was killed.
    match fs::remove_file(&made) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let new = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&made)
        .map_err(failed)?;
    let written = fill(path, Sealing::new(new, &mac), fingerprint, content).and_then(|users| {
        fs::rename(&made, path).map_err(failed)?;
        let folder = File::open(folder).and_then(|folder| folder.sync_all());
        folder.map_err(failed)?;
        Ok(users)
    });
    if written.is_err() {
        // It may be gone already: after the rename only the folder's own writing can fail.
        let _ = fs::remove_file(&made);
    }
    written
}

/// Reads a snapshot, at most `max` users of it; nothing of it is used unless the MAC over the whole
/// file holds.
///
/// That it is ours does not mean that it is new: who can write the file can put an older one back.
pub fn read<M: DeserializeOwned>(
    path: &Path,
    key: &Secret,
    fingerprint: &str,
    max: usize,
) -> Result<Taken<M>, SnapshotError> {
    let mac = seal::key(key)?;
    // Opening a pipe would wait for its other end.
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(SnapshotError::Missing(path.to_owned()));
        }
        Err(source) => {
            return Err(SnapshotError::Read {
                path: path.to_owned(),
                source,
            });
        }
    };
    let mut opened = Opened::new(path, file)?;
    opened.verify(&mac)?;
    // Read again rather than kept, and held against the MAC again: it may have changed since.
    let mut lines = opened.lines(&mac)?;
    let mut reading = Reading::new(max);
    while let Some(line) = lines.next()? {
        let (number, read) = (line.number, reading.take(fingerprint, line.bytes));
        read.ok_or_else(|| SnapshotError::Malformed {
            path: path.to_owned(),
            line: number,
        })?;
    }
    lines.finish()?;
    reading
        .taken
        .ok_or_else(|| SnapshotError::Truncated(path.to_owned()))
}

/// Whether nothing is lost where [`write`](fn@write) replaces what is at a path: nothing is there, an empty file,
/// a symbolic link, or a snapshot of any version.
pub fn may_replace(path: &Path) -> bool {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => true,
        Ok(metadata) if metadata.is_file() => {
            metadata.len() == 0 || File::open(path).is_ok_and(|file| seal::begins_as_one(&file))
        }
        Ok(_) => false,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// The folder of a file, and the path at which its successor is made.
fn beside(path: &Path) -> io::Result<(PathBuf, PathBuf)> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    };
    let mut made = std::ffi::OsString::from(".");
    made.push(name);
    made.push(format!(".{}.new", std::process::id()));
    Ok((folder.to_owned(), folder.join(made)))
}

fn fill<M: Serialize>(
    path: &Path,
    mut file: Sealing,
    fingerprint: &str,
    content: &Content<M>,
) -> Result<usize, SnapshotError> {
    let failed = |source| SnapshotError::Write {
        path: path.to_owned(),
        source,
    };
    let Content {
        saved,
        users,
        marks,
    } = content;
    let head = Head::new(*saved, fingerprint);
    let mut line = Vec::new();
    line::put(&mut line, Kind::Head, &head).map_err(failed)?;
    file.line(&line).map_err(failed)?;
    for mark in marks {
        line::put(&mut line, Kind::Mark, mark).map_err(failed)?;
        if line.len() > LONGEST_LINE {
            // Without it a deleted user could come back: better the old snapshot, whole.
            return Err(SnapshotError::LongMark(path.to_owned()));
        }
        file.line(&line).map_err(failed)?;
    }
    let mut spaces: HashMap<(&str, &str), usize> = HashMap::new();
    let mut count = 0;
    for saved in users {
        let SavedUser { realm, issuer, .. } = saved;
        let next = spaces.len();
        let space = *spaces.entry((realm, issuer)).or_insert(next);
        if space == next {
            line::put(&mut line, Kind::Space, &(realm, issuer)).map_err(failed)?;
            file.line(&line).map_err(failed)?;
        }
        line::put(&mut line, Kind::User, &Row::of(space, saved)).map_err(failed)?;
        if line.len() <= LONGEST_LINE {
            file.line(&line).map_err(failed)?;
            count += 1;
        }
    }
    file.finish().map_err(failed)?;
    Ok(count)
}

/// Puts the lines together.
#[derive(Debug)]
struct Reading<M> {
    max: usize,
    taken: Option<Taken<M>>,
    spaces: Vec<(Arc<str>, Arc<str>)>,
    tenants: HashSet<Arc<str>>,
}

impl<M: DeserializeOwned> Reading<M> {
    fn new(max: usize) -> Self {
        Self {
            max,
            taken: None,
            spaces: Vec::new(),
            tenants: HashSet::new(),
        }
    }

    /// Reads one line; `None` if it is not one of this version.
    fn take(&mut self, fingerprint: &str, bytes: &[u8]) -> Option<()> {
        let (kind, json) = line::split(bytes)?;
        match (kind, &mut self.taken) {
            (Kind::Head, None) => {
                let head: Head = line::value(json)?;
                self.taken = Some(Taken {
                    saved: head.saved(),
                    users: head.is_of(fingerprint).then(Vec::new),
                    marks: Vec::new(),
                });
            }
            (Kind::Mark, Some(taken)) => taken.marks.push(line::value(json)?),
            (Kind::Space, Some(_)) => self.spaces.push(line::value(json)?),
            (Kind::User, Some(taken)) => match &mut taken.users {
                Some(users) if users.len() < self.max => {
                    let row: RowRead = line::value(json)?;
                    let space = self.spaces.get(row.space)?;
                    users.push(row.saved(space, &mut self.tenants));
                }
                Some(_) | None => {}
            },
            (Kind::Head, Some(_)) | (Kind::Mark | Kind::Space | Kind::User, None) => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests;
