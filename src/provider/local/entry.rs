//! What is in a directory here.

use super::{accounts, failed, local_path, remote_path};
use crate::error::{Error, Result};
use crate::model::{Extra, FileEntry, FileKind, RemotePath, Time};
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// The entries of a directory, sorted by name; a file yields itself.
pub(super) fn list(dir: &Path) -> Result<Vec<FileEntry>> {
    let metadata = fs::metadata(dir).map_err(|error| failed("list", dir, error))?;
    if !metadata.is_dir() {
        return Ok(vec![entry(dir, &metadata)]);
    }
    let mut entries = Vec::new();
    for found in fs::read_dir(dir).map_err(|error| failed("list", dir, error))? {
        let found = found.map_err(|error| failed("list", dir, error))?;
        match found.metadata() {
            Ok(metadata) => entries.push(entry(&found.path(), &metadata)),
            // It vanished meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed("look at", &found.path(), error)),
        }
    }
    entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

pub(super) fn stat(path: &Path, follow: bool) -> Result<FileEntry> {
    let metadata = if follow { fs::metadata(path) } else { fs::symlink_metadata(path) };
    Ok(entry(path, &metadata.map_err(|error| failed("find", path, error))?))
}

fn entry(path: &Path, metadata: &Metadata) -> FileEntry {
    let kind = metadata.file_type();
    let kind = match () {
        () if kind.is_file() => FileKind::File,
        () if kind.is_dir() => FileKind::Directory,
        () if kind.is_symlink() => FileKind::Symlink,
        () if kind.is_socket() => FileKind::Socket,
        () if kind.is_fifo() => FileKind::NamedPipe,
        () if kind.is_block_device() || kind.is_char_device() => FileKind::Device,
        () => FileKind::Unknown,
    };
    let path_of = remote_path(path);
    let link_target = (kind == FileKind::Symlink).then(|| fs::read_link(path).ok()).flatten();
    FileEntry {
        name: String::from_utf8_lossy(path_of.file_name()).into_owned(),
        path: path_of,
        kind,
        size_bytes: (kind == FileKind::File).then_some(metadata.len()),
        mode: Some(format!("{:03o}", metadata.mode() & 0o7777)),
        modified_at: Time::new(metadata.mtime(), i32::try_from(metadata.mtime_nsec()).unwrap_or_default()).ok(),
        user: accounts::known().user(metadata.uid()),
        user_id: Some(metadata.uid()),
        group: accounts::known().group(metadata.gid()),
        group_id: Some(metadata.gid()),
        link_target: link_target.map(|target| String::from_utf8_lossy(target.as_os_str().as_bytes()).into_owned()),
        extra: Extra::new(),
    }
}

pub(super) fn remove(path: RemotePath, recursive: bool) -> (RemotePath, Result<()>) {
    let local = local_path(&path);
    let removed = match fs::symlink_metadata(local) {
        Err(error) if recursive && error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(metadata) if !metadata.is_dir() => fs::remove_file(local),
        Ok(_) if recursive => fs::remove_dir_all(local),
        Ok(_) => fs::remove_dir(local),
    };
    let removed = removed.map_err(|error: std::io::Error| -> Error { failed("remove", local, error) });
    (path, removed)
}
