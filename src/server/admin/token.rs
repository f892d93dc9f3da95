//! The token that opens the admin API.

use crate::secret::{Form, Secret, SecretError};
use arc_swap::ArcSwap;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};
use axum::http::{HeaderMap, header};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The shortest token, in bytes.
pub const SHORTEST: usize = 16;

/// A bearer token in a file that may be replaced while the process runs; only its digest is kept.
#[derive(Clone)]
pub struct Token(Arc<Inner>);

struct Inner {
    path: PathBuf,
    digest: ArcSwap<Digest>,
}

impl Token {
    /// Reads the file for the first time.
    pub fn open(path: PathBuf) -> Result<Self, TokenError> {
        let digest = ArcSwap::from_pointee(read(&path)?);
        Ok(Self(Arc::new(Inner { path, digest })))
    }

    /// Reads the file again; the old token opens nothing from then on. On an error it stays.
    pub fn reload(&self) -> Result<(), TokenError> {
        self.0.digest.store(Arc::new(read(&self.0.path)?));
        Ok(())
    }

    /// Holds the one bearer token of a request (RFC 6750 2.1) against it; the time that takes
    /// depends on neither.
    pub(super) fn admits(&self, headers: &HeaderMap) -> Result<(), NotAdmitted> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(NotAdmitted::Missing);
        };
        let Some((scheme, token)) = value.as_bytes().split_at_checked(7) else {
            return Err(NotAdmitted::Missing);
        };
        if !scheme.eq_ignore_ascii_case(b"bearer ") {
            return Err(NotAdmitted::Missing);
        }
        let own = self.0.digest.load();
        verify_slices_are_equal(digest(&SHA256, token).as_ref(), (**own).as_ref())
            .map_err(|_| NotAdmitted::Wrong)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Token").field(&self.0.path).finish()
    }
}

fn read(path: &Path) -> Result<Digest, TokenError> {
    let token = Secret::read(path, Form::Text)?;
    if token.expose().len() < SHORTEST {
        return Err(TokenError::Short(path.to_owned()));
    }
    Ok(digest(&SHA256, token.expose()))
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotAdmitted {
    /// It has no bearer token, or several.
    Missing,
    /// It has another.
    Wrong,
}

/// Why there is no token. No variant holds any byte of it.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It cannot be read.
    #[error("{0}")]
    Secret(#[from] SecretError),
    /// Whoever guesses would find it.
    #[error("expected a token of at least {SHORTEST} visible characters in {}, found a shorter one", .0.display())]
    Short(PathBuf),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const TOKEN: &str = "0123456789abcdef";

    fn headers(values: &[&str]) -> HeaderMap {
        let values = values
            .iter()
            .map(|value| (header::AUTHORIZATION, value.parse().unwrap()));
        values.collect()
    }

    fn written(text: &str) -> tempfile::TempPath {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn only_the_token_itself_is_admitted() {
        let path = written(&format!("{TOKEN}\n"));
        let token = Token::open(path.to_path_buf()).unwrap();
        for scheme in ["Bearer", "bearer", "BEARER"] {
            assert_eq!(
                token.admits(&headers(&[&format!("{scheme} {TOKEN}")])),
                Ok(())
            );
        }
        for wrong in [
            "Bearer ",
            "Bearer 0123456789abcdeF",
            "Bearer 0123456789abcdef0",
            "Bearer  0123456789abcdef",
        ] {
            assert_eq!(
                token.admits(&headers(&[wrong])),
                Err(NotAdmitted::Wrong),
                "{wrong}"
            );
        }
        let right = format!("Bearer {TOKEN}");
        for missing in [
            &[][..],
            &["Basic x"],
            &["Bearer"],
            &[TOKEN],
            &[&right, &right],
        ] {
            assert_eq!(token.admits(&headers(missing)), Err(NotAdmitted::Missing));
        }
    }

    #[test]
    fn a_new_token_replaces_the_old_one_and_a_short_one_does_not() {
        let path = written(TOKEN);
        let token = Token::open(path.to_path_buf()).unwrap();
        fs::write(&path, "short").unwrap();
        let error = token.reload().unwrap_err().to_string();
        assert!(
            error.contains("at least 16") && !error.contains("short\n"),
            "{error}"
        );
        let old = headers(&[&format!("Bearer {TOKEN}")]);
        assert_eq!(token.admits(&old), Ok(()));
        fs::write(&path, "fedcba9876543210").unwrap();
        token.reload().unwrap();
        assert_eq!(token.admits(&old), Err(NotAdmitted::Wrong));
        assert_eq!(token.admits(&headers(&["Bearer fedcba9876543210"])), Ok(()));
    }

    #[test]
    fn debug_says_nothing_of_it() {
        let path = written(TOKEN);
        let token = Token::open(path.to_path_buf()).unwrap();
        assert!(!format!("{token:?}").contains(TOKEN));
    }
}
