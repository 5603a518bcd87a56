//! What goes over the websockets of a command (section 3.2).

use super::exec::{Exec, Late};
use super::handlers;
use crate::host::process::{Input, Output, Running};
use crate::provider::exec::{Signal, TermSize};
use crate::transport::server::{Message, Socket, SocketSink, SocketStream};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// The most that is sent in one frame, in bytes.
const CHUNK: usize = 128 * 1024;

/// How long a terminal whose program has ended is looked at for what is still in it.
const TERMINAL_DRAIN: Duration = Duration::from_millis(100);

/// Says that a stream is at its end.
const END: &str = r#"{"command":"end"}"#;

/// Ctrl-D, which means the end to a terminal.
const END_OF_TRANSMISSION: u8 = 4;

/// The websockets of a command, as far as they are connected.
#[derive(Default)]
pub(super) struct Sockets {
    pub(super) stdio: Option<Socket>,
    pub(super) stderr: Option<Socket>,
    pub(super) control: Option<Socket>,
    /// Those that somebody asked for.
    reserved: Vec<String>,
}

impl Sockets {
    /// Keeps others from a stream; false if somebody has it.
    pub(super) fn reserve(&mut self, name: &str) -> bool {
        let is_free = !self.reserved.iter().any(|reserved| reserved == name);
        if is_free {
            self.reserved.push(name.to_owned());
        }
        is_free
    }

    /// A stream is connected.
    pub(super) fn put(&mut self, name: &str, socket: Socket) {
        match name {
            "stdio" => self.stdio = Some(socket),
            "stderr" => self.stderr = Some(socket),
            _ => self.control = Some(socket),
        }
    }

    /// Those that are connected; who has which stays known.
    pub(super) fn take(&mut self) -> Self {
        Self {
            stdio: self.stdio.take(),
            stderr: self.stderr.take(),
            control: self.control.take(),
            reserved: Vec::new(),
        }
    }

    /// Tells the clients of a command that was not started that nothing comes.
    pub(super) async fn end(&mut self) {
        for socket in [self.stdio.take(), self.stderr.take()].into_iter().flatten() {
            let (mut sink, stream) = socket.split();
            sink.text(END).await;
            tokio::spawn(linger(stream, sink));
        }
    }
}

/// A command on the control stream, or the end on another one.
#[derive(Deserialize)]
struct Command {
    command: String,
    #[serde(default)]
    signal: Option<SignalArgs>,
    #[serde(default)]
    resize: Option<ResizeArgs>,
}

#[derive(Deserialize)]
struct SignalArgs {
    name: String,
}

#[derive(Deserialize)]
struct ResizeArgs {
    width: u16,
    height: u16,
}

/// Gives a program what its client sends, up to the end.
pub(super) async fn feed(mut stream: SocketStream, stdin: Option<Input>, interactive: bool) {
    let mut stdin = stdin;
    while let Some(message) = stream.next().await {
        match message {
            Message::Binary(bytes) => {
                if let Some(input) = &mut stdin
                    && !matches!(input.write(&bytes).await, Ok(true))
                {
                    // Nobody reads it; what else comes is thrown away.
                    stdin = None;
                }
            }
            Message::Text(text) if is_end(&text) => match &mut stdin {
                Some(input) if interactive => {
                    // A terminal that is gone needs no end.
                    let _ = input.write(&[END_OF_TRANSMISSION]).await;
                }
                _ => stdin = None,
            },
            _ => {}
        }
    }
}

fn is_end(text: &str) -> bool {
    serde_json::from_str::<Command>(text).is_ok_and(|command| command.command == "end")
}

/// Sends a client what a program writes, and the end behind it. A client that is gone ends the pipe.
pub(super) async fn drain(output: Option<Output>, mut sink: SocketSink, running: Running) {
    if let Some(mut output) = output {
        let is_terminal = matches!(output, Output::Terminal(_));
        loop {
            let read = tokio::select! {
                biased;
                read = output.read(CHUNK) => read,
                // What it left in the background may keep a terminal open for ever.
                () = over(&running), if is_terminal => Ok(None),
            };
            let Ok(Some(bytes)) = read else { break };
            if !sink.binary(bytes).await {
                return;
            }
        }
    }
    // A client that is gone needs no end.
    let _ = sink.text(END).await;
}

/// Waits until a program has ended, and a little longer.
async fn over(running: &Running) {
    running.wait().await;
    tokio::time::sleep(TERMINAL_DRAIN).await;
}

/// Keeps a connection until the client closes it.
async fn linger(mut stream: SocketStream, sink: SocketSink) {
    while stream.next().await.is_some() {}
    drop(sink);
}

/// Does what a client says over the control stream. A client that goes without a word takes its program with it.
pub(super) async fn control(exec: Arc<Exec>, late: Late, socket: Option<Socket>, running: Running) {
    let socket = match socket {
        Some(socket) => Some(socket),
        None => late.control().await,
    };
    let Some((_sink, mut stream)) = socket.map(Socket::split) else { return };
    while let Some(message) = stream.next().await {
        match message {
            Message::Text(text) => {
                if let Ok(command) = serde_json::from_str(&text) {
                    obey(&exec, &running, command);
                }
            }
            Message::Eof => {
                let _ = running.signal(&Signal::parse("KILL").expect("it exists"));
            }
            _ => {}
        }
    }
}

fn obey(exec: &Exec, running: &Running, command: Command) {
    match (command.command.as_str(), command.signal, command.resize) {
        ("signal", Some(SignalArgs { name }), _) => {
            // An unknown name is ignored, and so is a program that has ended.
            let _ = handlers::named_signal(&name).is_some_and(|signal| running.signal(&signal));
        }
        ("resize", _, Some(ResizeArgs { width, height })) if exec.terminal => {
            let _ = running.resize(TermSize { cols: width, rows: height });
        }
        _ => {}
    }
}
