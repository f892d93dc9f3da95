//! What can be wrong with a snapshot.

use std::io;
use std::path::PathBuf;

/// Why a snapshot was not written, or is not used. No variant holds anything out of it.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// There is none yet.
    #[error("expected a snapshot of users at {}, found nothing there: one is written on stop", .0.display())]
    Missing(PathBuf),
    /// The file cannot be read.
    #[error("cannot read the snapshot of users in {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the snapshot of users to {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder, a pipe or a device.
    #[error("expected a regular file at {}, found something else: correct the path", .0.display())]
    NotAFile(PathBuf),
    /// More than any snapshot has.
    #[error("expected a snapshot of at most 4 GiB in {}, found {bytes} bytes: remove it", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// It begins as no snapshot does.
    #[error("expected a snapshot of users in {}, found another file, or a damaged one: remove it, or correct the path", .0.display())]
    NotASnapshot(PathBuf),
    /// It is of a form that is not read.
    #[error("expected a snapshot of version 1 in {}, found another version: it is replaced on stop", .0.display())]
    Version(PathBuf),
    /// Its end is missing.
    #[error("expected a whole snapshot in {}, found one without its end: it is replaced on stop", .0.display())]
    Truncated(PathBuf),
    /// It was made with another key, or changed.
    #[error("the MAC of the snapshot in {} does not hold: it was made with another key, or changed", .0.display())]
    Mac(PathBuf),
    /// It is whole and ours, and not what is written today.
    #[error("line {line} of the snapshot in {} is not one of this version: it is replaced on stop", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// A value takes more than a line may.
    #[error("a mark is too long for the snapshot in {}: expected at most 256 KiB", .0.display())]
    LongMark(PathBuf),
    /// The key would be easy to guess.
    #[error("expected a key of at least 32 bytes for the snapshot of users, found {0}")]
    ShortKey(usize),
}
