//! What an argument of `files` names: a path over there, one here, or this command's own stdin and stdout.

use crate::error::{Error, Result};
use crate::model::RemotePath;
use std::path::PathBuf;

/// An argument of `files`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteArg {
    /// `TARGET:PATH`, or `:PATH` at the default target.
    Remote {
        /// The text of the target; `None` means the default.
        target: Option<String>,
        /// The path there.
        path: RemotePath,
    },
    /// A path of this machine.
    Local(PathBuf),
    /// `-`.
    Stdio,
}

impl RemoteArg {
    /// Reads an argument: split at the first `:`, for `unix:` at the next one; what starts with `/`, `./` or `../` is
    /// local whatever it contains (ux 1.4, 9.6).
    pub fn parse(text: &str) -> Result<Self> {
        if text == "-" {
            return Ok(Self::Stdio);
        }
        if text.is_empty() {
            return Err(Error::usage("a path must not be empty"));
        }
        if ["/", "./", "../"].iter().any(|prefix| text.starts_with(prefix)) {
            return Ok(Self::Local(text.into()));
        }
        let skip = if text.starts_with("unix:") { "unix:".len() } else { 0 };
        let Some(colon) = text[skip..].find(':').map(|at| at + skip) else {
            if skip > 0 {
                return Err(Error::usage(format!("`{text}` names a socket and no path"))
                    .hint(format!("add the path after another colon: `{text}:/path`")));
            }
            return Ok(Self::Local(text.into()));
        };
        let (target, path) = (&text[..colon], &text[colon + 1..]);
        if path.is_empty() {
            return Err(Error::usage(format!("`{text}` names no path")).hint(format!("write `{text}/` for the root")));
        }
        let target = (!target.is_empty()).then(|| target.to_owned());
        Ok(Self::Remote { target, path: RemotePath(path.as_bytes().to_vec()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;
    use crate::resolve::Address;
    use proptest::prelude::*;

    fn remote(target: Option<&str>, path: &str) -> RemoteArg {
        RemoteArg::Remote { target: target.map(str::to_owned), path: RemotePath(path.into()) }
    }

    #[test]
    fn arguments_name_places() {
        for (text, wanted) in [
            ("-", RemoteArg::Stdio),
            ("web:/etc/hosts", remote(Some("web"), "/etc/hosts")),
            ("sprites/dev:a:b", remote(Some("sprites/dev"), "a:b")),
            (":/etc", remote(None, "/etc")),
            ("unix:/run/p.sock:/etc", remote(Some("unix:/run/p.sock"), "/etc")),
            ("/a:b", RemoteArg::Local("/a:b".into())),
            ("./a:b", RemoteArg::Local("./a:b".into())),
            ("../a:b", RemoteArg::Local("../a:b".into())),
            ("plain", RemoteArg::Local("plain".into())),
        ] {
            assert_eq!(RemoteArg::parse(text).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn what_names_nothing_is_told() {
        let why = |text| RemoteArg::parse(text).unwrap_err().to_string();
        assert_eq!(why(""), "a path must not be empty");
        assert_eq!(why("web:"), "`web:` names no path");
        assert_eq!(why("unix:/run/p.sock"), "`unix:/run/p.sock` names a socket and no path");
    }

    proptest! {
        #[test]
        fn a_full_form_and_a_path_are_told_apart(name in "\\PC{1,12}", path in "\\PC{1,20}") {
            let full = Address { endpoint: "lab".into(), name: Some(Name(name)) }.to_string();
            prop_assert_eq!(RemoteArg::parse(&format!("{full}:{path}")).unwrap(), remote(Some(&full), &path));
        }
    }
}
