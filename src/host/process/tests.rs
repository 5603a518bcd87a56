//! Real programs of this machine.

use super::*;
use crate::provider::exec::Signal;
use std::io::ErrorKind;
use std::time::Duration;

/// `script` for a shell, with nothing of our environment.
fn shell(script: &str) -> Spec {
    let mut spec = Spec::new("/bin/sh").args(["-c", script]);
    spec.env = Some(vec![("PATH".into(), "/usr/bin:/bin".into())]);
    spec
}

async fn all(output: Option<Output>) -> String {
    let mut output = output.unwrap();
    let mut whole = Vec::new();
    while let Some(bytes) = output.read(1000).await.unwrap() {
        whole.extend_from_slice(&bytes);
    }
    String::from_utf8(whole).unwrap()
}

fn signal(name: &str) -> Signal {
    Signal::parse(name).unwrap()
}

#[tokio::test]
async fn a_program_reads_writes_and_ends_with_its_status() {
    let processes = Processes::default();
    let mut child = processes.spawn(&shell("cat; echo err >&2; exit 7")).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let large = "0123456789".repeat(100_000);
    let write = async {
        assert!(stdin.write(large.as_bytes()).await.unwrap());
        drop(stdin);
    };
    let (read, ()) = futures_util::future::join(all(child.stdout.take()), write).await;
    assert!(read == large);
    assert_eq!(all(child.stderr.take()).await, "err\n");
    assert_eq!(child.running.wait().await, Exit::Code(7));
    assert_eq!(child.running.exit(), Some(Exit::Code(7)));
    assert!(!child.running.signal(&signal("TERM")));
}

#[tokio::test]
async fn what_a_program_gets_is_what_it_was_given() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().canonicalize().unwrap();
    let mut spec = shell("pwd; umask; printenv PATH X HOME; echo $0; : > made; echo twice >&2");
    spec.args.push("name".into());
    spec.dir = Some(dir.clone());
    spec.umask = Some(0o077);
    spec.env.as_mut().unwrap().push(("X".into(), "a b\n".into()));
    spec.io = Io { stdin: Stream::Null, stderr: Stream::Stdout, ..Io::PIPES };
    let processes = Processes::default();
    let child = processes.spawn(&spec).unwrap();
    assert!(child.stdin.is_none() && child.stderr.is_none());
    let expected = format!("{}\n0077\n/usr/bin:/bin\na b\n\nname\ntwice\n", dir.display());
    assert_eq!(all(child.stdout).await, expected);
    assert_eq!(dir.join("made").metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn what_cannot_be_started_is_an_error_of_its_stage() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "text").unwrap();
    let processes = Processes::default();
    let failed = |spec: Spec| {
        let error = processes.spawn(&spec).err().unwrap();
        (error.stage, error.error.kind())
    };
    assert_eq!(failed(Spec::new("/nonexistent/program")), (Stage::Program, ErrorKind::NotFound));
    assert_eq!(failed(Spec::new("no-such-program-anywhere")), (Stage::Program, ErrorKind::NotFound));
    assert_eq!(failed(Spec::new(&file)), (Stage::Program, ErrorKind::PermissionDenied));
    let mut nowhere = Spec::new("/bin/true");
    nowhere.dir = Some(folder.path().join("nowhere"));
    assert_eq!(failed(nowhere.clone()), (Stage::Directory, ErrorKind::NotFound));
    nowhere.dir = Some(file);
    assert_eq!(failed(nowhere), (Stage::Directory, ErrorKind::NotADirectory));
    if !rustix::process::geteuid().is_root() {
        let mut root = Spec::new("/bin/true");
        root.user = Some(User { uid: 0, gid: 0, groups: Vec::new() });
        assert_eq!(failed(root), (Stage::User, ErrorKind::PermissionDenied));
    }
    let message = processes.spawn(&Spec::new("/nonexistent")).err().unwrap().to_string();
    assert_eq!(message, "No such file or directory (os error 2)");
}

#[tokio::test]
async fn root_can_start_a_program_as_somebody_else() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let mut spec = shell("id -u; id -g; id -G; cd / && pwd");
    spec.user = Some(User { uid: 65534, gid: 65533, groups: vec![65533, 4242] });
    spec.dir = Some("/".into());
    let processes = Processes::default();
    let child = processes.spawn(&spec).unwrap();
    assert_eq!(all(child.stdout).await, "65534\n65533\n65533 4242\n/\n");
}

#[tokio::test]
async fn a_terminal_has_its_size_from_the_beginning_and_tells_changes() {
    let size = TermSize { cols: 100, rows: 30 };
    let script =
        "stty size; tty >/dev/null && echo tty; trap 'stty size; exit 3' WINCH; echo ready; while :; do read x; done";
    let processes = Processes::default();
    let mut child = processes.spawn(&shell(script).io(Io::terminal(size))).unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut seen = String::new();
    while !seen.contains("ready") {
        seen.push_str(std::str::from_utf8(&output.read(100).await.unwrap().unwrap()).unwrap());
    }
    assert_eq!(seen, "30 100\r\ntty\r\nready\r\n");
    child.running.resize(TermSize { cols: 50, rows: 10 }).unwrap();
    assert_eq!(all(Some(output)).await, "10 50\r\n");
    assert_eq!(child.running.wait().await, Exit::Code(3));
}

#[tokio::test]
async fn a_key_on_a_terminal_is_a_signal_and_stderr_may_stay_apart() {
    let io = Io { stderr: Stream::Pipe, ..Io::terminal(TermSize { cols: 80, rows: 24 }) };
    let processes = Processes::default();
    let mut child = processes.spawn(&shell("echo out; echo err >&2; exec sleep 1000").io(io)).unwrap();
    let mut output = child.stdout.take().unwrap();
    assert_eq!(output.read(100).await.unwrap().unwrap(), "out\r\n");
    assert_eq!(child.stderr.as_mut().unwrap().read(100).await.unwrap().unwrap(), "err\n");
    assert!(child.stdin.as_mut().unwrap().write(b"\x03").await.unwrap());
    assert_eq!(child.running.wait().await, Exit::Signal(2));
    assert_eq!(Exit::Signal(2).status(), 130);
    // The echo of the key may be lost with the terminal, as it is everywhere.
    assert!(["", "^C"].contains(&all(Some(output)).await.as_str()));
}

#[tokio::test]
async fn a_terminal_that_nobody_reads_any_more_says_so() {
    let processes = Processes::default();
    let mut child = processes.spawn(&shell("exit 0").io(Io::terminal(TermSize { cols: 80, rows: 24 }))).unwrap();
    assert_eq!(child.running.wait().await, Exit::Code(0));
    // More than a terminal holds: it would say for ever that it can be written to.
    let mut stdin = child.stdin.take().unwrap();
    assert!(!stdin.write(&vec![b'x'; 1 << 20]).await.unwrap());
}

#[tokio::test]
async fn a_group_is_signalled_together_also_without_its_leader() {
    let processes = Processes::default();
    let mut child = processes.spawn(&shell("sleep 1000 & echo started; exit 0")).unwrap();
    let mut output = child.stdout.take().unwrap();
    assert_eq!(output.read(100).await.unwrap().unwrap(), "started\n");
    assert_eq!(child.running.wait().await, Exit::Code(0));
    // The sleeper holds the pipe, so its end is the sleeper's.
    assert!(child.running.has_group() && child.running.signal_group(&signal("TERM")));
    assert_eq!(output.read(100).await.unwrap(), None);
}

#[tokio::test]
async fn a_slow_reader_slows_the_program_down() {
    let processes = Processes::default();
    let mut child = processes.spawn(&shell("while :; do echo y; done")).unwrap();
    let mut output = child.stdout.take().unwrap();
    let first = output.read(16).await.unwrap().unwrap();
    assert!(first.starts_with(b"y\n") && first.len() <= 16);
    assert!(child.running.signal(&signal("KILL")));
    assert_eq!(child.running.wait().await, Exit::Signal(9));
    // No more is left than a pipe holds.
    assert!(all(Some(output)).await.len() <= 64 * 1024);
}

#[tokio::test]
async fn a_shutdown_asks_first_and_ends_what_left_its_session() {
    let processes = Processes::default();
    let polite =
        processes.spawn(&shell("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done")).unwrap();
    let stubborn = processes.spawn(&shell("trap '' TERM; setsid sleep 1000 & echo up; wait")).unwrap();
    let (mut polite_out, mut stubborn_out) = (polite.stdout.unwrap(), stubborn.stdout.unwrap());
    assert_eq!(polite_out.read(10).await.unwrap().unwrap(), "up\n");
    assert_eq!(stubborn_out.read(10).await.unwrap().unwrap(), "up\n");
    assert_eq!(processes.shutdown(Duration::from_millis(300)).await, 0);
    assert_eq!(polite.running.wait().await, Exit::Code(0));
    assert_eq!(stubborn.running.wait().await, Exit::Signal(9));
    assert_eq!(all(Some(polite_out)).await, "bye\n");
    // The sleeper in a session of its own held the pipe.
    assert_eq!(all(Some(stubborn_out)).await, "");
}

#[tokio::test]
async fn what_runs_dies_with_its_owner() {
    let processes = Processes::default();
    let child = processes.spawn(&shell("sleep 1000 & echo up; wait")).unwrap();
    let mut output = child.stdout.unwrap();
    assert_eq!(output.read(10).await.unwrap().unwrap(), "up\n");
    drop(processes);
    assert_eq!(output.read(10).await.unwrap(), None);
    assert_eq!(child.running.wait().await, Exit::Signal(9));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_program_in_a_shelter_is_as_one_outside() {
    let run = async |script: &str| {
        let mut spec = shell(script);
        spec.sheltered = true;
        let processes = Processes::default();
        let mut child = processes.spawn(&spec).unwrap();
        let said = all(child.stdout.take()).await;
        (said, child.running.wait().await)
    };
    assert_eq!(run("echo out; exit 7").await, ("out\n".to_owned(), Exit::Code(7)));
    assert_eq!(run("kill -9 $$").await, (String::new(), Exit::Signal(9)));
    assert_eq!(run("kill -TERM $$").await, (String::new(), Exit::Signal(15)));
    let mut missing = Spec::new("/nonexistent/program");
    missing.sheltered = true;
    let error = Processes::default().spawn(&missing).err().unwrap();
    assert_eq!((error.stage, error.error.kind()), (Stage::Program, ErrorKind::NotFound));
}
