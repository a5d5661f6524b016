//! HTTP/1.1 over kept-alive connections, plain or TLS, with everything that is read bounded.
//!
//! A connection is driven by the call that uses it, not by a task of its own: that saves two wake-ups per call.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body::Body as _;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{Connection, SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

pub(crate) use crate::address::Address;
use crate::tls::{Stream, Tls};

/// Most bytes of a reply's body.
pub(crate) const MOST_BODY: usize = 64 << 20;

/// A connection that was idle for longer is not used again: something between here and there may have forgotten it.
const MOST_IDLE: Duration = Duration::from_secs(50);

/// What came back, whatever its status.
pub(crate) struct Heard {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<String>,
    pub(crate) location: Option<String>,
    /// The body is a stream of server-sent events.
    pub(crate) events: bool,
    pub(crate) body: Bytes,
}

/// Why nothing whole came back.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// A connection could not be opened.
    Connect(String),
    /// The server's certificate is not to be trusted.
    Untrusted(String),
    /// A connection kept from an earlier call turned out to be closed before anything came back on it.
    Stale,
    /// The connection broke off.
    Dropped(String),
    /// What came back is not HTTP, or is encoded.
    Strange(String),
    /// The body is larger than [`MOST_BODY`].
    TooLarge,
}

/// Connections to one endpoint.
pub(crate) struct Pool {
    address: Address,
    tls: Option<Tls>,
    headers: HeaderMap,
    connect_timeout: Duration,
    idle: Mutex<Vec<(Instant, Wire)>>,
}

struct Wire {
    sender: SendRequest<Full<Bytes>>,
    connection: Connection<TokioIo<Stream>, Full<Bytes>>,
    done: bool,
}

impl Pool {
    /// `headers` go out with every request; `tls` must be there for `https`.
    pub(crate) fn new(
        address: Address,
        tls: Option<Tls>,
        headers: HeaderMap,
        connect_timeout: Duration,
    ) -> Self {
        Self { address, tls, headers, connect_timeout, idle: Mutex::new(Vec::new()) }
    }

    /// Sends one request and reads the whole reply. With `fresh`, no kept connection is used.
    pub(crate) async fn exchange(
        &self,
        method: Method,
        uri: Uri,
        body: Bytes,
        fresh: bool,
    ) -> Result<Heard, Trouble> {
        let kept = if fresh { None } else { self.take().await };
        let reused = kept.is_some();
        let mut wire = match kept {
            Some(wire) => wire,
            None => self.connect().await?,
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers.clone();
        let response = match wire.send(request).await {
            Ok(response) => response,
            Err(error) if reused && !error.is_parse() => return Err(Trouble::Stale),
            Err(error) => return Err(trouble(&error)),
        };
        let heard = wire.hear(response).await?;
        if !wire.done {
            self.idle().push((Instant::now(), wire));
        }
        Ok(heard)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Instant, Wire)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection used last that is still open.
    async fn take(&self) -> Option<Wire> {
        loop {
            let mut wire = {
                let mut idle = self.idle();
                let (since, wire) = idle.pop()?;
                if since.elapsed() > MOST_IDLE {
                    // Those beneath it are older still.
                    idle.clear();
                    return None;
                }
                wire
            };
            if wire.ready().await {
                return Some(wire);
            }
        }
    }

    async fn connect(&self) -> Result<Wire, Trouble> {
        let opened = tokio::time::timeout(self.connect_timeout, self.open()).await;
        let stream = match opened {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) if untrusted(&error) => {
                return Err(Trouble::Untrusted(error.to_string()));
            }
            Ok(Err(error)) => return Err(Trouble::Connect(error.to_string())),
            Err(_) => {
                let seconds = self.connect_timeout.as_secs_f64();
                return Err(Trouble::Connect(format!("no connection within {seconds} seconds")));
            }
        };
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| trouble(&error))?;
        let mut wire = Wire { sender, connection, done: false };
        if wire.ready().await { Ok(wire) } else { Err(Trouble::Dropped("closed at once".into())) }
    }

    async fn open(&self) -> io::Result<Stream> {
        let stream = TcpStream::connect((self.address.host(), self.address.port())).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            Some(tls) => tls.wrap(stream).await,
            None => Ok(Stream::Plain(stream)),
        }
    }
}

impl Wire {
    /// Polls `future` with the connection beneath it.
    async fn drive<F: Future>(connection: Driven<'_>, future: F) -> F::Output {
        let Driven { connection, done } = connection;
        let mut future = pin!(future);
        poll_fn(|cx| {
            if !*done && Pin::new(&mut *connection).poll(cx).is_ready() {
                *done = true;
            }
            future.as_mut().poll(cx)
        })
        .await
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        let sent = self.sender.send_request(request);
        Self::drive(Driven { connection: &mut self.connection, done: &mut self.done }, sent).await
    }

    /// Whether the connection can take a request.
    async fn ready(&mut self) -> bool {
        let ready = self.sender.ready();
        let driven = Driven { connection: &mut self.connection, done: &mut self.done };
        Self::drive(driven, ready).await.is_ok() && !self.done
    }

    async fn hear(&mut self, response: Response<Incoming>) -> Result<Heard, Trouble> {
        let (head, mut body) = response.into_parts();
        let text = |name| head.headers.get(name).and_then(|v| v.to_str().ok());
        let length = text(CONTENT_LENGTH).and_then(|v| v.parse::<u64>().ok());
        if length.is_some_and(|length| length > MOST_BODY as u64) {
            return Err(Trouble::TooLarge);
        }
        if let Some(encoding) = text(CONTENT_ENCODING).filter(|e| *e != "identity") {
            return Err(Trouble::Strange(format!("the reply is encoded as `{encoding}`, unasked")));
        }
        let mut whole = Gather::default();
        loop {
            let frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
            let driven = Driven { connection: &mut self.connection, done: &mut self.done };
            match Self::drive(driven, frame).await {
                None => break,
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        whole.add(data)?;
                    }
                }
                Some(Err(error)) => return Err(trouble(&error)),
            }
        }
        Ok(Heard {
            status: head.status,
            retry_after: text(RETRY_AFTER).map(str::to_owned),
            location: text(LOCATION).map(str::to_owned),
            events: text(CONTENT_TYPE).is_some_and(|v| v.starts_with("text/event-stream")),
            body: whole.finish(),
        })
    }
}

struct Driven<'a> {
    connection: &'a mut Connection<TokioIo<Stream>, Full<Bytes>>,
    done: &'a mut bool,
}

/// A body in the making; a body of one piece is not copied.
#[derive(Default)]
struct Gather {
    first: Bytes,
    rest: BytesMut,
}

impl Gather {
    fn add(&mut self, data: Bytes) -> Result<(), Trouble> {
        if self.first.len() + self.rest.len() + data.len() > MOST_BODY {
            return Err(Trouble::TooLarge);
        }
        if self.first.is_empty() && self.rest.is_empty() {
            self.first = data;
            return Ok(());
        }
        if self.rest.is_empty() {
            self.rest.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.rest.extend_from_slice(&data);
        Ok(())
    }

    fn finish(self) -> Bytes {
        if self.rest.is_empty() { self.first } else { self.rest.freeze() }
    }
}

fn untrusted(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::InvalidCertificate(_)))
}

fn trouble(error: &hyper::Error) -> Trouble {
    if error.is_parse() {
        return Trouble::Strange(format!("what came back is not HTTP: {error}"));
    }
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    Trouble::Dropped(format!("{error}{}", cause.unwrap_or_default()))
}

/// Polls once and never waits: for tests of what is ready.
#[cfg(test)]
pub(crate) fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    use std::task::{Context, Poll, Waker};
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
