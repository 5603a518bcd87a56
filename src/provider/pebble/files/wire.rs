//! What the wire can carry, checked before any I/O; and its request bodies.

use crate::error::{Error, Result};
use crate::model::RemotePath;
use crate::provider::files::{MkdirSpec, WriteSpec};
use crate::provider::pebble::api::Owner;
use serde::Serialize;

/// The longest name that can be written, in bytes: the daemon appends a dot, up to ten digits and a tilde to it.
const NAME_MAX: usize = 243;

/// The body of `POST /v1/files`.
#[derive(Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub(super) enum Request {
    Write { files: Vec<File> },
    MakeDirs { dirs: Vec<Directory> },
    Remove { paths: Vec<Removal> },
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct File {
    path: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    make_dirs: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<String>,
    #[serde(flatten)]
    owner: Owner,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Directory {
    path: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    make_parents: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<String>,
    #[serde(flatten)]
    owner: Owner,
}

#[derive(Serialize)]
pub(super) struct Removal {
    path: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    recursive: bool,
}

impl File {
    /// What is to be written, if the daemon can write it.
    pub(super) fn new(spec: &WriteSpec) -> Result<Self> {
        let path = text(&spec.path)?;
        let name = spec.path.file_name();
        let cannot = |why: &str| Err(Error::unsupported(format!("cannot write `{}`: {why}", spec.path)));
        if spec.path.as_bytes().ends_with(b"/") || matches!(name, b"" | b"." | b"..") {
            return Err(Error::usage(format!("cannot write `{}`: it names a directory", spec.path)));
        }
        // The path stands in a header, whose reader takes these for a broken one; the whole request would fail.
        if let Some(control) = path.bytes().find(|byte| byte.is_ascii_control() && *byte != b'\t') {
            let what = control.escape_ascii();
            return cannot(&format!("Pebble cannot write a file whose path holds a control character (`{what}`)"));
        }
        if name.contains(&b'*') {
            return cannot("Pebble cannot write a file whose name holds `*`");
        }
        if name.len() > NAME_MAX {
            return cannot(&format!(
                "Pebble cannot write a file whose name is longer than {NAME_MAX} bytes, and it has {}",
                name.len()
            ));
        }
        let owner = owner(spec.owner.as_ref())?;
        Ok(Self { path, make_dirs: spec.parents, permissions: permissions(spec.mode)?, owner })
    }
}

impl Directory {
    pub(super) fn new(path: &RemotePath, spec: &MkdirSpec) -> Result<Self> {
        let owner = owner(spec.owner.as_ref())?;
        Ok(Self { path: text(path)?, make_parents: spec.parents, permissions: permissions(spec.mode)?, owner })
    }
}

impl Removal {
    pub(super) fn new(path: &RemotePath, recursive: bool) -> Result<Self> {
        Ok(Self { path: text(path)?, recursive })
    }
}

/// Refuses what is no absolute path, or none at all.
pub(super) fn absolute(path: &RemotePath) -> Result<()> {
    if !path.is_absolute() {
        return Err(Error::usage(format!("`{path}` is relative: a path over there starts with `/`")));
    }
    if path.as_bytes().contains(&0) {
        return Err(Error::usage(format!("`{path}` holds a NUL, which no path can")));
    }
    Ok(())
}

/// An absolute path as JSON can carry it.
fn text(path: &RemotePath) -> Result<String> {
    absolute(path)?;
    String::from_utf8(path.as_bytes().to_vec()).map_err(|_| {
        Error::unsupported(format!("cannot change `{path}`: its name is not UTF-8, and Pebble takes no other names"))
    })
}

/// Exactly three octal digits: all the daemon takes.
fn permissions(mode: Option<u32>) -> Result<Option<String>> {
    match mode {
        Some(mode) if mode > 0o777 => Err(Error::unsupported(format!(
            "cannot set mode {mode:o}: Pebble has no setuid, setgid and sticky bits, three digits are all"
        ))),
        mode => Ok(mode.map(|mode| format!("{mode:03o}"))),
    }
}

fn owner(owner: Option<&crate::provider::exec::Owner>) -> Result<Owner> {
    if owner.is_some_and(|owner| owner.user.is_none() && owner.group.is_some()) {
        return Err(Error::unsupported("Pebble cannot set a group alone").hint("name the user too: USER:GROUP"));
    }
    Ok(owner.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::provider::exec::Account;

    fn spec(path: impl Into<Vec<u8>>) -> WriteSpec {
        WriteSpec { path: RemotePath(path.into()), len: None, mode: None, owner: None, parents: false }
    }

    #[test]
    fn what_the_daemon_cannot_do_is_refused_before_it_is_asked() {
        let kind = |spec: WriteSpec| File::new(&spec).err().map(|error| error.kind());
        assert_eq!(kind(spec("/a \"b\\ü%")), None);
        assert_eq!(kind(spec("a")), Some(ErrorKind::Usage));
        assert_eq!(kind(spec("/a\0")), Some(ErrorKind::Usage));
        assert_eq!(kind(spec("/a/")), Some(ErrorKind::Usage));
        assert_eq!(kind(spec("/a/..")), Some(ErrorKind::Usage));
        assert_eq!(kind(spec("/a\nb")), Some(ErrorKind::Unsupported));
        assert_eq!(kind(spec("/a\r/b")), Some(ErrorKind::Unsupported));
        assert_eq!(kind(spec("/a\u{1b}")), Some(ErrorKind::Unsupported));
        assert_eq!(kind(spec("/a\u{7f}")), Some(ErrorKind::Unsupported));
        assert_eq!(kind(spec("/a\t\u{80}")), None);
        assert_eq!(kind(spec("/a*")), Some(ErrorKind::Unsupported));
        assert_eq!(kind(spec("/*/a")), None);
        assert_eq!(kind(spec(*b"/\xff")), Some(ErrorKind::Unsupported));
        assert_eq!(kind(spec(format!("/{}", "x".repeat(243)))), None);
        assert_eq!(kind(spec(format!("/{}", "x".repeat(244)))), Some(ErrorKind::Unsupported));
        assert_eq!(kind(WriteSpec { mode: Some(0o4755), ..spec("/a") }), Some(ErrorKind::Unsupported));
        let group = crate::provider::exec::Owner { user: None, group: Some(Account::Id(1)) };
        assert_eq!(kind(WriteSpec { owner: Some(group), ..spec("/a") }), Some(ErrorKind::Unsupported));
    }

    #[test]
    fn modes_are_three_digits() {
        assert_eq!(permissions(Some(0)).unwrap().as_deref(), Some("000"));
        assert_eq!(permissions(Some(0o44)).unwrap().as_deref(), Some("044"));
        let file = File::new(&WriteSpec { mode: Some(0o600), parents: true, ..spec("/a") }).unwrap();
        let json = serde_json::to_string(&Request::Write { files: vec![file] }).unwrap();
        assert_eq!(json, r#"{"action":"write","files":[{"path":"/a","make-dirs":true,"permissions":"600"}]}"#);
        let remove = Request::Remove { paths: vec![Removal::new(&"/a".into(), true).unwrap()] };
        let json = serde_json::to_string(&remove).unwrap();
        assert_eq!(json, r#"{"action":"remove","paths":[{"path":"/a","recursive":true}]}"#);
    }
}
