//! A small HTTP server on loopback that does as it is told, down to the byte, and remembers what it saw.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// How many came before it.
    pub(crate) nth: usize,
    pub(crate) line: String,
    /// In lower case.
    pub(crate) headers: String,
    pub(crate) body: Value,
}

impl Seen {
    /// The content of the last message.
    pub(crate) fn text(&self) -> String {
        let messages = self.body["messages"].as_array();
        let last = messages.and_then(|messages| messages.last());
        last.and_then(|message| message["content"].as_str()).unwrap_or_default().to_owned()
    }
}

/// What the server does.
pub(crate) enum Act {
    /// A whole reply: status, further header lines, body.
    Reply(u16, String, String),
    /// These bytes, then the connection closes.
    Raw(Vec<u8>),
    /// A whole reply, then the connection closes although it was to be kept.
    Close(String),
    /// A good head, and a byte of body at a time.
    Drip(Duration),
    /// First a wait.
    Wait(Duration, Box<Act>),
}

/// A good chat reply.
pub(crate) fn chat(text: &str) -> Act {
    let choice = json!({"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"});
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 5});
    ok(&json!({"choices": [choice], "usage": usage}))
}

pub(crate) fn ok(body: &Value) -> Act {
    Act::Reply(200, String::new(), body.to_string())
}

pub(crate) fn status(status: u16, message: &str) -> Act {
    Act::Reply(status, String::new(), json!({"error": {"message": message}}).to_string())
}

pub(crate) fn later(milliseconds: u64, act: Act) -> Act {
    Act::Wait(Duration::from_millis(milliseconds), Box::new(act))
}

type Script = dyn Fn(&Seen) -> Act + Send + Sync;

#[derive(Default)]
struct Log {
    seen: Mutex<Vec<Seen>>,
    flying: AtomicUsize,
    peak: AtomicUsize,
}

pub(crate) struct Server {
    pub(crate) port: u16,
    log: Arc<Log>,
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Server {
    /// Runs until dropped, on a thread of its own.
    pub(crate) fn new(script: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        Self::start(None, script)
    }

    /// The same over TLS, where `tls` is given.
    pub(crate) fn start(
        tls: Option<TlsAcceptor>,
        script: impl Fn(&Seen) -> Act + Send + Sync + 'static,
    ) -> Self {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (told, port) = std::sync::mpsc::channel();
        let log = Arc::new(Log::default());
        let shared = Arc::clone(&log);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                told.send(listener.local_addr().unwrap().port()).unwrap();
                tokio::select! {
                    () = serve(listener, tls, Arc::new(script), shared) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { port: port.recv().unwrap(), log, _stop: stop }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.log.seen.lock().unwrap().clone()
    }

    /// Requests seen.
    pub(crate) fn count(&self) -> usize {
        self.log.seen.lock().unwrap().len()
    }

    /// Most requests that were being answered at once.
    pub(crate) fn peak(&self) -> usize {
        self.log.peak.load(Ordering::SeqCst)
    }
}

async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    script: Arc<Script>,
    log: Arc<Log>,
) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (script, log, tls) = (Arc::clone(&script), Arc::clone(&log), tls.clone());
        // A client that goes away is no failure of the server.
        tokio::spawn(async move {
            match tls {
                None => drop(connection(stream, &script, &log).await),
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        drop(connection(stream, &script, &log).await);
                    }
                }
            }
        });
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

async fn connection(
    mut stream: impl Stream,
    script: &Arc<Script>,
    log: &Arc<Log>,
) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    while let Some((line, headers, body)) = request(&mut stream, &mut buffer).await? {
        let seen = {
            let mut all = log.seen.lock().unwrap();
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            let nth = all.len();
            all.push(Seen { nth, line, headers, body });
            all[nth].clone()
        };
        let flying = log.flying.fetch_add(1, Ordering::SeqCst) + 1;
        log.peak.fetch_max(flying, Ordering::SeqCst);
        let mut act = script(&seen);
        while let Act::Wait(time, next) = act {
            tokio::time::sleep(time).await;
            act = *next;
        }
        log.flying.fetch_sub(1, Ordering::SeqCst);
        if !perform(&mut stream, act).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// One request: its first line, its headers, its body. `None` when the client is done.
async fn request(
    stream: &mut impl Stream,
    buffer: &mut Vec<u8>,
) -> std::io::Result<Option<(String, String, Vec<u8>)>> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let lower = head.to_lowercase();
            let length = lower.split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.lines().next()?.parse().ok()).unwrap_or(0);
            if buffer.len() >= end + 4 + length {
                let body = buffer[end + 4..end + 4 + length].to_vec();
                buffer.drain(..end + 4 + length);
                let line = head.lines().next().unwrap_or_default().to_owned();
                return Ok(Some((line, lower, body)));
            }
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// Does it; says whether the connection goes on.
async fn perform(stream: &mut impl Stream, act: Act) -> std::io::Result<bool> {
    match act {
        Act::Reply(status, headers, body) => {
            stream.write_all(whole(status, &headers, &body).as_bytes()).await?;
            Ok(true)
        }
        Act::Close(body) => {
            stream.write_all(whole(200, "", &body).as_bytes()).await?;
            Ok(false)
        }
        Act::Raw(bytes) => {
            stream.write_all(&bytes).await?;
            Ok(false)
        }
        Act::Drip(gap) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await?;
            loop {
                stream.write_all(b" ").await?;
                tokio::time::sleep(gap).await;
            }
        }
        Act::Wait(..) => unreachable!("waited before"),
    }
}

fn whole(status: u16, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}
