//! The daemon's verdicts on single paths, in our words.

use super::PebbleFiles;
use crate::error::{Error, ErrorKind, Result, Wire};
use crate::model::RemotePath;
use crate::provider::pebble::api::{ApiError, FileResult};
use crate::provider::pebble::client::kind_of;

impl PebbleFiles {
    /// What became of `path`, of which the daemon said `said`; `doing` is a verb.
    pub(super) fn verdict(&self, doing: &str, path: &RemotePath, said: Option<FileResult>) -> Result<()> {
        match said.map(|said| said.error) {
            Some(None) => Ok(()),
            Some(Some(said)) => Err(self.refusal(doing, path, said)),
            None => Err(self.0.garbled(&naming(doing, path), "the answer says nothing about it")),
        }
    }

    /// A refusal of one path, mapped onto a kind.
    pub(super) fn refusal(&self, doing: &str, path: &RemotePath, said: ApiError) -> Error {
        let reason = reason(&said.message);
        let kind = match kind_of(400, &said, self.0.identified) {
            ErrorKind::Rejected if matches!(reason, "directory not empty" | "not a directory" | "is a directory") => {
                ErrorKind::Conflict
            }
            ErrorKind::Rejected if reason == "no such file or directory" => ErrorKind::NotFound,
            kind => kind,
        };
        let mut error = Error::new(kind, self.0.cannot(&naming(doing, path), reason));
        if kind == ErrorKind::NotFound && path.text().contains('\u{FFFD}') {
            error = error.cause("Pebble shows U+FFFD for what is not UTF-8 in a name, so the real name is unknown");
        }
        if kind == ErrorKind::NotFound && doing == "write" {
            error = error.cause("its directory does not exist").hint("--parents makes missing directories");
        }
        // Without the prefix that repeats the path: the report would add it as another cause.
        let message = Some(reason.to_owned());
        error.at("pebble", self.0.endpoint.clone()).wire(Wire { kind: said.kind, message, ..Wire::default() })
    }

    /// The refusal of a whole request that was about one path.
    pub(super) fn about(&self, doing: &str, path: &RemotePath, error: Error) -> Error {
        let Some(wire) = error.parts().wire.clone() else { return error };
        let Some(message) = wire.message.clone().filter(|_| wire.kind.is_some()) else { return error };
        let mut tidy = self.refusal(doing, path, ApiError { message, kind: wire.kind.clone() });
        if let Some(said) = &mut tidy.parts_mut().wire {
            said.status = wire.status;
        }
        tidy
    }
}

/// "read `/etc/hosts`"
pub(super) fn naming(doing: &str, path: &RemotePath) -> String {
    format!("{doing} `{path}`")
}

/// The system's reason out of Go's `open /path: reason`; the path is in our own words already, and Go's may be that of
/// a temporary file.
fn reason(message: &str) -> &str {
    let operation = message.split_once(" /").map(|(first, _)| first);
    let is_path_error = operation.is_some_and(|op| !op.is_empty() && op.bytes().all(|b| b.is_ascii_lowercase()));
    match message.rsplit_once(": ") {
        Some((_, reason)) if is_path_error => reason,
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_repeats_the_path_and_we_do_not() {
        assert_eq!(reason("stat /nope: no such file or directory"), "no such file or directory");
        assert_eq!(reason("open /a: b/.x.123~: permission denied"), "permission denied");
        assert_eq!(reason("rename /a /b: file exists"), "file exists");
        assert_eq!(reason("can only read a regular file: \"/a\""), "can only read a regular file: \"/a\"");
        let owner = "cannot look up user and group: user: unknown user x";
        assert_eq!(reason(owner), owner);
        assert_eq!(reason(""), "");
    }
}
