//! When a prompt is done with (sections 0 and 2.5): never before a retry has ended, and never not at all.
//!
//! The generations differ. pi says `agent_settled` since 0.80.4; omp marks its last `agent_end`. Older ones say nothing:
//! a retry or a compaction may follow any `agent_end`, in the same breath. They are asked then (`get_state`), and since
//! they answer in order, whatever else was to follow stands before the answer. Where a sign is awaited that may not
//! come, they are asked too, after a while.

use super::api::{Record, State};
use super::version::Ending;
use std::time::Duration;

/// How long after its acceptance a prompt may take to begin, before the agent is asked (section 2.3).
const BEGIN: Duration = Duration::from_millis(50);

/// The same for the second time: an extension may hold a prompt up before it begins.
const BEGIN_AGAIN: Duration = Duration::from_millis(250);

/// How long the sign of the end may take after the end.
const SIGN: Duration = Duration::from_secs(2);

/// How much longer than announced a retry may take to begin.
const LATE: Duration = Duration::from_secs(10);

/// Where a prompt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// There is none.
    Idle,
    /// It was sent.
    Sent,
    /// It was accepted; the agent was found idle so many times.
    Accepted(u8),
    /// The agent works.
    Working,
    /// The agent ended; something may follow.
    Ended,
    /// It tries again after a while.
    Retrying(Duration),
    /// It shortens its context, and may go on.
    Compacting,
}

/// Follows one prompt at a time.
#[derive(Debug)]
pub(super) struct Finish {
    ending: Ending,
    stage: Stage,
    /// The command of the prompt.
    prompt: Option<String>,
    /// Where the prompt was when the agent was asked last.
    asked: Option<Stage>,
}

impl Finish {
    /// For an agent that ends like this.
    pub(super) fn new(ending: Ending) -> Self {
        Self { ending, stage: Stage::Idle, prompt: None, asked: None }
    }

    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
    }

    /// Whether the agent was seen to work on the prompt.
    pub(super) fn has_begun(&self) -> bool {
        !matches!(self.stage, Stage::Idle | Stage::Sent | Stage::Accepted(_))
    }

    /// A prompt was sent as this command. One that is queued behind another is part of the other's run.
    pub(super) fn sent(&mut self, id: &str) {
        if self.is_idle() {
            self.stage = Stage::Sent;
            self.prompt = Some(id.to_owned());
        }
    }

    /// A prompt was answered. True if that was its end: it was refused, or handled without any work.
    pub(super) fn replied(&mut self, id: &str, accepted: bool, disposition: Option<&str>) -> bool {
        if self.prompt.as_deref() != Some(id) || self.has_begun() {
            return false;
        }
        if !accepted || disposition == Some("handled") {
            return self.over();
        }
        self.stage = Stage::Accepted(0);
        false
    }

    /// Something was said. True if the prompt is done with.
    pub(super) fn heard(&mut self, record: &Record<'_>) -> bool {
        if self.is_idle() {
            return false;
        }
        match &*record.kind {
            "agent_settled" | "session_settled" => return self.over(),
            "prompt_result" => return self.result(record),
            "agent_end" if record.will_retry == Some(true) => self.stage = Stage::Retrying(Duration::ZERO),
            "agent_end" if record.is_terminal == Some(false) => self.stage = Stage::Working,
            "agent_end" if self.ending == Ending::Terminal => return self.over(),
            "agent_end" => self.stage = Stage::Ended,
            "auto_retry_start" => {
                let delay = record.delay_ms.filter(|ms| ms.is_finite() && *ms > 0.0).unwrap_or_default();
                self.stage = Stage::Retrying(Duration::try_from_secs_f64(delay / 1000.0).unwrap_or_default());
            }
            // Given up or cancelled; if it succeeded, the run goes on.
            "auto_retry_end" if record.success == Some(false) => self.stage = Stage::Ended,
            "auto_retry_end" => {}
            "compaction_start" | "auto_compaction_start" if self.has_begun() => self.stage = Stage::Compacting,
            "compaction_end" | "auto_compaction_end" if self.stage == Stage::Compacting => {
                self.stage =
                    if record.will_retry == Some(true) { Stage::Retrying(Duration::ZERO) } else { Stage::Ended };
            }
            // Messages do not count: an extension may say something without any work.
            "agent_start" | "turn_start" => self.stage = Stage::Working,
            _ => {}
        }
        false
    }

    /// omp says how a prompt ended, if it began at all.
    fn result(&mut self, record: &Record<'_>) -> bool {
        let is_it = super::api::id(record.id).is_none_or(|id| self.prompt.as_deref() == Some(&*id));
        match (is_it, record.agent_invoked, record.session_settled) {
            (true, _, Some(settled)) => settled && self.over(),
            (true, Some(false), None) => !self.has_begun() && self.over(),
            _ => false,
        }
    }

    /// The agent is being asked what it does.
    pub(super) fn asks(&mut self) {
        self.asked = Some(self.stage);
    }

    /// The agent said what it does. True if the prompt is done with.
    pub(super) fn told(&mut self, state: &State) -> bool {
        // What was heard since the question counts more than its answer: older ones are idle while they wait to try
        // again.
        if state.is_busy() || self.asked.take() != Some(self.stage) {
            return false;
        }
        match &mut self.stage {
            Stage::Accepted(times) => {
                *times += 1;
                *times > 1 && self.over()
            }
            // One that tries again is asked only when that has been too long.
            Stage::Ended | Stage::Retrying(_) => self.over(),
            _ => false,
        }
    }

    /// If nothing is heard for so long, the agent is to be asked.
    pub(super) fn ask_after(&self) -> Option<Duration> {
        match self.stage {
            Stage::Accepted(0) => Some(BEGIN),
            Stage::Accepted(_) => Some(BEGIN_AGAIN),
            Stage::Ended if self.ending == Ending::Silent => Some(Duration::ZERO),
            Stage::Ended => Some(SIGN),
            Stage::Retrying(delay) => Some(delay + LATE),
            Stage::Idle | Stage::Sent | Stage::Working | Stage::Compacting => None,
        }
    }

    fn over(&mut self) -> bool {
        self.stage = Stage::Idle;
        self.prompt = None;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(ending: Ending) -> Finish {
        let mut finish = Finish::new(ending);
        finish.sent("p");
        assert!(!finish.replied("p", true, None));
        finish
    }

    fn hear(finish: &mut Finish, line: &str) -> bool {
        finish.heard(&serde_json::from_str(line).unwrap())
    }

    fn state(finish: &mut Finish, streaming: bool) -> bool {
        finish.asks();
        finish.told(&State { is_streaming: Some(streaming), ..State::default() })
    }

    #[test]
    fn who_says_when_it_is_settled_is_believed() {
        let mut finish = begun(Ending::Settled);
        for line in [
            r#"{"type":"agent_start"}"#,
            r#"{"type":"agent_end","willRetry":true}"#,
            r#"{"type":"auto_retry_start","delayMs":50}"#,
            r#"{"type":"agent_start"}"#,
            r#"{"type":"agent_end","willRetry":false}"#,
            r#"{"type":"auto_retry_end","success":true}"#,
        ] {
            assert!(!hear(&mut finish, line), "{line}");
        }
        assert!(hear(&mut finish, r#"{"type":"agent_settled"}"#));
        assert!(finish.is_idle());
        assert!(!hear(&mut finish, r#"{"type":"agent_settled"}"#), "only once");
    }

    #[test]
    fn a_sign_that_never_comes_is_not_waited_for() {
        let mut finish = begun(Ending::Settled);
        hear(&mut finish, r#"{"type":"agent_start"}"#);
        assert_eq!(finish.ask_after(), None);
        hear(&mut finish, r#"{"type":"agent_end","willRetry":false}"#);
        assert_eq!(finish.ask_after(), Some(SIGN));
        assert!(!state(&mut finish, true));
        assert!(state(&mut finish, false));
    }

    #[test]
    fn who_says_nothing_is_asked_and_a_retry_stands_before_the_answer() {
        let mut finish = begun(Ending::Silent);
        hear(&mut finish, r#"{"type":"agent_start"}"#);
        hear(&mut finish, r#"{"type":"agent_end"}"#);
        assert_eq!(finish.ask_after(), Some(Duration::ZERO));
        finish.asks();
        hear(&mut finish, r#"{"type":"auto_retry_start","delayMs":4000}"#);
        assert!(!finish.told(&State::default()), "it is idle while it waits, and that is not the end");
        assert_eq!(finish.ask_after(), Some(Duration::from_secs(14)));
        hear(&mut finish, r#"{"type":"agent_start"}"#);
        hear(&mut finish, r#"{"type":"agent_end"}"#);
        assert!(!hear(&mut finish, r#"{"type":"auto_retry_end","success":false}"#));
        assert!(state(&mut finish, false));
    }

    #[test]
    fn a_compaction_may_go_on_with_the_run() {
        let mut finish = begun(Ending::Silent);
        hear(&mut finish, r#"{"type":"agent_start"}"#);
        hear(&mut finish, r#"{"type":"agent_end"}"#);
        hear(&mut finish, r#"{"type":"compaction_start","reason":"overflow"}"#);
        assert_eq!(finish.ask_after(), None);
        hear(&mut finish, r#"{"type":"compaction_end","willRetry":true}"#);
        assert_eq!(finish.ask_after(), Some(LATE));
        hear(&mut finish, r#"{"type":"agent_start"}"#);
        hear(&mut finish, r#"{"type":"agent_end"}"#);
        assert!(state(&mut finish, false));
    }

    #[test]
    fn omp_marks_what_is_not_the_end() {
        let mut finish = begun(Ending::Terminal);
        hear(&mut finish, r#"{"type":"agent_start"}"#);
        assert!(!hear(&mut finish, r#"{"type":"agent_end","isTerminal":false}"#));
        assert!(hear(&mut finish, r#"{"type":"agent_end","isTerminal":true}"#));
        let mut finish = begun(Ending::Terminal);
        hear(&mut finish, r#"{"type":"agent_start"}"#);
        assert!(hear(&mut finish, r#"{"type":"agent_end"}"#));
    }

    #[test]
    fn a_prompt_without_a_run_ends_too() {
        let mut finish = begun(Ending::Silent);
        assert_eq!(finish.ask_after(), Some(BEGIN));
        assert!(!state(&mut finish, false));
        assert_eq!(finish.ask_after(), Some(BEGIN_AGAIN));
        assert!(state(&mut finish, false));
        let mut finish = begun(Ending::Terminal);
        assert!(!hear(&mut finish, r#"{"type":"prompt_result","id":"other","agentInvoked":false}"#));
        assert!(hear(&mut finish, r#"{"type":"prompt_result","id":"p","agentInvoked":false}"#));
        let mut finish = begun(Ending::Terminal);
        assert!(!hear(&mut finish, r#"{"type":"prompt_result","id":"p","sessionSettled":false}"#));
        assert!(hear(&mut finish, r#"{"type":"session_settled"}"#));
        let mut finish = Finish::new(Ending::Settled);
        finish.sent("p");
        assert!(finish.replied("p", true, Some("handled")));
        let mut finish = begun(Ending::Terminal);
        assert!(finish.replied("p", false, None), "omp accepts first, and refuses then");
    }

    #[test]
    fn what_is_queued_belongs_to_the_run_before_it() {
        let mut finish = begun(Ending::Silent);
        hear(&mut finish, r#"{"type":"agent_start"}"#);
        finish.sent("q");
        assert!(!finish.replied("q", false, None));
        assert!(!finish.is_idle());
    }
}
