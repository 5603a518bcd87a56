//! Making directories, removing, renaming, modes and owners.

use super::write::owner;
use super::{ShellFiles, absolute, octal};
use crate::error::{Error, Result};
use crate::model::RemotePath;
use crate::provider::exec::Owner;
use crate::provider::files::MkdirSpec;
use crate::stream;
use bytes::Bytes;

/// Makes the directory `$1`, with the mode `$2` unless that is empty; with `$3`, also those above it; of the owner `$4`.
const MAKE: &str = r#"LC_ALL=C; export LC_ALL
mkdir ${3:+-p} ${2:+-m "$2"} -- "$1" && { [ -z "$4" ] || chown -- "$4" "$1"; }"#;

/// Makes the directories that stdin names, with the mode `$1` unless that is empty, and those above them.
const MAKE_ALL: &str = r#"LC_ALL=C; export LC_ALL; xargs -0 mkdir -p ${1:+-m "$1"} --"#;

/// Removes the paths that stdin names, with all below if `$1`; says `NUMBER:WHY` of each that stays, ended by NUL.
const REMOVE: &str = r#"LC_ALL=C; export LC_ALL
xargs -0 sh -c 'r=$1; shift; n=0
for p; do
    n=$((n + 1))
    if [ ! -e "$p" ] && [ ! -h "$p" ]; then [ -n "$r" ] || printf "%s:44:\000" $n; continue; fi
    if [ -n "$r" ]; then w=$(rm -rf -- "$p" 2>&1)
    elif [ -d "$p" ] && [ ! -h "$p" ]; then w=$(rmdir -- "$p" 2>&1)
    else w=$(rm -f -- "$p" 2>&1); fi || printf "%s:1:%s\000" $n "$w"
done; exit 0' sh "$1""#;

/// Renames `$1` to `$2`, which it replaces: `mv` alone would put it into a directory of that name.
const RENAME: &str = r#"LC_ALL=C; export LC_ALL
[ -e "$1" ] || [ -h "$1" ] || exit 44
if [ -d "$2" ] && [ ! -h "$2" ]; then
    [ -d "$1" ] && [ ! -h "$1" ] || { echo 'Is a directory' >&2; exit 45; }
    rmdir -- "$2" || exit 1
elif [ -e "$2" ] && [ -d "$1" ] && [ ! -h "$1" ]; then echo 'Not a directory' >&2; exit 45; fi
mv -f -- "$1" "$2""#;

/// Gives `$1` the owner `$3` and the mode `$2`: in this order, since a new owner takes bits away.
const CHANGE: &str = r#"LC_ALL=C; export LC_ALL; [ -e "$1" ] || exit 44
[ -z "$3" ] || chown -- "$3" "$1" || exit 1
[ -z "$2" ] || chmod -- "$2" "$1""#;

/// How many paths are removed with one program, so that their numbers are theirs: fewer than `xargs` takes at once.
const AT_ONCE: usize = 500;

fn named<'a>(paths: impl Iterator<Item = &'a RemotePath>) -> Bytes {
    let mut list = Vec::new();
    for path in paths {
        list.extend_from_slice(path.as_bytes());
        list.push(0);
    }
    list.into()
}

impl ShellFiles {
    pub(super) async fn make(&self, path: &RemotePath, spec: &MkdirSpec) -> Result<()> {
        let (mode, owner) = (octal(spec.mode), spec.owner.as_ref().map(owner).unwrap_or_default());
        let parents: &[u8] = if spec.parents { b"p" } else { b"" };
        let arguments = [path.as_bytes(), mode.as_bytes(), parents, owner.as_bytes()];
        self.run("make", path, MAKE, &arguments, None).await.map(|_| ())
    }

    /// Makes many directories, those of one mode with one program. If that fails, one by one tells which and why.
    pub(super) async fn make_all(&self, paths: &[(RemotePath, MkdirSpec)]) -> Vec<Result<()>> {
        let mut left = paths;
        let mut verdicts = Vec::new();
        // In order: those above come before those below, and a mode of one may matter to the next.
        while let Some((first, spec)) = left.first() {
            let alike = |(path, other): &&(RemotePath, MkdirSpec)| {
                other.parents && other.owner.is_none() && other.mode == spec.mode && absolute(path).is_ok()
            };
            let run = left.iter().take_while(alike).count();
            let (these, rest) = left.split_at(run.max(1));
            left = rest;
            if run > 1 {
                let list = stream::iter([Ok(named(these.iter().map(|(path, _)| path)))]);
                let made = self.run("make", first, MAKE_ALL, &[octal(spec.mode).as_bytes()], Some(list)).await;
                if made.is_ok() {
                    verdicts.extend(these.iter().map(|_| Ok(())));
                    continue;
                }
            }
            for (path, spec) in these {
                verdicts.push(self.make(path, spec).await);
            }
        }
        verdicts
    }

    pub(super) async fn remove_all(
        &self,
        paths: &[RemotePath],
        recursive: bool,
    ) -> Result<Vec<(RemotePath, Result<()>)>> {
        let mut verdicts = Vec::new();
        for some in paths.chunks(AT_ONCE) {
            some.iter().try_for_each(absolute)?;
            let list = stream::iter([Ok(named(some.iter()))]);
            let recursive: &[u8] = if recursive { b"r" } else { b"" };
            let said = self.run("remove", &some[0], REMOVE, &[recursive], Some(list)).await?;
            let mut these: Vec<Result<()>> = some.iter().map(|_| Ok(())).collect();
            for item in said.stdout.split(|byte| *byte == 0).filter(|item| !item.is_empty()) {
                let text = String::from_utf8_lossy(item);
                let mut parts = text.splitn(3, ':');
                let number = parts.next().and_then(|number| number.parse::<usize>().ok());
                let code = parts.next().and_then(|code| code.parse().ok()).unwrap_or(1);
                let why = parts.next().unwrap_or_default();
                let index = number.and_then(|number| number.checked_sub(1)).filter(|index| *index < some.len());
                let index = index.ok_or_else(|| Error::failure("what a program says of removals cannot be read"))?;
                let exit = crate::provider::exec::Exit::Code(code);
                these[index] = Err(self.failed("remove", &some[index], &exit, why.as_bytes()));
            }
            verdicts.extend(some.iter().cloned().zip(these));
        }
        Ok(verdicts)
    }

    pub(super) async fn move_to(&self, from: &RemotePath, to: &RemotePath) -> Result<()> {
        absolute(to)?;
        self.run("rename", from, RENAME, &[from.as_bytes(), to.as_bytes()], None).await.map(|_| ())
    }

    pub(super) async fn change(&self, path: &RemotePath, mode: Option<u32>, new: Option<&Owner>) -> Result<()> {
        let (mode, new) = (octal(mode), new.map(owner).unwrap_or_default());
        self.run("change", path, CHANGE, &[path.as_bytes(), mode.as_bytes(), new.as_bytes()], None).await.map(|_| ())
    }
}
