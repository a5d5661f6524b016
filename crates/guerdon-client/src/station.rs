//! One endpoint at work: attempts, their limits, and what becomes of failures.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use guerdon_core::ParamError;
use guerdon_core::method::Request;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Uri};
use rustls::ClientConfig;
use tokio::sync::OnceCell;

use crate::breaker::{Breaker, Pass};
use crate::budget::{Budget, Cost};
use crate::endpoint::{Endpoint, Structured};
use crate::error::{CallError, ErrorKind};
use crate::http::{Address, Heard, MOST_BODY, Pool, Trouble};
use crate::key::{Key, Prefix};
use crate::ledger::{Item, Slip};
use crate::limit::Gate;
use crate::retry::{Again, backoff, by_status, retry_after};
use crate::secret::Secret;
use crate::tls::Tls;
use crate::wire::{self, Answer, Fault, Place, Usage};

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

/// An attempt that failed.
struct Failure {
    kind: ErrorKind,
    status: Option<u16>,
    message: String,
    again: Again,
    after: Option<Duration>,
    /// The endpoint is unwell, rather than the request wrong.
    ill: bool,
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
        let arrived = Instant::now();
        let _permit = self.gate.enter().await;
        let started = Instant::now();
        waited(slip, started - arrived);
        let mut course = Course {
            body,
            plain,
            fell_back: false,
            deadline: started + seconds(self.spec.deadline),
            attempts: 0,
            retries: 0,
            told: 0,
            fresh: false,
        };
        loop {
            let pass = self.admit(&mut course, slip).await?;
            match self.attempt(&mut course, request, pass, budget, slip).await? {
                Ok(finished) => return Ok(finished),
                Err(failure) => self.recover(&mut course, failure, request, key, slip).await?,
            }
        }
    }

    fn write(&self, request: &Request, plain: bool) -> Result<Bytes, CallError> {
        wire::write(&self.spec, request, plain)
            .map(Bytes::from)
            .map_err(|message| self.error(ErrorKind::Request, message))
    }

    /// Waits for pauses and the breaker.
    async fn admit(&self, course: &mut Course, slip: &mut Slip<'_>) -> Result<Pass<'_>, CallError> {
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

    /// One attempt within rates and budget. The outer error ends the call.
    async fn attempt(
        &self,
        course: &mut Course,
        request: &Request,
        pass: Pass<'_>,
        budget: &Budget,
        slip: &mut Slip<'_>,
    ) -> Result<Result<Finished, Failure>, CallError> {
        let guess = self.guess(request, &course.body);
        let reserved = budget.reserve(self.cost(guess)).await.map_err(|cap| {
            self.fail(course, ErrorKind::Budget, cap).remedy("raise the cap, or ask less")
        })?;
        let wait = self.gate.slot(guess.input + guess.output).await;
        course.deadline += wait;
        waited(slip, wait);
        course.attempts += 1;
        slip.add(Item::Attempts, 1);
        let outcome = self.exchange(course, request).await;
        match outcome {
            Ok(answer) => {
                pass.succeeded();
                let usage = answer.usage.unwrap_or_else(|| {
                    slip.add(Item::Estimated, 1);
                    Usage { input: guess.input, output: estimate(answer.reply.text.len()) }
                });
                let cost = self.cost(usage);
                reserved.settle(cost);
                self.gate.settle(guess.input + guess.output, usage.input + usage.output);
                slip.tokens(usage.input, usage.output, cost);
                if course.fell_back {
                    self.schemaless.store(true, Ordering::Relaxed);
                }
                Ok(Ok(Finished { answer, body: course.body.clone(), usage, cost }))
            }
            Err(failure) => {
                self.gate.settle(guess.input + guess.output, 0);
                slip.add(Item::Fault(failure.kind), 1);
                match (failure.ill, failure.again) {
                    (true, _) => pass.failed(&failure.message),
                    (false, Again::Fresh) => drop(pass),
                    (false, _) => pass.succeeded(),
                }
                Ok(Err(failure))
            }
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
            tokens: usage.input.saturating_add(usage.output),
            pico: pico(usage.input, price.input).saturating_add(pico(usage.output, price.output)),
        }
    }

    async fn exchange(&self, course: &Course, request: &Request) -> Result<Answer, Failure> {
        let limit = course.deadline.min(Instant::now() + seconds(self.spec.timeout));
        let exchange =
            self.pool.exchange(Method::POST, self.uri.clone(), course.body.clone(), course.fresh);
        let heard = match tokio::time::timeout_at(limit.into(), exchange).await {
            Ok(heard) => heard.map_err(|trouble| self.troubled(trouble))?,
            Err(_) => return Err(self.too_slow()),
        };
        let heard = Heard { body: self.scrub(heard.body), ..heard };
        if heard.status.is_success() { self.read(request, &heard) } else { Err(refused(&heard)) }
    }

    fn scrub(&self, body: Bytes) -> Bytes {
        match &self.secret {
            Some(secret) => secret.scrub(body),
            None => body,
        }
    }

    fn too_slow(&self) -> Failure {
        let message =
            format!("{} gave no whole reply within {} seconds", self.shown, self.spec.timeout);
        Failure { kind: ErrorKind::Timeout, ..Failure::ill(message) }
    }

    fn troubled(&self, trouble: Trouble) -> Failure {
        let shown = &self.shown;
        match trouble {
            Trouble::Connect(cause) => Failure::ill(format!("no connection to {shown}: {cause}")),
            Trouble::Untrusted(cause) => Failure {
                again: Again::Never,
                ill: false,
                ..Failure::ill(format!(
                    "{shown} is not trusted ({cause}): name a file with its certificate in SSL_CERT_FILE"
                ))
            },
            Trouble::Dropped(cause) => {
                Failure::ill(format!("the connection to {shown} broke off: {cause}"))
            }
            Trouble::Stale => Failure {
                again: Again::Fresh,
                ill: false,
                ..Failure::ill(format!("{shown} had closed a connection that was kept"))
            },
            Trouble::Strange(message) => {
                Failure { kind: ErrorKind::Unreadable, ..Failure::ill(message) }
            }
            Trouble::TooLarge => Failure {
                kind: ErrorKind::Unreadable,
                again: Again::Never,
                ill: false,
                ..Failure::ill(format!("the reply is larger than {} MB", MOST_BODY >> 20))
            },
        }
    }

    fn read(&self, request: &Request, heard: &Heard) -> Result<Answer, Failure> {
        let events = heard.events || heard.body.starts_with(b"data:");
        let answer = if events {
            wire::read_events(self.spec.api, &heard.body)
        } else {
            wire::read(self.spec.api, request, &heard.body)
        };
        let status = Some(heard.status.as_u16());
        answer.map_err(|fault| match fault {
            Fault::Garbled(message) => {
                Failure { kind: ErrorKind::Unreadable, status, ..Failure::ill(message) }
            }
            Fault::Shape(message) => Failure {
                kind: ErrorKind::Unreadable,
                status,
                again: Again::Never,
                ill: false,
                ..Failure::ill(message)
            },
            Fault::Service(code, message) => {
                by_code(code.filter(|code| *code >= 400).unwrap_or(500), &message, None)
            }
        })
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

    async fn give_up(&self, course: &Course, failure: Failure) -> CallError {
        let remedy = self.remedy(&failure).await;
        CallError { status: failure.status, ..self.fail(course, failure.kind, failure.message) }
            .remedy(remedy)
    }

    async fn remedy(&self, failure: &Failure) -> String {
        match (failure.status, failure.kind) {
            (Some(401 | 403), _) => match &self.spec.key_env {
                Some(variable) => format!("check the key in the environment variable `{variable}`"),
                None => "name the environment variable that holds the key in `key_env`".into(),
            },
            (Some(404), _) => self.models.get_or_init(|| self.ask_for_models()).await.clone(),
            (Some(300..=399), _) => "give the address that it points to as `url`".into(),
            (_, ErrorKind::RateLimited) => {
                "lower `concurrency`, or set `requests_per_minute` or `tokens_per_minute`".into()
            }
            (_, ErrorKind::Timeout) => {
                "raise `timeout`, lower `concurrency`, or ask for fewer tokens".into()
            }
            (_, ErrorKind::Connection) => "check that it runs and that `url` is right".into(),
            _ => String::new(),
        }
    }

    /// The models that the server says it has, as a remedy.
    async fn ask_for_models(&self) -> String {
        const PATIENCE: Duration = Duration::from_secs(5);
        let asked = self.pool.exchange(Method::GET, self.models_uri.clone(), Bytes::new(), true);
        let heard = tokio::time::timeout(PATIENCE, asked).await;
        let body = match heard {
            Ok(Ok(heard)) if heard.status.is_success() => self.scrub(heard.body),
            _ => return format!("check `model` (`{}`) and `url`", self.spec.model),
        };
        let names = wire::read_models(&body);
        if names.is_empty() {
            return format!("check `model` (`{}`) and `url`", self.spec.model);
        }
        format!("`model` is `{}`, and the server has: {}", self.spec.model, names.join(", "))
    }
}

impl Failure {
    /// The endpoint failed in a way that may pass.
    fn ill(message: String) -> Self {
        let (kind, again) = (ErrorKind::Connection, Again::Counted);
        Self { kind, status: None, message, again, after: None, ill: true }
    }
}

fn refused(heard: &Heard) -> Failure {
    let status = heard.status.as_u16();
    let after = heard.retry_after.as_deref().and_then(|v| retry_after(v, SystemTime::now()));
    let said = match &heard.location {
        Some(location) if heard.status.is_redirection() => format!("it points to {location}"),
        _ => wire::read_error(&heard.body),
    };
    by_code(status, &said, after)
}

fn by_code(status: u16, said: &str, after: Option<Duration>) -> Failure {
    let kind = match status {
        408 => ErrorKind::Timeout,
        429 => ErrorKind::RateLimited,
        500.. => ErrorKind::Server,
        _ => ErrorKind::Refused,
    };
    let colon = if said.is_empty() { "" } else { ": " };
    Failure {
        kind,
        status: Some(status),
        message: format!("the server answers {status}{colon}{said}"),
        again: by_status(status, after.is_some(), said),
        after,
        ill: status >= 500,
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
