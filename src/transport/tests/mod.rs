//! The transport against servers of its own, most of them hand-written so that they can misbehave.

mod faults;
mod http;
mod tls;
mod ws;

use super::{Address, Client, Net, NetOptions};
use crate::stream::{self, ByteStream};
use bytes::Bytes;
use futures_util::FutureExt;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// A socket in a folder of its own that somebody listens on.
struct Socket {
    _folder: TempDir,
    path: PathBuf,
    listener: UnixListener,
}

fn socket() -> Socket {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    Socket { _folder: folder, path, listener }
}

impl Socket {
    fn client(&self) -> Client {
        self.client_with(NetOptions::default())
    }

    fn client_with(&self, options: NetOptions) -> Client {
        Client::new(Net::new(options), Address::Unix(self.path.clone()))
    }

    async fn accept(&self) -> Peer {
        Peer(self.listener.accept().await.unwrap().0)
    }
}

/// The server's end of a connection.
struct Peer(UnixStream);

impl Peer {
    /// The next request, head and body (by its length, or by its chunks).
    async fn request(&mut self) -> String {
        let mut text = Vec::new();
        loop {
            let whole = String::from_utf8_lossy(&text).into_owned();
            if let Some((head, body)) = whole.split_once("\r\n\r\n") {
                let head = head.to_lowercase();
                let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
                let complete = match length {
                    Some(length) => body.len() >= length.parse::<usize>().unwrap(),
                    None => !head.contains("chunked") || body.ends_with("0\r\n\r\n"),
                };
                if complete {
                    return whole;
                }
            }
            if self.0.read_buf(&mut text).await.unwrap() == 0 {
                return format!("{whole}<end>");
            }
        }
    }

    async fn say(&mut self, text: impl AsRef<[u8]>) {
        self.0.write_all(text.as_ref()).await.unwrap();
    }

    async fn answer(&mut self, body: &str) {
        self.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await;
    }
}

/// Deadlines that pass at once, for servers that never do what is expected.
fn impatient() -> NetOptions {
    let soon = Duration::from_millis(20);
    NetOptions { connect_timeout: soon, first_byte_timeout: soon, idle_timeout: soon, ..NetOptions::default() }
}

/// `data` as a stream that is cut at `cuts`, those beyond its end left out.
pub(super) fn pieces(data: &[u8], cuts: &[usize]) -> ByteStream {
    let mut cuts: Vec<_> = cuts.iter().copied().filter(|cut| *cut < data.len()).chain([0, data.len()]).collect();
    cuts.sort_unstable();
    let chunks: Vec<_> = cuts.windows(2).map(|cut| Ok(Bytes::copy_from_slice(&data[cut[0]..cut[1]]))).collect();
    stream::iter(chunks)
}

/// The result of a future that has nothing to wait for.
pub(super) fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("there is nothing to wait for")
}

#[test]
fn an_endpoint_overrides_deadlines_that_nobody_asked_for_now() {
    let (short, long) = (Duration::from_secs(1), Duration::from_secs(99));
    let net = Net::new(NetOptions { connect_timeout: short, ..NetOptions::default() });
    let options = |net: &Net| (net.options().connect_timeout, net.options().first_byte_timeout);
    let default = NetOptions::default().first_byte_timeout;
    assert_eq!(options(&net.with_deadlines(None, None)), (short, default));
    assert_eq!(options(&net.with_deadlines(Some(long), Some(short))), (long, short));
    let asked = Net::new(NetOptions { is_connect_timeout_fixed: true, ..net.options().clone() });
    assert_eq!(options(&asked.with_deadlines(Some(long), Some(long))), (short, long));
}
