//! Tool calls: whether the completion makes the calls of the reference, by name, arguments, number and, where it matters, order.
//!
//! # Formula
//!
//! ```text
//! exact:   1 if calls = reference calls (as a multiset; as a list with ordered: true), else 0
//! toolrl:  format + 2·scale·S / S_max − scale
//!          S = J(names) + Σ over reference calls of the best unused call of that name: J(keys) + number of equal values
//!          S_max = 1 + Σ (1 + number of keys),  J = multiset Jaccard, format 0 or 1
//! bfcl:    1 if there are as many calls as answers and each answer, in turn, finds an unused call that it allows, else 0
//! ```
//!
//! `toolrl` earns −`scale` for calls that cannot be read and 0 for correctness where the reference makes no call. Its
//! `granularity` knows `fine` (above), `strict` (J is 1 for equal lists, else 0), `intermediate` (one point per call that is
//! equal as a whole, S_max = 1 + number of calls) and `coarse` (scale or −scale). Format demands `<think>`, then
//! `<tool_call>`, then `<response>`, each as the reference has it, once and on lines of their own.
//!
//! `bfcl` reads possible answers, `[{"name": {"argument": [allowed, values]}}]`; the empty text among the values makes the
//! argument optional. Texts are compared without case, spaces and `,./-_*^`; whole numbers pass as floats. With the
//! functions' descriptions in the column `tools`, types and required arguments are checked as well.
//!
//! # When to use it
//!
//! `exact` for evaluation, `toolrl` for training (partial credit), `bfcl` for data with possible answers.
//!
//! # Departures
//!
//! Calls are read from the rollout's `tool_calls` or, where there are none, from the text: JSON in `<tool_call>` tags, one
//! call per line or block, or the whole text as JSON (`toolrl` reads the text's first `<tool_call>` only). Python call syntax
//! is not read. Arguments may be called `arguments` or `parameters`. In Python `True == 1`; here they differ. `bfcl` follows
//! the checker for Python functions, and takes a dot in a function's name for an underscore for every model.
//!
//! # Example
//!
//! ```yaml
//! use: verify.tool_call
//! preset: toolrl
//! ```
//!
//! ```
//! use guerdon_verify::verify::tool_call::{Granularity, toolrl_correctness};
//! use guerdon_core::ToolCall;
//! let call = |text| serde_json::from_str::<ToolCall>(text).unwrap();
//! let reference = [call(r#"{"name": "weather", "arguments": {"city": "Paris", "unit": "C"}}"#)];
//! let prediction = [call(r#"{"name": "weather", "arguments": {"city": "Paris", "date": "today"}}"#)];
//! let score = toolrl_correctness(&reference, &prediction, Granularity::Fine, 3.0);
//! assert!((score - 0.5).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! Qian et al., "ToolRL: Reward is All Tool Learning Needs", 2025, section 3.3. Patil et al., "The Berkeley Function Calling
//! Leaderboard", 2025.

mod bfcl;
mod read;
mod toolrl;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, ToolCall, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::passage;
pub use toolrl::toolrl_correctness;

/// A published score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// All or nothing: equal calls.
    #[default]
    Exact,
    /// ToolRL's format and correctness.
    Toolrl,
    /// The Berkeley leaderboard's match against possible answers.
    Bfcl,
}

/// How finely `toolrl` tells calls apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    /// Credit for names, keys and values.
    #[default]
    Fine,
    /// As fine, but names and keys count only when all are equal.
    Strict,
    /// Credit for names and for whole calls.
    Intermediate,
    /// All or nothing.
    Coarse,
}

/// Parameters of `verify.tool_call`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ToolCalls {
    /// A published score. Default `exact`.
    pub preset: Preset,
    /// The calls must come in the reference's order (`exact`). Default false.
    pub ordered: bool,
    /// How finely calls are told apart (`toolrl`). Default `fine`.
    pub granularity: Granularity,
    /// Correctness lies between minus this and this (`toolrl`); greater than 0. Default 3.
    pub scale: f64,
    /// Add the format score, 0 or 1 (`toolrl`). Default true.
    pub format: bool,
    /// Column with the functions' descriptions (`bfcl`); types are not checked where it is absent. Default `tools`.
    pub tools: String,
}

impl Default for ToolCalls {
    fn default() -> Self {
        Self {
            preset: Preset::Exact,
            ordered: false,
            granularity: Granularity::Fine,
            scale: 3.0,
            format: true,
            tools: "tools".into(),
        }
    }
}

impl Params for ToolCalls {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("scale", self.scale)?;
        ParamError::in_range("scale", self.scale, 0.0, 1e9)
    }
}

/// Whether two lists hold the same calls, in any order or in this one.
pub fn same_calls(calls: &[ToolCall], reference: &[ToolCall], ordered: bool) -> bool {
    if calls.len() != reference.len() {
        return false;
    }
    if ordered {
        return calls.iter().zip(reference).all(|(a, b)| same_call(a, b));
    }
    // Equality is transitive, so taking the first equal call loses nothing.
    let mut used = vec![false; calls.len()];
    reference.iter().all(|wanted| {
        let found = (0..calls.len()).find(|&i| !used[i] && same_call(&calls[i], wanted));
        found.inspect(|&i| used[i] = true).is_some()
    })
}

fn same_call(a: &ToolCall, b: &ToolCall) -> bool {
    a.name == b.name && passage::equal(&a.arguments, &b.arguments)
}

impl ToolCalls {
    fn exact(&self, rollout: &Rollout) -> Outcome {
        let reference = read::reference(&rollout.reference)?;
        Ok(match read::calls(rollout) {
            Ok(calls) => Score::binary(same_calls(&calls, &reference, self.ordered)),
            Err(why) => Score::binary(false).because(why),
        })
    }

    fn toolrl(&self, rollout: &Rollout) -> Outcome {
        let reference = read::reference(&rollout.reference)?;
        let text = rollout.text().trim();
        let correctness = if reference.is_empty() {
            0.0
        } else {
            toolrl::calls(text).map_or(-self.scale, |calls| {
                toolrl_correctness(&reference, &calls, self.granularity, self.scale)
            })
        };
        let demands = toolrl::demands(&rollout.reference, !reference.is_empty());
        let format = f64::from(u8::from(self.format && toolrl::well_formed(text, demands)));
        let mut score = Score::new(correctness + format)?;
        score.parts = vec![("correctness".into(), correctness), ("format".into(), format)];
        Ok(score)
    }

    fn bfcl(&self, rollout: &Rollout) -> Outcome {
        let answers = bfcl::answers(&rollout.reference)?;
        let tools = super::column::lookup(rollout, &self.tools);
        let tools = match tools {
            Some(value) if !value.is_null() => Some(passage::as_json(value)?),
            _ => None,
        };
        Ok(match read::calls(rollout) {
            Ok(calls) => Score::binary(bfcl::matches(&calls, &answers, tools.as_deref())),
            Err(why) => Score::binary(false).because(why),
        })
    }
}

impl Signal for ToolCalls {
    fn score(&self, rollout: &Rollout) -> Outcome {
        if rollout.reference.is_null() {
            return Err(Unscored::missing("there is no reference: map `reference` in the spec"));
        }
        match self.preset {
            Preset::Exact => self.exact(rollout),
            Preset::Toolrl => self.toolrl(rollout),
            Preset::Bfcl => self.bfcl(rollout),
        }
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some(match self.preset {
            Preset::Toolrl => (-self.scale, self.scale + f64::from(u8::from(self.format))),
            _ => (0.0, 1.0),
        })
    }
}

guerdon_core::method! {
    ToolCalls: Signal,
    id: "verify.tool_call",
    papers: ["toolrl-2025"],
    status: Verified(Worked("ToolRL's weather call: 0.5 for correctness, 1.5 with format")),
    laws: [WhitespaceInvariant],
    exempt: [],
    samples: [
        r#"{"prompt": "Weather in Paris?", "completion": "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>", "reference": [{"name": "weather", "parameters": {"city": "Paris"}}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal;
    use serde_json::{Value, json};

    use super::{Granularity, Preset, ToolCalls};

    fn check(params: &ToolCalls, completion: &str, reference: &Value, expect: f64) {
        let row = Rollout {
            completion: completion.into(),
            reference: reference.clone(),
            ..Rollout::default()
        };
        let value = params.score(&row).unwrap().value();
        assert!((value - expect).abs() < 1e-12, "{completion:?}: {value}, not {expect}");
    }

    const TWO: &str = "<tool_call>{\"name\":\"a\",\"arguments\":{\"x\":1}}</tool_call>\
        <tool_call>{\"name\":\"b\",\"arguments\":{}}</tool_call>";

    #[test]
    fn exact_calls_in_any_order_or_in_one() {
        let reference =
            json!([{"name": "b", "arguments": {}}, {"name": "a", "arguments": {"x": 1}}]);
        check(&ToolCalls::default(), TWO, &reference, 1.0);
        check(&ToolCalls { ordered: true, ..ToolCalls::default() }, TWO, &reference, 0.0);
        check(&ToolCalls::default(), "[{\"name\":\"b\"}]", &reference, 0.0);
        check(&ToolCalls::default(), "no call", &json!([]), 1.0);
    }

    #[test]
    fn the_worked_example_of_toolrl() {
        let reference = "<think>x</think>\n<tool_call>\n{\"name\":\"weather\",\"parameters\":{\"city\":\"Paris\",\"unit\":\"C\"}}\n</tool_call>";
        let own = reference.replace("unit", "date").replace("\"C\"", "\"today\"");
        let toolrl = ToolCalls { preset: Preset::Toolrl, ..ToolCalls::default() };
        check(&toolrl, &own, &json!(reference), 1.5);
        check(&toolrl, reference, &json!(reference), 4.0);
        check(&toolrl, "hello", &json!(reference), -3.0);
        check(&toolrl, &own.replace('\n', ""), &json!(reference), 0.5);
        let of = |granularity| ToolCalls { granularity, ..toolrl.clone() };
        check(&of(Granularity::Strict), &own, &json!(reference), 6.0 * 2.0 / 4.0 - 3.0 + 1.0);
        check(&of(Granularity::Intermediate), &own, &json!(reference), 6.0 / 2.0 - 3.0 + 1.0);
        check(&of(Granularity::Coarse), &own, &json!(reference), -2.0);
        check(
            &toolrl,
            "<think>x</think>\n<response>y</response>",
            &json!("<response>z</response>"),
            1.0,
        );
    }

    #[test]
    fn possible_answers() {
        let bfcl = ToolCalls { preset: Preset::Bfcl, ..ToolCalls::default() };
        let reference = json!([{"math.area": {"base": [10], "date": ["April 1, 2024", ""]}}]);
        let call =
            |arguments: &str| format!("[{{\"name\": \"math.area\", \"arguments\": {arguments}}}]");
        check(&bfcl, &call("{\"base\": 10}"), &reference, 1.0);
        check(&bfcl, &call("{\"base\": 10, \"date\": \"april 1 2024\"}"), &reference, 1.0);
        check(&bfcl, &call("{\"base\": 11}"), &reference, 0.0);
        check(&bfcl, &call("{\"base\": \"10\"}"), &reference, 0.0);
        check(&bfcl, &call("{\"base\": 10, \"c\": 1}"), &reference, 0.0);
        check(&bfcl, &call("{\"date\": \"April 1, 2024\"}"), &reference, 0.0);
    }
}
