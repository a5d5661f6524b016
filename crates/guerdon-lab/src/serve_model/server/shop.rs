//! From a request to its answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use guerdon_core::seed::fnv1a;

use super::body::Flow;
use super::fault::{Fault, retry_after};
use super::limit::{Bucket, Latency};
use super::stats::{Counters, Stats};
use crate::serve_model::api::{Call, Content, Reply, Route};
use crate::serve_model::dice::Dice;
use crate::serve_model::models::Ready;
use crate::serve_model::script::Script;

/// The largest body of a request.
const MAX_BODY: usize = 64 << 20;

/// What all connections of a server share.
#[derive(Debug)]
pub(super) struct Shop {
    script: Script,
    counters: Counters,
    /// Of the script, and of each model with a limit of its own.
    limit: Option<Bucket>,
    limits: HashMap<String, Bucket>,
}

/// The connection is closed without an answer.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("closed on purpose")]
pub(super) struct Dropped;

type Answer = Result<Response<Flow>, Dropped>;

/// A call that is in work; it counts as such until it is dropped.
struct InWork<'a> {
    counters: &'a Counters,
    key: u64,
    /// How often the same request came before.
    attempt: u64,
}

impl Drop for InWork<'_> {
    fn drop(&mut self) {
        self.counters.left();
    }
}

impl Shop {
    pub(super) fn new(script: Script) -> Self {
        let limits = script
            .models
            .iter()
            .filter_map(|(name, model)| Some((name.clone(), Bucket::new(model.limit?))));
        let limits = limits.collect();
        let limit = script.source.limit.map(Bucket::new);
        Self { script, counters: Counters::default(), limit, limits }
    }

    pub(super) fn stats(&self) -> Stats {
        self.counters.read()
    }

    pub(super) fn reset(&self) {
        self.counters.reset();
    }

    pub(super) fn connected(&self) {
        self.counters.connected();
    }

    pub(super) async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        let path = request.uri().path().to_owned();
        let get = request.method() == Method::GET;
        if let Some(response) = self.service(get, &path) {
            return Ok(response);
        }
        let welcome = self.welcome(request.headers().get(AUTHORIZATION));
        let Ok(body) = Limited::new(request.into_body(), MAX_BODY).collect().await else {
            return Ok(respond(
                &Reply::error(413, "the body is too large, or did not arrive"),
                Duration::ZERO,
            ));
        };
        let body = body.to_bytes();
        let key = Dice::new(0).on(&path).at(hash(&body)).key();
        let attempt = self.counters.arrived(&path, key);
        let work = InWork { counters: &self.counters, key, attempt };
        let call = if welcome {
            Call::read(&path, &body)
        } else {
            Err(Reply::error(401, "this server needs its key: Authorization: Bearer KEY"))
        };
        match call {
            Ok(mut call) if get == (call.route == Route::Models) => {
                if self.script.source.fresh {
                    call.renew(work.attempt);
                }
                self.serve(&call, &work).await
            }
            Ok(_) => {
                Ok(self.refuse(&Reply::error(405, "calls are POST, the list of models is GET")))
            }
            Err(reply) => Ok(self.refuse(&reply)),
        }
    }

    /// What is no call of a model: counters and health.
    fn service(&self, get: bool, path: &str) -> Option<Response<Flow>> {
        let value = match (get, path) {
            (true, "/stats") => serde_json::to_value(self.stats()).unwrap_or_default(),
            (true, "/health" | "/v1/health") => json!({"status": "ok"}),
            (false, "/reset") => {
                self.reset();
                json!({"status": "ok"})
            }
            _ => return None,
        };
        Some(document(&value))
    }

    fn welcome(&self, header: Option<&HeaderValue>) -> bool {
        let Some(key) = &self.script.source.key else { return true };
        let given = header
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.strip_prefix("Bearer "));
        given == Some(key.as_str())
    }

    fn refuse(&self, reply: &Reply) -> Response<Flow> {
        self.counters.status(&reply.status.to_string());
        respond(reply, Duration::ZERO)
    }

    async fn serve(&self, call: &Call, work: &InWork<'_>) -> Answer {
        let name = self.script.model_of(call);
        if let Some(name) = name {
            self.counters.model(name);
        }
        let buckets = [self.limit.as_ref(), name.and_then(|name| self.limits.get(name))];
        let mut permits = Vec::with_capacity(2);
        for bucket in buckets.into_iter().flatten() {
            match bucket.enter() {
                Ok(permit) => permits.push(permit),
                Err(seconds) => {
                    let mut response = self.refuse(&Reply::error(429, "Rate limit reached"));
                    retry_after(&mut response, seconds);
                    return Ok(response);
                }
            }
        }
        let model = name.and_then(|name| self.script.models.get(name));
        let reply = self.script.perform(call);
        let dice = self.script.dice.on("call").at(work.key);
        let pace = self.wait(model, &reply, dice.at(work.attempt)).await;
        match self.fault(model, dice, work.attempt) {
            Some(fault) => self.spoil(fault, &reply, work),
            None => Ok(self.deliver(&reply, pace, work)),
        }
    }

    fn deliver(&self, reply: &Reply, pace: Duration, work: &InWork<'_>) -> Response<Flow> {
        self.counters.status(&reply.status.to_string());
        if reply.status == 200 {
            self.counters.answered(work.key, reply.usage);
        }
        respond(reply, pace)
    }

    fn spoil(&self, fault: &Fault, reply: &Reply, work: &InWork<'_>) -> Answer {
        self.counters.struck(fault.fault.name());
        let Some(response) = fault.spoil(reply) else {
            self.counters.status("dropped");
            return Err(Dropped);
        };
        self.counters.status(response.status().as_str());
        if fault.fault.answers() && reply.status == 200 {
            self.counters.answered(work.key, reply.usage);
        }
        Ok(response)
    }

    /// Waits as long as the model takes; the wait before each event of a stream.
    async fn wait(&self, model: Option<&Ready>, reply: &Reply, dice: Dice) -> Duration {
        let usual = self.script.source.latency;
        let latency: Latency = model.map_or(usual, |model| Some(model.latency)).unwrap_or_default();
        let streams = matches!(reply.content, Content::Events(_));
        let tokens = if streams { Duration::ZERO } else { latency.tokens(reply.usage.1) };
        let time = latency.first(dice.on("latency")) + tokens;
        if !time.is_zero() {
            tokio::time::sleep(time).await;
        }
        latency.tokens(1)
    }

    /// The first fault that strikes.
    fn fault<'a>(
        &'a self,
        model: Option<&'a Ready>,
        dice: Dice,
        attempt: u64,
    ) -> Option<&'a Fault> {
        let faults = model.map_or(&self.script.faults, |model| &model.faults);
        let struck = faults.iter().find(|(id, fault)| {
            let turn = if fault.every.is_some() { self.counters.turn(*id) } else { 0 };
            fault.strikes(dice.on("fault").at(*id as u64), turn, attempt)
        });
        struck.map(|(_, fault)| fault)
    }
}

fn hash(body: &[u8]) -> u64 {
    fnv1a(&String::from_utf8_lossy(body))
}

fn document(value: &Value) -> Response<Flow> {
    let mut response = Response::new(Flow::whole(value.to_string()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer as it should be; `pace` is the wait before each event of a stream.
pub(super) fn respond(reply: &Reply, pace: Duration) -> Response<Flow> {
    let (flow, kind) = match &reply.content {
        Content::Json(value) => (Flow::whole(value.to_string()), "application/json"),
        Content::Events(events) => {
            let frames = events.iter().map(|event| Bytes::copy_from_slice(event.as_bytes()));
            (Flow::stream(frames, pace), "text/event-stream")
        }
    };
    let mut response = Response::new(flow);
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
