//! Attending a service's program: its output, its end, and starting it again.

use super::log::Event;
use super::service::Service;
use crate::host::process::{Child, Output};
use crate::playground::sprites::exec::start::{self, Command, Failed};
use crate::playground::sprites::sprite::Sprite;
use jiff::Timestamp;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How long after the first crash it is started again; twice as long after each further one, up to the second.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How much output is read at once, and the longest line that is told as one.
const MAX_READ: usize = 16 * 1024;

/// Runs the program of `service` again and again, until its turn is over or the program is content.
pub(super) async fn attend(sprite: Weak<Sprite>, service: Arc<Service>, turn: u64) {
    loop {
        let why = match launch(&sprite, &service) {
            None => return,
            Some(Err(why)) => {
                service.log.tell(Event::error(format!("Failed to start service: {why}")));
                why
            }
            Some(Ok(child)) => {
                let Child { stdout, stderr, running, .. } = child;
                if !service.note_running(turn, &running) {
                    running.signal_group(&crate::provider::exec::Signal::parse("KILL").expect("it exists"));
                    return;
                }
                service.log.tell(Event::started(&service.name));
                let outputs = async {
                    tokio::join!(tell(&service, stdout, Event::stdout), tell(&service, stderr, Event::stderr))
                };
                let status = {
                    tokio::pin!(outputs);
                    tokio::select! {
                        biased;
                        _ = &mut outputs => running.wait().await.status(),
                        exit = running.wait() => {
                            // What is still in the pipes is read; what others write later is not waited for.
                            let _ = tokio::time::timeout(Duration::from_millis(50), &mut outputs).await;
                            exit.status()
                        }
                    }
                };
                if *service.turn().borrow() != turn {
                    return;
                }
                service.log.tell(Event::exit(status));
                if status == 0 {
                    return service.note_done(turn);
                }
                format!("exited with code {status}")
            }
        };
        let failures = service.note_failed(turn, why);
        let pause = LONGEST_PAUSE.min(FIRST_PAUSE * 2u32.saturating_pow(failures.saturating_sub(1).min(16)));
        service.note_restart(turn, Timestamp::now() + pause);
        let mut over = service.turn();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = over.wait_for(|now| *now != turn) => return,
        }
        if *service.turn().borrow() != turn {
            return;
        }
    }
}

/// Starts the program; `None` if the sprite is gone.
fn launch(sprite: &Weak<Sprite>, service: &Service) -> Option<Result<Child, String>> {
    let sprite = sprite.upgrade()?;
    let world = sprite.world.upgrade()?;
    let definition = &service.definition;
    if let Ok(disk) = sprite.disk() {
        service.log.keep_in(disk.own().join(format!("logs/services/{}.log", service.name)));
    }
    let view = sprite.disk().and_then(|disk| disk.view());
    let env = definition.env.as_ref().and_then(|own| {
        let mut env = start::environment(&sprite, view.as_deref().ok()?, false);
        env.extend(own.iter().map(|(name, value)| (name.into(), value.into())));
        Some(env)
    });
    let argv = std::iter::once(&definition.cmd).chain(&definition.args);
    let command = Command {
        argv: argv.map(Into::into).collect(),
        path: None,
        env,
        dir: definition.dir.as_ref().map(Into::into),
        size: None,
        stdin: false,
        survive: None,
    };
    Some(match start::start(&world.processes, &sprite, &command) {
        Ok(started) => Ok(started.child),
        Err(Failed::Program(_, why) | Failed::Other(why)) => Err(why),
    })
}

/// Tells the lines of an output.
async fn tell(service: &Service, output: Option<Output>, event: fn(String) -> Event) {
    let Some(mut output) = output else { return };
    let mut rest = Vec::new();
    while let Ok(Some(bytes)) = output.read(MAX_READ).await {
        rest.extend_from_slice(&bytes);
        while let Some(end) = memchr::memchr(b'\n', &rest) {
            let line: Vec<u8> = rest.drain(..=end).collect();
            service.log.tell(event(String::from_utf8_lossy(&line).into_owned()));
        }
        if rest.len() > MAX_READ {
            service.log.tell(event(String::from_utf8_lossy(&rest).into_owned()));
            rest.clear();
        }
    }
    if !rest.is_empty() {
        service.log.tell(event(String::from_utf8_lossy(&rest).into_owned()));
    }
}
