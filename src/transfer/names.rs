//! Names that a server tells, before anything is made of them.

use crate::error::{Error, Result};
use crate::model::{FileEntry, RemotePath};

/// The name of an entry of `dir`, if it is one: a server that names something else is not followed.
///
/// # Errors
///
/// `Rejected`, naming `dir` at `place`, for what is empty, leads elsewhere or is not the name of its own path.
pub fn of<'a>(place: &str, dir: &RemotePath, entry: &'a FileEntry) -> Result<&'a [u8]> {
    let name = entry.path.file_name();
    // Names that are not UTF-8 are whole in the path only.
    let agrees = String::from_utf8_lossy(name) == entry.name;
    if agrees && is_name(name) {
        return Ok(name);
    }
    let told = if entry.name.is_empty() { entry.path.text() } else { entry.name.as_str().into() };
    Err(Error::rejected(format!(
        "refusing `{}` in `{place}{dir}`: it is not the name of an entry",
        told.escape_debug()
    )))
}

/// Whether it names something in a directory, and nothing outside.
fn is_name(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.iter().any(|byte| matches!(byte, b'/' | 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FileKind;

    fn entry(name: &str, path: &[u8]) -> FileEntry {
        FileEntry::new(name, RemotePath::new(path), FileKind::File)
    }

    #[test]
    fn only_names_of_entries_are_taken() {
        let name = |name: &str, path: &[u8]| of("web:", &"/srv".into(), &entry(name, path)).map(<[u8]>::to_vec).ok();
        assert_eq!(name("a", b"/srv/a").as_deref(), Some(&b"a"[..]));
        assert_eq!(name("..a\n\"", b"/srv/..a\n\"").as_deref(), Some(&b"..a\n\""[..]));
        assert_eq!(name("\u{FFFD}", b"/srv/\xff").as_deref(), Some(&b"\xff"[..]));
        for (told, path) in [
            ("", "/srv/"),
            ("", ""),
            (".", "/srv/."),
            ("..", "/srv/.."),
            ("../../etc/passwd", "/srv/../../etc/passwd"),
            ("/etc/passwd", "/etc/passwd"),
            ("a/b", "/srv/a/b"),
            ("a", "/srv/b"),
            ("a\0b", "/srv/a\0b"),
        ] {
            assert_eq!(name(told, path.as_bytes()), None, "{told:?} {path:?}");
        }
    }
}
