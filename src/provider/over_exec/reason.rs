//! Why a program over there failed: the system's own words at the end of its message.

use crate::error::ErrorKind;

/// Words of `strerror`, which all systems that we meet share, and what they mean here.
const REASONS: &[(&str, ErrorKind)] = &[
    ("no such file or directory", ErrorKind::NotFound),
    ("file exists", ErrorKind::Conflict),
    ("not a directory", ErrorKind::Conflict),
    ("is a directory", ErrorKind::Conflict),
    ("cannot overwrite directory", ErrorKind::Conflict),
    ("directory not empty", ErrorKind::Conflict),
    ("too many levels of symbolic links", ErrorKind::Conflict),
    ("symbolic link loop", ErrorKind::Conflict),
    ("permission denied", ErrorKind::Forbidden),
    ("operation not permitted", ErrorKind::Forbidden),
    ("read-only file system", ErrorKind::Forbidden),
    ("file name too long", ErrorKind::Rejected),
    ("invalid argument", ErrorKind::Rejected),
];

/// The kind of a failure whose message is `text`.
pub fn kind_of(text: &str) -> ErrorKind {
    let text = text.to_lowercase();
    REASONS.iter().find(|(words, _)| text.contains(words)).map_or(ErrorKind::Failure, |(_, kind)| *kind)
}

/// The reason alone, out of `mkdir: cannot create directory '/a': File exists`.
pub fn reason(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let lower = line.to_lowercase();
    if let Some((words, _)) = REASONS.iter().find(|(words, _)| lower.contains(words)) {
        return (*words).to_owned();
    }
    if line.is_empty() { "it says nothing".to_owned() } else { line.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_at_the_end_whoever_says_it() {
        let said = |text: &str| (kind_of(text), reason(text.as_bytes()));
        assert_eq!(
            said("mkdir: cannot create directory '/a': File exists\n"),
            (ErrorKind::Conflict, "file exists".to_owned())
        );
        assert_eq!(said("sh: 1: cannot open /x: Permission denied").0, ErrorKind::Forbidden);
        assert_eq!(said("mv: cannot overwrite directory '/a' with non-directory").0, ErrorKind::Conflict);
        assert_eq!(said("readlink: /a: No such file or directory").0, ErrorKind::NotFound);
        assert_eq!(said("tar: oh no"), (ErrorKind::Failure, "tar: oh no".to_owned()));
        assert_eq!(said("").1, "it says nothing");
    }
}
