//! What is typed at a shell over there: nothing but printable ASCII, whatever the bytes are.

use crate::error::{Error, Result};
use crate::provider::exec::ExecSpec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

/// How long a line that is typed may be: a terminal that cannot be made raw takes fewer than 4096 bytes.
pub(super) const LINE: usize = 3000;

/// The format with which `printf` prints these bytes: no quote in it, and no sign that looks like an option first.
pub(super) fn format(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 2);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'%' => text.push_str("%%"),
            b'\\' => text.push_str("\\\\"),
            b'-' if at == 0 => text.push_str("\\055"),
            b' '..=b'~' if *byte != b'\'' => text.push(char::from(*byte)),
            byte => {
                // Writing to a string cannot fail.
                let _ = write!(text, "\\{byte:03o}");
            }
        }
    }
    text
}

/// Whether the format of `bytes` is shorter than their base64.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    let odd = bytes.iter().filter(|byte| !matches!(byte, b' '..=b'~') || matches!(byte, b'\'' | b'\\' | b'%'));
    odd.count() * 9 < bytes.len()
}

/// In base64.
pub(super) fn armoured(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A text as lines that are typed, without the dot that ends it.
pub(super) fn lines(text: &str) -> String {
    let mut lines = String::with_capacity(text.len() + text.len() / LINE + 2);
    let mut rest = text;
    while !rest.is_empty() {
        // All of it is ASCII.
        let (line, tail) = rest.split_at(rest.len().min(LINE));
        lines.push_str(line);
        lines.push('\n');
        rest = tail;
    }
    lines
}

/// One word for a shell.
pub(super) fn quote(word: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for byte in word {
        match byte {
            b'\'' => quoted.extend_from_slice(b"'\\''"),
            byte => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Lines that export variables; names that no shell takes are left out.
pub(crate) fn exports<'a>(env: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut lines = Vec::new();
    for (name, value) in env.filter(|(name, _)| is_identifier(name)) {
        lines.extend_from_slice(b"export ");
        lines.extend_from_slice(name.as_bytes());
        lines.push(b'=');
        lines.extend(quote(value));
        lines.push(b'\n');
    }
    lines
}

/// The script that becomes the program: run with the umask of before as its only argument, in a directory of its own,
/// where it leaves its number and, if it cannot start, the reason.
pub(super) fn script(spec: &ExecSpec) -> Result<Vec<u8>> {
    let words = spec.argv.iter().map(|word| &word[..]);
    let values = spec.env.iter().map(|(_, value)| &value[..]);
    let dir = spec.dir.iter().map(crate::model::RemotePath::as_bytes);
    if words.chain(values).chain(dir).any(|word| word.contains(&0)) {
        return Err(Error::usage("a word of the command holds a NUL, which no program can be given"));
    }
    let mut text = b"echo $$ >\"${0%/*}/pid\"\numask \"$1\"\n".to_vec();
    text.extend_from_slice(b"[ ! -r \"$HOME/.esker/env\" ] || . \"$HOME/.esker/env\"\n");
    text.extend(exports(spec.env.iter().map(|(name, value)| (name.as_str(), &value[..]))));
    if let Some(dir) = &spec.dir {
        text.extend_from_slice(b"cd -- ");
        text.extend(quote(dir.as_bytes()));
        text.extend_from_slice(b" >/dev/null 2>&1 || { echo dir >\"${0%/*}/why\"; exit 125; }\n");
    }
    text.extend_from_slice(b"set --");
    // What no shell takes for a variable, `env` does.
    let odd: Vec<_> = spec.env.iter().filter(|(name, _)| !is_identifier(name)).collect();
    if !odd.is_empty() {
        text.extend_from_slice(b" env");
    }
    for (name, value) in odd {
        text.push(b' ');
        text.extend(quote(&[name.as_bytes(), b"=", value].concat()));
    }
    if spec.argv.is_empty() {
        text.extend_from_slice(b" \"${SHELL:-/bin/sh}\" -l");
    }
    for word in &spec.argv {
        text.push(b' ');
        text.extend(quote(word));
    }
    text.extend_from_slice(CHECK);
    Ok(text)
}

/// Tells a program that does not exist from one that cannot run, and becomes it.
const CHECK: &[u8] = br#"
case $1 in
*/*)
    if [ ! -e "$1" ]; then echo 127 >"${0%/*}/why"; exit 127; fi
    if [ -d "$1" ] || [ ! -x "$1" ]; then echo 126 >"${0%/*}/why"; exit 126; fi
    ;;
*) command -v "$1" >/dev/null 2>&1 || { echo 127 >"${0%/*}/why"; exit 127; } ;;
esac
exec "$@"
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn every_byte() -> Vec<u8> {
        (0..=255).chain(0..=255).collect()
    }

    /// The shells of this machine that a container may have as `sh`.
    pub(in super::super) fn shells() -> Vec<Vec<&'static str>> {
        let all = [vec!["dash"], vec!["bash", "--posix"], vec!["busybox", "sh"], vec!["zsh", "--emulate", "sh"]];
        all.into_iter()
            .filter(|shell| Command::new(shell[0]).args(&shell[1..]).args(["-c", ":"]).status().is_ok())
            .collect()
    }

    #[test]
    fn every_shell_prints_every_byte_of_a_format() {
        for shell in shells() {
            for bytes in [every_byte(), b"-n % \\ '".to_vec(), b"%s".to_vec()] {
                let script = format!("printf '{}'", format(&bytes));
                let output = Command::new(shell[0]).args(&shell[1..]).args(["-c", &script]).output().unwrap();
                assert_eq!(output.stdout, bytes, "{shell:?}");
            }
        }
    }

    #[test]
    fn formats_are_plain_ascii_on_short_lines() {
        let text = format(&every_byte().repeat(50));
        assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\''));
        let lines = lines(&text);
        assert!(lines.lines().all(|line| line.len() <= LINE) && lines.replace('\n', "") == text);
        assert!(is_plain(b"{\"type\":\"prompt\",\"text\":\"hello\"}\n") && !is_plain(&every_byte()));
    }

    #[test]
    fn a_script_gives_the_program_its_words_and_variables() {
        let dir = tempfile::tempdir().unwrap();
        let value: Vec<u8> = (1..=255).collect();
        for shell in shells() {
            let mut spec =
                ExecSpec::new(vec!["printf".into(), "%s|".into(), value.clone().into(), "".into(), "-n".into()]);
            spec.env = vec![("A.B".to_owned(), value.clone().into()), ("PLAIN".to_owned(), "it's".into())];
            let path = dir.path().join("cmd");
            std::fs::write(&path, script(&spec).unwrap()).unwrap();
            let output = Command::new(shell[0]).args(&shell[1..]).arg(&path).arg("022").output().unwrap();
            assert_eq!(output.stdout, [&value[..], b"||-n|"].concat(), "{shell:?} {output:?}");
            for (program, code) in [("no-such-program", 127), ("/no/such", 127), ("/etc/passwd", 126), ("/etc", 126)] {
                std::fs::write(&path, script(&ExecSpec::new(vec![program.into()])).unwrap()).unwrap();
                let status = Command::new(shell[0]).args(&shell[1..]).arg(&path).arg("022").status().unwrap();
                assert_eq!(status.code(), Some(code), "{shell:?} {program}");
                assert_eq!(std::fs::read_to_string(dir.path().join("why")).unwrap(), format!("{code}\n"));
            }
        }
        assert!(script(&ExecSpec::new(vec!["a\0b".into()])).is_err());
    }
}
