//! As whom a node is asked.

use super::SetupError;
use crate::secret::{Form, Secret, SecretFile};
use std::path::PathBuf;

/// A user and where its password is; with neither, nobody logs in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// The ACL user; `None` is the user `default`.
    pub username: Option<String>,
    /// The file with its password.
    pub password_file: Option<PathBuf>,
}

/// A login whose file was read.
#[derive(Debug)]
pub(super) struct Credentials {
    username: Option<String>,
    password: Option<SecretFile>,
}

impl Credentials {
    pub(super) fn open(login: &Login) -> Result<Self, SetupError> {
        let Login {
            username,
            password_file,
        } = login.clone();
        let password = password_file.map(|path| SecretFile::open(path, Form::Text));
        Ok(Self {
            username,
            password: password.transpose()?,
        })
    }

    /// Reads the file again; where that fails the old password stays.
    pub(super) fn refresh(&self) {
        if let Some(password) = &self.password
            && let Err(error) = password.reload()
        {
            tracing::warn!(%error, "a password of Redis was not read again; the old one stays");
        }
    }

    pub(super) fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    pub(super) fn password(&self) -> Option<Secret> {
        self.password.as_ref().map(SecretFile::get)
    }
}
