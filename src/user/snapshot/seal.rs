//! The first and the last line of a snapshot, and the MAC over all between.

use super::SnapshotError;
use crate::secret::Secret;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// The longest line, in bytes, its end included: four times the longest answer that is read.
pub(super) const LONGEST_LINE: usize = 256 * 1024;

const NAME: &[u8] = b"subgate users ";
const FIRST: &[u8] = b"subgate users 1\n";
const LAST: &[u8] = b"hmac-sha256 ";

/// The last line: its word, 32 bytes in base64url, the line's end.
const LAST_LINE: u64 = 12 + 43 + 1;

/// More than ten million users of an ordinary size take.
const LARGEST: u64 = 4 << 30;

/// The least bytes of a key: those of the hash (RFC 2104 3).
const SHORTEST_KEY: usize = 32;

pub(super) fn key(secret: &Secret) -> Result<Key, SnapshotError> {
    let bytes = secret.expose();
    if bytes.len() < SHORTEST_KEY {
        return Err(SnapshotError::ShortKey(bytes.len()));
    }
    Ok(Key::new(HMAC_SHA256, bytes))
}

/// Whether a file begins as a snapshot of any version.
pub(super) fn begins_as_one(file: &File) -> bool {
    let mut first = Vec::new();
    let read = file.take(NAME.len() as u64).read_to_end(&mut first);
    read.is_ok() && NAME.starts_with(&first)
}

/// A snapshot that is being written.
pub(super) struct Sealing {
    file: BufWriter<File>,
    mac: Context,
    begun: bool,
}

impl Sealing {
    pub(super) fn new(file: File, key: &Key) -> Self {
        Self {
            file: BufWriter::new(file),
            mac: Context::with_key(key),
            begun: false,
        }
    }

    /// Adds a line, which has its end.
    pub(super) fn line(&mut self, line: &[u8]) -> io::Result<()> {
        if !self.begun {
            self.begun = true;
            self.mac.update(FIRST);
            self.file.write_all(FIRST)?;
        }
        self.mac.update(line);
        self.file.write_all(line)
    }

    /// Adds the MAC, and waits until all is on the disk.
    pub(super) fn finish(self) -> io::Result<()> {
        let Self {
            mut file,
            mac,
            begun: _,
        } = self;
        file.write_all(LAST)?;
        file.write_all(URL_SAFE_NO_PAD.encode(mac.sign()).as_bytes())?;
        file.write_all(b"\n")?;
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()
    }
}

/// A file that may be a snapshot.
pub(super) struct Opened {
    path: PathBuf,
    file: BufReader<File>,
    /// The bytes before the last line.
    body: u64,
}

/// A line, without its end, and its number, from 1.
pub(super) struct Line<'l> {
    pub(super) number: u64,
    pub(super) bytes: &'l [u8],
}

impl Opened {
    pub(super) fn new(path: &Path, file: File) -> Result<Self, SnapshotError> {
        let metadata = file.metadata().map_err(|source| SnapshotError::Read {
            path: path.to_owned(),
            source,
        })?;
        let (path, bytes) = (path.to_owned(), metadata.len());
        if !metadata.is_file() {
            return Err(SnapshotError::NotAFile(path));
        }
        if bytes > LARGEST {
            return Err(SnapshotError::TooLarge { path, bytes });
        }
        Ok(Self {
            path,
            file: BufReader::new(file),
            body: bytes.saturating_sub(LAST_LINE),
        })
    }

    /// Holds the whole file against its MAC.
    pub(super) fn verify(&mut self, key: &Key) -> Result<(), SnapshotError> {
        let mut mac = Context::with_key(key);
        self.first(&mut mac)?;
        let mut left = self.body.saturating_sub(FIRST.len() as u64);
        while left > 0 {
            let (path, file) = (&self.path, &mut self.file);
            let bytes = file.fill_buf().map_err(|source| unread(path, source))?;
            let most = usize::try_from(left).unwrap_or(usize::MAX);
            let taken = bytes.get(..most).unwrap_or(bytes);
            let count = taken.len();
            if count == 0 {
                return Err(SnapshotError::Truncated(self.path.clone()));
            }
            mac.update(taken);
            self.file.consume(count);
            left -= count as u64;
        }
        self.last(mac)
    }

    /// Reads the lines between the first and the last.
    pub(super) fn lines(mut self, key: &Key) -> Result<Lines, SnapshotError> {
        let rewound = self.file.rewind();
        rewound.map_err(|source| unread(&self.path, source))?;
        let mut mac = Context::with_key(key);
        self.first(&mut mac)?;
        Ok(Lines {
            left: self.body.saturating_sub(FIRST.len() as u64),
            opened: self,
            mac,
            number: 1,
            line: Vec::new(),
        })
    }

    /// Reads the first line, which tells what the file is.
    fn first(&mut self, mac: &mut Context) -> Result<(), SnapshotError> {
        let mut first = Vec::new();
        let reader = (&mut self.file).take(FIRST.len() as u64);
        let read = { reader }.read_to_end(&mut first);
        read.map_err(|source| unread(&self.path, source))?;
        let path = || self.path.clone();
        match first.as_slice() {
            FIRST if self.body < FIRST.len() as u64 => Err(SnapshotError::Truncated(path())),
            FIRST => {
                mac.update(FIRST);
                Ok(())
            }
            other if FIRST.starts_with(other) => Err(SnapshotError::Truncated(path())),
            other if other.starts_with(NAME) => Err(SnapshotError::Version(path())),
            _ => Err(SnapshotError::NotASnapshot(path())),
        }
    }

    /// Reads the last line, and compares.
    fn last(&mut self, mac: Context) -> Result<(), SnapshotError> {
        let mut last = Vec::new();
        // One byte more than there should be: it may have grown.
        let reader = (&mut self.file).take(LAST_LINE + 1);
        let read = { reader }.read_to_end(&mut last);
        read.map_err(|source| unread(&self.path, source))?;
        let told = last
            .strip_prefix(LAST)
            .and_then(|rest| rest.strip_suffix(b"\n"))
            .and_then(|told| URL_SAFE_NO_PAD.decode(told).ok())
            .ok_or_else(|| SnapshotError::Truncated(self.path.clone()))?;
        verify_slices_are_equal(mac.sign().as_ref(), &told)
            .map_err(|_| SnapshotError::Mac(self.path.clone()))
    }
}

/// The lines of a snapshot.
pub(super) struct Lines {
    opened: Opened,
    mac: Context,
    left: u64,
    number: u64,
    line: Vec<u8>,
}

impl Lines {
    /// The next line; `None` before the last, which holds the MAC.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>, SnapshotError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.number += 1;
        self.line.clear();
        let most = self.left.min(LONGEST_LINE as u64);
        let reader = (&mut self.opened.file).take(most);
        let read = { reader }.read_until(b'\n', &mut self.line);
        let count = read.map_err(|source| unread(&self.opened.path, source))?;
        self.left = self.left.saturating_sub(count as u64);
        self.mac.update(&self.line);
        match self.line.strip_suffix(b"\n") {
            Some(bytes) => Ok(Some(Line {
                number: self.number,
                bytes,
            })),
            None => Err(SnapshotError::Malformed {
                path: self.opened.path.clone(),
                line: self.number,
            }),
        }
    }

    /// Holds what was read against the MAC.
    pub(super) fn finish(mut self) -> Result<(), SnapshotError> {
        self.opened.last(self.mac)
    }
}

fn unread(path: &Path, source: io::Error) -> SnapshotError {
    SnapshotError::Read {
        path: path.to_owned(),
        source,
    }
}
