//! Writing: what is small by one program; what is large is uploaded beside its place, compared there, and renamed.

use super::RexecFiles;
use crate::error::{Error, Result};
use crate::provider::exec::Exit;
use crate::provider::files::{Files as _, WriteSpec, Written};
use crate::provider::over_exec::{Sum, hidden_name, output, sh};
use crate::provider::rexec::DRIVER;
use crate::provider::rexec::find::path as below;
use crate::stream::ByteStream;
use crate::transport::multipart::{Form, Part};
use crate::transport::query::Query;
use crate::transport::{Body, Request};
use futures_util::StreamExt;
use std::sync::{Arc, Mutex, PoisonError};

/// From how many bytes on the endpoint is worth it, and how many it takes.
const LARGE: u64 = 4 << 20;
const MOST: u64 = 100 << 20;

/// Makes the directory `$1` if `$2`, and says where it really is, unless it is kept in memory: archives do not see that.
const PREPARE: &str = r#"LC_ALL=C; export LC_ALL; command -v sha256sum >/dev/null 2>&1 || exit 0
[ -z "$2" ] || mkdir -p -- "$1" || exit 1
cd -- "$1" || exit 1
case $(stat -f -c %T . 2>/dev/null) in tmpfs | ramfs | '') exit 0 ;; esac
pwd -P"#;

/// Says the checksum of the file `$1`.
const SUM: &str = r#"sha256sum <"$1""#;

impl RexecFiles {
    pub(super) async fn write_one(&self, to: WriteSpec, body: ByteStream) -> Result<Written> {
        let is_large = to.len.is_some_and(|len| (LARGE..=MOST).contains(&len));
        if !is_large || self.spot.docker_id().await.is_err() {
            return self.shell.write(to, body).await;
        }
        let parent = to.path.parent();
        let parents: &[u8] = if to.parents { b"p" } else { b"" };
        let said = output(&*self.exec, sh(PREPARE, &[parent.as_bytes(), parents]), None).await?;
        let real = said.stdout.strip_suffix(b"\n").unwrap_or_default();
        // Also what cannot be done is found out, and told, by the other way.
        if said.exit != Exit::Code(0) || real.first() != Some(&b'/') || is_hidden(real) {
            return self.shell.write(to, body).await;
        }
        self.upload(to, real, body).await
    }

    async fn upload(&self, to: WriteSpec, dir: &[u8], body: ByteStream) -> Result<Written> {
        let what = self.doing("write", &to.path);
        let name = hidden_name();
        let temp = crate::model::RemotePath::new(dir).join(name.as_bytes());
        let sent = Arc::new(Mutex::new((Sum::new(), 0_u64)));
        let counted = Arc::clone(&sent);
        let body = body.inspect(move |chunk| {
            if let Ok(chunk) = chunk {
                let mut sent = counted.lock().unwrap_or_else(PoisonError::into_inner);
                sent.0.update(chunk);
                sent.1 += chunk.len() as u64;
            }
        });
        let guarded = self.shell.guard(&temp);
        let id = self.spot.docker_id().await?;
        let query = Query::new(&below(&id, "/files")).with("path", dir).build();
        let part = Part::new("file", Body::Stream { body: body.boxed(), len: to.len }).filename(name);
        let request = Request::post(query).form(Form::new().with(part)?);
        let uploaded = async {
            self.spot.client.fetch(&what, request).await?;
            let (sum, size) = sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let said = output(&*self.exec, sh(SUM, &[temp.as_bytes()]), None).await?;
            let arrived = String::from_utf8_lossy(&said.stdout).into_owned();
            if arrived.split_whitespace().next() != Some(sum.hex().as_str()) {
                return Err(Error::failure(self.spot.client.cannot(&what, "what arrived has another checksum"))
                    .cause("nothing was replaced")
                    .at(DRIVER.id, self.spot.full()));
            }
            self.shell.commit(&temp, &to).await?;
            Ok(Written { size_bytes: size })
        };
        let written = uploaded.await;
        if written.is_err() {
            // It was never there, or it stays: the error that is told is the one that matters.
            let _ = self.shell.remove(std::slice::from_ref(&temp), true).await;
        }
        guarded.disarm();
        written
    }
}

/// Whether a directory is one of those that the server keeps in memory, whatever `stat` says of it.
fn is_hidden(dir: &[u8]) -> bool {
    let below = |top: &str| dir == top.as_bytes() || dir.starts_with(format!("{top}/").as_bytes());
    ["/tmp", "/var/tmp", "/run", "/var/run", "/var/log", "/dev", "/proc", "/sys"].into_iter().any(below)
}
