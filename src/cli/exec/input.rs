//! Our own stdin, read by a thread of its own: a terminal that nobody types at must neither delay the end nor keep a
//! signal waiting (architecture, section 2).

use super::args::StdinFormat;
use super::keys::Keys;
use super::script::{Act, Script};
use crate::error::{Error, Result};
use crate::provider::exec::{Control, Stdin};
use bytes::Bytes;
use rustix::fs::{FileType, SeekFrom, fstat, seek};
use rustix::io::Errno;
use rustix::stdio::stdin;
use std::future::pending;
use std::io::IsTerminal;
use tokio::sync::mpsc;

/// What is read and sent at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// Chunks that may wait for the program: more would only hide that it does not read.
const QUEUE: usize = 4;

/// What stdin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Closed, or `/dev/null`.
    Nothing,
    Terminal,
    /// A pipe, a socket, or a device.
    Pipe,
    /// A file, with so many bytes left.
    File(Option<u64>),
}

/// What our stdin is.
pub(super) fn kind() -> Kind {
    let Ok(stat) = fstat(stdin()) else { return Kind::Nothing };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {
            let position = seek(stdin(), SeekFrom::Current(0)).ok();
            let size = u64::try_from(stat.st_size).ok();
            Kind::File(size.zip(position).map(|(size, position)| size.saturating_sub(position)))
        }
        FileType::CharacterDevice if std::io::stdin().is_terminal() => Kind::Terminal,
        FileType::CharacterDevice if rustix::fs::stat("/dev/null").is_ok_and(|null| null.st_rdev == stat.st_rdev) => {
            Kind::Nothing
        }
        _ => Kind::Pipe,
    }
}

/// Bytes of stdin; they end with it. It is read from when they are first asked for: before that it belongs to whoever
/// asks for a secret.
pub(in crate::cli) struct Chunks {
    receiver: mpsc::Receiver<Bytes>,
    begin: Option<std::sync::mpsc::Sender<()>>,
}

impl Chunks {
    /// The next bytes. Cancel-safe.
    pub(in crate::cli) async fn recv(&mut self) -> Option<Bytes> {
        if let Some(begin) = self.begin.take() {
            // The thread waits for nothing else.
            let _ = begin.send(());
        }
        self.receiver.recv().await
    }
}

/// Gets ready to read stdin. A failed read ends it, as the end of a terminal that went away does.
pub(in crate::cli) fn read() -> Result<Chunks> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let (begin, begun) = std::sync::mpsc::channel();
    let thread = move || {
        if begun.recv().is_err() {
            return;
        }
        loop {
            let mut buffer = vec![0; CHUNK];
            match rustix::io::read(stdin(), &mut buffer[..]) {
                Ok(0) => return,
                Ok(length) => {
                    buffer.truncate(length);
                    // A short read must not hold the whole buffer while it waits.
                    let chunk = if length < CHUNK / 4 { Bytes::copy_from_slice(&buffer) } else { buffer.into() };
                    if sender.blocking_send(chunk).is_err() {
                        return;
                    }
                }
                Err(Errno::INTR) => {}
                // Somebody who shares it with us made it non-blocking.
                Err(Errno::AGAIN) => {
                    use rustix::event::{PollFd, PollFlags, poll};
                    let _ = poll(&mut [PollFd::new(&stdin(), PollFlags::IN)], None);
                }
                Err(_) => return,
            }
        }
    };
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(thread)
        .map_err(|error| Error::failure("cannot start a thread to read stdin").source(error))?;
    Ok(Chunks { receiver, begin: Some(begin) })
}

/// Copies stdin to several programs; the slowest that still reads decides the pace.
pub(super) fn copies(mut from: Chunks, count: usize) -> Vec<Chunks> {
    let (mut senders, receivers): (Vec<_>, Vec<_>) = (0..count).map(|_| mpsc::channel::<Bytes>(QUEUE)).unzip();
    tokio::spawn(async move {
        while let Some(chunk) = from.recv().await {
            let mut reading = Vec::with_capacity(senders.len());
            for sender in senders {
                if sender.send(chunk.clone()).await.is_ok() {
                    reading.push(sender);
                }
            }
            if reading.is_empty() {
                return;
            }
            senders = reading;
        }
    });
    receivers.into_iter().map(|receiver| Chunks { receiver, begin: None }).collect()
}

/// What is passed on to one program.
pub(super) struct Feed {
    pub(super) chunks: Chunks,
    pub(super) format: StdinFormat,
    pub(super) keys: Option<Keys>,
}

/// Why passing on has ended the command.
pub(super) enum Fed {
    /// The detach keys were typed.
    Leave,
    /// Stdin holds what it must not.
    Failed(Error),
}

impl Feed {
    /// Passes stdin on. The end of it, or of the program's interest in it, ends nothing else: this then waits for ever.
    pub(super) async fn run(self, stdin: Option<Box<dyn Stdin>>, control: &dyn Control) -> Fed {
        let Some(mut stdin) = stdin else { return pending().await };
        let fed = match self.format {
            StdinFormat::Raw => raw(self.chunks, self.keys, &mut *stdin).await,
            StdinFormat::Jsonl => scripted(self.chunks, &mut *stdin, control).await,
        };
        match fed {
            Ok(Some(fed)) => fed,
            Err(error) if error.kind() == crate::error::ErrorKind::Usage => Fed::Failed(error),
            // The way to the program broke: the side that reads its output knows why, and tells.
            Ok(None) | Err(_) => pending().await,
        }
    }
}

async fn raw(mut chunks: Chunks, mut keys: Option<Keys>, stdin: &mut dyn Stdin) -> Result<Option<Fed>> {
    while let Some(chunk) = chunks.recv().await {
        let (chunk, leaves) = match &mut keys {
            None => (chunk, false),
            Some(keys) => {
                let (passed, leaves) = keys.pass(&chunk);
                (passed.into(), leaves)
            }
        };
        if !chunk.is_empty() && !stdin.write(chunk).await? {
            return Ok(None);
        }
        if leaves {
            return Ok(Some(Fed::Leave));
        }
    }
    stdin.end().await.map(|()| None)
}

async fn scripted(mut chunks: Chunks, stdin: &mut dyn Stdin, control: &dyn Control) -> Result<Option<Fed>> {
    let mut script = Script::default();
    let mut ended = false;
    loop {
        let chunk = chunks.recv().await;
        let is_last = chunk.is_none();
        let acts = match chunk {
            Some(chunk) => script.push(&chunk)?,
            None => script.end()?.into_iter().collect(),
        };
        for act in acts {
            match act {
                Act::Data(bytes) if !ended => {
                    stdin.write(bytes).await?;
                }
                Act::Data(_) => return Err(Error::usage("stdin has an event `stdin` after `eof`")),
                Act::End => {
                    ended = true;
                    stdin.end().await?;
                }
                Act::Resize(size) => control.resize(size).await?,
                Act::Signal(signal) => control.signal(signal).await?,
                Act::Control(message) => control.message(message).await?,
            }
        }
        if is_last {
            if !ended {
                stdin.end().await?;
            }
            return Ok(None);
        }
    }
}
