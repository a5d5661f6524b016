//! One endpoint at work: attempts, their limits, and what becomes of failures.

mod remedy;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use guerdon_core::ParamError;
use guerdon_core::method::Request;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Uri};
use rustls::ClientConfig;
use tokio::sync::OnceCell;

use crate::breaker::{Breaker, Pass};
use crate::budget::{Budget, Cost, Reserved};
use crate::endpoint::{Endpoint, Structured};
use crate::error::{CallError, ErrorKind};
use crate::failure::Failure;
use crate::http::{Address, Heard, Pool};
use crate::key::{Key, Prefix};
use crate::ledger::{Item, Slip};
use crate::limit::{Gate, Permit};
use crate::retry::{Again, backoff};
use crate::secret::Secret;
use crate::tls::Tls;
use crate::wire::{self, Answer, Place, Usage};

pub(crate) struct Station {
    pub(crate) name: String,
    pub(crate) index: usize,
    pub(crate) spec: Endpoint,
    pub(crate) prefix: Prefix,
    shown: String,
    uri: Uri,
    models_uri: Uri,
    pool: Pool,
    gate: Gate,
    breaker: Breaker,
    secret: Option<Secret>,
    /// The server has refused a schema and answered without.
    schemaless: AtomicBool,
    /// What the server says it has, asked for once, after it said that it has not.
    models: OnceCell<String>,
}

/// A whole reply, with the body that got it and what it took.
pub(crate) struct Finished {
    pub(crate) answer: Answer,
    pub(crate) body: Bytes,
    pub(crate) usage: Usage,
    pub(crate) cost: Cost,
}

/// Where a call stands.
struct Course {
    body: Bytes,
    plain: bool,
    /// The schema was left out because the server refused it just now.
    fell_back: bool,
    deadline: Instant,
    attempts: u32,
    retries: u32,
    /// Waits that the server asked for.
    told: u32,
    fresh: bool,
}

impl Station {
    pub(crate) fn new(
        name: &str,
        index: usize,
        spec: Endpoint,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Result<Self, ParamError> {
        let at = |field: &'static str| move |message: String| ParamError::new(field, message);
        let address = Address::parse(&spec.url).map_err(at("url"))?;
        let secret =
            spec.key_env.as_deref().map(Secret::from_env).transpose().map_err(at("key_env"))?;
        let tls = match tls.filter(|_| address.tls()) {
            Some(config) => Some(Tls::new(Arc::clone(config), address.host()).map_err(at("url"))?),
            None => None,
        };
        let headers = headers(&address, secret.as_ref()).map_err(at("url"))?;
        let uri = match wire::place(spec.api) {
            Place::Beneath(suffix) => address.target(suffix),
            Place::Beside(suffix) => address.beside(suffix),
        };
        Ok(Self {
            name: name.to_owned(),
            index,
            prefix: Prefix::new(&spec),
            shown: address.shown(),
            uri,
            models_uri: address.target("/models"),
            pool: Pool::new(address, tls, headers, seconds(spec.connect_timeout)),
            gate: Gate::new(&spec, Instant::now()),
            breaker: Breaker::new(spec.break_after),
            secret,
            schemaless: AtomicBool::new(false),
            models: OnceCell::new(),
            spec,
        })
    }

    pub(crate) fn key(&self, request: &Request) -> Key {
        self.prefix.key(&self.spec, request)
    }

    pub(crate) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> CallError {
        CallError::new(kind, &self.name, message)
    }

    /// Asks until there is a reply or no hope for one.
    pub(crate) async fn ask(
        &self,
        request: &Request,
        key: Key,
        budget: &Budget,
        slip: &mut Slip<'_>,
    ) -> Result<Finished, CallError> {
        let plain = match self.spec.structured {
            Structured::On => false,
            Structured::Off => true,
            Structured::Auto => self.schemaless.load(Ordering::Relaxed),
        };
        let body = self.write(request, plain)?;
        let mut course = Course {
            body,
            plain,
            fell_back: false,
            deadline: Instant::now() + seconds(self.spec.deadline),
            attempts: 0,
            retries: 0,
            told: 0,
            fresh: false,
        };
        loop {
            let guess = self.guess(request, &course.body);
            let permit = self.pace(&mut course, guess, slip).await;
            let pass = self.admit(&course, slip).await?;
            let reserved = self.reserve(&course, guess, budget, slip).await?;
            course.attempts += 1;
            slip.add(Item::Attempts, 1);
            let began = Instant::now();
            match self.exchange(&course, request).await {
                Ok(answer) => {
                    pass.succeeded();
                    self.gate.answered();
                    return Ok(self.settle(&course, answer, guess, reserved, slip));
                }
                Err(failure) => {
                    self.note(&failure, guess, pass, reserved, slip);
                    if failure.kind == ErrorKind::RateLimited {
                        self.gate.throttled(began);
                    }
                    // Whoever waits to try again leaves room for others.
                    drop(permit);
                    self.recover(&mut course, failure, request, key, slip).await?;
                }
            }
        }
    }

    fn write(&self, request: &Request, plain: bool) -> Result<Bytes, CallError> {
        wire::write(&self.spec, request, plain)
            .map(Bytes::from)
            .map_err(|message| self.error(ErrorKind::Request, message))
    }

    /// Waits for the limits of the endpoint's entry, which does not count towards the deadline.
    async fn pace(&self, course: &mut Course, guess: Usage, slip: &mut Slip<'_>) -> Permit<'_> {
        let since = Instant::now();
        let permit = self.gate.enter().await;
        self.gate.slot(guess.total()).await;
        let wait = since.elapsed();
        course.deadline += wait;
        waited(slip, wait);
        permit
    }

    /// Waits for pauses and the breaker.
    async fn admit(&self, course: &Course, slip: &mut Slip<'_>) -> Result<Pass<'_>, CallError> {
        let since = Instant::now();
        while let Some(until) = self.gate.paused() {
            if until >= course.deadline {
                let message =
                    "the server asked for a longer pause than the call's `deadline` allows";
                return Err(self.fail(course, ErrorKind::RateLimited, message));
            }
            tokio::time::sleep_until(until.into()).await;
        }
        let patience = seconds(self.spec.deadline);
        let pass = self.breaker.pass(patience, course.deadline).await;
        waited(slip, since.elapsed());
        pass.map_err(|cause| {
            let message = format!("{} does not answer: {cause}", self.shown);
            self.fail(course, ErrorKind::Unavailable, message)
                .remedy("check that it runs and that `url` is right")
        })
    }

    fn fail(&self, course: &Course, kind: ErrorKind, message: impl Into<String>) -> CallError {
        CallError { attempts: course.attempts, ..self.error(kind, message) }
    }

    /// Sets aside what the attempt may cost.
    async fn reserve<'b>(
        &self,
        course: &Course,
        guess: Usage,
        budget: &'b Budget,
        slip: &mut Slip<'_>,
    ) -> Result<Reserved<'b>, CallError> {
        let since = Instant::now();
        let reserved = budget.reserve(self.cost(guess)).await;
        waited(slip, since.elapsed());
        reserved.map_err(|cap| {
            self.fail(course, ErrorKind::Budget, cap).remedy("raise the cap, or ask less")
        })
    }

    /// Counts what a reply took.
    fn settle(
        &self,
        course: &Course,
        answer: Answer,
        guess: Usage,
        reserved: Reserved<'_>,
        slip: &mut Slip<'_>,
    ) -> Finished {
        let usage = answer.usage.unwrap_or_else(|| {
            slip.add(Item::Estimated, 1);
            Usage { input: guess.input, output: estimate(answer.reply.text.len()) }
        });
        let cost = self.cost(usage);
        reserved.settle(cost);
        self.gate.settle(guess.total(), usage.total());
        slip.tokens(usage.input, usage.output, cost);
        if course.fell_back {
            self.schemaless.store(true, Ordering::Relaxed);
        }
        Finished { answer, body: course.body.clone(), usage, cost }
    }

    /// Counts an attempt that failed. A reply that cannot be read was paid for all the same, about as much as was guessed.
    fn note(
        &self,
        failure: &Failure,
        guess: Usage,
        pass: Pass<'_>,
        reserved: Reserved<'_>,
        slip: &mut Slip<'_>,
    ) {
        slip.add(Item::Fault(failure.kind), 1);
        if failure.paid() {
            let cost = self.cost(guess);
            reserved.settle(cost);
            slip.add(Item::Estimated, 1);
            slip.tokens(guess.input, guess.output, cost);
        } else {
            self.gate.settle(guess.total(), 0);
        }
        match (failure.ill, failure.again) {
            (true, _) => pass.failed(&failure.message),
            (false, Again::Fresh) => drop(pass),
            (false, _) => pass.succeeded(),
        }
    }

    /// What a call will take at most, about: four bytes a token.
    fn guess(&self, request: &Request, body: &Bytes) -> Usage {
        const UNKNOWN: u64 = 512;
        let output = match (self.spec.api.generates(), &request.continuation) {
            (true, None) => request.max_tokens.or(self.spec.max_tokens).map_or(UNKNOWN, u64::from),
            _ => 0,
        };
        Usage { input: estimate(body.len()), output }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates; prices are not negative"
    )]
    fn cost(&self, usage: Usage) -> Cost {
        // A price per million is a price in millionths per token.
        let pico = |tokens: u64, price: f64| tokens.saturating_mul((price * 1e6).round() as u64);
        let price = self.spec.price;
        Cost {
            tokens: usage.total(),
            pico: pico(usage.input, price.input).saturating_add(pico(usage.output, price.output)),
        }
    }

    async fn exchange(&self, course: &Course, request: &Request) -> Result<Answer, Failure> {
        let limit = course.deadline.min(Instant::now() + seconds(self.spec.timeout));
        let exchange =
            self.pool.exchange(Method::POST, self.uri.clone(), course.body.clone(), course.fresh);
        let heard = match tokio::time::timeout_at(limit.into(), exchange).await {
            Ok(heard) => heard.map_err(|trouble| Failure::of_trouble(trouble, &self.shown))?,
            Err(_) => return Err(Failure::too_slow(&self.shown, self.spec.timeout)),
        };
        let location = heard.location.map(|place| self.scrub(place.into()));
        let location = location.map(|place| String::from_utf8_lossy(&place).into_owned());
        let heard = Heard { body: self.scrub(heard.body), location, ..heard };
        if heard.status.is_success() {
            self.read(request, &heard)
        } else {
            Err(Failure::refused(&heard))
        }
    }

    fn scrub(&self, body: Bytes) -> Bytes {
        match &self.secret {
            Some(secret) => secret.scrub(body),
            None => body,
        }
    }

    fn read(&self, request: &Request, heard: &Heard) -> Result<Answer, Failure> {
        let events = heard.events || heard.body.starts_with(b"data:");
        let answer = if events {
            wire::read_events(self.spec.api, &heard.body)
        } else {
            wire::read(self.spec.api, request, &heard.body)
        };
        answer.map_err(|fault| Failure::of_fault(fault, heard.status.as_u16()))
    }

    /// Waits before the next attempt, or ends the call.
    async fn recover(
        &self,
        course: &mut Course,
        failure: Failure,
        request: &Request,
        key: Key,
        slip: &mut Slip<'_>,
    ) -> Result<(), CallError> {
        if self.falls_back(course, &failure, request) {
            course.body = self.write(request, true)?;
            (course.plain, course.fell_back) = (true, true);
            return Ok(());
        }
        let first = seconds(self.spec.backoff);
        let wait = match failure.again {
            Again::Fresh if !course.fresh => {
                course.fresh = true;
                return Ok(());
            }
            Again::AsTold => {
                course.told += 1;
                backoff(first, course.told - 1, key.short())
            }
            Again::Counted | Again::Fresh if course.retries < self.spec.retries => {
                course.retries += 1;
                backoff(first, course.retries - 1, key.short())
            }
            _ => return Err(self.give_up(course, failure).await),
        };
        let wait = wait.max(failure.after.unwrap_or_default());
        let until = Instant::now() + wait;
        if until >= course.deadline {
            let late = format!(
                "{}, and there is no time left within the call's `deadline`",
                failure.message
            );
            return Err(self.give_up(course, Failure { message: late, ..failure }).await);
        }
        if failure.again == Again::AsTold {
            self.gate.pause(until);
        }
        slip.add(Item::Retries, 1);
        tokio::time::sleep_until(until.into()).await;
        waited(slip, wait);
        Ok(())
    }

    /// Whether the schema may be what the server refused.
    fn falls_back(&self, course: &Course, failure: &Failure, request: &Request) -> bool {
        matches!(failure.status, Some(400 | 422))
            && request.schema.is_some()
            && !course.plain
            && self.spec.api.generates()
            && self.spec.structured == Structured::Auto
    }
}

fn headers(address: &Address, secret: Option<&Secret>) -> Result<HeaderMap, String> {
    let host = HeaderValue::try_from(address.authority())
        .map_err(|_| "names a host that no header can hold".to_owned())?;
    let json = HeaderValue::from_static("application/json");
    let agent = HeaderValue::from_static(concat!("guerdon/", env!("CARGO_PKG_VERSION")));
    let mut headers = HeaderMap::with_capacity(8);
    headers.extend([
        (HOST, host),
        (CONTENT_TYPE, json.clone()),
        (ACCEPT, json),
        (USER_AGENT, agent),
    ]);
    if let Some(secret) = secret {
        headers.insert(AUTHORIZATION, secret.header());
    }
    Ok(headers)
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn estimate(bytes: usize) -> u64 {
    bytes as u64 / 4 + 1
}

fn waited(slip: &mut Slip<'_>, time: Duration) {
    slip.add(Item::WaitedNs, u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
}
