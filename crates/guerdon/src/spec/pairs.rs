//! Which column is what in data that is judged.

use guerdon_core::method::{Case, Preference};
use guerdon_core::{Rollout, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The `pairs` section of a spec: which column of the data that `guerdon judge` reads is what.
///
/// What is not named is found by its usual names. Prompt, reference, id and the rest are as in `rollouts`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PairMapping {
    /// The first response: text, or a list of messages. Usual names: `response_a`, `response_A`, `first`, `chosen`,
    /// `response_1`, `output_1`, `answer_a`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The second response. Usual names: as for the first, with `b`, `B`, `second`, `rejected`, `2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
    /// All responses in a list, for judges of several. Usual names: `responses`, `completions`, `candidates`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responses: Option<String>,
    /// Who gave the first response. Usual names: `model_a`, `model_A`, `first_model`, `generator_1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_model: Option<String>,
    /// Who gave the second response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_model: Option<String>,
    /// Which response is better, as people said: `A>B`, `first`, `1`, `model_a`, `tie`, ... Usual names: `label`, `winner`,
    /// `preference`. Of a pair of `chosen` and `rejected` the first is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// The usual names of both sides.
const SIDES: [(&str, &str); 10] = [
    ("response_a", "response_b"),
    ("response_A", "response_B"),
    ("first", "second"),
    ("chosen", "rejected"),
    ("response_1", "response_2"),
    ("response1", "response2"),
    ("output_1", "output_2"),
    ("answer_a", "answer_b"),
    ("completion_a", "completion_b"),
    ("a", "b"),
];
const LISTS: [&str; 4] = ["responses", "completions", "candidates", "outputs"];
const MODELS: [(&str, &str); 5] = [
    ("model_a", "model_b"),
    ("model_A", "model_B"),
    ("first_model", "second_model"),
    ("generator_1", "generator_2"),
    ("model_1", "model_2"),
];
const LABELS: [&str; 4] = ["label", "winner", "preference", "better"];

/// Which of a pair is better, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    First,
    Tie,
    Second,
}

impl Label {
    /// What is most probable; the tie where it is not settled.
    pub(crate) fn of(preference: Preference) -> Self {
        let Preference { first, tie, second } = preference;
        if first > second && first >= tie {
            Self::First
        } else if second > first && second >= tie {
            Self::Second
        } else {
            Self::Tie
        }
    }

    /// The word that `guerdon rank` reads.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::First => "model_a",
            Self::Tie => "tie",
            Self::Second => "model_b",
        }
    }
}

impl PairMapping {
    /// The case of a row; `None` where it holds no responses. A row with one completion is a case of one response.
    pub(crate) fn case(&self, row: &Rollout) -> Option<Case> {
        let mut case = Case::of([row]);
        let columns = &row.columns;
        let sides = self.sides(row);
        let list = match &self.responses {
            Some(name) => columns.get(name),
            None => LISTS.iter().find_map(|name| columns.get(*name)),
        };
        case.responses = match (sides, list) {
            (Some((first, second)), _) => vec![first, second],
            (None, Some(Value::Array(items))) => items.iter().filter_map(text).collect(),
            _ if row.text().is_empty() => return None,
            _ => vec![row.text().to_owned()],
        };
        Some(case)
    }

    fn sides(&self, row: &Rollout) -> Option<(String, String)> {
        let get = |name: &str| row.columns.get(name).and_then(text);
        match (&self.first, &self.second) {
            (Some(first), Some(second)) => Some((get(first)?, get(second)?)),
            _ => SIDES.iter().find_map(|(first, second)| Some((get(first)?, get(second)?))),
        }
    }

    /// Who gave the two responses; the sides' own names where the row does not say.
    pub(crate) fn names(&self, row: &Rollout) -> (String, String) {
        let get = |name: &str| row.columns.get(name).and_then(text);
        let named = match (&self.first_model, &self.second_model) {
            (Some(first), Some(second)) => get(first).zip(get(second)),
            _ => MODELS.iter().find_map(|(first, second)| get(first).zip(get(second))),
        };
        named.unwrap_or_else(|| ("first".to_owned(), "second".to_owned()))
    }

    /// What people said, where the row says it.
    pub(crate) fn label(&self, row: &Rollout) -> Option<Label> {
        let name = self.label.as_deref();
        let value = match name {
            Some(name) => row.columns.get(name),
            None => LABELS.iter().find_map(|name| row.columns.get(*name)),
        };
        match value {
            Some(value) => label(value),
            None if row.columns.contains_key("chosen") && row.columns.contains_key("rejected") => {
                Some(Label::First)
            }
            None => None,
        }
    }
}

fn label(value: &Value) -> Option<Label> {
    let text = match value {
        Value::String(text) => text.trim().to_ascii_lowercase(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    match text.as_str() {
        "a>b" | "a>>b" | "first" | "1" | "1.0" | "a" | "model_a" | "response_a" | "[[a]]" => {
            Some(Label::First)
        }
        "b>a" | "b>>a" | "second" | "2" | "2.0" | "b" | "model_b" | "response_b" | "[[b]]" => {
            Some(Label::Second)
        }
        "a=b" | "tie" | "0" | "0.0" | "tie (bothbad)" | "both" | "equal" | "c" => Some(Label::Tie),
        _ => None,
    }
}

/// Text, or the last message of a conversation.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(_) => {
            serde_json::from_value::<Text>(value.clone()).ok().map(|chat| chat.last().to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Label, PairMapping};
    use guerdon_core::Rollout;
    use serde_json::json;

    fn row(columns: &serde_json::Value) -> Rollout {
        Rollout { columns: columns.as_object().unwrap().clone(), ..Rollout::default() }
    }

    #[test]
    fn usual_columns_are_found() {
        let mapping = PairMapping::default();
        let judgebench = row(&json!({"response_A": "x", "response_B": "y", "label": "B>A"}));
        assert_eq!(mapping.case(&judgebench).unwrap().responses, ["x", "y"]);
        assert_eq!(mapping.label(&judgebench), Some(Label::Second));
        assert_eq!(mapping.names(&judgebench).0, "first");
        let chosen = row(
            &json!({"chosen": [{"role": "assistant", "content": "x"}], "rejected": "y", "model_a": "m", "model_b": "n"}),
        );
        assert_eq!(mapping.case(&chosen).unwrap().responses, ["x", "y"]);
        assert_eq!(mapping.label(&chosen), Some(Label::First));
        assert_eq!(mapping.names(&chosen), ("m".into(), "n".into()));
        assert_eq!(
            mapping.case(&row(&json!({"responses": ["x", "y", "z"]}))).unwrap().responses.len(),
            3
        );
        assert_eq!(mapping.case(&row(&json!({"x": 1}))), None);
    }
}
