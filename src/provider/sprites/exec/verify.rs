//! `--verify`: whether all of the output arrived. Users report that the service loses output beyond some 512 KB and says
//! nothing (section 3.8).
//!
//! A shell over there passes both streams through `tee` to programs that count and sum them, and leaves what those say
//! in a file: a way of its own, that loses nothing with the output.

use super::session::{Place, Session};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::provider::exec::Event;
use crate::transport::query::Query;
use crate::transport::{Request, nonce};
use ring::digest::{Context, SHA256};
use std::fmt::Write as _;

/// The largest file of sums that is read, in bytes.
const SUMS_LIMIT: usize = 4096;

/// What arrived of one stream.
struct Stream {
    bytes: u64,
    sum: Context,
}

/// What arrived, and where it is written what was sent.
pub(super) struct Tally {
    folder: String,
    stdout: Stream,
    stderr: Stream,
}

/// What was sent of one stream.
#[derive(Debug, PartialEq)]
struct Sent {
    bytes: u64,
    sum: String,
}

impl Tally {
    pub(super) fn new() -> Self {
        let stream = || Stream { bytes: 0, sum: Context::new(&SHA256) };
        Self { folder: format!("/tmp/.esker-{}", nonce()), stdout: stream(), stderr: stream() }
    }

    /// What the shell over there does with its arguments.
    pub(super) fn script(&self) -> String {
        format!(
            r#"esker_d={}
mkdir -m 700 "$esker_d" || exit 125
for esker_t in tee sha256sum wc mkfifo; do
  command -v "$esker_t" >/dev/null || {{ echo "there is no $esker_t" >"$esker_d/sums"; exit 125; }}
done
mkfifo "$esker_d/1" "$esker_d/2" "$esker_d/3" "$esker_d/4" || exit 125
wc -c <"$esker_d/1" >"$esker_d/a" &
sha256sum <"$esker_d/2" >"$esker_d/b" &
wc -c <"$esker_d/3" >"$esker_d/c" &
sha256sum <"$esker_d/4" >"$esker_d/d" &
{{ {{ {{ ( exec "$@" 3>&- 4>&- ); echo $? >"$esker_d/x"; }} 2>&3 | tee "$esker_d/1" "$esker_d/2" >&4; }} 3>&1 |
  tee "$esker_d/3" "$esker_d/4" >&2; }} 4>&1
wait
cat "$esker_d/a" "$esker_d/b" "$esker_d/c" "$esker_d/d" >"$esker_d/sums"
exit "$(cat "$esker_d/x")""#,
            self.folder
        )
    }

    pub(super) fn count(&mut self, event: &Event) {
        let (stream, bytes) = match event {
            Event::Stdout(bytes) => (&mut self.stdout, bytes),
            Event::Stderr(bytes) => (&mut self.stderr, bytes),
            Event::Note(_) | Event::Exit(_) => return,
        };
        stream.bytes += bytes.len() as u64;
        stream.sum.update(bytes);
    }

    /// Compares, once the program has ended.
    pub(super) async fn check(self, session: &Session) -> Result<()> {
        let program = &session.program;
        let text = sums(&session.place, &self.folder, program).await?;
        let unknown = || {
            Error::failure(format!("cannot tell whether all output of `{program}` arrived"))
                .cause(format!("it cannot be counted over there: {}", text.trim()))
                .effect(Effect::Done)
        };
        let [stdout, stderr] = read(&text).ok_or_else(unknown)?;
        let mut missing = Vec::new();
        for (name, here, there) in [("stdout", self.stdout, stdout), ("stderr", self.stderr, stderr)] {
            let sum = here.sum.finish().as_ref().iter().fold(String::new(), |mut text, byte| {
                write!(text, "{byte:02x}").expect("writing to a string cannot fail");
                text
            });
            if here.bytes != there.bytes {
                missing.push(format!("{} of {} bytes of {name} arrived", here.bytes, there.bytes));
            } else if sum != there.sum {
                missing.push(format!("{name} arrived in full length and changed: {sum} is not {}", there.sum));
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let error = Error::failure(format!("not all output of `{program}` arrived")).effect(Effect::Done);
        let error = missing.into_iter().fold(error, Error::cause);
        Err(error.hint("write it to a file over there, and fetch that with `esker files cp`"))
    }
}

/// What was written over there, which is then removed.
async fn sums(place: &Place, folder: &str, program: &str) -> Result<String> {
    let what = format!("ask how much `{program}` wrote");
    let query = Query::new("").with("path", format!("{folder}/sums")).with("workingDir", "/").build();
    let path = place.path(&format!("/fs/read{query}"));
    let text = match place.client.open(&what, Request::get(path)).await {
        Ok(response) => response.bytes(SUMS_LIMIT).await,
        Err(error) if error.kind() == ErrorKind::NotFound => Ok("no file of sums".into()),
        Err(error) => Err(error),
    };
    if let Err(error) = super::remove(place, folder, true).await {
        place.client.notes().info(format!("`{folder}` is left over there: {error}"));
    }
    Ok(String::from_utf8_lossy(&text.map_err(|error| error.effect(Effect::Done))?).into_owned())
}

/// Reads counts and sums: four lines, as `wc` and `sha256sum` write them.
fn read(text: &str) -> Option<[Sent; 2]> {
    let mut words = text.lines().map(|line| line.split_whitespace().next().unwrap_or_default());
    let mut sent = || {
        let bytes = words.next()?.parse().ok()?;
        let sum = words.next().filter(|sum| sum.len() == 64)?.to_owned();
        Some(Sent { bytes, sum })
    };
    Some([sent()?, sent()?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn the_shell_counts_sums_and_passes_everything_on() {
        let folder = tempfile::TempDir::new().unwrap();
        let tally = Tally { folder: folder.path().join("v").to_str().unwrap().to_owned(), ..Tally::new() };
        let program = "head -c 100000 /dev/zero; printf oops >&2; cat; exit 7";
        let mut child = Command::new("sh")
            .args(["-c", &tally.script(), "esker", "sh", "-c", program])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"the end").unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len(), &output.stderr[..]), (Some(7), 100_007, &b"oops"[..]));
        let sums = std::fs::read_to_string(folder.path().join("v/sums")).unwrap();
        let [stdout, stderr] = read(&sums).unwrap();
        assert_eq!((stdout.bytes, stderr.bytes), (100_007, 4));
        let mut context = Context::new(&SHA256);
        context.update(&output.stdout);
        let expected = context.finish().as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        assert_eq!(stdout.sum, expected);
    }

    #[test]
    fn what_is_no_list_of_sums_is_not_read_as_one() {
        for text in ["", "no tee there\n", "7\nabc\n0\nabc\n", "7\n"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
