//! Why a connection fails, told apart.

use super::impatient;
use crate::error::{Error, ErrorKind};
use crate::transport::{Address, Client, Fault, Net, NetOptions, Request, TlsOptions, fault};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, UnixListener};

async fn failure(address: Address, options: NetOptions) -> Error {
    Client::new(Net::new(options), address).send(Request::post("/")).await.err().unwrap()
}

async fn at_path(path: &Path) -> (Option<Fault>, String) {
    let error = failure(Address::Unix(path.to_owned()), NetOptions::default()).await;
    assert_eq!((error.kind(), error.parts().effect), (ErrorKind::Unreachable, crate::error::Effect::None));
    (fault(&error), error.to_string().replace(&*path.to_string_lossy(), "PATH"))
}

#[tokio::test]
async fn a_socket_that_is_missing_deserted_or_none() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s");
    assert_eq!(at_path(&path).await, (Some(Fault::NoSocket), "no socket at `PATH`".to_owned()));
    drop(UnixListener::bind(&path).unwrap());
    let deserted = "connection refused at `PATH`: nobody listens on the socket";
    assert_eq!(at_path(&path).await, (Some(Fault::Refused), deserted.to_owned()));
    assert_eq!(at_path(&path.join("below")).await, (Some(Fault::NoSocket), "no socket at `PATH`".to_owned()));
    let file = folder.path().join("f");
    std::fs::write(&file, "").unwrap();
    for path in [&file, folder.path()] {
        assert_eq!(at_path(path).await, (Some(Fault::NotASocket), "`PATH` is not a socket".to_owned()));
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_path_that_is_too_long_for_the_system_works_if_it_exists() {
    use rustix::fs::{Mode, OFlags, open};
    use std::os::fd::AsRawFd;
    let folder = TempDir::new().unwrap();
    let deep = folder.path().join("d".repeat(150));
    std::fs::create_dir(&deep).unwrap();
    let path = deep.join("s".repeat(50));
    assert_eq!(at_path(&path).await, (Some(Fault::NoSocket), "no socket at `PATH`".to_owned()));
    let handle = open(&deep, OFlags::PATH, Mode::empty()).unwrap();
    let short = format!("/proc/self/fd/{}/{}", handle.as_raw_fd(), "s".repeat(50));
    let listener = UnixListener::bind(short).unwrap();
    let client = Client::new(Net::default(), Address::Unix(path.clone()));
    let (answer, ()) = futures_util::future::join(client.send(Request::get("/")), async {
        let mut peer = super::Peer(listener.accept().await.unwrap().0);
        peer.request().await;
        peer.answer("").await;
    })
    .await;
    assert_eq!(answer.unwrap().status, 200);
    drop(listener);
    assert_eq!(at_path(&path).await.0, Some(Fault::Refused));
    let impossible = folder.path().join("d/".repeat(3000));
    assert_eq!(at_path(&impossible).await.0, Some(Fault::PathTooLong));
}

#[tokio::test]
async fn ports_and_names() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = failure(Address::Tcp { host: "127.0.0.1".to_owned(), port }, NetOptions::default()).await;
    assert_eq!(fault(&error), Some(Fault::Refused));
    assert_eq!(error.to_string(), format!("cannot connect to `127.0.0.1:{port}`: connection refused"));
    // A label of more than 63 bytes is no name, so nobody is asked.
    let host = "a".repeat(64);
    let error = failure(Address::Tcp { host: host.clone(), port: 1 }, NetOptions::default()).await;
    assert_eq!(fault(&error), Some(Fault::Unresolved));
    assert!(error.to_string().starts_with(&format!("cannot resolve `{host}`: ")), "{error}");
}

#[tokio::test]
async fn a_handshake_that_never_comes_is_the_connect_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = Address::Tls { host: "127.0.0.1".to_owned(), port, tls: TlsOptions::default() };
    let error = failure(address, impatient()).await;
    assert_eq!((error.kind(), fault(&error)), (ErrorKind::Timeout, Some(Fault::TimedOut)));
    assert_eq!(error.parts().effect, crate::error::Effect::None);
    assert_eq!(error.to_string(), format!("no connection to `127.0.0.1:{port}` within 20ms (connect deadline)"));
}

#[tokio::test]
async fn a_server_that_speaks_something_else() {
    let socket = super::socket();
    let client = socket.client();
    let (answer, ()) = futures_util::future::join(client.send(Request::get("/")), async {
        let mut peer = socket.accept().await;
        peer.say("SSH-2.0-OpenSSH_9.6\r\n\r\n").await;
        peer.request().await;
    })
    .await;
    assert_eq!(fault(&answer.err().unwrap()), Some(Fault::Protocol));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = Address::Tls { host: "127.0.0.1".to_owned(), port, tls: TlsOptions::default() };
    let (error, _peer) = futures_util::future::join(failure(address, NetOptions::default()), async {
        let (mut peer, _) = listener.accept().await.unwrap();
        peer.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        peer
    })
    .await;
    assert_eq!(fault(&error), Some(Fault::Tls));
    assert!(error.to_string().ends_with("the server does not speak TLS"), "{error}");
}

#[tokio::test]
async fn a_server_that_comes_later_is_waited_for() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s");
    let waiting = |wait| NetOptions { wait_for_server: Some(wait), ..NetOptions::default() };
    let error = failure(Address::Unix(path.clone()), waiting(Duration::from_millis(30))).await;
    assert_eq!(fault(&error), Some(Fault::NoSocket));
    assert_eq!(error.parts().causes, ["waited 30ms for the server to appear"]);

    let client = Client::new(Net::new(waiting(Duration::from_mins(1))), Address::Unix(path.clone()));
    let mut request = std::pin::pin!(client.send(Request::get("/")));
    assert!(futures_util::poll!(request.as_mut()).is_pending());
    drop(UnixListener::bind(&path).unwrap());
    assert!(tokio::time::timeout(Duration::from_millis(30), request.as_mut()).await.is_err());
    std::fs::remove_file(&path).unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    let (answer, ()) = futures_util::future::join(request, async {
        let mut peer = super::Peer(listener.accept().await.unwrap().0);
        peer.request().await;
        peer.answer("").await;
    })
    .await;
    assert_eq!(answer.unwrap().status, 200);
}
