//! Writing: under a hidden name, compared by its checksum where there is one, and only then given its own name.

use super::super::{Sum, hidden_name, output, sh};
use super::{ShellFiles, absolute, octal};
use crate::error::{Error, Result};
use crate::model::RemotePath;
use crate::provider::exec::{Exit, Owner};
use crate::provider::files::{WriteSpec, Written};
use crate::stream::ByteStream;
use futures_util::StreamExt;
use std::sync::{Arc, Mutex, PoisonError};

/// Makes the directory `$2` with those above it if `$3`, writes stdin to the file `$1`, which nobody else may read, and
/// says its checksum, if that can be made.
const RECEIVE: &str = r#"LC_ALL=C; export LC_ALL; umask 077
if [ -n "$3" ]; then (umask 022; mkdir -p -- "$2") || exit 1; fi
cat >"$1" || exit 1
command -v sha256sum >/dev/null 2>&1 && sha256sum <"$1" || wc -c <"$1""#;

/// Gives the file `$1` the mode `$3`, or that of the file `$2` that it replaces, the owner `$4`, and the name `$2`.
const COMMIT: &str = r#"LC_ALL=C; export LC_ALL
[ ! -d "$2" ] || { echo 'Is a directory' >&2; rm -f -- "$1"; exit 45; }
m=$3; [ -n "$m" ] || m=$(stat -L -c %a -- "$2" 2>/dev/null) || m=0644
[ -z "$4" ] || chown -- "$4" "$1" || exit 1
chmod -- "$m" "$1" && mv -f -- "$1" "$2""#;

/// Removes the file `$1`.
const FORGET: &str = r#"rm -f -- "$1""#;

/// What was sent.
pub(super) type Sent = Arc<Mutex<(Sum, u64)>>;

/// A body that is summed on its way.
fn summed(body: ByteStream) -> (ByteStream, Sent) {
    let sent: Sent = Arc::new(Mutex::new((Sum::new(), 0)));
    let counted = Arc::clone(&sent);
    let body = body.inspect(move |chunk| {
        if let Ok(chunk) = chunk {
            let mut sent = counted.lock().unwrap_or_else(PoisonError::into_inner);
            sent.0.update(chunk);
            sent.1 += chunk.len() as u64;
        }
    });
    (body.boxed(), sent)
}

impl ShellFiles {
    /// Writes a file; nothing is seen under its name before all of it is there.
    pub(super) async fn put(&self, to: &WriteSpec, body: ByteStream) -> Result<Written> {
        names_a_file(&to.path)?;
        let temp = to.path.parent().join(hidden_name().as_bytes());
        let guarded = self.guard(&temp);
        let written = self.put_to(&temp, to, body).await;
        if written.is_err() {
            // It was never there, or it stays: the error that is told is the one that matters.
            let _ = output(&*self.exec, sh(FORGET, &[temp.as_bytes()]), None).await;
        }
        guarded.disarm();
        written
    }

    /// Has `temp` removed if the command ends early.
    pub fn guard(&self, temp: &RemotePath) -> crate::cleanups::Armed {
        let (exec, path) = (Arc::clone(&self.exec), temp.clone());
        let undo = async move { output(&*exec, sh(FORGET, &[path.as_bytes()]), None).await.map(|_| ()) };
        self.cleanups.add(format!("`{temp}` on `{}`", self.place), Box::pin(undo))
    }

    async fn put_to(&self, temp: &RemotePath, to: &WriteSpec, body: ByteStream) -> Result<Written> {
        let (body, sent) = summed(body);
        let (dir, parents): (RemotePath, &[u8]) = (to.path.parent(), if to.parents { b"p" } else { b"" });
        let arguments = [temp.as_bytes(), dir.as_bytes(), parents];
        let said = output(&*self.exec, sh(RECEIVE, &arguments), Some(body)).await?;
        if said.exit != Exit::Code(0) {
            return Err(self.failed("write", &to.path, &said.exit, &said.stderr));
        }
        let (sum, size) = sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        let arrived = text.split_whitespace().next().unwrap_or_default();
        let is_whole = if arrived.len() == 64 { arrived == sum.hex() } else { arrived == size.to_string() };
        if !is_whole {
            let message = format!("cannot write `{}` on `{}`: what arrived has another checksum", to.path, self.place);
            return Err(Error::failure(message).cause("nothing was replaced"));
        }
        self.commit(temp, to).await?;
        Ok(Written { size_bytes: size })
    }

    /// Gives a file that is whole its mode, owner and name.
    pub async fn commit(&self, temp: &RemotePath, to: &WriteSpec) -> Result<()> {
        let (mode, owner) = (octal(to.mode), to.owner.as_ref().map(owner).unwrap_or_default());
        let arguments = [temp.as_bytes(), to.path.as_bytes(), mode.as_bytes(), owner.as_bytes()];
        self.run("write", &to.path, COMMIT, &arguments, None).await.map(|_| ())
    }
}

/// Refuses what no file can be called.
pub(super) fn names_a_file(path: &RemotePath) -> Result<()> {
    absolute(path)?;
    if path.as_bytes().ends_with(b"/") || matches!(path.file_name(), b"." | b".." | b"") {
        return Err(Error::usage(format!("cannot write `{path}`: it names a directory")));
    }
    Ok(())
}

/// An owner as `chown` reads it.
pub(super) fn owner(owner: &Owner) -> String {
    use crate::provider::exec::Account;
    let shown = |account: &Account| match account {
        Account::Name(name) => name.clone(),
        Account::Id(id) => id.to_string(),
    };
    let user = owner.user.as_ref().map(shown).unwrap_or_default();
    owner.group.as_ref().map_or_else(|| user.clone(), |group| format!("{user}:{}", shown(group)))
}
