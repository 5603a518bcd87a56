//! The truth or an error, whatever the shells, the scripts and the pieces that a server makes of what they say.

use super::{has, noise, stderr};
use crate::support::playground::Playground;
use std::fmt::Write as _;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    /// Less than `most`.
    fn roll(&mut self, most: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 16) % most).unwrap()
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        noise(self.roll(most), self.0)
    }
}

/// A script, and what comes of it.
#[derive(Default)]
struct Script {
    text: String,
    stdin: Vec<u8>,
    taken: usize,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    status: i32,
}

/// A line that prints these bytes.
fn printf(bytes: &[u8]) -> String {
    let mut text = "printf '".to_owned();
    for byte in bytes {
        write!(text, "\\{byte:03o}").unwrap();
    }
    text + "'"
}

impl Script {
    fn of(dice: &mut Dice) -> Self {
        let mut script = Self { stdin: dice.bytes(6000), ..Self::default() };
        for _ in 0..dice.roll(7) {
            script.step(dice);
        }
        script.end(dice);
        script
    }

    fn step(&mut self, dice: &mut Dice) {
        let line = match dice.roll(8) {
            0 => {
                let bytes = dice.bytes(300);
                self.stderr.extend(&bytes);
                format!("{} >&2", printf(&bytes))
            }
            1 => {
                let len = dice.roll(150_000);
                self.stdout.extend(vec![b'\x1e'; len]);
                format!("head -c {len} /dev/zero | tr '\\0' '\\036'")
            }
            2 => {
                let len = dice.roll(60).min(self.stdin.len() - self.taken);
                self.stdout.extend(&self.stdin[self.taken..self.taken + len]);
                self.taken += len;
                format!("dd bs=1 count={len} 2>/dev/null")
            }
            3 => {
                self.stdout.extend(&self.stdin[self.taken..]);
                self.taken = self.stdin.len();
                "cat".to_owned()
            }
            4 => {
                let bytes = dice.bytes(200);
                self.stdout.extend(&bytes);
                format!("{} & wait", printf(&bytes))
            }
            5 => {
                let bytes = dice.bytes(100);
                self.stderr.extend(&bytes);
                self.stdout.extend(b"o\n");
                format!("(echo o; {} >&2; exit {})", printf(&bytes), dice.roll(256))
            }
            6 => {
                let bytes = dice.bytes(2000);
                self.stdout.extend(&bytes);
                format!("sleep 0.0{}; {}", dice.roll(10), printf(&bytes))
            }
            _ => {
                let bytes = dice.bytes(3000);
                self.stdout.extend(&bytes);
                printf(&bytes)
            }
        };
        self.text += &(line + "\n");
    }

    fn end(&mut self, dice: &mut Dice) {
        let code = i32::try_from(dice.roll(256)).unwrap();
        let (line, status) = match dice.roll(7) {
            0 => ("kill -9 $$; sleep 9".to_owned(), 137),
            1 => ("kill -TERM $$; sleep 9".to_owned(), 143),
            2 => (format!("trap 'exit {code}' USR1; kill -USR1 $$; sleep 9"), code),
            3 => (format!("exec sh -c 'exit {code}'"), code),
            4 => ("set -e; false; exit 0".to_owned(), 1),
            5 => (format!("exec >&- 2>&- <&-; exit {code}"), code),
            _ => (format!("exit {code}"), code),
        };
        self.text += &line;
        self.status = status;
    }
}

/// Runs random scripts where `/bin/sh` is this one, in terminals of several shells and pieces of several sizes.
fn random_scripts(sh: &str) {
    if !has(sh) {
        return;
    }
    // Another number tries other scripts.
    let seed = std::env::var("ESKER_TEST_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(2 * seed + 1));
    for (image, split) in [("alpine", "split=3"), ("fedora", "split=200"), ("kali", "split=5000")] {
        let box_ = Playground::container(image, &[&format!("sh-{sh}"), split, "busy"]);
        for round in 0..8 {
            let script = Script::of(&mut dice);
            let mut command = box_.esker();
            command.args(["exec", "--", "sh", "-c", &script.text]).write_stdin(script.stdin);
            let assert = command.assert();
            let output = assert.get_output();
            let at = format!("{sh} {image} {round}: {}", script.text);
            assert_eq!(output.status.code(), Some(script.status), "{at}: {}", stderr(&assert));
            assert!(output.stdout == script.stdout, "{at}: {} of {}", output.stdout.len(), script.stdout.len());
            assert!(output.stderr == script.stderr, "{at}: {}", stderr(&assert));
        }
    }
}

#[test]
fn random_scripts_under_dash() {
    random_scripts("dash");
}

#[test]
fn random_scripts_under_bash() {
    random_scripts("bash");
}

#[test]
fn random_scripts_under_busybox() {
    random_scripts("busybox");
}

#[test]
fn random_scripts_under_zsh() {
    random_scripts("zsh");
}

/// A shell says on the terminal that its child was killed, which must not get into what others print there meanwhile.
#[test]
fn who_is_killed_spoils_no_record() {
    for sh in ["dash", "bash", "busybox"].into_iter().filter(|sh| has(sh)) {
        let box_ = Playground::container("alpine", &[&format!("sh-{sh}"), "split=2", "busy"]);
        for _ in 0..4 {
            let command = ["exec", "--", "sh", "-c", "head -c 90000 /dev/zero; kill -9 $$; sleep 9"];
            let assert = box_.esker().args(command).assert().code(137);
            assert_eq!((assert.get_output().stdout.len(), stderr(&assert).as_str()), (90000, ""), "{sh}");
        }
    }
}

/// Whoever reads the output over there may stand still for long after the program has ended: what it wrote is waited
/// for.
#[test]
fn a_far_side_that_stands_still_costs_nothing() {
    const SCRIPT: &str = r#"
stopped=
for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    pid=${line%% *}
    set -- ${line##*) }
    [ "$2" = "$PPID" ] && [ "$pid" != $$ ] && kill -STOP "$pid" && stopped="$stopped $pid"
done
(sleep 3; kill -CONT $stopped) >/dev/null 2>&1 </dev/null &
head -c 60000 /dev/zero; echo e >&2; exit 5"#;
    let box_ = Playground::container("debian-12", &[]);
    let assert = box_.esker().args(["exec", "--", "sh", "-c", SCRIPT]).assert().code(5);
    assert_eq!((assert.get_output().stdout.len(), stderr(&assert).as_str()), (60000, "e\n"));
}
