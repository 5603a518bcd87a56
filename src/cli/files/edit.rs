//! `files edit`

use super::columns::PATHS;
use super::editor::{self, Draft};
use super::spot::Spot;
use crate::cli::over::at;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{FileEntry, FileKind};
use crate::provider::Feature;
use crate::provider::exec::{Account, Owner};
use crate::provider::files::{Files, WriteSpec};
use crate::stream;
use bytes::Bytes;
use clap::Args;
use std::ffi::OsString;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker files edit /etc/app.conf
  EDITOR='code --wait' esker files edit web:/etc/app.conf

The editor is $VISUAL, $EDITOR or vi. The file keeps its mode and owner. If it
changes over there meanwhile, nothing is written, and your version is kept
here.")]
pub struct EditArgs {
    /// A file: /PATH or TARGET:/PATH
    #[arg(value_name = "PATH", add = complete::remote_paths())]
    path: OsString,
}

/// Fetches a file, lets the user edit it, and writes it back if it was changed, and only by them.
pub async fn run(ctx: &Ctx, args: EditArgs) -> anyhow::Result<Outcome> {
    let spot = ctx.spot(&(Feature::Files, "files edit"), &args.path)?;
    let files = spot.files("files edit")?;
    let located = |error: Error| spot.located(error);
    let entry = files.stat(&spot.path, false).await.and_then(|entry| editable(&spot, entry)).map_err(located)?;
    let before = content(files, &spot).await.map_err(located)?;
    let name = match spot.path.file_name() {
        b"" | b"." | b".." => b"file",
        name => name,
    };
    let draft = Draft::new(name, &before)?;
    // Ctrl-C is for the editor.
    let _signals = ctx.signals.listen().await?;
    let path = draft.path.clone();
    let edited = tokio::task::spawn_blocking(move || editor::run(&path)).await?;
    let after = match edited.and_then(|()| draft.content()) {
        Ok(after) => after,
        Err(error) => return Err(kept(draft, &before, error).into()),
    };
    if after == before {
        draft.remove();
        ctx.out.done(&format!("`{}` is unchanged", spot.shown()));
    } else {
        match save(files, &spot, &entry, &before, after).await {
            Ok(()) => draft.remove(),
            Err(error) => return Err(kept(draft, &before, located(error)).into()),
        }
        ctx.out.done(&format!("saved `{}` on `{}`", spot.path, spot.target.full));
    }
    if ctx.out.is_structured() {
        let entry = files.stat(&spot.path, false).await.map_err(located)?;
        ctx.out.one(&at(&spot.target, entry), PATHS)?;
    }
    Ok(Outcome::Done)
}

fn editable(spot: &Spot, entry: FileEntry) -> Result<FileEntry> {
    match entry.kind {
        FileKind::File => Ok(entry),
        // Writing replaces a link by a file, which is not what an edit means.
        FileKind::Symlink => Err(Error::conflict(format!("cannot edit `{}`: it is a symbolic link", spot.path))
            .hint("name the file that it leads to")),
        _ => Err(Error::conflict(format!("cannot edit `{}`: it is not a regular file", spot.path))),
    }
}

async fn content(files: &dyn Files, spot: &Spot) -> Result<Vec<u8>> {
    let reading = files.read(&spot.path, None).await?;
    Ok(stream::collect(reading.body).await?.concat())
}

/// Writes back, unless somebody else changed the file: its content decides, since times have seconds only.
async fn save(files: &dyn Files, spot: &Spot, entry: &FileEntry, before: &[u8], after: Vec<u8>) -> Result<()> {
    let now = files.stat(&spot.path, false).await?;
    let is_same = now.kind == FileKind::File
        && (now.size_bytes, now.modified_at) == (entry.size_bytes, entry.modified_at)
        && content(files, spot).await? == before;
    if !is_same {
        return Err(Error::conflict(format!("`{}` was changed over there meanwhile", spot.path))
            .hint("merge the two by hand, or edit again"));
    }
    let owner = now.user_id.map(|user| Owner { user: Some(Account::Id(user)), group: now.group_id.map(Account::Id) });
    let spec = WriteSpec {
        path: spot.path.clone(),
        len: Some(after.len() as u64),
        mode: now.mode_bits(),
        owner,
        parents: false,
    };
    files.write(spec, stream::iter([Ok(Bytes::from(after))])).await?;
    Ok(())
}

/// A failure that must not cost the user's work: what was changed is kept and named.
fn kept(draft: Draft, before: &[u8], error: Error) -> Error {
    if draft.content().is_ok_and(|content| content == before) {
        draft.remove();
        return error;
    }
    error.cause(format!("your version is kept in `{}`", draft.path.display()))
}
