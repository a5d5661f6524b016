//! Calls of language models and reward models: one [`Client`] for all endpoints of a spec, with limits, retries, a cache
//! and a ledger.
//!
//! ```no_run
//! use std::collections::BTreeMap;
//! use guerdon_client::{Client, Endpoint, Limits};
//! use guerdon_core::method::Request;
//!
//! # async fn ask() -> Result<(), Box<dyn std::error::Error>> {
//! let judge = Endpoint { temperature: Some(0.0), ..Endpoint::new("http://localhost:8000/v1", "judge-8b") };
//! let endpoints = BTreeMap::from([("judge".to_owned(), judge)]);
//! let limits = Limits { calls: Some(10_000), ..Limits::default() };
//! let client = Client::open(endpoints, limits, Some("calls.db".as_ref()))?;
//! let reply = client.call(&Request::user("Is 7 prime? Answer yes or no."), "primes").await?;
//! println!("{} ({} calls so far)", reply.text, client.ledger().total.calls);
//! # Ok(())
//! # }
//! ```
//!
//! # What holds
//!
//! - **No call is paid for twice.** With a cache, [`Client::call`] returns a reply only after it is committed to the
//!   cache's file, together with its cost. A process killed at any moment, or a machine that fails, loses the calls in flight and no
//!   other. Identical calls that run at once are sent once, within a process and, on Linux, between processes that share the
//!   file. A reply that came is kept even if its caller gave up while it was being committed.
//! - **Equal keys, equal replies.** The [`Key`] covers everything that shapes the reply: model, api, prompt, sampling,
//!   `extra`, seed, schema, sample index. The endpoint's address and key are not part of it.
//! - **Caps hold.** Calls are counted before they are sent, failed attempts and repetitions too, and never exceed
//!   [`Limits::calls`]. Tokens and money are reserved from an estimate (four bytes a token, `max_tokens` of reply) and
//!   settled with what the server reports; they exceed their cap by no more than the estimates of the calls in flight were
//!   short. A call that may fit later waits for those in flight.
//! - **Nothing hangs.** Every attempt has a timeout over its whole length, every call a deadline; bodies, lists and depths
//!   are bounded. An endpoint that fails again and again is probed by one call at a time while the others wait; how long it
//!   is waited for is bounded once for all calls.
//! - **No key leaves.** Keys come from the environment, go into one header, and are struck out of replies and errors; they
//!   are in no file, no error and no `Debug` output. (Words shorter than 16 characters, such as the `EMPTY` that local
//!   servers are given, are no keys.)
//!
//! # Failures
//!
//! Broken connections, timeouts, 5xx, 408, 409, 425, 429 and bodies that are no JSON are repeated, at most
//! [`Endpoint::retries`] times, after waits that double, with a jitter that is a function of the request. `Retry-After` is
//! obeyed; after a 429 it holds for all calls to the endpoint and costs no retry, and half as many are in flight at once until
//! the server answers again. Everything else is final at once. A kept
//! connection that turns out to be closed is replaced at once. Errors are not cached. [`CallError`] says which endpoint,
//! which status, and what to do.
//!
//! # Use
//!
//! The client needs a tokio runtime with time and I/O. It spawns no tasks: a call is driven by whoever awaits it, so many
//! calls belong into one `FuturesUnordered`, `JoinSet` or the like. One thread is enough for thousands of calls in flight.
//! Proxies of the environment are not used.

mod address;
mod breaker;
mod budget;
mod cache;
mod claim;
mod client;
mod endpoint;
mod error;
mod failure;
mod flight;
mod http;
mod key;
mod ledger;
mod limit;
mod retry;
mod rows;
mod secret;
mod station;
mod store;
mod tls;
pub mod wire;

pub use cache::{Cache, CacheError, Held, Prune, Record, Stats};
pub use client::Client;
pub use endpoint::{Api, Endpoint, Limits, Price, Structured};
pub use error::{CallError, ClientError, ErrorKind};
pub use key::Key;
pub use ledger::{Ledger, Line, Tally};
