//! Changes and their tasks (section 2.5): what is to be done, how far it is, what came of it.
//!
//! This is the book of them; who does the work is elsewhere and tells it by the number of a task.

use super::go;
use crate::model::Time;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How many entries of a task's log are kept.
const LOG_ENTRIES: usize = 10;

/// How many ended changes are kept.
const MAX_CHANGES: usize = 1000;

/// How far a task is; the names are those of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Status {
    // In the order in which they make the status of their change.
    Abort,
    Undo,
    Doing,
    Do,
    Error,
    Done,
    Hold,
}

impl Status {
    /// Whether nothing more happens to it.
    pub(super) fn is_ready(self) -> bool {
        matches!(self, Self::Error | Self::Done | Self::Hold)
    }
}

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Start,
    Stop,
    Exec,
    PerformCheck,
    RecoverCheck,
}

/// A step of a change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Task {
    pub(super) id: u64,
    pub(super) kind: Kind,
    pub(super) summary: String,
    pub(super) status: Status,
    pub(super) log: Vec<String>,
    /// The service or the check.
    pub(super) subject: String,
    /// The tasks that must be done before.
    pub(super) after: Vec<u64>,
    /// The tasks that end with it.
    pub(super) lane: usize,
    pub(super) spawned: Time,
    pub(super) ready: Option<Time>,
    pub(super) exit_code: Option<i32>,
}

/// Something that takes time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Change {
    pub(super) id: u64,
    pub(super) kind: String,
    pub(super) summary: String,
    pub(super) tasks: Vec<Task>,
    pub(super) spawned: Time,
    /// The check that it is about.
    pub(super) check: Option<String>,
    /// What its notice was last told.
    told: Option<Status>,
}

/// A task that is to be made.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) kind: Kind,
    pub(super) summary: String,
    pub(super) subject: String,
    pub(super) lane: usize,
    /// Which steps, counted from 0, come before.
    pub(super) after: Vec<usize>,
}

/// All changes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Changes {
    all: BTreeMap<u64, Change>,
    last_change: u64,
    last_task: u64,
}

impl Change {
    /// Its status, which is that of its tasks.
    pub(super) fn status(&self) -> Status {
        self.tasks.iter().map(|task| task.status).min().unwrap_or(Status::Done)
    }

    /// Whether it came to its end.
    pub(super) fn is_ready(&self) -> bool {
        self.tasks.iter().all(|task| task.status.is_ready())
    }

    /// Whether it starts or stops this service.
    pub(super) fn concerns(&self, service: &str) -> bool {
        self.tasks.iter().any(|task| matches!(task.kind, Kind::Start | Kind::Stop) && task.subject == service)
    }

    /// When it came to its end.
    fn ready(&self) -> Option<Time> {
        self.is_ready().then(|| self.tasks.iter().filter_map(|task| task.ready).max().unwrap_or(self.spawned))
    }

    /// Why it failed.
    pub(super) fn err(&self) -> Option<String> {
        if !self.is_ready() || !self.tasks.iter().any(|task| task.status == Status::Error) {
            return None;
        }
        let mut text = String::from("cannot perform the following tasks:");
        for task in self.tasks.iter().filter(|task| task.status == Status::Error) {
            let errors = task.log.iter().filter_map(|entry| entry.split_once(" ERROR ").map(|(_, why)| why));
            for why in errors {
                text = format!("{text}\n- {} ({why})", task.summary);
            }
        }
        Some(text)
    }

    /// As clients see it.
    pub(super) fn document(&self) -> Value {
        let mut document = json!({
            "id": self.id.to_string(),
            "kind": self.kind,
            "summary": self.summary,
            "status": self.status(),
        });
        if !self.tasks.is_empty() {
            document["tasks"] = self.tasks.iter().map(Task::document).collect();
        }
        document["ready"] = json!(self.is_ready());
        if let Some(err) = self.err() {
            document["err"] = json!(err);
        }
        document["spawn-time"] = json!(self.spawned);
        if let Some(ready) = self.ready() {
            document["ready-time"] = json!(ready);
        }
        document
    }
}

impl Task {
    fn document(&self) -> Value {
        let mut document = json!({
            "id": self.id.to_string(),
            "kind": self.kind,
            "summary": self.summary,
            "status": self.status,
        });
        if !self.log.is_empty() {
            document["log"] = json!(self.log);
        }
        document["progress"] = json!({"label": "", "done": 1, "total": 1});
        document["spawn-time"] = json!(self.spawned);
        if let Some(ready) = self.ready {
            document["ready-time"] = json!(ready);
        }
        if let Some(code) = self.exit_code {
            document["data"] = json!({"exit-code": code});
        }
        document
    }

    fn note(&mut self, level: &str, text: &str) {
        self.log.push(format!("{} {level} {text}", go::seconds(Time::now())));
        let over = self.log.len().saturating_sub(LOG_ENTRIES);
        self.log.drain(..over);
    }

    fn end(&mut self, status: Status) {
        self.status = status;
        self.ready.get_or_insert_with(Time::now);
    }
}

impl Changes {
    /// Writes down a new change; its number.
    pub(super) fn add(&mut self, kind: &str, summary: String, check: Option<&str>, steps: Vec<Step>) -> u64 {
        self.last_change += 1;
        let (id, first) = (self.last_change, self.last_task + 1);
        self.last_task += steps.len() as u64;
        let spawned = Time::now();
        let task = |(step, id): (Step, u64)| Task {
            id,
            kind: step.kind,
            summary: step.summary,
            status: Status::Do,
            log: Vec::new(),
            subject: step.subject,
            after: step.after.iter().map(|index| first + *index as u64).collect(),
            lane: step.lane,
            spawned,
            ready: None,
            exit_code: None,
        };
        let tasks = steps.into_iter().zip(first..).map(task).collect();
        let check = check.map(str::to_owned);
        self.all.insert(id, Change { id, kind: kind.to_owned(), summary, tasks, spawned, check, told: None });
        self.prune();
        id
    }

    /// Drops the oldest of those that came to their end.
    fn prune(&mut self) {
        let over = self.all.len().saturating_sub(MAX_CHANGES);
        let old: Vec<u64> =
            self.all.values().filter(|change| change.is_ready()).take(over).map(|change| change.id).collect();
        for id in old {
            self.all.remove(&id);
        }
    }

    /// A change.
    pub(super) fn get(&self, id: u64) -> Option<&Change> {
        self.all.get(&id)
    }

    /// All changes, the oldest first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Change> {
        self.all.values()
    }

    /// A task and its change.
    pub(super) fn task(&self, id: u64) -> Option<(&Change, &Task)> {
        self.all.values().find_map(|change| change.tasks.iter().find(|task| task.id == id).map(|task| (change, task)))
    }

    fn task_mut(&mut self, id: u64) -> Option<&mut Task> {
        self.all.values_mut().flat_map(|change| &mut change.tasks).find(|task| task.id == id)
    }

    /// The tasks that can be done now; they count as begun.
    pub(super) fn take_up(&mut self) -> Vec<Task> {
        let mut begun = Vec::new();
        for change in self.all.values_mut().filter(|change| !change.is_ready()) {
            let done: Vec<u64> =
                change.tasks.iter().filter(|task| task.status == Status::Done).map(|task| task.id).collect();
            for task in change.tasks.iter_mut().filter(|task| task.status == Status::Do) {
                if task.after.iter().all(|id| done.contains(id)) {
                    task.status = Status::Doing;
                    begun.push(task.clone());
                }
            }
        }
        begun
    }

    /// After a restart: what was begun is begun again.
    pub(super) fn begin_again(&mut self) {
        for task in self.all.values_mut().flat_map(|change| &mut change.tasks) {
            if matches!(task.status, Status::Doing | Status::Abort) {
                task.status = Status::Do;
            }
        }
    }

    /// Adds to the log of a task.
    pub(super) fn info(&mut self, id: u64, text: &str) {
        if let Some(task) = self.task_mut(id) {
            task.note("INFO", text);
        }
    }

    /// Adds a failure to the log of a task, which goes on.
    pub(super) fn error(&mut self, id: u64, text: &str) {
        if let Some(task) = self.task_mut(id) {
            task.note("ERROR", text);
        }
    }

    /// Sets the exit code of a task.
    pub(super) fn exit_code(&mut self, id: u64, code: i32) {
        if let Some(task) = self.task_mut(id) {
            task.exit_code = Some(code);
        }
    }

    /// A task is done.
    pub(super) fn done(&mut self, id: u64) {
        self.end(id, Status::Done);
    }

    /// A task has failed, and its lane with it.
    pub(super) fn failed(&mut self, id: u64, why: &str) {
        self.error(id, why);
        self.end(id, Status::Error);
    }

    /// A task has failed, and its log says so already.
    pub(super) fn gave_up(&mut self, id: u64) {
        self.end(id, Status::Error);
    }

    fn end(&mut self, id: u64, status: Status) {
        let Some(change) = self.all.values_mut().find(|change| change.tasks.iter().any(|task| task.id == id)) else {
            return;
        };
        let mut lane = None;
        for task in change.tasks.iter_mut().filter(|task| task.id == id && !task.status.is_ready()) {
            task.end(status);
            lane = Some(task.lane);
        }
        if status == Status::Error {
            for task in change.tasks.iter_mut().filter(|task| Some(task.lane) == lane && task.status == Status::Do) {
                task.end(Status::Hold);
            }
        }
        hold_the_unreachable(change);
        settle(change);
    }

    /// Asks for the end of a change; the tasks that are to be stopped. `None` if there is nothing to stop.
    pub(super) fn abort(&mut self, id: u64) -> Option<Vec<Task>> {
        let change = self.all.get_mut(&id).filter(|change| !change.is_ready())?;
        let mut stopped = Vec::new();
        for task in &mut change.tasks {
            match task.status {
                Status::Doing => {
                    task.status = Status::Abort;
                    stopped.push(task.clone());
                }
                Status::Do => task.end(Status::Hold),
                Status::Done => task.status = Status::Undo,
                _ => {}
            }
        }
        Some(stopped)
    }

    /// The changes whose status nobody was told of yet, with their kind and their check.
    pub(super) fn news(&mut self) -> Vec<(u64, String, Option<String>)> {
        let news = self.all.values_mut().filter_map(|change| {
            let status = change.status();
            let is_news = change.told.replace(status) != Some(status);
            is_news.then(|| (change.id, change.kind.clone(), change.check.clone()))
        });
        news.collect()
    }
}

/// What waits for a task that was not done is never done.
fn hold_the_unreachable(change: &mut Change) {
    loop {
        let lost: Vec<u64> = change
            .tasks
            .iter()
            .filter(|task| matches!(task.status, Status::Error | Status::Hold))
            .map(|task| task.id)
            .collect();
        let mut held = false;
        for task in change.tasks.iter_mut().filter(|task| task.status == Status::Do) {
            if task.after.iter().any(|id| lost.contains(id)) {
                task.end(Status::Hold);
                held = true;
            }
        }
        if !held {
            return;
        }
    }
}

/// Nothing can be undone: what was to be is done again once all the rest has ended.
fn settle(change: &mut Change) {
    if change.tasks.iter().all(|task| task.status.is_ready() || task.status == Status::Undo) {
        for task in change.tasks.iter_mut().filter(|task| task.status == Status::Undo) {
            task.status = Status::Done;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(kind: Kind, subject: &str, lane: usize, after: &[usize]) -> Step {
        let summary = format!("Do {subject}");
        Step { kind, summary, subject: subject.to_owned(), lane, after: after.to_vec() }
    }

    fn statuses(changes: &Changes, id: u64) -> Vec<Status> {
        changes.get(id).unwrap().tasks.iter().map(|task| task.status).collect()
    }

    #[test]
    fn tasks_begin_when_those_before_are_done() {
        let mut changes = Changes::default();
        let steps =
            vec![step(Kind::Start, "a", 0, &[]), step(Kind::Start, "b", 0, &[0]), step(Kind::Start, "c", 1, &[])];
        let id = changes.add("start", "Start".to_owned(), None, steps);
        let begun: Vec<String> = changes.take_up().into_iter().map(|task| task.subject).collect();
        assert_eq!(begun, ["a", "c"]);
        assert!(changes.take_up().is_empty());
        changes.done(1);
        assert_eq!(changes.take_up()[0].subject, "b");
        changes.done(2);
        changes.done(3);
        assert_eq!(changes.get(id).unwrap().status(), Status::Done);
        assert!(changes.get(id).unwrap().ready().is_some());
    }

    #[test]
    fn a_failure_ends_its_lane_and_no_other() {
        let mut changes = Changes::default();
        let steps =
            vec![step(Kind::Start, "a", 0, &[]), step(Kind::Start, "b", 0, &[0]), step(Kind::Start, "c", 1, &[])];
        let id = changes.add("start", "Start".to_owned(), None, steps);
        changes.take_up();
        changes.failed(1, "it broke");
        assert_eq!(statuses(&changes, id), [Status::Error, Status::Hold, Status::Doing]);
        assert_eq!(changes.get(id).unwrap().err(), None, "it is not at its end");
        changes.done(3);
        let err = changes.get(id).unwrap().err().unwrap();
        assert_eq!(err, "cannot perform the following tasks:\n- Do a (it broke)");
    }

    /// As a daemon of 1.32.1 shows it.
    #[test]
    fn an_abort_stops_what_is_begun() {
        let mut changes = Changes::default();
        let steps =
            vec![step(Kind::Stop, "a", 0, &[]), step(Kind::Start, "a", 0, &[0]), step(Kind::Start, "b", 0, &[1])];
        let id = changes.add("restart", "Restart".to_owned(), None, steps);
        changes.take_up();
        changes.done(1);
        changes.take_up();
        let stopped = changes.abort(id).unwrap();
        assert_eq!((stopped.len(), stopped[0].id), (1, 2));
        assert_eq!(statuses(&changes, id), [Status::Undo, Status::Abort, Status::Hold]);
        assert_eq!(changes.get(id).unwrap().status(), Status::Abort);
        changes.failed(2, "start aborted");
        assert_eq!(statuses(&changes, id), [Status::Done, Status::Error, Status::Hold]);
        assert!(changes.abort(id).is_none());
    }

    #[test]
    fn a_log_keeps_the_latest_entries() {
        let mut changes = Changes::default();
        changes.add("exec", "Execute".to_owned(), None, vec![step(Kind::Exec, "", 0, &[])]);
        for number in 0..30 {
            changes.info(1, &number.to_string());
        }
        let log = &changes.task(1).unwrap().1.log;
        assert_eq!(log.len(), LOG_ENTRIES);
        assert!(log[0].ends_with("INFO 20") && log[9].ends_with("INFO 29"));
    }

    #[test]
    fn every_status_is_news_once() {
        let mut changes = Changes::default();
        changes.add("exec", "Execute".to_owned(), None, vec![step(Kind::Exec, "", 0, &[])]);
        assert_eq!(changes.news().len(), 1);
        assert_eq!(changes.news().len(), 0);
        changes.take_up();
        assert_eq!(changes.news().len(), 1);
        changes.done(1);
        assert_eq!(changes.news(), [(1, "exec".to_owned(), None)]);
    }

    #[test]
    fn a_change_without_tasks_is_done() {
        let mut changes = Changes::default();
        let id = changes.add("replan", "Replan - no services".to_owned(), None, Vec::new());
        let document = changes.get(id).unwrap().document();
        assert_eq!((&document["status"], &document["ready"]), (&json!("Done"), &json!(true)));
        assert!(document.get("tasks").is_none() && document["ready-time"].is_string());
    }
}
