//! Progress on stderr (U8.2): on a terminal, after 400 ms, gone when done. Elsewhere one plain line after 30 s.
//!
//! Whoever reports progress draws it: there is no ticking thread, and a clock is read only when something is told.

use super::sink::Streams;
use super::{Output, lock, sanitize};
use crate::model;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_millis(400);
const LONG: Duration = Duration::from_secs(30);
/// Redraws per second; more only flicker.
const RATE: u8 = 15;

/// How far one piece of work has come. Gone from the screen when finished or dropped.
pub struct Progress {
    output: Output,
    started: Instant,
    manner: Manner,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Hidden,
    /// A bar or spinner.
    Bar,
    /// One line, if it takes long.
    Line,
}

#[derive(Default)]
struct State {
    label: String,
    done: Option<u64>,
    total: Option<u64>,
    is_bytes: bool,
    bar: Option<ProgressBar>,
    is_said: bool,
}

impl Output {
    /// Progress of work that starts now and is called `label`.
    pub fn progress(&self, label: &str) -> Progress {
        let state = State { label: sanitize::line(label).into_owned(), ..State::default() };
        Progress { output: self.clone(), started: Instant::now(), manner: self.manner(), state: Mutex::new(state) }
    }

    /// The same, counting bytes.
    pub fn progress_in_bytes(&self, label: &str) -> Progress {
        let progress = self.progress(label);
        lock(&progress.state).is_bytes = true;
        progress
    }

    fn manner(&self) -> Manner {
        let options = &self.0.options;
        match self.stderr_is_tty() {
            _ if options.quiet || options.no_progress => Manner::Hidden,
            true if options.verbose > 0 || options.ci || options.term_dumb => Manner::Hidden,
            true => Manner::Bar,
            false => Manner::Line,
        }
    }

    /// Runs `write` with the bars off the screen, so that it does not tear them.
    pub(super) fn without_bars<T>(&self, write: impl FnOnce() -> T) -> T {
        match self.0.bars.get() {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    fn bars(&self) -> &MultiProgress {
        self.0.bars.get_or_init(|| {
            let terminal = Terminal { streams: self.0.streams.clone(), width: self.0.terminals.stderr.unwrap_or(80) };
            MultiProgress::with_draw_target(ProgressDrawTarget::term_like_with_hz(Box::new(terminal), RATE))
        })
    }
}

impl Progress {
    /// Tells how much is done, and of how much where that is known.
    pub fn set(&self, done: Option<u64>, total: Option<u64>) {
        self.tell(self.started.elapsed(), |state| (state.done, state.total) = (done, total));
    }

    /// Tells what is being done now.
    pub fn label(&self, label: &str) {
        self.tell(self.started.elapsed(), |state| state.label = sanitize::line(label).into_owned());
    }

    /// Tells a step of an operation.
    pub fn step(&self, step: &model::Progress) {
        if let Some(line) = &step.log {
            self.log(line);
        }
        self.tell(self.started.elapsed(), |state| {
            (state.done, state.total) = (step.done, step.total);
            if !step.label.is_empty() {
                state.label = sanitize::line(&step.label).into_owned();
            }
        });
    }

    /// Tells that it is still going on.
    pub fn tick(&self) {
        self.tell(self.started.elapsed(), |_| ());
    }

    /// A line that the server logged meanwhile; shown from `-v` on.
    pub fn log(&self, line: &str) {
        self.output.info(line);
    }

    /// Takes it off the screen.
    pub fn finish(self) {}

    fn tell(&self, elapsed: Duration, change: impl FnOnce(&mut State)) {
        let mut state = lock(&self.state);
        change(&mut state);
        match self.manner {
            Manner::Bar if elapsed >= PATIENCE => self.draw(&mut state),
            Manner::Line if elapsed >= LONG && !state.is_said => {
                state.is_said = true;
                self.output.done(&format!("still at it: {}", state.label));
            }
            _ => {}
        }
    }

    fn draw(&self, state: &mut State) {
        let utf8 = self.output.options().utf8;
        let bar = state.bar.get_or_insert_with(|| self.output.bars().add(ProgressBar::new_spinner()));
        bar.set_style(style(state.total.is_some(), state.is_bytes, utf8));
        bar.set_message(state.label.clone());
        if let Some(total) = state.total {
            bar.set_length(total);
        }
        if let Some(done) = state.done {
            bar.set_position(done);
        }
        bar.tick();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = lock(&self.state).bar.take() {
            bar.finish_and_clear();
            self.output.bars().remove(&bar);
        }
    }
}

fn style(has_total: bool, is_bytes: bool, utf8: bool) -> ProgressStyle {
    let template = match (has_total, is_bytes) {
        (true, true) => "{spinner} {msg} [{bar:24}] {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec}",
        (true, false) => "{spinner} {msg} [{bar:24}] {pos}/{len}",
        (false, true) => "{spinner} {msg} {binary_bytes}",
        (false, false) => "{spinner} {msg}",
    };
    let style = ProgressStyle::with_template(template).expect("the templates are constants that parse");
    if utf8 {
        style.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ").progress_chars("━╸ ")
    } else {
        style.tick_chars("|/-\\ ").progress_chars("=> ")
    }
}

/// Our stderr, as indicatif draws on it.
struct Terminal {
    streams: Arc<Streams>,
    width: u16,
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Terminal")
    }
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        self.width
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.jump(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.jump(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.jump(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.jump(n, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(&format!("{text}\n"))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.streams.write(super::Fd::Stderr, text.as_bytes())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.write_str("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Terminal {
    fn jump(&self, n: usize, direction: char) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.write_str(&format!("\x1b[{n}{direction}")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Options, Terminals};

    const TERMINAL: Terminals = Terminals { stdin: true, stdout: Some(80), stderr: Some(80) };

    fn told(terminals: Terminals, change: fn(&mut Options), elapsed: Duration) -> String {
        let mut options = Options { utf8: true, ..Options::default() };
        change(&mut options);
        let (output, captured) = Output::capture(options, terminals, "");
        let progress = output.progress("starting\x1b web");
        for _ in 0..3 {
            progress.tell(elapsed, |state| (state.done, state.total) = (Some(1), Some(4)));
        }
        progress.finish();
        captured.stderr()
    }

    #[test]
    fn a_bar_appears_on_a_terminal_after_a_while_and_goes_away() {
        let drawn = told(TERMINAL, |_| (), PATIENCE);
        assert!(drawn.contains("starting\\x1b web [") && drawn.contains("] 1/4"), "{drawn:?}");
        // The last thing that happens is that its line is cleared.
        let after = drawn.rsplit("1/4").next().unwrap();
        assert!(after.contains("\x1b[2K"), "{drawn:?}");
        assert_eq!(told(TERMINAL, |_| (), Duration::from_millis(399)), "");
    }

    #[test]
    fn a_bar_is_ascii_where_the_locale_is() {
        assert!(told(TERMINAL, |o| o.utf8 = false, PATIENCE).is_ascii());
    }

    #[test]
    fn who_does_not_want_progress_gets_none() {
        let ways: [fn(&mut Options); 5] =
            [|o| o.quiet = true, |o| o.verbose = 1, |o| o.no_progress = true, |o| o.ci = true, |o| o.term_dumb = true];
        for change in ways {
            assert_eq!(told(TERMINAL, change, LONG), "");
        }
    }

    #[test]
    fn without_a_terminal_there_is_one_line_after_a_long_time() {
        assert_eq!(told(Terminals::default(), |_| (), LONG), "still at it: starting\\x1b web\n");
        assert_eq!(told(Terminals::default(), |_| (), Duration::from_secs(29)), "");
        assert_eq!(told(Terminals::default(), |o| o.quiet = true, LONG), "");
    }

    #[test]
    fn messages_do_not_tear_a_bar() {
        let (output, captured) = Output::capture(Options::default(), TERMINAL, "");
        let progress = output.progress("copying");
        progress.tell(PATIENCE, |_| ());
        output.done("copied `a`");
        assert!(captured.stderr().contains("\x1b[2Kcopied `a`\n"), "{:?}", captured.stderr());
        drop(progress);
    }
}
