//! Paths over there, as commands without a local side take them: `TARGET:PATH`, `:PATH`, or `/PATH` at the default
//! or named targets (ux 1.4).

use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::RemotePath;
use crate::provider::feature::capability;
use crate::provider::files::Files;
use crate::provider::{Feature, Needs, require};
use crate::resolve::{RemoteArg, Target};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// A path at a target.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub(super) target: Target,
    pub(super) path: RemotePath,
}

impl Spot {
    /// The files there; `asked` is what the user typed.
    pub(super) fn files(&self, asked: &str) -> Result<&dyn Files> {
        capability(&*self.target.place, |place| place.files(), Feature::Files, asked)
    }

    /// `TARGET:PATH`, which names it anywhere.
    pub(super) fn shown(&self) -> String {
        format!("{}:{}", self.target.full, self.path)
    }

    /// Names the target in an error.
    pub(super) fn located(&self, error: Error) -> Error {
        error.at(self.target.provider.driver().id, &*self.target.full)
    }
}

/// Reads an argument, whose path may be any bytes.
pub(super) fn parse(text: &OsStr) -> Result<RemoteArg> {
    let lossy = text.to_string_lossy();
    Ok(match RemoteArg::parse(&lossy)? {
        RemoteArg::Remote { target, .. } if target.as_deref().is_some_and(|target| target.contains('\u{FFFD}')) => {
            return Err(Error::usage(format!("`{lossy}` names no target: it is not UTF-8")));
        }
        RemoteArg::Remote { target, .. } => {
            // What stands before the colon is UTF-8, so it ends at the same byte in both.
            let path = &text.as_bytes()[target.as_ref().map_or(0, String::len) + 1..];
            RemoteArg::Remote { target, path: RemotePath::new(path) }
        }
        RemoteArg::Local(_) => RemoteArg::Local(text.into()),
        RemoteArg::Stdio => RemoteArg::Stdio,
    })
}

/// A path over there, and its target if it names one.
fn remote(text: &OsStr) -> Result<(Option<String>, RemotePath)> {
    match parse(text)? {
        RemoteArg::Remote { target, path } => Ok((target, path)),
        RemoteArg::Local(path) if path.is_absolute() => Ok((None, RemotePath::new(path.as_os_str().as_bytes()))),
        RemoteArg::Local(path) => Err(Error::usage(format!("`{}` is relative", path.display()))
            .hint("a path over there starts with `/`, or is written TARGET:/PATH")),
        RemoteArg::Stdio => Err(Error::usage("`-` is no path over there")),
    }
}

impl Ctx {
    /// The places of `paths`: each at its own target, or at all of the command's.
    pub(super) async fn spots(&self, needs: &dyn Needs, paths: &[OsString]) -> Result<(Vec<Spot>, Vec<Error>)> {
        let parsed = paths.iter().map(|path| remote(path)).collect::<Result<Vec<_>>>()?;
        let (targets, mut failed) = if parsed.iter().any(|(target, _)| target.is_none()) {
            self.targets(needs).await?
        } else {
            (Vec::new(), Vec::new())
        };
        let mut spots = Vec::new();
        for (target, path) in parsed {
            match target {
                None => spots.extend(targets.iter().map(|target| Spot { target: target.clone(), path: path.clone() })),
                Some(text) => match self.named(&text, needs) {
                    Ok(target) => spots.push(Spot { target, path }),
                    Err(error) => failed.push(error),
                },
            }
        }
        if spots.is_empty() && failed.len() == 1 {
            return Err(failed.remove(0));
        }
        Ok((spots, failed))
    }

    /// The one place of a command that needs exactly one.
    pub(super) fn spot(&self, needs: &dyn Needs, path: &OsStr) -> Result<Spot> {
        let (target, path) = remote(path)?;
        let target = match target {
            Some(text) => self.named(&text, needs)?,
            None => self.target(needs)?,
        };
        Ok(Spot { target, path })
    }

    /// The target of that name, which can do what is needed.
    pub(super) fn named(&self, text: &str, needs: &dyn Needs) -> Result<Target> {
        let target = self.resolver.one(text)?;
        require(&*target.place, needs).map_err(|error| error.at(target.provider.driver().id, &*target.full))?;
        Ok(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_are_a_path_but_no_target() {
        let text = |bytes: &'static [u8]| OsStr::from_bytes(bytes).to_owned();
        let wanted = RemoteArg::Remote { target: Some("web".into()), path: RemotePath::new(*b"/\xff") };
        assert_eq!(parse(&text(b"web:/\xff")).unwrap(), wanted);
        assert!(parse(&text(b"w\xffeb:/a")).is_err());
        assert_eq!(parse(&text(b"./\xff:")).unwrap(), RemoteArg::Local(text(b"./\xff:").into()));
        assert_eq!(remote(&text(b"/a:b")).unwrap(), (None, RemotePath::from("/a:b")));
        assert!(remote(&text(b"a/b")).is_err() && remote(&text(b"-")).is_err());
    }
}
