//! `api`: a raw, authenticated request to a system that speaks HTTP.

use super::Outcome;
use crate::context::Ctx;
use crate::error::{Error, ErrorKind, Result, Wire};
use crate::provider::feature::capability;
use crate::provider::{Feature, Raw, RawRequest, RawResponse};
use crate::resolve::Target;
use crate::settings::Opt;
use crate::stream::ByteStream;
use bytes::Bytes;
use clap::Args;
use futures_util::StreamExt as _;
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};

/// How much of a body is read at once.
const CHUNK: usize = 64 * 1024;
/// The largest page, in bytes.
const PAGE: usize = 64 << 20;
/// A larger answer is not laid out for people.
const PRETTY: usize = 4 << 20;

#[derive(Args, Debug)]
#[command(after_help = "\
The body of the answer goes to stdout as it comes; JSON is laid out on a
terminal. A status of 400 or more is an error by its own exit code, after the
body. The request is never sent twice.

Examples:
  esker api GET /v1/system-info
  esker api GET '/v1/changes?select=all' --target prod | jq .result
  esker api GET /api/ssh/keys --target rexec
  esker api GET '/v1/sprites?max_results=50' --target sprites --paginate | jq '.sprites[].name'
  esker api POST /api/tokens --target rexec --body - <<< '{\"name\":\"ci\",\"expires_in\":30}'
  esker api GET '/api/audit-logs?limit=20' --target rexec | jq '.[].action'
  esker api POST /api/collab/start --target rexec --body share.json
  esker api POST /v1/services --body - <<< '{\"action\":\"start\",\"services\":[\"web\"]}'")]
pub struct ApiArgs {
    /// GET, POST, PUT, PATCH, DELETE or another one
    #[arg(value_name = "METHOD")]
    method: String,
    /// Path and query, starting with /
    #[arg(value_name = "PATH")]
    path: String,
    /// Send this file as the body; `-` is stdin
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Send this header; repeat it for several
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// Print status and headers in front of the body
    #[arg(short, long)]
    include: bool,
    /// With GET: go on with every further page; each is a document of its own
    #[arg(long, conflicts_with_all = ["body", "include"])]
    paginate: bool,
}

/// Sends one request and prints what comes back.
pub async fn run(ctx: &Ctx, args: ApiArgs) -> anyhow::Result<Outcome> {
    if !args.path.starts_with('/') {
        return Err(Error::usage(format!("`{}` does not start with `/`", args.path))
            .hint("name the path alone; --target says which system")
            .into());
    }
    let headers = args.header.iter().map(|text| header(text)).collect::<Result<Vec<_>>>()?;
    if args.paginate && !args.method.eq_ignore_ascii_case("GET") {
        return Err(Error::usage(format!("--paginate is for GET, not for {}", args.method.to_uppercase())).into());
    }
    let target = ctx.target(&(Feature::Raw, "api"))?;
    let provider = target.provider.driver();
    let raw = target.provider.raw();
    let raw: &dyn Raw = capability(&*target.place, |_| raw, Feature::Raw, "api")?;
    let body = args.body.as_deref().map(open).transpose()?;
    let method = args.method.to_uppercase();
    let what = format!("{method} {}", args.path);
    let work = async {
        if args.paginate {
            return pages(ctx, &target, raw, args.path.clone(), headers).await;
        }
        let response = raw.request(RawRequest { method, path: args.path.clone(), headers, body }).await?;
        print(ctx, &target, &what, response, args.include).await
    };
    let outcome = match ctx.settings.duration(Opt::Timeout) {
        None => work.await,
        Some(limit) => tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
            Err(Error::timeout(format!(
                "cannot {what}: gave up after {} (--timeout)",
                crate::config::duration::show(limit)
            )))
        }),
    };
    outcome.map_err(|error| error.at(provider.id, &*target.full))?;
    Ok(Outcome::Done)
}

/// Prints page after page, each on lines of its own.
async fn pages(
    ctx: &Ctx,
    target: &Target,
    raw: &dyn Raw,
    mut path: String,
    headers: Vec<(String, String)>,
) -> Result<()> {
    loop {
        let request = RawRequest { method: "GET".to_owned(), path: path.clone(), headers: headers.clone(), body: None };
        let mut response = raw.request(request).await?;
        let mut whole = Vec::new();
        while let Some(chunk) = response.body.next().await {
            whole.extend_from_slice(&chunk?);
            if whole.len() > PAGE {
                return Err(Error::limit(format!("a page of {path} is larger than {PAGE} bytes")));
            }
        }
        let next = serde_json::from_slice(&whole).ok().and_then(|document| raw.next_page(&path, &document));
        let ended = response.status < 400;
        if ended && !whole.ends_with(b"\n") {
            whole.push(b'\n');
        }
        let body = crate::stream::iter([Ok(Bytes::from(whole))]);
        print(ctx, target, &format!("GET {path}"), RawResponse { body, ..response }, false).await?;
        match next {
            // A server that names the page it was asked for would be asked for ever.
            Some(next) if next != path => path = next,
            _ => return Ok(()),
        }
    }
}

/// A header as it is written in HTTP.
fn header(text: &str) -> Result<(String, String)> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        // The text is not repeated: it may hold a credential.
        _ => Err(Error::usage("a header has no name").hint("write it as --header 'NAME: VALUE'")),
    }
}

/// The body to send, and its length where that is known.
fn open(path: &Path) -> Result<(ByteStream, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((chunks(std::io::stdin()), None));
    }
    let cannot = |error: &std::io::Error| {
        Error::config(format!("cannot read `{}`: {}", path.display(), crate::config::reason(error)))
    };
    let file = std::fs::File::open(path).map_err(|error| cannot(&error))?;
    let meta = file.metadata().map_err(|error| cannot(&error))?;
    Ok((chunks(file), meta.is_file().then_some(meta.len())))
}

/// What a reader yields, read where it may block.
fn chunks(reader: impl Read + Send + 'static) -> ByteStream {
    crate::stream::unfold(reader, |mut reader| async move {
        let read = tokio::task::spawn_blocking(move || {
            let mut chunk = vec![0; CHUNK];
            reader.read(&mut chunk).map(|n| {
                chunk.truncate(n);
                (Bytes::from(chunk), reader)
            })
        });
        match read.await.map_err(Error::internal)? {
            Ok((chunk, _)) if chunk.is_empty() => Ok(None),
            Ok(next) => Ok(Some(next)),
            Err(error) => Err(Error::failure(format!("cannot read the body: {}", crate::config::reason(&error)))),
        }
    })
}

/// Prints the answer as it comes; its status is an error afterwards, if it says so.
async fn print(ctx: &Ctx, target: &Target, what: &str, response: RawResponse, include: bool) -> Result<()> {
    let RawResponse { status, headers, mut body } = response;
    let is = |name: &str| headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
    if include {
        let mut head = format!("HTTP {status}\n");
        for (name, value) in &headers {
            let _ = writeln!(head, "{name}: {value}");
        }
        ctx.out.line(&head)?;
    }
    let is_json = is("content-type").is_some_and(|(_, value)| value.contains("json"));
    let length = is("content-length").and_then(|(_, length)| length.parse::<usize>().ok());
    if is_json && ctx.out.stdout_is_tty() && length.is_some_and(|length| length <= PRETTY) {
        let mut whole = Vec::new();
        while let Some(chunk) = body.next().await {
            whole.extend_from_slice(&chunk?);
        }
        match serde_json::from_slice::<serde_json::Value>(&whole) {
            Ok(document) => ctx.out.remote_line(&serde_json::to_string_pretty(&document).map_err(Error::internal)?)?,
            Err(_) => ctx.out.bytes(&whole)?,
        }
    } else {
        while let Some(chunk) = body.next().await {
            ctx.out.bytes(&chunk?)?;
        }
    }
    if status < 400 {
        return Ok(());
    }
    let error = Error::new(kind(status), format!("cannot {what} on `{}`: status {status}", target.full));
    Err(error.wire(Wire { status: Some(status), ..Wire::default() }))
}

/// The kind of a status that says no (ux 3.1).
const fn kind(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Auth,
        403 | 405 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        429 | 502..=504 => ErrorKind::TryLater,
        400..=499 => ErrorKind::Rejected,
        _ => ErrorKind::Failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_have_the_codes_of_the_table() {
        let codes = [400, 401, 403, 404, 409, 422, 429, 500, 503].map(|status| kind(status).exit_code());
        assert_eq!(codes, [8, 4, 5, 6, 7, 8, 13, 1, 13]);
    }

    #[test]
    fn headers_are_read_as_they_are_sent() {
        assert_eq!(header("X-A: b: c").unwrap(), ("X-A".to_owned(), "b: c".to_owned()));
        assert_eq!(header("X-Empty:").unwrap().1, "");
        let error = header("Bearer hunter2").unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
