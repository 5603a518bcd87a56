//! Writing a batch: unpacked into a hidden directory beside where it goes, summed, and only then moved, each file in one
//! step. Whatever ends early leaves no file under its own name, and removes what it made.

use super::super::program::{Output, Program, keep, output};
use super::super::reason::{kind_of, reason};
use super::super::{hidden_name, sh};
use super::pack::{Left, directories, name_of, pack};
use super::{LACKS, TarBulk, is_listable};
use crate::error::{Error, ErrorKind, Result};
use crate::model::RemotePath;
use crate::provider::exec::{Event, Exit};
use crate::provider::files::{Part, WriteSpec};
use crate::stream::{self, ByteStream, Items};
use bytes::BytesMut;
use futures_util::StreamExt;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// What the script says once it wants the archive. Before that none of it is made, so that the files can still go
/// another way.
const GO: &[u8] = b"go\n";

/// Unpacks stdin in the new directory `$1`, and moves what is whole to where it goes. What stays is named on stdout.
/// With `$2`, missing directories are made.
const UNPACK: &str = r#"
LC_ALL=C; export LC_ALL
command -v tar find sha256sum readlink >/dev/null || exit 94
stage=$1
trap 'cd / && rm -rf -- "$stage"' EXIT
trap 'exit 99' HUP INT TERM PIPE
if [ -n "$2" ]; then mkdir -p -- "${stage%/*}/" || exit 90; fi
mkdir -m 700 -- "$stage" && cd -- "$stage" || exit 90
echo go
tar -x -p -m -o -f - || exit 91
[ -f sums ] || exit 92
[ -s sums ] || exit 0
sha256sum -c sums >/dev/null 2>&1 || exit 93
for from in f*; do
    to=t${from#f}
    if [ -n "$2" ]; then
        path=$(readlink "$to"; echo .)
        mkdir -p -- "${path%??}"
    fi
    find "$from" -mindepth 1 -maxdepth 1 -exec mv -f -t "$to/" -- {} +
done
find f* -type f -print0
exit 0
"#;

/// Removes the directory `$1`.
const FORGET: &str = r#"rm -rf -- "$1""#;

/// Parts that nobody has asked for yet.
type Waiting = Arc<Mutex<Option<Items<Part>>>>;

impl TarBulk {
    /// Writes files: see [`Bulk::write_many`](crate::provider::files::Bulk::write_many). Owners are not set.
    pub async fn write_many(&self, specs: Vec<WriteSpec>, parts: Items<Part>) -> Result<Vec<Result<()>>> {
        let Some(first) = specs.first() else { return Ok(Vec::new()) };
        if self.lacks() || specs.iter().any(|spec| !is_listable(&spec.path)) {
            return self.write_singly(specs, parts).await;
        }
        let stage = first.path.parent().join(hidden_name().as_bytes());
        let left = Left::default();
        let waiting: Waiting = Arc::new(Mutex::new(Some(parts)));
        let armed = {
            let (exec, path) = (self.exec.clone(), stage.clone());
            let forget = async move { output(&*exec, sh(FORGET, &[path.as_bytes()]), None).await.map(|_| ()) };
            self.cleanups.add(format!("the directory `{stage}` over there"), Box::pin(forget))
        };
        let said = self.unpack(&stage, &specs, &waiting, &left).await;
        armed.disarm();
        let parts = waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(parts) = parts {
            if said.is_ok_and(|said| said.exit == Exit::Code(LACKS)) {
                self.note_lack();
            }
            return self.write_singly(specs, parts).await;
        }
        let said = said?;
        match said.exit {
            Exit::Code(0) => {}
            Exit::Code(93) => {
                return Err(Error::failure("cannot write the files: what arrived has other checksums")
                    .cause("nothing was replaced"));
            }
            _ => {
                let (kind, why) = (kind_of(&String::from_utf8_lossy(&said.stderr)), reason(&said.stderr));
                return Err(Error::new(kind, format!("cannot write the files: {why}")).cause("nothing was replaced"));
            }
        }
        let names = said.stdout.strip_prefix(GO).unwrap_or_default();
        let stayed: HashSet<&[u8]> = names.split(|byte| *byte == 0).filter(|name| !name.is_empty()).collect();
        let (_, places) = directories(&specs);
        let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
        let verdicts = specs.iter().zip(places).enumerate().map(|(index, (spec, place))| {
            if let Some(error) = left.remove(&index) {
                return Err(error);
            }
            if stayed.contains(name_of(place, &spec.path).as_slice()) {
                return Err(stuck(&spec.path, place, &said.stderr));
            }
            Ok(())
        });
        Ok(verdicts.collect())
    }

    /// Runs the script, and lets the archive go once that is wanted.
    async fn unpack(&self, stage: &RemotePath, specs: &[WriteSpec], waiting: &Waiting, left: &Left) -> Result<Output> {
        let parents: &[u8] = if specs.iter().any(|spec| spec.parents) { b"p" } else { b"" };
        let (open, gate) = oneshot::channel();
        let archive = gated(gate, specs.to_vec(), Arc::clone(waiting), Arc::clone(left));
        let mut program = Program::start(&*self.exec, sh(UNPACK, &[stage.as_bytes(), parents]), Some(archive)).await?;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut open = Some(open);
        loop {
            match program.next().await? {
                Event::Stdout(bytes) => keep(&mut stdout, &bytes)?,
                Event::Stderr(bytes) => keep(&mut stderr, &bytes)?,
                Event::Note(_) => {}
                Event::Exit(exit) => return Ok(Output { stdout, stderr, exit }),
            }
            if stdout.starts_with(GO)
                && let Some(open) = open.take()
            {
                // Nobody waits any more only if the program reads no more.
                let _ = open.send(());
            }
        }
    }

    /// The same where there is no `tar`: one file after the other, once all of them are there.
    async fn write_singly(&self, specs: Vec<WriteSpec>, mut parts: Items<Part>) -> Result<Vec<Result<()>>> {
        let lacking = || Err(Error::internal("a batch that lacks one of its files"));
        let mut contents: Vec<Result<BytesMut>> = specs.iter().map(|_| lacking()).collect();
        let mut now = 0;
        while let Some(part) = parts.next().await.transpose()? {
            match part {
                Part::Begin(index) => {
                    now = index;
                    contents[index] = Ok(BytesMut::new());
                }
                Part::Data(data) => {
                    if let Ok(content) = &mut contents[now] {
                        content.extend_from_slice(&data);
                    }
                }
                Part::End => {}
                Part::Failed(index, error) => contents[index] = Err(error),
            }
        }
        let mut verdicts = Vec::new();
        for (spec, content) in specs.into_iter().zip(contents) {
            verdicts.push(match content {
                Ok(content) => {
                    let spec = WriteSpec { len: Some(content.len() as u64), ..spec };
                    self.single.write(spec, stream::iter([Ok(content.freeze())])).await.map(|_| ())
                }
                Err(error) => Err(error),
            });
        }
        Ok(verdicts)
    }
}

/// The archive of what waits, once the gate opens.
fn gated(gate: oneshot::Receiver<()>, specs: Vec<WriteSpec>, waiting: Waiting, left: Left) -> ByteStream {
    let state = (Some(gate), specs, waiting, left, None::<ByteStream>);
    stream::unfold(state, |(gate, mut specs, waiting, left, mut archive)| async move {
        if let Some(gate) = gate
            && gate.await.is_ok()
        {
            let parts = waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
            archive = parts.map(|parts| pack(std::mem::take(&mut specs), parts, Arc::clone(&left)));
        }
        let Some(mut body) = archive else { return Ok(None) };
        let next = body.next().await.transpose()?;
        Ok(next.map(|bytes| (bytes, (None, specs, waiting, left, Some(body)))))
    })
}

/// Why a file was not moved: what was said of it, or of the directory that it should go to.
fn stuck(path: &RemotePath, place: usize, stderr: &[u8]) -> Error {
    let text = String::from_utf8_lossy(stderr);
    let name = String::from_utf8_lossy(path.file_name()).into_owned();
    let of_file = text.lines().find(|line| line.contains(&format!("t{place}/{name}'")));
    let of_directory = || text.lines().find(|line| line.contains(&format!("t{place}/'")));
    let line = of_file.or_else(of_directory).unwrap_or(&text);
    let error = Error::new(kind_of(line), format!("cannot write `{path}`: {}", reason(line.as_bytes())));
    match error.kind() {
        ErrorKind::NotFound => error.cause("its directory does not exist").hint("--parents makes missing directories"),
        _ => error,
    }
}
