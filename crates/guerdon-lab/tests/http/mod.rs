//! A small HTTP client of our own, so that the server is tested by its bytes.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use guerdon_lab::serve_model::{Script, Server};
use serde_json::Value;

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the body ended as its head had promised.
    pub(crate) whole: bool,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The text of the first choice.
    pub(crate) fn said(&self) -> String {
        self.json()["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned()
    }
}

/// A connection that is kept open.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) fn timeout(self, timeout: Duration) -> Self {
        self.stream.get_ref().set_read_timeout(Some(timeout)).unwrap();
        self
    }

    /// Sends a request; `None` where the connection was closed without an answer.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &[u8],
    ) -> Option<Answer> {
        let extra: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: lab\r\nContent-Type: application/json\r\n{extra}Content-Length: {}\r\n\r\n",
            body.len()
        );
        self.stream.get_mut().write_all(head.as_bytes()).ok()?;
        self.stream.get_mut().write_all(body).ok()?;
        self.read()
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Option<Answer> {
        self.send("POST", path, &[], body.to_string().as_bytes())
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(n) if n > 0 => Some(line.trim_end().to_owned()),
            _ => None,
        }
    }

    fn read(&mut self) -> Option<Answer> {
        let status = self.line()?.split(' ').nth(1)?.parse().ok()?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':')?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let (body, whole) = match length {
            Some((_, length)) => self.exactly(length.parse().unwrap()),
            None => self.chunks(),
        };
        Some(Answer { status, headers, body, whole })
    }

    fn exactly(&mut self, length: usize) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        let got = (&mut self.stream).take(length as u64).read_to_end(&mut body);
        let whole = got.is_ok() && body.len() == length;
        (body, whole)
    }

    fn chunks(&mut self) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        loop {
            let Some(size) = self.line().and_then(|line| usize::from_str_radix(&line, 16).ok())
            else {
                return (body, false);
            };
            let (chunk, whole) = self.exactly(size);
            body.extend(chunk);
            if !whole || self.line().is_none() {
                return (body, false);
            }
            if size == 0 {
                return (body, true);
            }
        }
    }
}

/// A server of a script.
pub(crate) fn serve(script: &str) -> Server {
    Server::start(Script::parse(script).unwrap_or_else(|error| panic!("{error}"))).unwrap()
}

/// One chat on a connection of its own.
pub(crate) fn chat(server: &Server, body: &Value) -> Answer {
    let mut client = Client::new(server.address());
    client.post("/v1/chat/completions", body).expect("an answer")
}
