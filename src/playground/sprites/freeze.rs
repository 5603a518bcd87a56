//! Being awake: what counts as activity, and what happens without any (sections 0 and 2.12).
//!
//! A frozen sprite keeps its memory: its processes are stopped by SIGSTOP and go on by SIGCONT. A cold one has lost it:
//! its processes are killed, and its services start when it is woken.

use super::sprite::{Sprite, Status};
use super::{processes, services};
use crate::provider::exec::Signal;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// What keeps a sprite awake from outside: requests, clients and tunnels.
pub(super) struct Activity {
    holds: AtomicUsize,
    last: Mutex<Instant>,
    /// Told when the last hold goes.
    released: Notify,
    /// Whether somebody watches over the silence.
    watched: AtomicBool,
    /// Whether it is being restored or restarted, and answers nothing.
    busy: AtomicBool,
    /// What the fault plan wants other than the options.
    patience: Mutex<Patience>,
}

/// How long silence may last.
#[derive(Clone, Copy, Default)]
pub(super) struct Patience {
    /// Before it is frozen.
    pub(super) freeze_after: Option<Duration>,
    /// Before what is frozen goes cold.
    pub(super) cold_after: Option<Duration>,
}

impl Default for Activity {
    fn default() -> Self {
        Self {
            holds: AtomicUsize::new(0),
            last: Mutex::new(Instant::now()),
            released: Notify::new(),
            watched: AtomicBool::new(false),
            busy: AtomicBool::new(false),
            patience: Mutex::default(),
        }
    }
}

/// Keeps a sprite awake while it lives.
pub(super) struct Hold(Arc<Sprite>);

impl Drop for Hold {
    fn drop(&mut self) {
        let activity = &self.0.activity;
        *activity.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        if activity.holds.fetch_sub(1, Ordering::AcqRel) == 1 {
            activity.released.notify_one();
        }
    }
}

impl Activity {
    /// Whether it is being restored or restarted.
    pub(super) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire)
    }

    /// Has silence last otherwise than the options say.
    pub(super) fn set_patience(&self, change: impl FnOnce(&mut Patience)) {
        change(&mut self.patience.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn patience(&self) -> Patience {
        *self.patience.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sprite {
    /// Wakes it and keeps it awake while the answer lives.
    pub(super) fn hold(self: &Arc<Self>) -> Hold {
        self.activity.holds.fetch_add(1, Ordering::AcqRel);
        let hold = Hold(Arc::clone(self));
        self.wake();
        hold
    }

    fn wake(self: &Arc<Self>) {
        match self.status() {
            Status::Running => {}
            Status::Warm => {
                self.set_status(Status::Running);
                self.signal_all("CONT");
            }
            Status::Cold => {
                self.set_status(Status::Running);
                services::start_all(self);
            }
        }
        if !self.activity.watched.swap(true, Ordering::AcqRel) {
            tokio::spawn(watch(Arc::clone(self)));
        }
    }

    /// Sends a signal to every process of the sprite.
    fn signal_all(&self, name: &str) {
        let signal = Signal::parse(name).expect("a signal of ours exists");
        for pid in processes::of(self) {
            processes::signal(pid, &signal);
        }
    }

    /// Ends everything that runs in it: sessions, services, and what those left behind.
    pub(super) async fn stop_all(self: &Arc<Self>) {
        self.activity.busy.store(true, Ordering::Release);
        self.services.halt();
        self.sessions.cut();
        processes::kill_all(self).await;
        self.tasks.clear();
    }

    /// Starts what runs by itself, after [`Sprite::stop_all`].
    pub(super) fn start_again(self: &Arc<Self>) {
        self.activity.busy.store(false, Ordering::Release);
        services::start_all(self);
    }
}

/// Freezes a sprite when nothing has happened for long enough.
async fn watch(sprite: Arc<Sprite>) {
    let Some(options) = sprite.world.upgrade().map(|world| world.options.clone()) else { return };
    loop {
        if sprite.activity.holds.load(Ordering::Acquire) > 0 {
            sprite.activity.released.notified().await;
            continue;
        }
        let quiet = *sprite.activity.last.lock().unwrap_or_else(PoisonError::into_inner)
            + sprite.activity.patience().freeze_after.unwrap_or(options.freeze_after);
        let until = sprite.tasks.until().map_or(quiet, |task| task.max(quiet));
        if Instant::now() < until {
            tokio::time::sleep_until(until.into()).await;
            continue;
        }
        break;
    }
    sprite.activity.watched.store(false, Ordering::Release);
    sprite.set_status(Status::Warm);
    sprite.signal_all("STOP");
    // Whoever came between the last look and now found it running, and would wait for ever.
    if sprite.activity.holds.load(Ordering::Acquire) > 0 {
        sprite.wake();
        return;
    }
    let Some(cold_after) = sprite.activity.patience().cold_after.or(options.cold_after) else { return };
    tokio::time::sleep(cold_after).await;
    if sprite.status() == Status::Warm {
        sprite.set_status(Status::Cold);
        sprite.services.halt();
        sprite.sessions.cut();
        processes::kill_all(&sprite).await;
        sprite.tasks.clear();
    }
}
