//! Cost: how much of its budgets a rollout leaves unspent, or how little its model calls cost.
//!
//! # Formula
//!
//! ```text
//! budgets   score = mean_k (1 − min(1, used_k / budget_k))
//! prices    score = 1 − min(1, Σ_calls price(model) · tokens / 10⁶ / max_cost)
//! ```
//!
//! `budgets` maps columns (nodes, edges, tokens, calls) to what they may use; `prices` maps models to the price of a million
//! output tokens, and the column `calls` lists objects `{"model": ..., "tokens": ...}`.
//!
//! # When to use it
//!
//! As the smaller term beside correctness, to trade accuracy for cost. Alone it rewards doing nothing.
//!
//! # Departures
//!
//! Router-R1 scales its cost by a running minimum and maximum; here `max_cost` fixes the scale, so that a rollout's score does
//! not depend on those before it. `shape.normalize` does the running form.
//!
//! # Example
//!
//! ```yaml
//! use: verify.cost
//! budgets: {nodes: 8, tokens: 8000}
//! ```
//!
//! ```
//! use guerdon_verify::verify::cost::unspent;
//! assert_eq!((unspent(4.0, 8.0), unspent(2000.0, 8000.0), unspent(9.0, 8.0)), (0.5, 0.75, 0.0));
//! ```
//!
//! # References
//!
//! "FlowReasoner: Reinforcing Query-Level Meta-Agents", 2025 (budgets); "Router-R1: Teaching LLMs Multi-Round Routing and
//! Aggregation via Reinforcement Learning", 2025 (prices).

use std::collections::BTreeMap;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::records;

/// Parameters of `verify.cost`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cost {
    /// Column → greatest amount, above 0. Default `tokens: 8000`; not read where `prices` are given.
    pub budgets: BTreeMap<String, f64>,
    /// Model → price of a million output tokens, at least 0. Default none.
    pub prices: BTreeMap<String, f64>,
    /// Column with the model calls, for `prices`. Default `calls`.
    pub calls: String,
    /// Cost that earns 0, in the unit of the prices, above 0. Default 1.
    pub max_cost: f64,
}

impl Default for Cost {
    fn default() -> Self {
        Self {
            budgets: BTreeMap::from([("tokens".to_owned(), 8000.0)]),
            prices: BTreeMap::new(),
            calls: "calls".into(),
            max_cost: 1.0,
        }
    }
}

impl Params for Cost {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("max_cost", self.max_cost)?;
        records::named("calls", &self.calls)?;
        if self.budgets.is_empty() && self.prices.is_empty() {
            return Err(ParamError::new("budgets", "give at least one of `budgets` and `prices`"));
        }
        for budget in self.budgets.values() {
            ParamError::positive("budgets", *budget)?;
        }
        for price in self.prices.values() {
            ParamError::in_range("prices", *price, 0.0, 1e12)?;
        }
        Ok(())
    }
}

/// The share of a budget (above 0) that is left, 0 to 1.
pub fn unspent(used: f64, budget: f64) -> f64 {
    1.0 - (used / budget).clamp(0.0, 1.0)
}

fn amount(name: &str, value: f64) -> Result<f64, Unscored> {
    if value >= 0.0 {
        return Ok(value);
    }
    Err(Unscored::invalid(format!("`{name}` is {value}; an amount is at least 0")))
}

impl Cost {
    fn price(&self, call: &Value) -> Result<f64, Unscored> {
        let model = call.get("model").and_then(Value::as_str).ok_or_else(|| {
            Unscored::invalid("a call needs `model`, a text, and `tokens`, a number")
        })?;
        let price = self
            .prices
            .get(model)
            .ok_or_else(|| Unscored::invalid(format!("`prices` has no model {model:?}")))?;
        let tokens = call.get("tokens").and_then(Value::as_f64);
        let tokens = tokens.ok_or_else(|| Unscored::invalid("a call needs `tokens`, a number"))?;
        Ok(price * amount("tokens", tokens)? / 1e6)
    }

    fn priced(&self, rollout: &Rollout) -> Outcome {
        let Value::Array(calls) = records::value(rollout, &self.calls)? else {
            return Err(Unscored::invalid(format!("column `{}`: expected a list", self.calls)));
        };
        let costs = calls.iter().map(|call| self.price(call)).collect::<Result<Vec<_>, _>>()?;
        let cost: f64 = costs.iter().sum();
        Ok(Score::new(unspent(cost, self.max_cost))?.because(format!("costs {cost}")))
    }
}

/// What a row uses of a budget; for `tokens` the recorded count comes first.
fn used(rollout: &Rollout, column: &str) -> Result<f64, Unscored> {
    match (column, rollout.tokens) {
        ("tokens", Some(tokens)) => Ok(tokens as f64),
        _ => amount(column, records::number_at(rollout, column)?),
    }
}

impl Signal for Cost {
    fn score(&self, rollout: &Rollout) -> Outcome {
        if !self.prices.is_empty() {
            return self.priced(rollout);
        }
        let mut parts = Vec::with_capacity(self.budgets.len());
        for (column, budget) in &self.budgets {
            parts.push((column.clone(), unspent(used(rollout, column)?, *budget)));
        }
        let mean = parts.iter().map(|(_, left)| left).sum::<f64>() / parts.len() as f64;
        let mut score = Score::new(mean)?;
        score.parts = parts;
        Ok(score)
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }

    fn reads_completion(&self) -> bool {
        false
    }
}

guerdon_core::method! {
    Cost: Signal,
    id: "verify.cost",
    papers: ["flowreasoner-2025", "router-r1-2025"],
    status: Verified(Worked("4 of 8 nodes 0.5, 2000 of 8000 tokens 0.75")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        DegenerateEarnsNothing: "The amounts come from the data, not from the completion's text.",
        InjectionGainsNothing: "The amounts come from the data, not from the completion's text.",
    ],
    sample_params: r#"{"budgets": {"nodes": 8}}"#,
    samples: [r#"{"completion": "done", "nodes": 0}"#],
}

#[cfg(test)]
mod tests {
    use super::Cost;
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::{Value, json};

    fn check(params: &Value, columns: &Value, expect: Option<f64>) {
        let params: Cost = serde_json::from_value(params.clone()).unwrap();
        let rollout =
            Rollout { columns: columns.as_object().unwrap().clone(), ..Rollout::default() };
        assert_eq!(params.score(&rollout).ok().map(|s| s.value()), expect, "{columns}");
    }

    #[test]
    fn budgets() {
        let params = json!({"budgets": {"nodes": 8, "tokens": 8000}});
        check(&params, &json!({"nodes": 4, "tokens": 2000}), Some(0.625));
        check(&params, &json!({"nodes": 9, "tokens": 0}), Some(0.5));
        check(&params, &json!({"nodes": -1, "tokens": 0}), None);
        check(&params, &json!({"nodes": 1}), None);
    }

    #[test]
    fn prices() {
        let params = json!({"prices": {"big": 10.0, "small": 1.0}, "max_cost": 0.02});
        let calls = json!([{"model": "big", "tokens": 1000}, {"model": "small", "tokens": 2000}]);
        check(&params, &json!({"calls": calls}), Some(0.4));
        check(&params, &json!({"calls": []}), Some(1.0));
        check(&params, &json!({"calls": [{"model": "other", "tokens": 1}]}), None);
    }
}
