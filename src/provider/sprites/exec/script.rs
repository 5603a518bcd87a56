//! What is said to a shell over there.
//!
//! The command line of a program and its environment can go in the URL. But URLs are logged and bounded, and naming any
//! variable there makes some servers forget all others (section 3.1). So where there is more than a short command
//! line, a shell is started that reads one line, from its stdin or from a file, and becomes the program. Shells read a
//! line from a pipe byte by byte, so what follows it is the program's.

/// Becomes the program.
pub(super) const BECOME: &str = "exec \"$@\"";

/// The login shell of whoever runs this.
pub(super) const LOGIN_SHELL: &str =
    "esker_s=${SHELL:-$(getent passwd \"$(id -u)\" 2>/dev/null | cut -d: -f7)}; exec \"${esker_s:-/bin/sh}\" -l";

/// A script that reads its line from stdin and goes on with `then`.
pub(super) fn reads_stdin(then: &str) -> String {
    reads("", then)
}

/// A script that reads its line from the file `$0`, which it removes, and goes on with `then`.
pub(super) fn reads_file(then: &str) -> String {
    reads(" <\"$0\" && rm -f -- \"$0\"", then)
}

/// `esker_n` is the newline that the line itself cannot hold.
fn reads(from: &str, then: &str) -> String {
    format!(
        "IFS= read -r esker_l{from} && esker_n=$(printf '\\nx') && esker_n=${{esker_n%x}} && eval \"$esker_l\" && \
         unset esker_l esker_n && {{ {then}
}}"
    )
}

/// The line that such a script reads, its newline included: it sets the arguments and variables.
pub(super) fn line(argv: &[impl AsRef<[u8]>], env: &[(String, impl AsRef<[u8]>)]) -> Vec<u8> {
    let (plain, odd): (Vec<_>, Vec<_>) = env.iter().partition(|(name, _)| is_identifier(name));
    let mut line = b"set --".to_vec();
    // What no shell takes for a variable, `env` does.
    if !odd.is_empty() {
        line.extend_from_slice(b" env");
    }
    let odd = odd.into_iter().map(|(name, value)| [name.as_bytes(), b"=", value.as_ref()].concat());
    for word in odd.chain(argv.iter().map(|word| word.as_ref().to_vec())) {
        line.push(b' ');
        quote(&word, &mut line);
    }
    for (name, value) in plain {
        line.extend_from_slice(b" && export ");
        line.extend_from_slice(name.as_bytes());
        line.push(b'=');
        quote(value.as_ref(), &mut line);
    }
    line.push(b'\n');
    line
}

fn is_identifier(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// One word, on one line.
fn quote(word: &[u8], line: &mut Vec<u8>) {
    line.push(b'\'');
    for byte in word {
        match byte {
            b'\'' => line.extend_from_slice(b"'\\''"),
            b'\n' => line.extend_from_slice(b"'\"$esker_n\"'"),
            byte => line.push(*byte),
        }
    }
    line.push(b'\'');
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::ffi::OsStrExt as _;
    use std::process::{Command, Stdio};

    /// The shells of this machine that a sandbox may have as `sh`.
    fn shells() -> Vec<Vec<&'static str>> {
        let all = [vec!["sh"], vec!["dash"], vec!["bash", "--posix"], vec!["busybox", "sh"], vec!["ksh"], vec!["zsh"]];
        all.into_iter().filter(|shell| Command::new(shell[0]).arg("--help").output().is_ok()).collect()
    }

    fn every_byte() -> Vec<u8> {
        (1..=255).collect()
    }

    #[test]
    fn every_shell_gets_every_byte_and_leaves_the_rest_of_stdin_alone() {
        let value = [&every_byte()[..], b"\n\n"].concat();
        let argv: [&[u8]; 5] = [b"sh", b"-c", b"printf %s \"$X\" \"$1\"; cat", b"sh", &value];
        let line = line(&argv, &[("X".to_owned(), &value)]);
        for shell in shells() {
            let mut child = Command::new(shell[0])
                .args(&shell[1..])
                .args(["-c", &reads_stdin(BECOME), "esker"])
                .env("LC_ALL", "C.UTF-8")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let stdin = [&line[..], b"the\0rest\n"].concat();
            child.stdin.take().unwrap().write_all(&stdin).unwrap();
            let output = child.wait_with_output().unwrap().stdout;
            assert_eq!(output, [&value[..], &value, b"the\0rest\n"].concat(), "{shell:?}");
        }
    }

    #[test]
    fn a_variable_that_no_shell_knows_is_set_all_the_same() {
        let line = line(&["env"], &[("odd;name-1".to_owned(), "&'"), ("X".to_owned(), "plain")]);
        for shell in shells() {
            let mut child = Command::new(shell[0])
                .args(&shell[1..])
                .args(["-c", &reads_stdin(BECOME), "esker"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(&line).unwrap();
            let output = String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned();
            assert!(output.contains("odd;name-1=&'\n") && output.contains("X=plain\n"), "{shell:?} {output}");
        }
    }

    #[test]
    fn a_file_is_read_and_gone_before_the_program_runs() {
        let folder = tempfile::TempDir::new().unwrap();
        for shell in shells() {
            let path = folder.path().join("it's");
            let argv: [&[u8]; 4] = [b"sh", b"-c", b"test ! -e \"$P\" && cat", b"sh"];
            std::fs::write(&path, line(&argv, &[("P".to_owned(), path.as_os_str().as_bytes())])).unwrap();
            let mut child = Command::new(shell[0])
                .args(&shell[1..])
                .args(["-c", &reads_file(BECOME)])
                .arg(&path)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(b"all of it").unwrap();
            let output = child.wait_with_output().unwrap();
            assert_eq!((output.stdout, output.status.code()), (b"all of it".to_vec(), Some(0)), "{shell:?}");
        }
    }

    #[test]
    fn without_a_line_nothing_runs() {
        for shell in shells() {
            let output = Command::new(shell[0])
                .args(&shell[1..])
                .args(["-c", &reads_stdin("echo ran"), "esker"])
                .stdin(Stdio::null())
                .output()
                .unwrap();
            assert_eq!(output.stdout, b"", "{shell:?}");
        }
    }
}
