//! `config edit`

use crate::cli::{Outcome, edits};
use crate::config::{self, Config, Origin, Search};
use crate::context::{Ctx, var};
use crate::error::{Error, Result};
use crate::resolve::Registry;
use clap::Args;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Args, Debug)]
#[command(after_help = "\
Opens a copy with $VISUAL, $EDITOR or vi, and puts it in the place of the file
if it is valid. If not, the copy is kept and named. It works with a file that
is invalid now.

Examples:
  esker config edit
  EDITOR='code --wait' esker config edit")]
pub struct ConfigEditArgs {}

/// Lets the user edit the config file.
pub fn run(ctx: &Ctx, _: ConfigEditArgs) -> anyhow::Result<Outcome> {
    let path = edits::file(ctx)?;
    let old = read(path)?;
    let copy = copy(path, old.as_deref().unwrap_or_default())?;
    let kept = |error: Error| {
        let what = format!("cannot save `{}`", path.display());
        error.wrap(what).cause(format!("the edited copy is kept: `{}`", copy.display()))
    };
    open(&copy).inspect_err(|_| drop(fs::remove_file(&copy)))?;
    let new = read(&copy)?.unwrap_or_default();
    if Some(&new) == old.as_ref() || (old.is_none() && new.is_empty()) {
        let _ = fs::remove_file(&copy);
        ctx.out.done("nothing changed");
        return Ok(Outcome::Done);
    }
    // Read as the next command would read it, so that clashes of names are found too.
    let search = Search { named: Some((copy.clone(), Origin::Variable("config edit"))), ..Search::default() };
    Config::load(&search, &Registry(ctx.resolver.registry())).map_err(kept)?;
    config::save(path, old.as_deref(), &new).map_err(kept)?;
    let _ = fs::remove_file(&copy);
    ctx.out.done(&format!("saved `{}`", path.display()));
    Ok(Outcome::Done)
}

/// The text of a file; `None` if there is none.
fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::config(format!("cannot read `{}`: {}", path.display(), config::reason(&error)))),
    }
}

/// A private copy to edit: the config may hold secrets.
fn copy(path: &Path, text: &str) -> Result<PathBuf> {
    let stem = format!("esker-{}", std::process::id());
    let cannot = |error: &std::io::Error| {
        Error::failure(format!("cannot copy `{}` to edit it: {}", path.display(), config::reason(error)))
    };
    for attempt in 0..100 {
        let copy = std::env::temp_dir().join(format!("{stem}-{attempt}.yaml"));
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&copy) {
            Ok(mut file) => {
                file.write_all(text.as_bytes()).map_err(|error| cannot(&error))?;
                return Ok(copy);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(cannot(&error)),
        }
    }
    Err(cannot(&ErrorKind::AlreadyExists.into()))
}

/// Runs the editor as the shell would, since the variables hold command lines.
fn open(copy: &Path) -> Result<()> {
    let editor = var("VISUAL").or_else(|| var("EDITOR")).unwrap_or_else(|| "vi".to_owned());
    let status = Command::new("sh").arg("-c").arg(format!("{editor} \"$@\"")).arg(&editor).arg(copy).status();
    let hint = "set VISUAL or EDITOR to an editor";
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            Err(Error::failure(format!("the editor `{editor}` failed ({status}); nothing is changed")).hint(hint))
        }
        Err(error) => {
            Err(Error::failure(format!("cannot run the editor `{editor}`: {}", config::reason(&error))).hint(hint))
        }
    }
}
