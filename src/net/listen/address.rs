//! Addresses as configuration and commands write them.

use std::fmt;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::str::FromStr;

/// The longest Unix socket name: `sun_path` holds 108 bytes, one of them the NUL (unix(7)).
const LONGEST: usize = 107;

/// Where to listen, or what to call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// A TCP address.
    Tcp(SocketAddr),
    /// A Unix socket by path, at most 107 bytes.
    Unix {
        /// The path.
        path: PathBuf,
        /// The permission bits of the socket's file; the process's umask rules without.
        mode: Option<u32>,
    },
    /// A Unix socket in the abstract namespace (Linux), written `unix:@NAME`, at most 107 bytes.
    Abstract(String),
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text.strip_prefix("unix:") {
            None => text
                .parse()
                .map(Self::Tcp)
                .map_err(|_| AddressError::Tcp(text.to_owned())),
            Some(rest) => match rest.strip_prefix('@') {
                Some(name) => name_in_bounds(name).map(|()| Self::Abstract(name.to_owned())),
                None => unix(rest),
            },
        }
    }
}

fn unix(text: &str) -> Result<Address, AddressError> {
    let (path, mode) = match text.split_once('?') {
        None => (text, None),
        Some((path, query)) => (path, Some(permissions(query)?)),
    };
    name_in_bounds(path)?;
    Ok(Address::Unix {
        path: PathBuf::from(path),
        mode,
    })
}

fn permissions(query: &str) -> Result<u32, AddressError> {
    query
        .strip_prefix("mode=")
        .filter(|digits| matches!(digits.len(), 3 | 4))
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
        .and_then(|digits| u32::from_str_radix(digits, 8).ok())
        .filter(|mode| *mode <= 0o777)
        .ok_or_else(|| AddressError::Query(query.to_owned()))
}

fn name_in_bounds(name: &str) -> Result<(), AddressError> {
    match name.len() {
        0 => Err(AddressError::Empty),
        1..=LONGEST if name.contains('\0') => Err(AddressError::Nul),
        1..=LONGEST => Ok(()),
        length => Err(AddressError::TooLong(length)),
    }
}

/// The form in which configuration writes it.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix { path, mode } => {
                write!(f, "unix:{}", path.as_os_str().as_bytes().escape_ascii())?;
                mode.map_or(Ok(()), |mode| write!(f, "?mode={mode:04o}"))
            }
            Self::Abstract(name) => write!(f, "unix:@{name}"),
        }
    }
}

/// Why a text is not an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither `unix:` nor an IP address with a port.
    #[error(
        "expected an IP address and port such as 127.0.0.1:19191 or [::1]:19191, unix:PATH or unix:@NAME, found {0:?}"
    )]
    Tcp(String),
    /// `unix:` alone.
    #[error("expected a path or @NAME after unix:, found nothing")]
    Empty,
    /// Longer than the kernel takes.
    #[error("expected a socket name of at most 107 bytes, found {0} bytes; choose a shorter one")]
    TooLong(usize),
    /// A NUL ends a path.
    #[error("expected a socket name without NUL bytes")]
    Nul,
    /// Something else than a mode behind the question mark.
    #[error("expected ?mode= and three or four octal digits up to 0777, found ?{}", .0.escape_debug())]
    Query(String),
}
