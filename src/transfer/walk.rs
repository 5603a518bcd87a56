//! From what the user named to single steps, told as they are found: a large tree is copied while it is listed.

use super::plan::Plan;
use super::{End, Options, Step, Task, names};
use crate::error::Error;
use crate::model::{FileEntry, FileKind, RemotePath};
use crate::provider::exec::{Account, Owner};
use futures_util::StreamExt;
use tokio::sync::mpsc::Sender;

/// How deep links may lead: one that leads to a directory above itself has no end.
pub(super) const DEPTH: usize = 64;

/// Tells every step of `plans`. Ends early if nobody listens.
pub(super) async fn walk<'a>(plans: Vec<Plan<'a>>, options: &Options, steps: Sender<Step<'a>>) {
    for Plan { source, entry, to } in plans {
        let walked = if entry.kind == FileKind::Directory {
            tree(&source, &entry, to, options, &steps).await
        } else {
            // What the user named is read whatever it is: a pipe or a device has content, too.
            steps.send(Step::File(task(&source, source.path.clone(), &entry, to, options))).await.is_ok()
        };
        if !walked {
            return;
        }
    }
}

async fn tree<'a>(
    source: &End<'a>,
    top: &FileEntry,
    to: RemotePath,
    options: &Options,
    steps: &Sender<Step<'a>>,
) -> bool {
    if steps.send(directory(top, to.clone(), options)).await.is_err() {
        return false;
    }
    let mut pending = vec![(source.path.clone(), to, 0)];
    while let Some((from, to, depth)) = pending.pop() {
        let mut entries = source.files.list(&from);
        while let Some(entry) = entries.next().await {
            let step = match entry {
                Ok(entry) => match names::of(&source.place, &from, &entry) {
                    Ok(name) => {
                        let (from, to) = (from.join(name), to.join(name));
                        let (step, below) = found(source, from.clone(), entry, to.clone(), depth, options).await;
                        if below {
                            pending.push((from, to, depth + 1));
                        }
                        step
                    }
                    Err(error) => Step::Failed(error),
                },
                Err(error) => Step::Failed(error),
            };
            if steps.send(step).await.is_err() {
                return false;
            }
        }
    }
    true
}

/// The step for an entry of a tree, and whether there is more below it.
async fn found<'a>(
    source: &End<'a>,
    from: RemotePath,
    mut entry: FileEntry,
    to: RemotePath,
    depth: usize,
    options: &Options,
) -> (Step<'a>, bool) {
    let skipped = |why| (Step::Skipped { what: format!("{}{from}", source.place), why }, false);
    if entry.kind == FileKind::Symlink {
        if !options.follow {
            return skipped("a symbolic link");
        }
        match source.files.stat(&from, true).await {
            Ok(target) => entry = target,
            Err(error) => return (Step::Failed(error), false),
        }
    }
    match entry.kind {
        FileKind::File => (Step::File(task(source, from, &entry, to, options)), false),
        FileKind::Directory if depth >= DEPTH => {
            let what = format!("{}{from}", source.place);
            (Step::Failed(Error::failure(format!("`{what}` is more than {DEPTH} directories deep"))), false)
        }
        FileKind::Directory => (directory(&entry, to, options), true),
        other => skipped(special(other)),
    }
}

/// What is neither a file nor a directory, in words.
pub(super) fn special(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Symlink => "a symbolic link",
        FileKind::Socket => "a socket",
        FileKind::NamedPipe => "a named pipe",
        FileKind::Device => "a device",
        FileKind::File | FileKind::Directory | FileKind::Unknown => "neither a file nor a directory",
    }
}

/// The step that copies a file.
pub(super) fn task<'a>(
    source: &End<'a>,
    from: RemotePath,
    entry: &FileEntry,
    to: RemotePath,
    options: &Options,
) -> Task<'a> {
    // Bits above the nine mean something else for another owner at another place; `cp` drops them as well.
    let is_file = entry.kind == FileKind::File;
    let kept = entry.mode_bits().filter(|_| is_file).map(|mode| mode & 0o777);
    Task {
        source: source.files,
        from,
        to,
        size: entry.size_bytes.filter(|_| is_file),
        mode: options.mode.or(kept),
        owner: owner(entry, options),
    }
}

/// The step that makes a directory.
pub(super) fn directory<'a>(entry: &FileEntry, to: RemotePath, options: &Options) -> Step<'a> {
    Step::Directory { to, mode: entry.mode_bits().map(|mode| mode & 0o777), owner: owner(entry, options) }
}

fn owner(entry: &FileEntry, options: &Options) -> Option<Owner> {
    if !options.preserve_owner {
        return options.owner.clone();
    }
    let account = |name: &Option<String>, id: Option<u32>| name.clone().map(Account::Name).or(id.map(Account::Id));
    let user = account(&entry.user, entry.user_id)?;
    Some(Owner { user: Some(user), group: account(&entry.group, entry.group_id) })
}
