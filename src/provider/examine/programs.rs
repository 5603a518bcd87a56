//! Programs that tell whether exec keeps its promises: each runs a moment and leaves nothing behind.

use super::Finding;
use crate::error::{Error, Result};
use crate::provider::exec::{Event, Exec, ExecSpec, Exit, Io, Life, StdinMode};
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt};
use ring::digest::{SHA256, digest};
use std::fmt::Write as _;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long one program may take, a machine that has to wake up first included.
const PATIENCE: Duration = Duration::from_secs(20);
/// A program that does nothing ends within this time, or somebody waits for something else than its end.
const PROMPT: Duration = Duration::from_secs(3);
/// Some servers lose what is beyond half a megabyte.
const BULK: usize = 1 << 20;
/// Bytes that frames and terminals use for themselves.
const ODD: &[u8] = b"a\0\x01\x02\x03\x04\xff\r\n";

/// Every check, as it is through.
pub fn programs(exec: &dyn Exec) -> BoxStream<'_, Finding> {
    stream::once(status(exec))
        .chain(stream::once(stdin(exec)))
        .chain(stream::once(bulk(exec)))
        .chain(stream::once(prompt(exec)))
        .boxed()
}

/// What a program left.
struct Ended {
    stdout: Bytes,
    stderr: Bytes,
    exit: Exit,
}

async fn status(exec: &dyn Exec) -> Finding {
    let check = "exec";
    match run(exec, &["sh", "-c", "echo out; echo err >&2; exit 7"], None).await {
        Err(error) => Finding::error(check, &error),
        Ok(Ended { stdout, stderr, exit: Exit::Code(7) }) if &stdout[..] == b"out\n" && &stderr[..] == b"err\n" => {
            Finding::pass(check, "output, errors and status arrive")
        }
        Ok(Ended { stdout, stderr, exit }) => Finding::fail(
            check,
            format!(
                "`out`, `err` and status 7 were sent; {:?}, {:?} and {exit:?} arrived",
                text(&stdout),
                text(&stderr)
            ),
        ),
    }
}

async fn stdin(exec: &dyn Exec) -> Finding {
    let check = "stdin";
    match run(exec, &["cat"], Some(ODD)).await {
        Err(error) => Finding::error(check, &error),
        Ok(Ended { stdout, exit: Exit::Code(0), .. }) if stdout == ODD => {
            Finding::pass(check, "bytes of every kind come back, and the end arrives")
        }
        Ok(Ended { stdout, exit, .. }) => {
            Finding::fail(check, format!("`cat` gave back {:?} and {exit:?}", text(&stdout)))
        }
    }
}

async fn bulk(exec: &dyn Exec) -> Finding {
    let check = "bulk";
    // The sum is made over there, of a file: what is lost on the way is not in it.
    let script = format!(
        "f=$(mktemp) || exit; trap 'rm -f \"$f\"' EXIT; head -c {BULK} /dev/urandom >\"$f\" && sha256sum <\"$f\" >&2 && cat \"$f\""
    );
    let Ended { stdout, stderr, exit } = match run(exec, &["sh", "-c", &script], None).await {
        Ok(ended) => ended,
        Err(error) => return Finding::error(check, &error),
    };
    let sum = digest(&SHA256, &stdout).as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    match exit {
        Exit::Code(0) if text(&stderr).starts_with(&sum) => {
            Finding::pass(check, format!("{BULK} bytes arrive with the same checksum"))
        }
        Exit::Code(0) if stdout.len() < BULK => {
            Finding::fail(check, format!("{} of {BULK} bytes were lost, and the status was 0", BULK - stdout.len()))
                .fix("write large output to a file there, and fetch it with `esker files cp`")
        }
        Exit::Code(0) => Finding::fail(check, "bytes were changed on the way"),
        exit => Finding::skip(
            check,
            format!("the program that makes the bytes ended with {exit:?}: {}", text(&stderr).trim()),
        ),
    }
}

async fn prompt(exec: &dyn Exec) -> Finding {
    let check = "latency";
    let begun = Instant::now();
    match run(exec, &["true"], None).await {
        Err(error) => Finding::error(check, &error),
        Ok(_) => {
            let took = begun.elapsed();
            let reason = format!("`true` took {took:.1?}");
            if took < PROMPT { Finding::pass(check, reason) } else { Finding::warn(check, reason) }
        }
    }
}

async fn run(exec: &dyn Exec, argv: &[&str], input: Option<&[u8]>) -> Result<Ended> {
    let stdin = input.map_or(StdinMode::None, |input| StdinMode::Known(Some(input.len() as u64)));
    let spec = ExecSpec {
        argv: argv.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect(),
        env: Vec::new(),
        dir: None,
        user: None,
        service_context: None,
        io: Io::Pipes { stdin, merge_stderr: false },
        life: Life::Attached,
        timeout: None,
        verify: false,
    };
    let work = async {
        let mut process = exec.start(spec).await?;
        if let (Some(mut stdin), Some(input)) = (process.stdin.take(), input) {
            stdin.write(Bytes::copy_from_slice(input)).await?;
            stdin.end().await?;
        }
        let (mut stdout, mut stderr) = (BytesMut::new(), BytesMut::new());
        loop {
            match process.next().await? {
                // More than was sent is as wrong as less.
                Event::Stdout(bytes) if stdout.len() <= BULK => stdout.extend_from_slice(&bytes),
                Event::Stderr(bytes) if stderr.len() <= BULK => stderr.extend_from_slice(&bytes),
                Event::Exit(exit) => return Ok(Ended { stdout: stdout.freeze(), stderr: stderr.freeze(), exit }),
                _ => {}
            }
        }
    };
    timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_| Err(Error::timeout(format!("`{}` did not end within {PATIENCE:?}", argv[0]))))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::Verdict::{Fail, Pass, Warn};
    use super::*;
    use crate::provider::exec::{Nobody, Process, Stdin};
    use crate::stream::iter;
    use async_trait::async_trait;
    use std::sync::Arc;

    /// An exec that knows the programs above, and loses or bends what it is told to.
    struct Bent {
        status: u8,
        lost: usize,
        slow: Duration,
        mute: bool,
    }

    const SOUND: Bent = Bent { status: 7, lost: 0, slow: Duration::ZERO, mute: false };

    struct Nothing;

    #[async_trait]
    impl Stdin for Nothing {
        async fn write(&mut self, _: Bytes) -> Result<bool> {
            Ok(true)
        }
        async fn end(&mut self) -> Result<()> {
            Ok(())
        }
    }

    #[async_trait]
    impl Exec for Bent {
        async fn start(&self, spec: ExecSpec) -> Result<Process> {
            let script = spec.argv.last().map(|word| text(word)).unwrap_or_default();
            let out = |bytes: &[u8]| Event::Stdout(Bytes::copy_from_slice(bytes));
            let err = |bytes: &[u8]| Event::Stderr(Bytes::copy_from_slice(bytes));
            let mut events = if script.contains("exit 7") {
                vec![err(b"err\n"), out(b"out\n"), Event::Exit(Exit::Code(self.status))]
            } else if script == "cat" {
                vec![out(&ODD[..3]), out(&ODD[3..]), Event::Exit(Exit::Code(0))]
            } else if script.contains("urandom") {
                let data = vec![7; BULK];
                let sum = digest(&SHA256, &data);
                let sum: String = sum.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
                vec![err(format!("{sum}  -\n").as_bytes()), out(&data[self.lost..]), Event::Exit(Exit::Code(0))]
            } else {
                tokio::time::sleep(self.slow).await;
                vec![Event::Exit(Exit::Code(0))]
            };
            if self.mute {
                events.pop();
            }
            Ok(Process::new(None, Some(Box::new(Nothing)), Arc::new(Nobody), iter(events.into_iter().map(Ok))))
        }
    }

    async fn verdicts(exec: Bent) -> Vec<(&'static str, super::super::Verdict)> {
        programs(&exec).map(|finding| (finding.check, finding.verdict)).collect().await
    }

    #[tokio::test(start_paused = true)]
    async fn an_exec_that_keeps_its_promises_passes() {
        let passed = [("exec", Pass), ("stdin", Pass), ("bulk", Pass), ("latency", Pass)];
        assert_eq!(verdicts(SOUND).await, passed);
    }

    #[tokio::test(start_paused = true)]
    async fn each_broken_promise_is_found() {
        assert_eq!(verdicts(Bent { status: 0, ..SOUND }).await[0], ("exec", Fail));
        assert_eq!(verdicts(Bent { lost: 500_000, ..SOUND }).await[2], ("bulk", Fail));
        assert_eq!(verdicts(Bent { slow: Duration::from_secs(5), ..SOUND }).await[3], ("latency", Warn));
        assert_eq!(verdicts(Bent { slow: Duration::from_mins(5), ..SOUND }).await[3], ("latency", Fail));
        // An end without a status is none.
        assert!(verdicts(Bent { mute: true, ..SOUND }).await.iter().all(|(_, verdict)| *verdict == Fail));
    }
}
