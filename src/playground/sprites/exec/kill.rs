//! Ending a session: a signal, patience, SIGKILL, each as a line of NDJSON (section 2.3).

use super::session::Session;
use crate::playground::sprites::errors::{Answer, Refusal};
use crate::playground::sprites::list::line;
use crate::playground::sprites::times;
use crate::provider::exec::Signal;
use crate::stream;
use crate::transport::StatusCode;
use crate::transport::server::{Reply, Request, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// What may be sent.
const ACCEPTED: &[&str] = &["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL", "SIGQUIT", "SIGUSR1", "SIGUSR2"];

/// How long the program has to obey.
const PATIENCE: Duration = Duration::from_secs(10);

/// `POST B/exec/{id}/kill`.
pub(super) fn kill(session: Arc<Session>, request: &Request) -> Answer {
    let name = request.query.text("signal").filter(|name| !name.is_empty()).unwrap_or("SIGTERM".into());
    let signal = Signal::parse(&name).filter(|signal| ACCEPTED.contains(&signal.name()));
    let signal = signal.ok_or_else(|| Refusal::text(400, format!("invalid signal: {name}")))?;
    let patience = match request.query.text("timeout").filter(|text| !text.is_empty()) {
        None => PATIENCE,
        Some(text) => times::duration(&text).ok_or_else(|| Refusal::text(400, format!("invalid timeout: {text}")))?,
    };
    let (sender, events) = mpsc::unbounded_channel();
    tokio::spawn(end(session, signal, patience, sender));
    Ok(answer(events))
}

fn answer(events: mpsc::UnboundedReceiver<Value>) -> Reply {
    let body =
        stream::unfold(events, |mut events| async move { Ok(events.recv().await.map(|event| (line(&event), events))) });
    Response::stream(StatusCode::OK, "application/x-ndjson", body).into()
}

async fn end(session: Arc<Session>, signal: Signal, patience: Duration, events: mpsc::UnboundedSender<Value>) {
    // A handful of lines; whoever hung up misses them.
    let tell = |event: Value| drop(events.send(event));
    let pid = session.running.pid();
    let sent = |signal: &Signal| {
        json!({
            "type": "signal",
            "message": format!("Signaling {} to process {pid}", signal.name()),
            "signal": signal.name(),
            "pid": pid,
        })
    };
    tell(sent(&signal));
    if !session.signal(&signal) {
        tell(json!({ "type": "error", "message": "process already finished" }));
    }
    if patience.is_zero() {
        return tell(json!({ "type": "complete", "exit_code": 0 }));
    }
    let status = match tokio::time::timeout(patience, session.ended()).await {
        Ok(status) => {
            tell(json!({ "type": "exited", "message": format!("Process {pid} exited") }));
            status
        }
        Err(_) => {
            tell(json!({
                "type": "timeout",
                "message": format!("Process {pid} did not exit within {patience:?}, sending SIGKILL"),
            }));
            session.running.signal_group(&Signal::parse("KILL").expect("it exists"));
            let status = session.ended().await;
            tell(json!({ "type": "killed", "message": format!("Process {pid} killed") }));
            status
        }
    };
    tell(json!({ "type": "complete", "exit_code": status }));
}
