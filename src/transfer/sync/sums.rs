//! Checksums of files of equal size: made over there where programs can be run, from the content otherwise.

use super::{Change, Deed, Peer, Plan};
use crate::error::Result;
use crate::model::RemotePath;
use crate::provider::exec::Exec;
use crate::provider::over_exec::{Sum, output, sh};
use futures_util::StreamExt;

/// So many files are summed by one program.
const TOGETHER: usize = 200;
/// So many bytes of paths fit into one command line anywhere.
const PATHS: usize = 32 << 10;

/// One line for each argument: its sum, or a dash.
const SCRIPT: &str = r#"for f do sha256sum <"$f" 2>/dev/null || echo -; done"#;

/// Adds those of `doubtful` to the plan whose contents differ, or whose deed is another one.
pub(super) async fn settle(source: &Peer<'_>, dest: &Peer<'_>, doubtful: Vec<Change>, jobs: usize, plan: &mut Plan) {
    let (mut here, mut there) = (Summer::new(source, jobs), Summer::new(dest, jobs));
    let mut rest = doubtful.into_iter().peekable();
    while rest.peek().is_some() {
        let (mut batch, mut length) = (Vec::new(), 0);
        while let Some(change) = rest.next_if(|next| {
            let room = length + next.path.len() + source.end.path.as_bytes().len() + dest.end.path.as_bytes().len();
            batch.is_empty() || (batch.len() < TOGETHER && room < PATHS)
        }) {
            length += change.path.len() + source.end.path.as_bytes().len().max(dest.end.path.as_bytes().len()) + 1;
            batch.push(change);
        }
        let paths = |peer: &Peer<'_>| batch.iter().map(|change| peer.end.below(&change.path).path).collect::<Vec<_>>();
        let (from, to) = (paths(source), paths(dest));
        let (from, to) = tokio::join!(here.sums(&from), there.sums(&to));
        for (change, sums) in batch.into_iter().zip(from.into_iter().zip(to)) {
            match sums {
                (Ok(new), Ok(old)) if new == old && change.deed == Deed::Mode => plan.changes.push(change),
                (Ok(new), Ok(old)) if new == old => plan.unchanged += 1,
                (Ok(_), Ok(_)) => plan.changes.push(Change { deed: Deed::Update, ..change }),
                (Err(error), _) | (_, Err(error)) => plan.failed.push(error),
            }
        }
    }
}

/// Makes the sums of one end.
struct Summer<'a> {
    peer: &'a Peer<'a>,
    /// `None` once it turned out that no program over there makes sums.
    exec: Option<&'a dyn Exec>,
    jobs: usize,
}

impl<'a> Summer<'a> {
    fn new(peer: &'a Peer<'a>, jobs: usize) -> Self {
        Self { peer, exec: peer.exec, jobs }
    }

    async fn sums(&mut self, paths: &[RemotePath]) -> Vec<Result<String>> {
        let told = match self.exec {
            Some(exec) => over_there(exec, paths).await,
            None => Vec::new(),
        };
        if told.iter().all(Option::is_none) {
            self.exec = None;
        }
        let peer = self.peer;
        let told = told.into_iter().chain(std::iter::repeat(None));
        let sums = paths.iter().zip(told).map(|(path, told)| async move {
            match told {
                Some(sum) => Ok(sum),
                None => of_content(peer, path).await,
            }
        });
        futures_util::stream::iter(sums).buffered(self.jobs.max(1)).collect().await
    }
}

/// What a program says: a sum for each path that it could read. What keeps it from running is no failure: the content
/// can be had in another way.
async fn over_there(exec: &dyn Exec, paths: &[RemotePath]) -> Vec<Option<String>> {
    let arguments: Vec<&[u8]> = paths.iter().map(RemotePath::as_bytes).collect();
    let Ok(said) = output(exec, sh(SCRIPT, &arguments), None).await else { return Vec::new() };
    let text = String::from_utf8_lossy(&said.stdout);
    let sums: Vec<_> = text.lines().map(sum).collect();
    if sums.len() == paths.len() { sums } else { Vec::new() }
}

fn sum(line: &str) -> Option<String> {
    let sum = line.split(' ').next()?;
    (sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| sum.to_owned())
}

async fn of_content(peer: &Peer<'_>, path: &RemotePath) -> Result<String> {
    let mut body = peer.end.files.read(path, None).await?.body;
    let mut sum = Sum::new();
    while let Some(chunk) = body.next().await {
        sum.update(&chunk?);
    }
    Ok(sum.hex())
}
