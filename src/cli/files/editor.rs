//! The user's editor, and the private copy that it works on.

use crate::context::var;
use crate::error::{Error, Result};
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of ours that nobody else can read. Stays until it is removed.
pub(super) struct Draft {
    dir: PathBuf,
    pub(super) path: PathBuf,
}

impl Draft {
    /// A copy of `content` under `name`, so that the editor knows what it is.
    pub(super) fn new(name: &[u8], content: &[u8]) -> Result<Self> {
        let cannot = |error: std::io::Error| Error::failure("cannot make a temporary file to edit").source(error);
        let base = var("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| dir.is_dir());
        let base = base.unwrap_or_else(std::env::temp_dir);
        let mut attempt = 0;
        let dir = loop {
            let dir = base.join(format!("esker-edit-{}-{attempt}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&dir) {
                Ok(()) => break dir,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && attempt < 1000 => attempt += 1,
                Err(error) => return Err(cannot(error)),
            }
        };
        let path = dir.join(OsStr::from_bytes(name));
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&path).map_err(cannot)?;
        file.write_all(content).map_err(cannot)?;
        Ok(Self { dir, path })
    }

    /// What is in it now. Editors may have put another file under the name.
    pub(super) fn content(&self) -> Result<Vec<u8>> {
        fs::read(&self.path).map_err(|error| {
            Error::failure(format!("the edited file `{}` cannot be read", self.path.display())).source(error)
        })
    }

    /// Removes it, with what editors leave beside it.
    pub(super) fn remove(self) {
        // It is private and in a temporary place: nothing to report if it stays.
        let _ = fs::remove_dir_all(self.dir);
    }
}

/// Runs the editor on `path` and waits for it.
pub(super) fn run(path: &Path) -> Result<()> {
    let editor = var("VISUAL").or_else(|| var("EDITOR")).unwrap_or_else(|| "vi".to_owned());
    // By the shell, since the variable may hold arguments; the path is no part of its text.
    let status = Command::new("sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(path).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::failure(format!("the editor `{editor}` failed: {status}"))
            .hint("$VISUAL or $EDITOR names the editor")),
        Err(error) => Err(Error::failure(format!("cannot run the editor `{editor}`")).source(error)),
    }
}
