//! One run of a check: a command, a request or a connection (section 6.3).

use super::accounts::Wish;
use super::daemon::Daemon;
use super::go;
use super::launch::{Launch, environment};
use super::plan::{Check, ExecCheck, HttpCheck, TcpCheck};
use super::words;
use crate::host::process::{Io, Lead, Output, Stream};
use crate::provider::exec::{Signal, TermSize};
use crate::transport::{self, Client, HeaderName, HeaderValue, Net, Request, TlsOptions};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// How much of the output is told, in bytes and in lines.
const DETAIL: usize = 512;
const DETAIL_LINES: usize = 5;

/// How much output is looked at, in bytes.
const MAX_OUTPUT: usize = 64 * 1024;

/// Runs a check once; the error is what the daemon says of it.
pub(super) async fn run(daemon: &Arc<Daemon>, check: &Check) -> Result<(), String> {
    let timeout = check.timeout();
    let probe = async {
        match (&check.http, &check.tcp, &check.exec) {
            (Some(http), ..) => request(http).await,
            (_, Some(tcp), _) => connect(tcp).await,
            (.., Some(exec)) => command(daemon, exec).await,
            _ => Ok(()),
        }
    };
    let late = || format!("check timed out after {}", go::show(timeout));
    tokio::time::timeout(timeout, probe).await.unwrap_or_else(|_| Err(late()))
}

async fn command(daemon: &Arc<Daemon>, check: &ExecCheck) -> Result<(), String> {
    let (wish, base, dir) = {
        let book = daemon.book();
        let context = book.layers.plan().services.get(&*check.service_context);
        let mut base = daemon.options.environment.clone();
        let of_context = context.into_iter().flat_map(|service| &service.environment);
        base.extend(of_context.map(|(name, value)| (name.clone(), value.0.clone())));
        let wish = Wish::of_check(check).or(context.map(Wish::of_service).unwrap_or_default());
        let dirs = [Some(&check.working_dir), context.map(|service| &service.working_dir)];
        let dir = dirs.into_iter().flatten().find(|dir| !dir.is_empty()).map(|dir| PathBuf::from(&dir.0));
        (wish, base, dir)
    };
    let extra = check.environment.iter().map(|(name, value)| (name.as_str(), &**value));
    let (environment, ids) = environment(&base, &wish, extra)?;
    if let Some(error) = dir.as_ref().and_then(|dir| dir.metadata().err()) {
        let dir = dir.as_deref().unwrap_or_else(|| "".as_ref());
        return Err(format!("chdir {}: {}", dir.display(), go::errno(&error)));
    }
    let launch = Launch { command: words::split(&check.command)?, environment, ids, dir };
    let io =
        Io { stdin: Stream::Null, stdout: Stream::Pipe, stderr: Stream::Stdout, size: TermSize { cols: 80, rows: 25 } };
    let path = daemon.options.environment.get("PATH").map(String::as_str);
    let child = launch.start(&daemon.processes, path, io, Lead::Group)?;
    // Whoever gives up waiting ends the command and what it started.
    let guard = Guard(Some(child.running.clone()));
    let (output, exit) = tokio::join!(collect(child.stdout), child.running.wait());
    drop(guard);
    match exit {
        crate::host::process::Exit::Code(0) => Ok(()),
        crate::host::process::Exit::Code(code) => Err(with_detail(format!("exit status {code}"), &output, true)),
        crate::host::process::Exit::Signal(signal) => {
            let name =
                Signal::from_number(signal).map_or_else(|| signal.to_string(), |signal| signal.name().to_owned());
            Err(with_detail(format!("signal: {name}"), &output, true))
        }
    }
}

/// Kills a process group when it is dropped.
struct Guard(Option<crate::host::process::Running>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(running) = self.0.take() {
            // Nobody may be left in it.
            let _ = running.signal_group(&Signal::parse("KILL").expect("it exists"));
        }
    }
}

/// The latest output of a command.
async fn collect(output: Option<Output>) -> Vec<u8> {
    let mut all = Vec::new();
    let Some(mut output) = output else { return all };
    while let Ok(Some(bytes)) = output.read(MAX_OUTPUT).await {
        all.extend_from_slice(&bytes);
        let over = all.len().saturating_sub(MAX_OUTPUT);
        all.drain(..over);
    }
    all
}

async fn request(check: &HttpCheck) -> Result<(), String> {
    let failed = |why: &str| format!("Get {}: {why}", go::quote(&check.url));
    let (server, path) = parts(&check.url);
    let (address, _) = transport::parse_url(server, TlsOptions::default()).map_err(|error| failed(&reason(&error)))?;
    let mut request = Request::get(path);
    for (name, value) in &check.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(&**value)) {
            request = request.header(name, value);
        }
    }
    let place = address.to_string();
    let response = Client::new(Net::default(), address).send(request).await.map_err(|error| {
        let why = reason(&error);
        let host = server.rsplit("//").next().unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        if why.contains("lookup") {
            return failed(&format!("dial tcp: lookup {host}: no such host"));
        }
        let at = place.split("://").nth(1).unwrap_or(&place).trim_end_matches('/');
        failed(&format!("dial tcp {at}: connect: {why}"))
    })?;
    if response.is_success() {
        return Ok(());
    }
    let status = response.status;
    let body = response.bytes(MAX_OUTPUT).await.unwrap_or_default();
    Err(with_detail(format!("non-2xx status code {status}"), &body, false))
}

/// The server of a URL, and the path and the query that it is asked for.
fn parts(url: &str) -> (&str, String) {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |at| host + at);
    let (server, path) = url.split_at(end);
    let path = path.split('#').next().unwrap_or_default();
    (server, if path.starts_with('/') { path.to_owned() } else { format!("/{path}") })
}

/// The innermost reason of an error, in the words of Go.
fn reason(error: &crate::error::Error) -> String {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut text = error.to_string();
    while let Some(inner) = source {
        if let Some(error) = inner.downcast_ref::<io::Error>() {
            text = go::errno(error);
        }
        source = inner.source();
    }
    text
}

async fn connect(check: &TcpCheck) -> Result<(), String> {
    let host = if check.host.is_empty() { "localhost" } else { &*check.host };
    let port = u16::try_from(check.port).map_err(|_| format!("dial tcp: address {}: invalid port", check.port))?;
    let mut why = format!("dial tcp: lookup {host}: no such host");
    let addresses: Vec<std::net::IpAddr> = match host {
        "localhost" => vec![std::net::Ipv4Addr::LOCALHOST.into()],
        host => host.parse().map_or_else(|_| Vec::new(), |address| vec![address]),
    };
    for address in addresses {
        match tokio::net::TcpStream::connect((address, port)).await {
            Ok(_) => return Ok(()),
            Err(error) => why = format!("dial tcp {address}:{port}: connect: {}", go::errno(&error)),
        }
    }
    Err(why)
}

/// Adds what came with a failure, as much of it as the daemon tells: its end (`latest`) or its begin.
fn with_detail(why: String, output: &[u8], latest: bool) -> String {
    let text = String::from_utf8_lossy(output);
    let text = text.trim_end_matches('\n');
    let lines: Vec<&str> = text.split('\n').collect();
    let is_cut = lines.len() > DETAIL_LINES;
    let kept = if latest {
        &lines[lines.len().saturating_sub(DETAIL_LINES)..]
    } else {
        &lines[..lines.len().min(DETAIL_LINES)]
    };
    let mut kept = kept.join("\n");
    if kept.len() > DETAIL {
        let mut at = if latest { kept.len() - DETAIL } else { DETAIL };
        while !kept.is_char_boundary(at) {
            at += 1;
        }
        kept = if latest { kept.split_off(at) } else { kept[..at].to_owned() };
    }
    match (kept.is_empty(), is_cut, latest) {
        (true, ..) => why,
        (_, false, _) => format!("{why}; {kept}"),
        (_, true, true) => format!("{why}; (...)\n{kept}"),
        (_, true, false) => format!("{why}; {kept}\n(...)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_server_and_what_it_is_asked() {
        assert_eq!(parts("http://a:1"), ("http://a:1", "/".to_owned()));
        assert_eq!(parts("http://a:1/b/?c=/d#e"), ("http://a:1", "/b/?c=/d".to_owned()));
        assert_eq!(parts("http://a?c"), ("http://a", "/?c".to_owned()));
    }

    #[test]
    fn some_of_the_output_is_told() {
        let told = |text: &str, latest| with_detail("exit status 1".to_owned(), text.as_bytes(), latest);
        assert_eq!(told("", true), "exit status 1");
        assert_eq!(told("why\n", true), "exit status 1; why");
        assert_eq!(told("1\n2\n3\n4\n5\n6\n", true), "exit status 1; (...)\n2\n3\n4\n5\n6");
        assert_eq!(told("1\n2\n3\n4\n5\n6\n", false), "exit status 1; 1\n2\n3\n4\n5\n(...)");
        assert!(told(&"é".repeat(1000), true).len() < DETAIL + 40);
    }
}
