//! What a shell in the playground begins with.

use super::Simulator;
use std::fmt::Write as _;
use std::path::Path;

/// How many commands are shown.
const COMMANDS: usize = 5;

/// Says what this is, what to try, and how to leave. `dir` is where the files are.
pub fn greeting(simulators: &[&Simulator], dir: &Path) -> String {
    let mut text = "This is a playground. Nothing in it is real, and nothing leaves this machine.\n".to_owned();
    for simulator in simulators {
        let _ = writeln!(text, "  {:<8} a simulator: {}", simulator.id, simulator.summary);
    }
    let _ = writeln!(text, "Its files are in {}; `exit` ends it and everything in it.", dir.display());
    let examples = examples(simulators);
    if !examples.is_empty() {
        text.push_str("Try:\n");
        let width = examples.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
        for (command, shows) in examples {
            let _ = writeln!(text, "  {command:<width$}  # {shows}");
        }
    }
    text
}

/// Commands from every simulator in turn.
fn examples(simulators: &[&Simulator]) -> Vec<(&'static str, &'static str)> {
    let longest = simulators.iter().map(|simulator| simulator.examples.len()).max().unwrap_or_default();
    let rounds = (0..longest).flat_map(|round| simulators.iter().filter_map(move |s| s.examples.get(round).copied()));
    rounds.take(COMMANDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simulator(id: &'static str, examples: &'static [(&'static str, &'static str)]) -> Simulator {
        let start = |_| unreachable!("nobody starts it");
        Simulator { id, summary: "services", faults: &[], hides: &[], examples, start }
    }

    #[test]
    fn five_commands_are_shown_from_every_simulator_in_turn() {
        let one = simulator("one", &[("a1", "x"), ("a-2", "x"), ("a3", "x"), ("a4", "x")]);
        let two = simulator("two", &[("b1", "y"), ("b2", "y")]);
        let text = greeting(&[&one, &two], Path::new("/tmp/p"));
        insta::assert_snapshot!(text, @r"
        This is a playground. Nothing in it is real, and nothing leaves this machine.
          one      a simulator: services
          two      a simulator: services
        Its files are in /tmp/p; `exit` ends it and everything in it.
        Try:
          a1   # x
          b1   # y
          a-2  # x
          b2   # y
          a3   # x
        ");
    }
}
