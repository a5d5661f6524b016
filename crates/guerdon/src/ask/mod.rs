//! Conversations with models: what runs the protocols that judges and others only describe.
//!
//! A conversation is replayed from its beginning with all replies so far until it is done; the calls of one round are made
//! at once, and many conversations run side by side. Who answers is a [`Models`]: the client of a spec's endpoints, or a
//! simulation in their place.

mod compare;
mod record;

use std::future::Future;
use std::pin::Pin;

use futures_util::future::join_all;
use guerdon_core::Unscored;
use guerdon_core::method::{Case, Judge, Judgement, Next, Reply, Request, ask};
use serde_json::Value;

pub use compare::Against;
pub(crate) use compare::{Batch, outcomes};
pub use record::Turn;
pub(crate) use record::words;

/// A reply that will come.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Reply, Unscored>> + Send + 'a>>;

/// Who answers.
pub trait Models: Send + Sync {
    /// Answers one request. `tag` says on whose behalf, for the ledger.
    fn call<'a>(&'a self, request: &'a Request, tag: &'a str) -> Answer<'a>;

    /// What was spent so far, in the words of a progress line; empty where nothing is counted.
    fn spent(&self) -> String {
        String::new()
    }

    /// What was spent so far, in full; `Null` where nothing is counted.
    fn ledger(&self) -> Value {
        Value::Null
    }
}

impl Models for guerdon_client::Client {
    fn call<'a>(&'a self, request: &'a Request, tag: &'a str) -> Answer<'a> {
        Box::pin(async move {
            guerdon_client::Client::call(self, request, tag).await.map_err(Into::into)
        })
    }

    fn spent(&self) -> String {
        line(&guerdon_client::Client::ledger(self).total)
    }

    fn ledger(&self) -> Value {
        serde_json::to_value(guerdon_client::Client::ledger(self)).unwrap_or_default()
    }
}

/// What was spent, in one line.
fn line(tally: &guerdon_client::Tally) -> String {
    let mut text = format!("{} calls", tally.calls);
    if tally.hits + tally.shared > 0 {
        text.push_str(&format!(" ({} known)", tally.hits + tally.shared));
    }
    text.push_str(&format!(", {} + {} tokens", tally.input_tokens, tally.output_tokens));
    if tally.money > 0.0 {
        text.push_str(&format!(", {:.4} spent", tally.money));
    }
    if tally.retries > 0 {
        text.push_str(&format!(", {} repeated", tally.retries));
    }
    let failed: u64 = tally.errors.values().sum();
    if failed > 0 {
        text.push_str(&format!(", {failed} failed"));
    }
    text
}

/// The most rounds of a conversation: a protocol that goes on after that does not end.
const ROUNDS: usize = 200;
/// The most requests of a conversation.
const REQUESTS: usize = 10_000;

/// How a conversation ended, with all that was said.
#[derive(Debug, Clone)]
pub struct Ended<T> {
    /// The result, or why there is none.
    pub result: Result<T, Unscored>,
    /// Round by round, what was asked and what was answered.
    pub turns: Vec<Vec<Turn>>,
}

/// Runs one conversation to its end. `model` is asked where a request names none.
pub async fn converse<T>(
    models: &dyn Models,
    model: Option<&str>,
    tag: &str,
    next: impl Fn(&[Vec<Reply>]) -> Result<Next<T>, Unscored>,
) -> Ended<T> {
    let mut rounds: Vec<Vec<Reply>> = Vec::new();
    let mut turns: Vec<Vec<Turn>> = Vec::new();
    let mut asked = 0;
    let result = loop {
        let mut requests = match guarded(|| next(&rounds)) {
            Ok(Next::Done(result)) => break Ok(result),
            Ok(Next::Ask(requests)) => requests,
            Err(reason) => break Err(reason),
        };
        asked += requests.len();
        if rounds.len() == ROUNDS || asked > REQUESTS || requests.is_empty() {
            break Err(Unscored::budget(format!(
                "the conversation does not end: {asked} requests in {} rounds",
                rounds.len()
            )));
        }
        for request in &mut requests {
            request.model = request.model.take().or_else(|| model.map(str::to_owned));
        }
        let answers = join_all(requests.iter().map(|request| models.call(request, tag))).await;
        match answers.into_iter().collect::<Result<Vec<Reply>, Unscored>>() {
            Ok(replies) => {
                turns.push(record::turns(requests, &replies));
                rounds.push(replies);
            }
            Err(reason) => break Err(reason),
        }
    };
    Ended { result, turns }
}

/// A panic in a protocol costs its conversation, never the run.
fn guarded<T>(f: impl FnOnce() -> Result<T, Unscored>) -> Result<T, Unscored> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f))
        .unwrap_or_else(|_| Err(Unscored::failed("the protocol panicked; please report it")))
}

/// Judges one case.
pub async fn judge(
    models: &dyn Models,
    model: Option<&str>,
    tag: &str,
    judge: &dyn Judge,
    case: &Case,
    seed: u64,
) -> Ended<Judgement> {
    converse(models, model, tag, |rounds| ask(judge, case, rounds, seed)).await
}
