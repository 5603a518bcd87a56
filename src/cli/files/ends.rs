//! The ends of a copy: what the arguments of `cp` name, opened.

use super::spot::parse;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::RemotePath;
use crate::provider::feature::capability;
use crate::provider::files::Files;
use crate::provider::local::{LocalFiles, Temps, local_path, nearest_directory, remote_path};
use crate::provider::{Feature, Needs, require};
use crate::resolve::{RemoteArg, Target};
use crate::transfer::End;
use crate::transfer::sync::Peer;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// One argument of `cp`.
pub(super) enum Side {
    Remote(Target, RemotePath),
    Local(LocalFiles, RemotePath),
    Stdio,
}

impl Side {
    /// A source.
    pub(super) fn source(ctx: &Ctx, text: &OsStr, needs: &dyn Needs, temps: &Temps) -> Result<Self> {
        Self::open(ctx, text, needs, |path| Ok((LocalFiles::new(temps.clone()), path)))
    }

    /// The destination. Here it is confined to the directory that the user named, or the nearest that exists.
    pub(super) fn destination(ctx: &Ctx, text: &OsStr, needs: &dyn Needs, temps: &Temps) -> Result<Self> {
        Self::open(ctx, text, needs, |path| {
            let path = resolved(path)?;
            let root = nearest_directory(&path);
            Ok((LocalFiles::below(root, temps.clone()), path))
        })
    }

    fn open(
        ctx: &Ctx,
        text: &OsStr,
        needs: &dyn Needs,
        local: impl FnOnce(PathBuf) -> Result<(LocalFiles, PathBuf)>,
    ) -> Result<Self> {
        Ok(match parse(text)? {
            RemoteArg::Stdio => Self::Stdio,
            RemoteArg::Local(path) => {
                let absolute = std::path::absolute(&path)
                    .map_err(|error| Error::failure(format!("cannot resolve `{}`", path.display())).source(error))?;
                let (files, absolute) = local(absolute)?;
                // `DIR/.` means what is in it, which the absolute path no longer says.
                let is_content = matches!(path.as_os_str().as_bytes(), b"." | [.., b'/', b'.']);
                let path = remote_path(&absolute);
                Self::Local(files, if is_content { path.join(b".") } else { path })
            }
            RemoteArg::Remote { target, path } => {
                let target = match target {
                    Some(text) => ctx.named(&text, needs)?,
                    None => ctx.target(needs)?,
                };
                if !path.is_absolute() {
                    return Err(Error::usage(format!("`{path}` is relative: a path over there starts with `/`")));
                }
                Self::Remote(target, path)
            }
        })
    }

    /// Its files and path; stdin and stdout have none.
    pub(super) fn end(&self) -> Result<End<'_>> {
        Ok(match self {
            Self::Remote(target, path) => {
                let files: &dyn Files = capability(&*target.place, |place| place.files(), Feature::Files, "files cp")?;
                End { files, path: path.clone(), place: format!("{}:", target.full) }
            }
            Self::Local(files, path) => End { files, path: path.clone(), place: String::new() },
            Self::Stdio => return Err(Error::usage("`-` stands for one file: copy nothing else beside it")),
        })
    }

    /// It as one side of a sync.
    pub(super) fn peer(&self) -> Result<Peer<'_>> {
        let exec = match self {
            Self::Remote(target, _) if self.has(Feature::Exec) => target.place.exec(),
            _ => None,
        };
        Ok(Peer { end: self.end()?, exec })
    }

    /// Whether it can do this; this machine can do all that is asked of files, and runs no programs for us.
    pub(super) fn has(&self, feature: Feature) -> bool {
        match self {
            Self::Remote(target, _) => require(&*target.place, &(feature, "files sync")).is_ok(),
            Self::Local(..) => feature != Feature::Exec,
            Self::Stdio => false,
        }
    }

    /// The provider and full name of a target.
    pub(super) fn place(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Remote(target, _) => Some((target.provider.driver().id, target.full.clone())),
            _ => None,
        }
    }

    pub(super) fn is_remote(&self) -> bool {
        matches!(self, Self::Remote(..))
    }

    pub(super) fn is_stdio(&self) -> bool {
        matches!(self, Self::Stdio)
    }

    /// It as the user may name it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Remote(target, path) => format!("{}:{path}", target.full),
            Self::Local(_, path) => local_path(path).display().to_string(),
            Self::Stdio => "-".to_owned(),
        }
    }
}

/// The file itself that a link at the destination leads to: the link was named by the user, who means the file.
fn resolved(path: PathBuf) -> Result<PathBuf> {
    let is_link = std::fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink());
    if !is_link {
        return Ok(without_dot(&path));
    }
    std::fs::canonicalize(&path).map_err(|error| {
        Error::conflict(format!("cannot write `{}`: it is a link that leads nowhere", path.display())).source(error)
    })
}

/// The path without `.` and final slashes, which confuse a comparison of texts.
fn without_dot(path: &Path) -> PathBuf {
    path.components().collect()
}
