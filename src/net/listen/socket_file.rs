//! The file of a Unix socket: what may be replaced, and what is removed.

use super::BindError;
use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use tokio::net::UnixStream;

/// Removes a socket's file if nobody can be behind it any more.
///
/// Only a refused connection proves that: a full queue, or a permission that we lack, does not.
pub(super) async fn clear_stale(path: &Path) -> Result<(), BindError> {
    let unproven = |source| BindError::Unproven {
        path: path.to_owned(),
        source,
    };
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unproven(error)),
    };
    if !found.file_type().is_socket() {
        return Err(BindError::NotSocket(path.to_owned()));
    }
    match UnixStream::connect(path).await {
        Ok(_) => Err(BindError::Live(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Inode::of(&found).remove(path).map_err(unproven)
        }
        Err(error) => Err(unproven(error)),
    }
}

/// The file of our own socket, removed on drop unless another has taken its place.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    inode: Inode,
}

impl SocketFile {
    /// Takes charge of a file that was just bound.
    pub(super) fn adopt(path: PathBuf) -> io::Result<Self> {
        let inode = Inode::of(&fs::symlink_metadata(&path)?);
        Ok(Self { path, inode })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn set_mode(&self, mode: u32) -> io::Result<()> {
        fs::set_permissions(&self.path, Permissions::from_mode(mode))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if let Err(error) = self.inode.remove(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the socket's file stays behind");
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Inode {
    device: u64,
    number: u64,
}

impl Inode {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            number: metadata.ino(),
        }
    }

    /// Removes the file at the path if it still is this one.
    fn remove(self, path: &Path) -> io::Result<()> {
        match fs::symlink_metadata(path) {
            Ok(now) if Self::of(&now) == self => fs::remove_file(path),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}
