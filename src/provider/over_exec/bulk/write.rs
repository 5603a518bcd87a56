//! Writing a batch: unpacked into a hidden directory beside where it goes, summed, and only then moved, each file in one
//! step. Whatever ends early leaves no file under its own name, and removes what it made.

use super::super::program::output;
use super::super::reason::{kind_of, reason};
use super::pack::{Left, directories, name_of, pack};
use super::{TarBulk, is_listable, sh};
use crate::error::{Effect, Error, Result};
use crate::model::RemotePath;
use crate::provider::exec::Exit;
use crate::provider::files::{Part, WriteSpec};
use crate::provider::over_exec::hidden_name;
use crate::stream::{self, Items};
use bytes::BytesMut;
use futures_util::StreamExt;
use std::collections::HashSet;
use std::sync::PoisonError;

/// Unpacks stdin in the new directory `$1`, and moves what is whole to where it goes. What stays is named on stdout.
/// With `$2`, missing directories are made.
const UNPACK: &str = r#"
LC_ALL=C; export LC_ALL
stage=$1
trap 'cd / && rm -rf -- "$stage"' EXIT
trap 'exit 99' HUP INT TERM PIPE
if [ -n "$2" ]; then mkdir -p -- "${stage%/*}/" || exit 90; fi
mkdir -m 700 -- "$stage" && cd -- "$stage" || exit 90
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

impl TarBulk {
    /// Writes files: see [`Bulk::write_many`](crate::provider::files::Bulk::write_many). Owners are not set.
    pub async fn write_many(&self, specs: Vec<WriteSpec>, parts: Items<Part>) -> Result<Vec<Result<()>>> {
        let Some(first) = specs.first() else { return Ok(Vec::new()) };
        if let Some(odd) = specs.iter().find(|spec| !is_listable(&spec.path)) {
            return Err(Error::usage(format!(
                "cannot write `{}`: no path can hold a NUL, and all are absolute",
                odd.path
            )));
        }
        if !self.is_ready().await {
            return self.write_singly(specs, parts).await;
        }
        let stage = first.path.parent().join(hidden_name().as_bytes());
        let parents: &[u8] = if specs.iter().any(|spec| spec.parents) { b"p" } else { b"" };
        let left = Left::default();
        let archive = pack(specs.clone(), parts, Left::clone(&left));
        let armed = {
            let (exec, path) = (self.exec.clone(), stage.clone());
            let forget = async move { output(&*exec, sh(FORGET, &[path.as_bytes()]), None).await.map(|_| ()) };
            self.cleanups.add(format!("the directory `{stage}` over there"), Box::pin(forget))
        };
        let said = output(&*self.exec, sh(UNPACK, &[stage.as_bytes(), parents]), Some(archive)).await;
        armed.disarm();
        let said = said?;
        match said.exit {
            Exit::Code(0) => {}
            Exit::Code(93) => {
                return Err(Error::failure("cannot write the files: what arrived has other checksums")
                    .cause("nothing was replaced"));
            }
            exit => return Err(refused(&exit, &said.stderr)),
        }
        let stayed: HashSet<&[u8]> = said.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty()).collect();
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
}

impl TarBulk {
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

/// The failure of a whole batch. Nothing of it was moved.
fn refused(exit: &Exit, stderr: &[u8]) -> Error {
    let text = String::from_utf8_lossy(stderr);
    let why = match exit {
        Exit::NotFound(why) | Exit::NotRunnable(why) => why.clone(),
        _ => reason(stderr),
    };
    Error::new(kind_of(&text), format!("cannot write the files: {why}")).effect(Effect::None)
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
        crate::error::ErrorKind::NotFound => {
            error.cause("its directory does not exist").hint("--parents makes missing directories")
        }
        _ => error,
    }
}
