//! Bytes that must not be seen: keys, bearer tokens, passwords.

use arc_swap::ArcSwap;
use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The longest secret that is read; a longer file is another file.
const LIMIT: u64 = 64 * 1024;

/// Bytes that no `Debug`, log or error shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<[u8]>);

impl Secret {
    /// Holds these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// Reads a file of at most 64 KiB, which must not be empty.
    pub fn read(path: &Path, form: Form) -> Result<Self, SecretError> {
        let unreadable = |source| SecretError::Read {
            path: path.to_owned(),
            source,
        };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(LIMIT + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > LIMIT {
            return Err(SecretError::TooLong(path.to_owned()));
        }
        let secret = form.of(&bytes);
        if secret.is_empty() {
            return Err(SecretError::Empty(path.to_owned()));
        }
        match (form, secret.iter().all(u8::is_ascii_graphic)) {
            (Form::Text, false) => Err(SecretError::NotText(path.to_owned())),
            (Form::Text, true) | (Form::Bytes, _) => Ok(Self::new(secret)),
        }
    }

    /// The bytes, for the one place that needs them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a secret's file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A token or password on one line: visible ASCII; one line end after it is not part of it.
    Text,
    /// Every byte of the file.
    Bytes,
}

impl Form {
    fn of(self, bytes: &[u8]) -> &[u8] {
        match self {
            Self::Bytes => bytes,
            Self::Text => {
                let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
                line.strip_suffix(b"\r").unwrap_or(line)
            }
        }
    }
}

/// A secret in a file that may be replaced while the process runs.
#[derive(Clone, Debug)]
pub struct SecretFile(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    form: Form,
    current: ArcSwap<Secret>,
}

impl SecretFile {
    /// Reads the file for the first time.
    pub fn open(path: PathBuf, form: Form) -> Result<Self, SecretError> {
        let current = ArcSwap::from_pointee(Secret::read(&path, form)?);
        Ok(Self(Arc::new(Inner {
            path,
            form,
            current,
        })))
    }

    /// The secret as last read.
    pub fn get(&self) -> Secret {
        Secret::clone(&self.0.current.load())
    }

    /// Reads the file again; on an error the old secret stays.
    pub fn reload(&self) -> Result<(), SecretError> {
        let read = Secret::read(&self.0.path, self.0.form)?;
        self.0.current.store(Arc::new(read));
        Ok(())
    }

    /// The file, to be watched.
    pub fn path(&self) -> &Path {
        &self.0.path
    }
}

/// Why a secret could not be had. No variant holds any of its bytes.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read the secret in {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing is in it.
    #[error("expected a secret in {}, found an empty file", .0.display())]
    Empty(PathBuf),
    /// More is in it than a secret has.
    #[error("expected a secret of at most 64 KiB in {}, found a longer file", .0.display())]
    TooLong(PathBuf),
    /// A token must fit into a header.
    #[error(
        "expected one line of visible ASCII without spaces in {}, found other bytes",
        .0.display()
    )]
    NotText(PathBuf),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn file(bytes: &[u8]) -> tempfile::TempPath {
        let file = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        fs::write(&file, bytes).unwrap();
        file
    }

    #[test]
    fn debug_says_nothing() {
        assert_eq!(format!("{:?}", Secret::new(b"hunter2")), "Secret(…)");
    }

    #[test]
    fn one_line_end_is_not_part_of_a_token() {
        for written in [&b"abc"[..], b"abc\n", b"abc\r\n"] {
            let read = Secret::read(&file(written), Form::Text).unwrap();
            assert_eq!(read.expose(), b"abc");
        }
    }

    #[test]
    fn every_byte_is_part_of_a_key() {
        let read = Secret::read(&file(b"\x00abc\n"), Form::Bytes).unwrap();
        assert_eq!(read.expose(), b"\x00abc\n");
    }

    #[test]
    fn a_token_that_no_header_could_carry_is_refused_without_being_shown() {
        for written in [
            &b"hunter2\nhunter3"[..],
            b"hunter2 x",
            b"hunter2\n\n",
            b"hunter2\xff",
        ] {
            let error = Secret::read(&file(written), Form::Text).unwrap_err();
            assert!(matches!(error, SecretError::NotText(_)), "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn an_empty_a_long_and_a_missing_file_are_told_apart() {
        let read = |path: &Path| Secret::read(path, Form::Text).unwrap_err();
        assert!(matches!(read(&file(b"\n")), SecretError::Empty(_)));
        assert!(matches!(
            read(&file(&vec![b'a'; 64 * 1024 + 1])),
            SecretError::TooLong(_)
        ));
        assert!(matches!(
            read(Path::new("/nowhere/token")),
            SecretError::Read { .. }
        ));
    }

    #[test]
    fn a_bad_new_version_leaves_the_old_secret() {
        let path = file(b"one\n");
        let secret = SecretFile::open(path.to_path_buf(), Form::Text).unwrap();
        fs::write(&path, b"").unwrap();
        secret.reload().unwrap_err();
        assert_eq!(secret.get().expose(), b"one");
        fs::write(&path, b"two\n").unwrap();
        secret.reload().unwrap();
        assert_eq!(secret.get().expose(), b"two");
    }
}
