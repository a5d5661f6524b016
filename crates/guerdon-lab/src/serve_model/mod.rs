//! A real OpenAI-compatible server whose models are simulated.
//!
//! A [`Script`] names the models and their laws: a solver that is right with a known probability, a judge with a known
//! slot bias, a reward model with known noise, fixed replies for protocol tests. [`Server::start`] serves it over HTTP with
//! the faults that the script asks for; [`Script::answer`] gives the same bytes without a network.
//!
//! # The law of a reply
//!
//! A reply is a pure function of the script, the model, the prompt, and `seed + sample index`; of nothing else. It does not
//! depend on the order of arrival, on `max_tokens`, `stop`, `stream` or `logprobs` (which cut, or show, the same reply).
//! `n` samples under seed `s` are the samples of seeds `s`, `s + 1`, and so on. At `temperature: 0` neither seed nor sample
//! index matter; other temperatures change nothing, so that the laws of the script hold as they are written.
//!
//! # Faults
//!
//! [`Fault`]s live in the server alone. Each is drawn from the script's seed, the request's hash and the number of times that
//! the same request has come before, so a run with retries is as repeatable as one without.
//!
//! # Example
//!
//! ```
//! use guerdon_lab::serve_model::Script;
//!
//! let script = Script::parse("models: {parrot: {prose: {kind: echo}}}").unwrap();
//! let reply = script.answer(br#"{"model": "parrot", "messages": [{"role": "user", "content": "Good morning!"}]}"#);
//! assert_eq!(reply.text(), Some("Good morning!"));
//! ```

mod api;
mod bounded;
mod dice;
mod draft;
mod models;
mod script;
mod server;
mod tokens;
mod world;

pub use api::{Content, Reply};
pub use bounded::{Finite, Positive, Share};
pub use models::{
    Bias, Criteria, Embedder, Grades, Injection, Items, Judge, Kind as ProseKind, Mark, Mishaps,
    Model, Outcome, Prose, Question, RewardModel, Rule, Scripted, Solver, Style, Words,
};
pub use script::{Script, ScriptError, Source, Tool};
pub use server::{Fault, FaultKind, Latency, Limit, Server, ServerError, ServerOptions, Stats};
pub use world::{TextEntry, Traits};
