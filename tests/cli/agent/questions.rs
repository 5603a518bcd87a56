//! Questions: asked on the terminal, decided by rules, refused where nobody is.

use super::{Pi, stderr, with_every_agent};
use crate::support::error_of;
use crate::support::terminal::Pty;

with_every_agent!(
    a_question_is_answered_on_the_terminal,
    nobody_is_a_no_and_the_exit_status_says_so,
    a_policy_holds_where_pi_itself_would_not_ask,
    rules_decide_one_by_one,
);

/// An extension that asks before anything is removed.
const EXTENSION: &str = r#"
//@ {"on":"tool_call","tool":"bash","confirm":"Allow command?","reason":"Denied by user"}
export default function (pi) {
  pi.on("tool_call", async (event, ctx) => {
    if (event.toolName !== "bash") return undefined;
    const ok = await ctx.ui.confirm("Allow command?", event.input.command);
    return ok ? undefined : { block: true, reason: "Denied by user" };
  });
}
"#;

fn with_build(pi: &Pi) {
    std::fs::create_dir_all(pi.file("build/deep")).unwrap();
    std::fs::write(pi.file("ask.ts"), EXTENSION).unwrap();
}

fn a_question_is_answered_on_the_terminal(pi: &Pi) {
    with_build(pi);
    for (answer, is_left) in [("n\n", true), ("y\n", false)] {
        let mut pty = Pty::new(100, 30);
        let mut command = pi.process(&Pi::run_args(&["REMOVE it", "--extension", "ask.ts"]));
        command.env("TERM", "xterm").env("LC_ALL", "C.UTF-8");
        let mut running = pty.start(command);
        let asked = pty.until("allow? [y/N] ");
        assert!(asked.contains("Allow command?") && asked.contains("rm -rf build"), "{asked}");
        pty.send(answer);
        pty.until("Tool finished.");
        assert_eq!(running.wait().0, 0);
        assert_eq!(pi.file("build").exists(), is_left);
    }
}

fn nobody_is_a_no_and_the_exit_status_says_so(pi: &Pi) {
    with_build(pi);
    let output = pi.run(&["REMOVE it", "--extension", "ask.ts", "-o", "json"]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&result["status"], &result["tool_calls"]["failed"]), (&"denied".into(), &1.into()), "{result}");
    assert_eq!(result["denied"][0]["tool"], "bash");
    assert_eq!(error_of(&output)["kind"], "forbidden");
    assert!(pi.file("build").exists());
}

fn a_policy_holds_where_pi_itself_would_not_ask(pi: &Pi) {
    with_build(pi);
    let (result, code) = pi.result(&["REMOVE it", "--approve", "deny"]);
    assert_eq!((code, &result["status"]), (Some(5), &"denied".into()), "{result}");
    assert!(pi.file("build").exists());
    let (_, code) = pi.result(&["REMOVE it", "--approve", "auto"]);
    assert_eq!(code, Some(0));
    assert!(!pi.file("build").exists());
}

fn rules_decide_one_by_one(pi: &Pi) {
    with_build(pi);
    std::fs::write(pi.file("file.txt"), "old line\n").unwrap();
    std::fs::write(pi.file("rules.yaml"), "- {tool: edit, match: '*.txt', decision: allow}\n").unwrap();
    let (result, code) = pi.result(&["EDIT it", "--approve-rules", "rules.yaml"]);
    assert_eq!(code, Some(0), "{result}");
    assert_eq!(std::fs::read_to_string(pi.file("file.txt")).unwrap(), "new line\n");
    let (result, code) = pi.result(&["REMOVE it", "--approve-rules", "rules.yaml"]);
    assert_eq!((code, &result["denied"][0]["why"]), (Some(5), &"no rule allows it".into()), "{result}");
    assert!(pi.file("build").exists());
}
