//! Rewards, vectors and tools.

use serde_json::{Value, json};

use super::choices::usage_json;
use super::reply::Reply;
use super::request::{Body, Call, Route, Texts};
use crate::serve_model::models::Mind;
use crate::serve_model::script::Script;
use crate::serve_model::tokens;

impl Script {
    /// `/classify`, `/pooling` and `/v1/embeddings`.
    pub(super) fn numbers(&self, call: &Call) -> Reply {
        let body = &call.body;
        let Some(texts) = inputs(body) else {
            return Reply::bad_param("input", "`input` must be a text or a list of texts");
        };
        let Some(name) = body.model.as_deref() else {
            return Reply::bad_param("model", "the call names no `model`");
        };
        let Some((name, model)) = self.models.get_key_value(name) else {
            return Reply::no_model(name);
        };
        let values: Option<Vec<Vec<f64>>> =
            texts.iter().map(|text| model.numbers(text, &self.world)).collect();
        let Some(values) = values else {
            return Reply::error(400, "this model writes text: call /v1/chat/completions");
        };
        let count = texts.iter().map(|text| tokens::count(text)).sum();
        let data: Vec<Value> = values
            .into_iter()
            .enumerate()
            .map(|(i, values)| datum(call.route, body, i, values))
            .collect();
        let mut usage = usage_json((count, 0));
        usage["completion_tokens"] = 0.into();
        let reply = json!({"object": "list", "model": name, "data": data, "usage": usage});
        Reply::json(reply, (count, 0))
    }

    /// `/get_reward`: OpenRLHF's remote reward model, and slime's (`prompt`, `response`).
    pub(super) fn rewards(&self, call: &Call) -> Reply {
        let body = &call.body;
        let Some((_, model)) = self.model_of(call).and_then(|name| self.models.get_key_value(name))
        else {
            let asked = body.model.as_deref().or(call.name.as_deref());
            return asked.map_or_else(
                || Reply::error(400, "the script has no reward model"),
                Reply::no_model,
            );
        };
        let reward =
            |text: &String| model.numbers(text, &self.world).and_then(|v| v.first().copied());
        if let Some(Texts::One(response)) = &body.response {
            let Some(value) = reward(response) else {
                return Reply::error(400, "this model gives no rewards");
            };
            return Reply::json(json!(value), (0, 0));
        }
        let Some(texts) = body.query.as_ref().map(Texts::all) else {
            return Reply::bad_param("query", "`query` must be a list of texts");
        };
        let Some(rewards) = texts.iter().map(reward).collect::<Option<Vec<f64>>>() else {
            return Reply::error(400, "this model gives no rewards");
        };
        let count = texts.iter().map(|text| tokens::count(text)).sum();
        let reply =
            json!({"rewards": rewards, "scores": rewards, "extra_logs": {"reward": rewards}});
        Reply::json(reply, (count, 0))
    }

    pub(super) fn first_reward(&self) -> Option<&str> {
        let found = self.models.iter().find(|(_, model)| matches!(model.mind, Mind::Reward(_)));
        found.map(|(name, _)| name.as_str())
    }

    /// `/tool/NAME`: the input is the body's `input`, or the whole body as JSON.
    pub(super) fn tool(&self, call: &Call) -> Reply {
        let name = call.name.as_deref().unwrap_or_default();
        let Some(tool) = self.tools.get(name) else {
            return Reply::error(404, &format!("there is no tool `{name}`"));
        };
        let raw = &call.body.raw;
        let input =
            raw["input"].as_str().or(raw.as_str()).map_or_else(|| raw.to_string(), str::to_owned);
        match tool.run(&input) {
            Ok(output) => Reply::json(json!({"output": output}), (0, 0)),
            Err((status, message)) => Reply::error(status, &message),
        }
    }
}

/// The texts of a call: its `input`, or the last message of its conversation.
fn inputs(body: &Body) -> Option<Vec<String>> {
    match &body.input {
        Some(input) => Some(input.all().to_vec()),
        None => body.turns().pop().map(|turn| vec![turn.text]),
    }
}

fn datum(route: Route, body: &Body, index: usize, values: Vec<f64>) -> Value {
    match route {
        Route::Classify => {
            let raw = body.use_activation == Some(false);
            let probs: Vec<f64> =
                if raw { values } else { values.into_iter().map(logistic).collect() };
            json!({"index": index, "label": "LABEL_0", "probs": probs, "num_classes": probs.len()})
        }
        Route::Pooling => json!({"index": index, "object": "pooling", "data": values}),
        _ => json!({"index": index, "object": "embedding", "embedding": values}),
    }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
