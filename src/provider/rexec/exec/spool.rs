//! Programs that write to files: they go on when the connection is lost, and their output is read from where it was.
//!
//! A run is a directory in `~/.esker-runs`, which outlives the container: `o` and `e` hold what it wrote, `exit` how it
//! ended. Whoever follows it asks for what lies behind an offset, again and again, so nothing has to be kept here, and a
//! slow reader slows nobody down but himself.

use super::dialogue::{Dialogue, Turn};
use super::live::finished;
use super::record::Record;
use super::track::Track;
use super::{Quiet, over, program, words};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::{Note, Run, RunId};
use crate::operation::{Operation, Step};
use crate::provider::exec::{
    Control, Event, ExecSpec, Exit, From, Io, Process, Remote, Runs, Signal, Stdin, StdinMode, TermSize,
};
use crate::provider::over_exec::{output, sh};
use crate::provider::retry::retrying;
use crate::provider::rexec::DRIVER;
use crate::provider::rexec::spot::Spot;
use crate::stream::{self, ByteStream, Items};
use crate::transport::nonce;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep, timeout_at};

/// Starts a run, and follows one.
const SPOOL: &str = include_str!("spool.sh");
const FOLLOW: &str = concat!(include_str!("common.sh"), include_str!("follow.sh"));

/// Lists the runs: id, when it began, how it ended, what it is, one line each.
const LIST: &str = r#"for d in "$HOME"/.esker-runs/*/; do [ -e "$d/began" ] || continue
b=$(cat "$d/began"); x=-; [ -e "$d/exit" ] && read -r x <"$d/exit"
if [ "$x" = - ]; then kill -0 "$(cat "$d/keeper")" 2>/dev/null || { [ -e "$d/exit" ] && read -r x <"$d/exit" || x=lost; }; fi
c=$(head -n 1 "$d/command"); d=${d%/}; printf '%s\t%s\t%s\t%s\n' "${d##*/}" "$b" "$x" "$c"; done; exit 0"#;

/// Sends the signal `$2` to the run `$1`; says `gone` if nobody is there.
const SIGNAL: &str = r#"d=$HOME/.esker-runs/$1; [ -e "$d/began" ] || exit 44; [ -e "$d/exit" ] && { echo gone; exit 0; }
read -r p <"$d/pid" && { kill -s "$2" -- "-$p" 2>/dev/null || kill -s "$2" "$p" 2>/dev/null; } || echo gone; exit 0"#;

/// Between two looks at a run that says nothing, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(150));

/// How long a connection that was lost is tried to be had again.
const AGAIN: Duration = Duration::from_mins(2);

/// How long the end of a program whose time ran out may take.
const GRACE: Duration = Duration::from_secs(4);

/// How much of stdin is sent at once, in bytes.
const BLOCK: usize = 256 * 1024;

/// Starts a program and leaves it.
pub(super) async fn detach(spot: &Spot, spec: &ExecSpec) -> Result<Process> {
    let (id, mut dialogue, what) = begin(spot, spec, false, true).await?;
    dialogue.wait(&what, b'G').await.map_err(|error| error.effect(Effect::Unknown))?;
    dialogue.typist.close().await;
    Ok(over(Exit::Detached(id)))
}

/// Starts a program and follows it. What stands on stdin is sent before it begins.
pub(super) async fn start(spot: &Spot, spec: &ExecSpec) -> Result<Process> {
    let Io::Pipes { stdin, merge_stderr } = spec.io else {
        return Err(Error::internal("a terminal cannot be spooled"));
    };
    let has_stdin = stdin != StdinMode::None;
    let (id, mut dialogue, what) = begin(spot, spec, has_stdin, merge_stderr).await?;
    let follower = Follower::new(spot.clone(), id, program(spec), [0, 0]);
    if !has_stdin {
        dialogue.wait(&what, b'G').await.map_err(|error| error.effect(Effect::Unknown))?;
        dialogue.typist.close().await;
        return Ok(follower.process(None, None, spec.timeout));
    }
    let (begun, begins) = oneshot::channel();
    let feed = Feed { dialogue: Some(dialogue), what, begun: Some(begun), buffer: Vec::new() };
    Ok(follower.process(Some(Box::new(feed)), Some(begins), spec.timeout))
}

/// Makes the directory of a run, and whatever comes before its program.
async fn begin(spot: &Spot, spec: &ExecSpec, stdin: bool, merge: bool) -> Result<(RunId, Dialogue, String)> {
    let what = format!("run `{}`", program(spec));
    let id = nonce()[..12].to_owned();
    let title: Vec<String> = spec.argv.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    let title = title.join(" ").replace(['\n', '\t'], " ");
    let flag = |is: bool| if is { "1" } else { "" };
    let settings = format!(
        "esk_id={id}\nesk_stdin={}\nesk_merge={}\nesk_title() {{ printf '{}\\n'; }}",
        flag(stdin),
        flag(merge),
        words::format(title.as_bytes()),
    );
    let dialogue = Dialogue::open(spot, &what, None, &words::script(spec)?, &settings, SPOOL).await?;
    Ok((RunId(id), dialogue, what))
}

/// Stdin of a program that begins at the end of it.
struct Feed {
    dialogue: Option<Dialogue>,
    what: String,
    /// Told that the program has begun, or why not.
    begun: Option<oneshot::Sender<Result<()>>>,
    buffer: Vec<u8>,
}

impl Feed {
    /// Passes a failure on to whoever waits for the program; false after one.
    fn told(&mut self, outcome: Result<()>) -> bool {
        let Err(error) = outcome else { return true };
        self.dialogue = None;
        if let Some(begun) = self.begun.take() {
            // Nobody may be waiting any more.
            let _ = begun.send(Err(error));
        }
        false
    }

    async fn block(&mut self) -> Result<()> {
        let Some(dialogue) = &mut self.dialogue else { return Ok(()) };
        let bytes = std::mem::take(&mut self.buffer);
        dialogue.wait(&self.what, b'K').await?;
        dialogue.typist.text(&format!("k{}\n", bytes.len())).await;
        dialogue.wait(&self.what, b'L').await?;
        let text = words::lines(&words::armoured(&bytes)) + ".\n";
        dialogue.typist.text(&text).await;
        Ok(())
    }
}

#[async_trait]
impl Stdin for Feed {
    async fn write(&mut self, chunk: Bytes) -> Result<bool> {
        self.buffer.extend_from_slice(&chunk);
        if self.buffer.len() < BLOCK {
            return Ok(self.dialogue.is_some());
        }
        let sent = self.block().await;
        Ok(self.told(sent))
    }

    async fn end(&mut self) -> Result<()> {
        let begun = self.begin().await;
        if self.told(begun)
            && let Some(begun) = self.begun.take()
        {
            // Nobody may be waiting any more.
            let _ = begun.send(Ok(()));
        }
        Ok(())
    }
}

impl Feed {
    /// Sends the rest, and has the program begin.
    async fn begin(&mut self) -> Result<()> {
        if !self.buffer.is_empty() {
            self.block().await?;
        }
        let Some(mut dialogue) = self.dialogue.take() else { return Ok(()) };
        dialogue.wait(&self.what, b'K').await?;
        dialogue.typist.text(".\n").await;
        dialogue.wait(&self.what, b'G').await.map_err(|error| error.effect(Effect::Unknown))?;
        dialogue.typist.close().await;
        Ok(())
    }
}

/// Reads a run from its files.
struct Follower {
    spot: Spot,
    id: RunId,
    program: String,
    /// How much of each output has come.
    offsets: [u64; 2],
    dialogue: Option<Dialogue>,
    /// Whether there was a connection before.
    was_connected: bool,
    queue: VecDeque<Event>,
    pause: Duration,
    signals: Arc<Signals>,
    is_over: bool,
}

/// What is to be sent to a run, and whether it is over.
#[derive(Default)]
struct Signals {
    wanted: Mutex<Vec<Signal>>,
    over: watch::Sender<bool>,
}

impl Signals {
    fn send(&self, signal: Signal) {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).push(signal);
    }

    fn take(&self) -> Vec<Signal> {
        std::mem::take(&mut *self.wanted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn kill(&self, grace: Duration) -> Remote {
        for name in ["TERM", "KILL"] {
            self.send(Signal::parse(name).expect("Linux has it"));
            let mut over = self.over.subscribe();
            if tokio::time::timeout(grace / 2, over.wait_for(|over| *over)).await.is_ok() {
                return Remote::Gone;
            }
        }
        Remote::Unknown
    }
}

/// How a run ended, in the words of its file: the status, when, and why it was never started.
fn ended(text: &str, program: &str) -> Option<Result<Exit>> {
    let mut words = text.split_whitespace();
    let code = words.next()?;
    let why = words.nth(1);
    if code == "lost" {
        return Some(Err(Error::failure(format!(
            "cannot tell how `{program}` ended: it was killed with what kept its status"
        ))
        .effect(Effect::Unknown)));
    }
    let code = code.parse().ok()?;
    Some(match why {
        Some("dir") => Err(Error::not_found(format!("cannot run `{program}`: its working directory does not exist"))),
        why => Ok(finished(code, why, program, false)),
    })
}

impl Follower {
    fn new(spot: Spot, id: RunId, program: String, offsets: [u64; 2]) -> Self {
        Self {
            spot,
            id,
            program,
            offsets,
            dialogue: None,
            was_connected: false,
            queue: VecDeque::new(),
            pause: PAUSE.0,
            signals: Arc::default(),
            is_over: false,
        }
    }

    /// It as a process, once it has begun.
    fn process(
        self,
        stdin: Option<Box<dyn Stdin>>,
        begins: Option<oneshot::Receiver<Result<()>>>,
        timeout: Option<Duration>,
    ) -> Process {
        let control = Arc::new(RunControl { id: self.id.clone(), signals: Arc::clone(&self.signals) });
        let (run, signals) = (self.id.clone(), Arc::clone(&self.signals));
        let deadline = timeout.and_then(|limit| Instant::now().checked_add(limit));
        let state = (self, begins, deadline, false);
        let events = stream::unfold(state, |(mut follower, mut begins, mut deadline, mut late)| async move {
            if let Some(begins) = begins.take() {
                let without_end = || Error::failure("the program was not started: its input has no end");
                begins.await.unwrap_or_else(|_| Err(without_end()))?;
            }
            if follower.is_over {
                return Ok(None);
            }
            if !late && deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                (deadline, late) = (Some(Instant::now() + 2 * GRACE), true);
                let signals = Arc::clone(&follower.signals);
                tokio::spawn(async move { signals.kill(GRACE).await });
            }
            match follower.next(deadline).await? {
                Some(Event::Exit(exit)) => {
                    let exit = if late { Exit::TimedOut(Remote::Gone) } else { exit };
                    Ok(Some((Event::Exit(exit), (follower, None, deadline, late))))
                }
                Some(event) => Ok(Some((event, (follower, None, deadline, late)))),
                // Whether the signals reached it is not known, and nobody waits any longer.
                None if late => {
                    let exit = Event::Exit(Exit::TimedOut(Remote::Unknown));
                    Ok(Some((exit, (follower.over(), None, None, late))))
                }
                // The time is up.
                None => {
                    Ok(Some((Event::Note(Note::Info("its time is up".to_owned())), (follower, None, deadline, late))))
                }
            }
        });
        let watched = events.map(move |event| {
            if matches!(event, Ok(Event::Exit(_)) | Err(_)) {
                signals.over.send_replace(true);
            }
            event
        });
        Process::new(Some(run), stdin, control, watched.boxed())
    }

    /// The next event; `None` at the deadline.
    async fn next(&mut self, deadline: Option<Instant>) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                self.is_over = matches!(event, Event::Exit(_));
                return Ok(Some(event));
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return Ok(None);
            }
            match self.round().await {
                Ok(()) => {}
                Err(error) if is_passing(&error) => match deadline {
                    None => self.again(error).await?,
                    Some(deadline) => match timeout_at(deadline, self.again(error)).await {
                        Ok(found) => found?,
                        // In the middle of a question, perhaps.
                        Err(_) => self.dialogue = None,
                    },
                },
                Err(error) => return Err(error),
            }
        }
    }

    /// Nothing more comes.
    fn over(self) -> Self {
        Self { is_over: true, ..self }
    }

    /// Asks for what is new.
    async fn round(&mut self) -> Result<()> {
        let what = format!("follow run {}", self.id);
        if self.dialogue.is_none() {
            let settings = format!("esk_id={}", self.id);
            let mut dialogue = Dialogue::open(&self.spot, &what, None, b"", &settings, FOLLOW).await?;
            dialogue.wait(&what, b'G').await?;
            self.dialogue = Some(dialogue);
            if std::mem::replace(&mut self.was_connected, true) {
                self.queue.push_back(Event::Note(Note::Reconnected { lost: Some(0) }));
            }
        }
        let dialogue = self.dialogue.as_mut().expect("it was opened just now");
        for signal in self.signals.take() {
            dialogue.typist.text(&format!("s {}\n", &signal.name()[3..])).await;
        }
        let before = self.offsets;
        dialogue.typist.text(&format!("f {} {}\n", before[0], before[1])).await;
        let track = Track::new(&dialogue.nonce);
        let mut tracks = [track.clone(), track];
        // How long the two files were once the program had ended.
        let mut whole = None;
        let status = loop {
            let Turn::Record(record) = dialogue.next(&what).await? else { continue };
            match record.kind {
                kind @ (b'O' | b'E') => {
                    let index = usize::from(kind == b'E');
                    let bytes = tracks[index].take(&record).map_err(|why| damaged(&self.spot, &what, why))?;
                    if let Some(bytes) = bytes {
                        // What has come so far is not asked for again.
                        self.offsets[index] += bytes.len() as u64;
                        let bytes = Bytes::from(bytes);
                        self.queue.push_back(if index == 0 { Event::Stdout(bytes) } else { Event::Stderr(bytes) });
                    }
                }
                b'N' => return Err(damaged(&self.spot, &what, &String::from_utf8_lossy(&record.payload))),
                b'S' => whole = sizes(&record),
                b'D' => break String::from_utf8_lossy(&record.payload).into_owned(),
                _ => {}
            }
        };
        if self.offsets != before {
            self.pause = PAUSE.0;
            return Ok(());
        }
        // Said before the files were read: nothing was written after that but by what it left behind.
        if let Some(exit) = ended(&status, &self.program) {
            if whole.is_none_or(|whole| whole.iter().zip(self.offsets).any(|(size, offset)| offset < *size)) {
                return Err(damaged(&self.spot, &what, "it is longer than what could be read of it"));
            }
            self.queue.push_back(Event::Exit(exit?));
            if let Some(mut dialogue) = self.dialogue.take() {
                dialogue.typist.close().await;
            }
            return Ok(());
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 3 / 2).min(PAUSE.1);
        Ok(())
    }

    /// Waits for another connection.
    async fn again(&mut self, error: Error) -> Result<()> {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(100);
        self.dialogue = None;
        self.spot.forget().await;
        let mut last = error;
        while begun.elapsed() < AGAIN {
            sleep(pause).await;
            pause = (pause * 3 / 2).min(Duration::from_secs(8));
            match self.round().await {
                Ok(()) => return Ok(()),
                Err(error) if is_passing(&error) => last = error,
                Err(error) => return Err(error),
            }
            self.dialogue = None;
        }
        let (full, id) = (self.spot.full(), &self.id);
        Err(last
            .effect(Effect::Unknown)
            .hint(format!("it goes on there: `esker exec {full} --attach {id}` follows it again")))
    }
}

/// Whether it may be had by asking again: output that was damaged on the way is still in its file.
fn is_passing(error: &Error) -> bool {
    let is_damaged = error.kind() == ErrorKind::Failure && error.to_string().contains("damaged on the way");
    is_damaged || matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Timeout | ErrorKind::TryLater)
}

/// How long the two files of a run are.
fn sizes(record: &Record) -> Option<[u64; 2]> {
    let text = std::str::from_utf8(&record.payload).ok()?;
    let mut sizes = text.split_whitespace().map(str::parse);
    Some([sizes.next()?.ok()?, sizes.next()?.ok()?])
}

fn damaged(spot: &Spot, what: &str, why: &str) -> Error {
    Error::failure(spot.client.cannot(what, "its output was damaged on the way")).cause(why.to_owned())
}

struct RunControl {
    id: RunId,
    signals: Arc<Signals>,
}

#[async_trait]
impl Control for RunControl {
    async fn signal(&self, signal: Signal) -> Result<()> {
        self.signals.send(signal);
        Ok(())
    }

    async fn resize(&self, _: TermSize) -> Result<()> {
        Ok(())
    }

    async fn kill(&self, grace: Duration) -> Result<Remote> {
        Ok(self.signals.kill(grace).await)
    }

    async fn detach(&self) -> Result<Option<RunId>> {
        Ok(Some(self.id.clone()))
    }
}

/// The runs of a container.
pub(in super::super) struct RexecRuns(pub(in super::super) Spot);

impl RexecRuns {
    /// What a small script says of the runs. It only looks, so a lost answer is asked for again.
    async fn ask(&self, script: &'static str, arguments: &[&[u8]]) -> Result<String> {
        let exec = Quiet(self.0.clone());
        let said = retrying(|| async {
            let said = output(&exec, sh(script, arguments), None).await;
            said.map_err(|error| error.effect(Effect::None))
        });
        let said = said.await?;
        match said.exit {
            Exit::Code(0) => Ok(String::from_utf8_lossy(&said.stdout).into_owned()),
            Exit::Code(44) => Err(Error::not_found(format!("no such run on `{}`", self.0.full()))
                .hint("`esker exec --sessions` lists the runs")
                .at(DRIVER.id, self.0.full())),
            _ => Err(Error::failure(format!("cannot look at the runs on `{}`", self.0.full()))
                .cause(String::from_utf8_lossy(&said.stderr).trim().to_owned())),
        }
    }

    async fn rows(&self) -> Result<Vec<Run>> {
        let listing = self.ask(LIST, &[]).await?;
        let moment = |text: &str| jiff::Timestamp::from_second(text.trim().parse().ok()?).ok();
        let row = |line: &str| {
            let mut parts = line.splitn(4, '\t');
            let (id, began, exit, command) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
            let mut words = exit.split_whitespace();
            let code = words.next().and_then(|code| code.parse().ok());
            let state = match (code, exit) {
                (Some(_), _) => "exited",
                (None, "-") => "running",
                _ => "lost",
            };
            Some(Run {
                id: id.to_owned(),
                command: command.to_owned(),
                state: state.to_owned(),
                exit_code: code,
                started_at: moment(began),
                ended_at: words.next().and_then(moment),
                extra: crate::model::Extra::new(),
            })
        };
        let mut rows: Vec<Run> = listing.lines().filter_map(row).collect();
        rows.sort_by(|a, b| (b.started_at, &b.id).cmp(&(a.started_at, &a.id)));
        Ok(rows)
    }

    /// The run that is meant.
    async fn find(&self, id: &RunId) -> Result<Run> {
        let rows = self.rows().await?;
        rows.into_iter().find(|run| run.id == id.as_str()).ok_or_else(|| {
            Error::not_found(format!("no run {id} on `{}`", self.0.full()))
                .hint("`esker exec --sessions` lists the runs")
                .at(DRIVER.id, self.0.full())
        })
    }

    fn follow(&self, run: &Run, offsets: [u64; 2]) -> Process {
        let program = run.command.split(' ').next().unwrap_or_default().to_owned();
        Follower::new(self.0.clone(), RunId(run.id.clone()), program, offsets).process(None, None, None)
    }
}

#[async_trait]
impl Runs for RexecRuns {
    fn list(&self) -> Items<Run> {
        let runs = Self(self.0.clone());
        let rows = async move { runs.rows().await };
        futures_util::stream::once(rows)
            .flat_map(|rows| match rows {
                Ok(rows) => stream::iter(rows.into_iter().map(Ok)),
                Err(error) => stream::fail(error),
            })
            .boxed()
    }

    async fn attach(&self, id: &RunId, from: From, _: Io) -> Result<Process> {
        let run = self.find(id).await?;
        let offset = match from {
            From::Offset(offset) => offset,
            // All that it wrote is there, and nobody has seen it here.
            From::Start | From::Now => 0,
        };
        Ok(self.follow(&run, [offset, 0]))
    }

    fn logs(&self, id: &RunId) -> ByteStream {
        let (runs, id) = (Self(self.0.clone()), id.clone());
        let log = async move {
            let run = runs.find(&id).await?;
            let mut follower = Follower::new(runs.0.clone(), id, run.command, [0, 0]);
            // What it wrote so far, not what is still to come.
            let mut all = Vec::new();
            loop {
                follower.round().await?;
                if follower.queue.is_empty() {
                    break;
                }
                while let Some(event) = follower.queue.pop_front() {
                    match event {
                        Event::Stdout(bytes) | Event::Stderr(bytes) => all.push(Ok(bytes)),
                        Event::Exit(_) => return Ok(stream::iter(all)),
                        Event::Note(_) => {}
                    }
                }
            }
            Ok(stream::iter(all))
        };
        futures_util::stream::once(log).flat_map(|log: Result<ByteStream>| log.unwrap_or_else(stream::fail)).boxed()
    }

    async fn result(&self, id: &RunId) -> Result<Operation<Exit>> {
        let run = self.find(id).await?;
        let process = self.follow(&run, [u64::MAX >> 2, u64::MAX >> 2]);
        let steps = stream::unfold(Some(process), |process| async move {
            let Some(mut process) = process else { return Ok(None) };
            loop {
                match process.next().await? {
                    Event::Exit(exit) => return Ok(Some((Step::Done(exit), None))),
                    Event::Note(note) => return Ok(Some((Step::Note(note), Some(process)))),
                    Event::Stdout(_) | Event::Stderr(_) => {}
                }
            }
        });
        Ok(Operation::new(Some(id.0.clone().into()), steps))
    }

    async fn kill(&self, id: &RunId, signal: Signal, grace: Duration) -> Result<Remote> {
        let begun = Instant::now();
        for name in [&signal.name()[3..], "KILL"] {
            let said = self.ask(SIGNAL, &[id.as_str().as_bytes(), name.as_bytes()]).await?;
            if said.starts_with("gone") {
                return Ok(Remote::Gone);
            }
            loop {
                if self.find(id).await?.state != "running" {
                    return Ok(Remote::Gone);
                }
                if begun.elapsed() > if name == "KILL" { grace * 2 } else { grace } {
                    break;
                }
                sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(Remote::Unknown)
    }
}
