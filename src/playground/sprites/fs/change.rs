//! Deleting, renaming, copying, and changing modes and owners.

use super::absolute;
use super::spot::{Failure, Spot, is_dir, make_directories, octal, parse_mode};
use crate::playground::sprites::disk::View;
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs::{self, FileTimes};
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

/// What of `fs/delete` may be in a body.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Delete {
    pub(super) path: Option<String>,
    pub(super) working_dir: Option<String>,
    pub(super) recursive: bool,
}

/// `fs/rename` and `fs/copy`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Move {
    source: String,
    dest: String,
    working_dir: String,
    recursive: bool,
    preserve_attrs: bool,
}

/// `fs/chmod` and `fs/chown`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Change {
    path: String,
    working_dir: String,
    mode: String,
    uid: Value,
    gid: Value,
    recursive: bool,
}

/// `DELETE fs/delete`.
pub(super) fn delete(view: &View, path: &Path, recursive: bool) -> Result<Value, Failure> {
    let spot = Spot::find(view, path, "remove")?;
    let fail = |errno| Failure::new("remove", path, errno);
    let stat = spot.stat().map_err(fail)?;
    let here = spot.path();
    let removed = match (is_dir(&stat), recursive) {
        (false, _) => fs::remove_file(here),
        (true, false) => fs::remove_dir(here),
        (true, true) => fs::remove_dir_all(here),
    };
    removed.map_err(|error| Failure::of("remove", path, &error))?;
    Ok(json!({ "deleted": [path.to_string_lossy()], "count": 1 }))
}

impl Move {
    fn ends(&self) -> Result<(PathBuf, PathBuf), Failure> {
        let end = |path: &str| absolute(path.as_bytes(), self.working_dir.as_bytes());
        if self.source.is_empty() || self.dest.is_empty() {
            return Err(Failure::new("open", Path::new(""), Errno::INVAL));
        }
        Ok((end(&self.source), end(&self.dest)))
    }
}

/// `POST fs/rename`.
pub(super) fn rename(view: &View, asked: &Move) -> Result<Value, Failure> {
    let (source, dest) = asked.ends()?;
    let (from, to) = (Spot::find(view, &source, "rename")?, Spot::find(view, &dest, "rename")?);
    rustix::fs::renameat(&from.dir, &from.name, &to.dir, &to.name)
        .map_err(|errno| Failure::new("rename", &source, errno))?;
    Ok(json!({ "source": source.to_string_lossy(), "dest": dest.to_string_lossy() }))
}

/// `POST fs/copy`.
pub(super) fn copy(view: &View, asked: &Move) -> Result<Value, Failure> {
    let (source, dest) = asked.ends()?;
    let from = Spot::find(view, &source, "copy")?;
    let stat = from.stat().map_err(|errno| Failure::new("copy", &source, errno))?;
    if is_dir(&stat) && !asked.recursive {
        return Err(Failure::new("copy", &source, Errno::ISDIR));
    }
    if dest.starts_with(&source) {
        return Err(Failure::new("copy", &dest, Errno::INVAL));
    }
    make_directories(view, dest.parent().unwrap_or(Path::new("/")), "mkdir")?;
    let to = Spot::find(view, &dest, "copy")?;
    let mut copy = Copy { copied: Vec::new(), bytes: 0, attrs: asked.preserve_attrs };
    copy.entry((&from.path(), &source), (&to.path(), &dest))?;
    Ok(json!({ "count": copy.copied.len(), "copied": copy.copied, "totalBytes": copy.bytes }))
}

struct Copy {
    copied: Vec<Value>,
    bytes: u64,
    attrs: bool,
}

impl Copy {
    /// Copies one entry; each end is its path here and its path in the sprite.
    fn entry(&mut self, from: (&Path, &Path), to: (&Path, &Path)) -> Result<(), Failure> {
        let fail = |error| Failure::of("copy", from.1, &error);
        let metadata = fs::symlink_metadata(from.0).map_err(fail)?;
        if metadata.is_symlink() {
            symlink(fs::read_link(from.0).map_err(fail)?, to.0).map_err(fail)?;
        } else if metadata.is_dir() {
            match fs::create_dir(to.0) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && to.0.is_dir() => {}
                made => made.map_err(fail)?,
            }
            for entry in fs::read_dir(from.0).map_err(fail)? {
                let name = entry.map_err(fail)?.file_name();
                let (from, to) = ((from.0.join(&name), from.1.join(&name)), (to.0.join(&name), to.1.join(&name)));
                self.entry((&from.0, &from.1), (&to.0, &to.1))?;
            }
            fs::set_permissions(to.0, metadata.permissions()).map_err(fail)?;
            return Ok(());
        } else {
            self.bytes += fs::copy(from.0, to.0).map_err(fail)?;
            if self.attrs {
                let times = FileTimes::new().set_modified(metadata.modified().map_err(fail)?);
                fs::File::open(to.0).and_then(|file| file.set_times(times)).map_err(fail)?;
            }
        }
        self.copied.push(json!({ "source": from.1.to_string_lossy(), "dest": to.1.to_string_lossy() }));
        Ok(())
    }
}

/// `POST fs/chmod`.
pub(super) fn chmod(view: &View, asked: &Change) -> Result<Value, Failure> {
    let (path, spot) = asked.spot(view, "chmod")?;
    let mode = parse_mode(&asked.mode).ok_or_else(|| Failure::new("chmod", &path, Errno::INVAL))?;
    let affected = each(&spot, &path, asked.recursive, "chmod", &|here, stat| {
        if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
            // Its own mode means nothing, and what it leads to is not meant.
            return Ok(None);
        }
        fs::set_permissions(here, fs::Permissions::from_mode(mode))?;
        Ok(Some(json!({ "mode": octal(mode) })))
    })?;
    Ok(json!({ "count": affected.len(), "affected": affected }))
}

/// `POST fs/chown`.
pub(super) fn chown(view: &View, asked: &Change) -> Result<Value, Failure> {
    let (path, spot) = asked.spot(view, "chown")?;
    let number = |value: &Value| match value {
        Value::Null => Ok(None),
        Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()).map(Some).ok_or(()),
        Value::String(text) => text.parse().map(Some).map_err(|_| ()),
        _ => Err(()),
    };
    let invalid = |()| Failure::new("chown", &path, Errno::INVAL);
    let (uid, gid) = (number(&asked.uid).map_err(invalid)?, number(&asked.gid).map_err(invalid)?);
    let affected = each(&spot, &path, asked.recursive, "chown", &|here, stat| {
        lchown(here, uid, gid)?;
        Ok(Some(json!({ "uid": uid.unwrap_or(stat.st_uid), "gid": gid.unwrap_or(stat.st_gid) })))
    })?;
    Ok(json!({ "count": affected.len(), "affected": affected }))
}

impl Change {
    /// What is to be changed, a link at its end followed.
    fn spot(&self, view: &View, doing: &'static str) -> Result<(PathBuf, Spot), Failure> {
        let path = absolute(self.path.as_bytes(), self.working_dir.as_bytes());
        let spot = Spot::find(view, &path, doing)?;
        spot.stat().map_err(|errno| Failure::new(doing, &path, errno))?;
        Ok((path, spot))
    }
}

type Each<'a> = dyn Fn(&Path, &Stat) -> std::io::Result<Option<Value>> + 'a;

/// Does `change` to what is at `spot`, and to all below it if `recursive`.
fn each(
    spot: &Spot,
    path: &Path,
    recursive: bool,
    doing: &'static str,
    change: &Each<'_>,
) -> Result<Vec<Value>, Failure> {
    let mut affected = Vec::new();
    let mut todo = vec![(spot.path(), path.to_owned())];
    while let Some((here, path)) = todo.pop() {
        let fail = |error| Failure::of(doing, &path, &error);
        let stat = rustix::fs::lstat(&here).map_err(|errno| Failure::new(doing, &path, errno))?;
        // Before it is changed: the new mode may forbid it.
        if recursive && is_dir(&stat) {
            for entry in fs::read_dir(&here).map_err(fail)? {
                let name = entry.map_err(fail)?.file_name();
                todo.push((here.join(&name), path.join(&name)));
            }
        }
        if let Some(mut shown) = change(&here, &stat).map_err(fail)? {
            shown["path"] = json!(path.to_string_lossy());
            affected.push(shown);
        }
    }
    Ok(affected)
}
