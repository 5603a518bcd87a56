//! A command while it runs: its lines as they come, signals, and how it ends.

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longer than anything here takes, on any machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// A running command with both of its streams piped; dropping it ends it.
pub(crate) struct Running {
    child: Ended,
    stdout: Stream,
    stderr: Stream,
}

/// A child that outlives no test, not even one that fails.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Stream {
    lines: Receiver<String>,
    seen: Vec<String>,
    reader: JoinHandle<()>,
}

impl Stream {
    fn of(source: impl Read + Send + 'static) -> Self {
        let (sender, lines) = channel();
        let reader = std::thread::spawn(move || {
            let mut source = BufReader::new(source);
            let mut line = Vec::new();
            while source.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                let text = String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
                if sender.send(text).is_err() {
                    break;
                }
                line.clear();
            }
        });
        Self { lines, seen: Vec::new(), reader }
    }

    /// The next line that `wanted` accepts; earlier ones are kept in `seen`.
    fn until(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("no line with {what}; there were {:#?}", self.seen)
            };
            self.seen.push(line.clone());
            if wanted(&line) {
                return line;
            }
        }
    }

    fn finish(self) -> Vec<u8> {
        let mut text = self.seen;
        text.extend(self.lines.iter());
        self.reader.join().expect("the stream was read");
        text.into_iter().flat_map(|line| (line + "\n").into_bytes()).collect()
    }
}

impl Running {
    /// Starts `command`.
    pub(crate) fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let stdout = Stream::of(child.stdout.take().expect("a pipe"));
        let stderr = Stream::of(child.stderr.take().expect("a pipe"));
        Self { child: Ended(child), stdout, stderr }
    }

    /// Waits for a line on stdout that contains `text`, and returns it.
    pub(crate) fn says(&mut self, text: &str) -> String {
        self.stdout.until(text, |line| line.contains(text))
    }

    /// Waits for a line on stderr that contains `text`, and returns it.
    pub(crate) fn notes(&mut self, text: &str) -> String {
        self.stderr.until(text, |line| line.contains(text))
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child.0), signal).expect("it can be signalled");
    }

    /// Waits for its end; what it printed includes what was waited for.
    pub(crate) fn end(mut self) -> Output {
        let status = self.child.0.wait().expect("it ends");
        Output { status, stdout: self.stdout.finish(), stderr: self.stderr.finish() }
    }
}
