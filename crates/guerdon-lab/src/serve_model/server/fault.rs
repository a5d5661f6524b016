//! What can go wrong with a call.

use std::time::Duration;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::body::{End, Flow};
use super::shop::respond;
use crate::serve_model::api::{Content, Reply};
use crate::serve_model::bounded::{Positive, Share};
use crate::serve_model::dice::Dice;

/// A fault. Without `probability`, `every` and `first` it befalls every call; with several of them, each must agree.
///
/// Of several faults the first that strikes counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What happens.
    pub fault: FaultKind,
    /// How probable it is; drawn from the seed, the request and the number of times that it has come before, so that a
    /// retry has a chance of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<Share>,
    /// It strikes every so many calls, counted as they arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u32>,
    /// It strikes only the first so many times that the same request comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u32>,
    /// Status of `error` (default 500).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Seconds of the header `Retry-After` of `busy` and `error`, fractions allowed. Default: no header for `error`, 1 for
    /// `busy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Positive>,
    /// Where `cut`, `truncate` and `stall` strike, as a share of the body. Default: 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Share>,
    /// Bytes per second of `slow` (default 20); size of `huge` in bytes (default 100 million).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Positive>,
}

/// What happens to a call.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The connection is closed without an answer.
    Drop,
    /// The connection is closed in the middle of the body.
    Cut,
    /// The body ends early, as if it were whole: half a JSON document, a stream without its end.
    Truncate,
    /// The body stops in the middle and the connection stays open: only a timeout helps.
    Stall,
    /// The body comes byte by byte.
    Slow,
    /// Status 429 with `Retry-After`.
    Busy,
    /// A status from 400 to 599.
    Error,
    /// Status 200 with a body that is no JSON.
    Malformed,
    /// Status 200 with an HTML page.
    Html,
    /// Status 200 with an empty body.
    Empty,
    /// Status 200 with JSON that lacks its choices.
    NoChoices,
    /// The answer names another model.
    WrongModel,
    /// A body without end, nearly.
    Huge,
}

impl FaultKind {
    /// Its name in scripts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Cut => "cut",
            Self::Truncate => "truncate",
            Self::Stall => "stall",
            Self::Slow => "slow",
            Self::Busy => "busy",
            Self::Error => "error",
            Self::Malformed => "malformed",
            Self::Html => "html",
            Self::Empty => "empty",
            Self::NoChoices => "no_choices",
            Self::WrongModel => "wrong_model",
            Self::Huge => "huge",
        }
    }

    /// Whether the client still gets the whole answer.
    pub(super) fn answers(self) -> bool {
        self == Self::Slow
    }
}

impl Fault {
    pub(in crate::serve_model) fn check(&self) -> Result<(), String> {
        if self.every == Some(0) {
            return Err("`every` must be at least 1".into());
        }
        match self.status {
            Some(status) if !(400..600).contains(&status) => {
                Err(format!("status {status} is not between 400 and 599"))
            }
            _ => Ok(()),
        }
    }

    /// Whether it strikes. `turn`: how often it was asked before; `attempt`: how often this request came before.
    pub(super) fn strikes(&self, dice: Dice, turn: u64, attempt: u64) -> bool {
        let every = self.every.is_none_or(|k| (turn + 1).is_multiple_of(u64::from(k.max(1))));
        let first = self.first.is_none_or(|n| attempt < u64::from(n));
        let probable = self.probability.is_none_or(|p| dice.at(attempt).chance(p.get()));
        every && first && probable
    }

    /// The spoiled answer; `None` where the connection is to be closed without one.
    pub(super) fn spoil(&self, reply: &Reply) -> Option<Response<Flow>> {
        let whole = Bytes::from(reply.body());
        let at = share_of(whole.len(), self.at.unwrap_or(Share::HALF));
        let start = whole.slice(..at);
        let streams = matches!(reply.content, Content::Events(_));
        let partial = |end| {
            let sent = start.clone();
            // A stream has no length that its head could promise.
            if streams {
                Flow::stream([sent], Duration::ZERO).ending(end)
            } else {
                Flow::partial(sent, whole.len() as u64, end)
            }
        };
        let body = match self.fault {
            FaultKind::Drop => return None,
            FaultKind::Busy => return Some(self.refusal(429, "Rate limit reached", Some(1.0))),
            FaultKind::Error => {
                return Some(self.refusal(
                    self.status.unwrap_or(500),
                    "The server had an error",
                    None,
                ));
            }
            FaultKind::Cut => partial(End::Broken),
            FaultKind::Stall => partial(End::Hang),
            FaultKind::Truncate => Flow::whole(start.clone()),
            FaultKind::Slow => self.trickle(&whole),
            FaultKind::Malformed => {
                Flow::whole("{\"choices\": [{\"message\": {\"content\": 'yes',}]")
            }
            FaultKind::Empty => Flow::whole(Bytes::new()),
            FaultKind::NoChoices => {
                Flow::whole("{\"object\": \"chat.completion\", \"choices\": []}")
            }
            FaultKind::WrongModel => Flow::whole(renamed(reply)),
            FaultKind::Huge => self.huge(),
            FaultKind::Html => {
                Flow::whole("<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>")
            }
        };
        let mut response = respond(reply, Duration::ZERO);
        *response.body_mut() = body;
        if self.fault == FaultKind::Html {
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, html);
        }
        Some(response)
    }

    fn refusal(&self, status: u16, message: &str, usual: Option<f64>) -> Response<Flow> {
        let mut response = respond(&Reply::error(status, message), Duration::ZERO);
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(seconds) = self.retry_after.map(Positive::get).or(usual) {
            retry_after(&mut response, seconds);
        }
        response
    }

    fn trickle(&self, whole: &Bytes) -> Flow {
        let rate = self.bytes.map_or(20.0, Positive::get).max(0.01);
        // At most 50 pieces a second, whatever the rate.
        let size = (rate / 50.0).ceil();
        let pace = Duration::from_secs_f64((size / rate).min(3600.0));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 2e7")]
        Flow::trickle(whole, size as usize, pace)
    }

    fn huge(&self) -> Flow {
        let frame = Bytes::from(vec![b' '; 1 << 16]);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 1e9")]
        let bytes = self.bytes.map_or(1e8, Positive::get) as u64;
        Flow::endless(Bytes::from_static(b"{\"choices\": "), frame, bytes)
    }
}

/// When the client may come again: in whole seconds where they are whole, as a decimal number otherwise.
pub(super) fn retry_after(response: &mut Response<Flow>, seconds: f64) {
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
        headers.insert(RETRY_AFTER, value);
    }
    if let Ok(value) = HeaderValue::from_str(&(seconds * 1000.0).ceil().to_string()) {
        headers.insert(HeaderName::from_static("retry-after-ms"), value);
    }
}

fn share_of(length: usize, share: Share) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length in memory"
    )]
    let at = (length as f64 * share.get()) as usize;
    at.min(length)
}

/// The answer with another model's name.
fn renamed(reply: &Reply) -> Vec<u8> {
    match &reply.content {
        Content::Json(value) => {
            let mut value = value.clone();
            value["model"] = "another-model".into();
            value.to_string().into_bytes()
        }
        Content::Events(_) => reply.body(),
    }
}
