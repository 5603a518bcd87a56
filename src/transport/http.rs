//! HTTP/1.1 to one address, over connections that are reused.

use super::dial::Dialer;
use super::fault::Fault;
use super::outgoing::{Outgoing, Upload, settled};
use super::pool::{Conn, Pool};
use super::response::{Exchange, lost};
use super::{Address, Body, Net, Request, Response, Trace, redact};
use crate::error::{Effect, Error, Result};
use hyper::body::Incoming;
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A client of one address. Cheap to clone; clones share their connections. Creating it does no I/O.
#[derive(Clone)]
pub struct Client {
    pool: Arc<Pool>,
    headers: HeaderMap,
}

/// A request on its way: what hyper takes, and what is left to judge its fate by.
struct Departure {
    request: hyper::Request<Outgoing>,
    upload: Arc<Upload>,
    /// The same once more, if sending it twice does no harm.
    again: Option<hyper::Request<()>>,
    /// What is left behind if it gets lost.
    effect: Effect,
    first_byte: Option<Duration>,
}

/// Why there is no answer.
enum Unanswered {
    /// The request was never sent; here it is.
    Unsent(Box<hyper::Request<Outgoing>>, hyper::Error),
    Lost(hyper::Error),
    TooLate(Duration),
}

impl Client {
    /// A client of `address`.
    pub fn new(net: Net, address: Address) -> Self {
        let mut headers = HeaderMap::new();
        if let Ok(host) = HeaderValue::try_from(address.authority()) {
            headers.insert(HOST, host);
        }
        Self { pool: Arc::new(Pool::new(Dialer::new(net, address))), headers }
    }

    /// Sends a header with every request. A value marked sensitive stays out of the trace.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Where it connects to.
    pub fn address(&self) -> &Address {
        self.pool.dialer.address()
    }

    /// Sends a request and returns the head of its answer, whatever its status.
    ///
    /// A request is repeated once if a reused connection turned out to be dead and repeating does no harm: it was
    /// never sent, or it is a GET or HEAD without a body.
    ///
    /// # Errors
    ///
    /// `Unreachable` or `Timeout` with a [`Fault`] as source; `Effect::Unknown` unless the request was never sent or
    /// changes nothing by its method. If the request's own body fails, that error.
    pub async fn send(&self, request: Request) -> Result<Response> {
        let (response, exchange) = self.exchange(request).await?;
        Ok(Response::new(response, exchange))
    }

    pub(super) fn trace(&self) -> &Trace {
        &self.pool.dialer.net().options().trace
    }

    /// Sends a request, on an idle connection if there is one.
    pub(super) async fn exchange(&self, request: Request) -> Result<(hyper::Response<Incoming>, Exchange)> {
        let trace = self.trace();
        let idle = request.idle.or(self.pool.dialer.net().options().idle_timeout);
        let Departure { mut request, mut upload, mut again, effect, first_byte } = self.prepare(request).await?;
        let mut conn = self.pool.idle().await;
        loop {
            let reused = conn.is_some();
            let mut open = match conn.take() {
                Some(conn) => conn,
                None => self.pool.connect().await?,
            };
            trace.line(|| {
                let path = redact::path(&request.uri().to_string());
                format!("> {} {path} [{}]", request.method(), redact::headers(request.headers()))
            });
            let started = Instant::now();
            let error = match converse(&mut open, request, &upload, first_byte).await {
                Ok(response) => {
                    trace.line(|| format!("< {} in {:.1?}", response.status(), started.elapsed()));
                    let exchange = Exchange { conn: Some(open), pool: self.pool.clone(), upload, effect, idle };
                    return Ok((response, exchange));
                }
                Err(error) => error,
            };
            let error = match error {
                Unanswered::Unsent(unsent, _) if reused => {
                    request = *unsent;
                    trace.line(|| "* the idle connection was closed: connecting again".to_owned());
                    continue;
                }
                Unanswered::Lost(_) if reused && again.is_some() => {
                    let head = again.take().expect("it was checked just now");
                    let (body, fresh) = Outgoing::new(Body::Empty);
                    (request, upload) = (head.map(|()| body), fresh);
                    trace.line(|| "* the idle connection was dead: connecting again".to_owned());
                    continue;
                }
                Unanswered::Unsent(_, error) => {
                    lost(&self.pool, &upload, Effect::None, error, "before the request was sent")
                }
                Unanswered::Lost(error) => lost(&self.pool, &upload, effect, error, "before an answer came"),
                Unanswered::TooLate(limit) => Fault::TimedOut
                    .error(format!("no answer from `{}` within {limit:?} (first-byte deadline)", self.address()))
                    .effect(effect),
            };
            trace.line(|| format!("< {error} after {:.1?}", started.elapsed()));
            return Err(error);
        }
    }

    async fn prepare(&self, request: Request) -> Result<Departure> {
        let Request { method, path, headers, body, first_byte, broken, .. } = request;
        if let Some(error) = broken {
            return Err(error);
        }
        let body = settled(body).await?;
        let uri: Uri =
            path.parse().map_err(|error| Error::internal(format!("`{}` is no path: {error}", redact::path(&path))))?;
        let harmless = method == Method::GET || method == Method::HEAD;
        let mut head = hyper::Request::new(());
        *head.method_mut() = method;
        *head.uri_mut() = uri;
        *head.headers_mut() = self.headers.clone();
        for (name, value) in headers {
            head.headers_mut().insert(name, value);
        }
        let again = (harmless && matches!(body, Body::Empty)).then(|| head.clone());
        let (body, upload) = Outgoing::new(body);
        Ok(Departure {
            request: head.map(|()| body),
            upload,
            again,
            effect: if harmless { Effect::None } else { Effect::Unknown },
            first_byte: first_byte.or(self.pool.dialer.net().options().first_byte_timeout),
        })
    }
}

/// Sends a request and waits for the head of its answer.
async fn converse(
    conn: &mut Conn,
    request: hyper::Request<Outgoing>,
    upload: &Upload,
    limit: Option<Duration>,
) -> Result<hyper::Response<Incoming>, Unanswered> {
    let mut answer = std::pin::pin!(conn.sender.try_send_request(request));
    loop {
        let before = upload.chunks();
        let answered = match limit {
            None => answer.as_mut().await,
            Some(limit) => match tokio::time::timeout(limit, answer.as_mut()).await {
                Ok(answered) => answered,
                // The clock is for the server: not while it takes the body, nor while the body itself is late.
                Err(_) if upload.chunks() != before || upload.is_starved() => continue,
                Err(_) => return Err(Unanswered::TooLate(limit)),
            },
        };
        return answered.map_err(|mut error| match error.take_message() {
            Some(request) => Unanswered::Unsent(Box::new(request), error.into_error()),
            None => Unanswered::Lost(error.into_error()),
        });
    }
}
