//! `--dry-run`: what a run would ask, and what it would cost, with simulated models in the place of the spec's.

use std::collections::BTreeMap;
use std::sync::Mutex;

use anyhow::Context as _;
use guerdon::Spec;
use guerdon::ask::{Answer, Models};
use guerdon::client::{Api, Client, Endpoint, Ledger, Limits};
use guerdon::core::method::Request;
use guerdon_lab::serve_model::{
    Embedder, Judge, Model, Prose, RewardModel, Script, Server, Source,
};
use serde_json::{Value, json};

use super::OutputFormat;

/// Answers in the place of the spec's models, and counts.
///
/// Replies that the spec's cache holds are taken from there, as the run itself would do; all others come from a simulated
/// judge, which reads the prompts and answers in the format that they ask for. So the calls and the tokens of the prompts
/// are those of the run as far as they do not hang on what a judge says; the tokens of the replies are at least those of
/// the terse simulated ones, and at most what `max_tokens` allows.
pub(super) struct Estimate {
    simulated: Client,
    known: Option<Client>,
    endpoints: BTreeMap<String, Endpoint>,
    hits: Mutex<u64>,
    /// It runs as long as the estimate.
    _server: Server,
}

impl Estimate {
    /// Starts the simulation.
    pub(super) fn new(spec: &Spec) -> anyhow::Result<Self> {
        let endpoints = spec.endpoints.models.clone();
        let models = endpoints.iter().map(|(name, e)| (name.clone(), stand_in(e.api))).collect();
        let source = Source { models, seed: spec.seed, ..Source::default() };
        let script = Script::new(source, None).context("the simulated models cannot be made")?;
        let server = Server::start(script).context("the simulated models cannot be started")?;
        let local =
            endpoints.iter().map(|(name, e)| (name.clone(), at_home(name, e, &server))).collect();
        let has_cache = spec.endpoints.cache.as_ref().is_some_and(|path| path.exists());
        Ok(Self {
            simulated: Client::open(local, Limits::default(), None)?,
            // Without the keys of the real endpoints nothing is known, which costs the estimate only what the cache would save.
            known: has_cache.then(|| spec.endpoints.client().ok()).flatten(),
            endpoints,
            hits: Mutex::new(0),
            _server: server,
        })
    }

    fn hits(&self) -> u64 {
        *self.hits.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The most that the replies can cost: `max_tokens` each. `None` where an endpoint names none.
    fn at_most(&self, ledger: &Ledger) -> Option<f64> {
        let each = ledger.lines.iter().map(|line| {
            let endpoint = self.endpoints.get(&line.endpoint)?;
            let replies = line.tally.attempts as f64 * f64::from(endpoint.max_tokens?);
            let price = &endpoint.price;
            Some((line.tally.input_tokens as f64 * price.input + replies * price.output) / 1e6)
        });
        each.sum()
    }

    /// What the run would take.
    pub(super) fn render(&self, format: OutputFormat) -> String {
        let (ledger, hits) = (self.simulated.ledger(), self.hits());
        let (total, most) = (&ledger.total, self.at_most(&ledger));
        if format == OutputFormat::Json {
            let value = json!({
                "calls": total.attempts, "known": hits, "input_tokens": total.input_tokens,
                "output_tokens_at_least": total.output_tokens, "cost_at_least": total.money, "cost_at_most": most,
                "lines": ledger.lines,
            });
            return value.to_string();
        }
        let mut text = format!("  {} calls, {hits} more are in the cache\n", total.attempts);
        text.push_str("  on behalf of                     calls       input   output at least   cost at least\n");
        for line in &ledger.lines {
            let (who, tally) = (format!("{} → {}", line.tag, line.endpoint), &line.tally);
            text.push_str(&format!(
                "  {who:<28} {:>9} {:>11} {:>17} {:>15.4}\n",
                tally.attempts, tally.input_tokens, tally.output_tokens, tally.money
            ));
        }
        let most = most.map_or_else(
            || "unknown: a model has no `max_tokens`".to_owned(),
            |most| format!("{most:.4}, where every reply takes its `max_tokens`"),
        );
        text.push_str(&format!("  cost at most: {most}\n  nothing was asked; simulated models answered, so no verdict means anything\n"));
        text
    }
}

impl Models for Estimate {
    fn call<'a>(&'a self, request: &'a Request, tag: &'a str) -> Answer<'a> {
        Box::pin(async move {
            let known =
                self.known.as_ref().and_then(|client| client.record(request).ok().flatten());
            if let Some(record) = known {
                *self.hits.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += 1;
                return Ok(record.reply);
            }
            self.simulated.call(request, tag).await.map_err(Into::into)
        })
    }

    fn ledger(&self) -> Value {
        serde_json::to_value(self.simulated.ledger()).unwrap_or_default()
    }
}

fn stand_in(api: Api) -> Model {
    match api {
        Api::Chat | Api::Completions => Model { judge: Some(Judge::default()), ..Model::default() },
        Api::Embeddings => Model { embedder: Some(Embedder::default()), ..Model::default() },
        Api::Classify | Api::Pooling | Api::Openrlhf => {
            Model { reward: Some(RewardModel::default()), ..Model::default() }
        }
        Api::Tool => Model { prose: Some(Prose::default()), ..Model::default() },
    }
}

/// The endpoint, at the simulated server, where its model bears the name of the spec's entry: entries may share a model and speak
/// differently. A tool has no stand-in of its own there: it is asked as a chat.
fn at_home(name: &str, endpoint: &Endpoint, server: &Server) -> Endpoint {
    let (url, api) = match endpoint.api {
        Api::Openrlhf => (format!("{}/get_reward", server.root()), Api::Openrlhf),
        Api::Tool => (server.url(), Api::Chat),
        api => (server.url(), api),
    };
    Endpoint {
        url,
        api,
        model: name.to_owned(),
        key_env: None,
        // A simulated model gives other samples under other seeds alone.
        seed: endpoint.seed.or(Some(0)),
        requests_per_minute: None,
        tokens_per_minute: None,
        ..endpoint.clone()
    }
}
