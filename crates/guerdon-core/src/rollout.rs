//! What is rewarded: one completion for one prompt, with all that is known of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// The text. Absent content (a message that only calls tools) is empty.
    #[serde(default, deserialize_with = "text_or_null")]
    pub content: String,
    /// The tool calls that the message makes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
}

fn text_or_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolCall {
    /// The tool's name.
    pub name: String,
    /// The arguments: an object, or the text that the model wrote where it is not valid JSON.
    #[serde(default)]
    pub arguments: Value,
}

/// A prompt or a completion: plain text, or a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Text {
    /// Plain text.
    Plain(String),
    /// Messages, oldest first.
    Chat(Vec<Message>),
}

impl Default for Text {
    fn default() -> Self {
        Self::Plain(String::new())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Plain(text)
    }
}

impl Text {
    /// The text a signal reads: the plain text, or the content of the last message.
    pub fn last(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Chat(messages) => messages.last().map_or("", |m| m.content.as_str()),
        }
    }

    /// The messages; none for plain text.
    pub fn messages(&self) -> &[Message] {
        match self {
            Self::Plain(_) => &[],
            Self::Chat(messages) => messages,
        }
    }
}

/// One step of a solution.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The step's text.
    pub text: String,
    /// What a human or a reference says of the step, where known (1 right, 0 or -1 wrong).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<f64>,
}

/// Natural-log probabilities, one per token of the completion.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct LogProbs {
    /// Under the policy that sampled the completion.
    #[serde(default)]
    pub policy: Vec<f64>,
    /// Under the reference policy; empty when unknown, else as long as `policy`.
    #[serde(default)]
    pub reference: Vec<f64>,
}

/// One completion for one prompt, with all that is known of it.
///
/// Rollouts of one prompt form a group; the reader gives every rollout its group.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rollout {
    /// Names the rollout in outputs and errors. The reader falls back on the row number (from 0).
    pub id: String,
    /// Names the group.
    pub group: String,
    /// What was asked.
    pub prompt: Text,
    /// What the model answered.
    pub completion: Text,
    /// The reference answer, of whatever shape the data has; `Null` when there is none.
    pub reference: Value,
    /// The completion cut into steps; empty when it is not.
    pub steps: Vec<Step>,
    /// All turns of a multi-turn episode, oldest first; empty for a single turn.
    pub turns: Vec<Message>,
    /// The tool calls of the completion.
    pub tool_calls: Vec<ToolCall>,
    /// Token log-probabilities, where recorded.
    pub logprobs: Option<LogProbs>,
    /// Number of tokens in the completion, where recorded.
    pub tokens: Option<u64>,
    /// The confidence that the model stated, 0 to 1.
    pub confidence: Option<f64>,
    /// Every input column of the row, by its name in the data.
    pub columns: Map<String, Value>,
}

impl Rollout {
    /// A rollout of plain texts, for calls from code and tests.
    pub fn new(prompt: &str, completion: &str, reference: &str) -> Self {
        Self {
            prompt: prompt.into(),
            completion: completion.into(),
            reference: Value::String(reference.to_owned()),
            ..Self::default()
        }
    }

    /// The completion's text: what signals read.
    pub fn text(&self) -> &str {
        self.completion.last()
    }

    /// The reference as text: strings as they are, numbers and booleans as JSON writes them, `None` for all else.
    pub fn reference_text(&self) -> Option<std::borrow::Cow<'_, str>> {
        match &self.reference {
            Value::String(text) => Some(text.into()),
            Value::Number(number) => Some(number.to_string().into()),
            Value::Bool(flag) => Some(flag.to_string().into()),
            _ => None,
        }
    }

    /// The references: one for a scalar, several for a list of scalars (any of which is right).
    pub fn references(&self) -> Vec<std::borrow::Cow<'_, str>> {
        match &self.reference {
            Value::Array(items) => items
                .iter()
                .filter_map(|item| match item {
                    Value::String(text) => Some(text.as_str().into()),
                    Value::Number(_) | Value::Bool(_) => Some(item.to_string().into()),
                    _ => None,
                })
                .collect(),
            _ => self.reference_text().into_iter().collect(),
        }
    }

    /// Length of the completion: recorded tokens, else recorded log-probabilities, else whitespace-separated words.
    pub fn length(&self) -> f64 {
        match (&self.tokens, &self.logprobs) {
            (Some(tokens), _) => *tokens as f64,
            (None, Some(lp)) if !lp.policy.is_empty() => lp.policy.len() as f64,
            _ => self.text().split_whitespace().count() as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Rollout, Text};
    use serde_json::json;

    #[test]
    fn a_conversation_is_read_at_its_last_message() {
        let text: Text = serde_json::from_value(json!([
            {"role": "assistant", "content": null, "tool_calls": [{"name": "f", "arguments": {}}]},
            {"role": "assistant", "content": "42"}
        ]))
        .unwrap();
        assert_eq!(text.last(), "42");
        assert_eq!(text.messages().len(), 2);
    }

    #[test]
    fn references_of_every_shape() {
        let mut rollout = Rollout::new("", "", "a");
        assert_eq!(rollout.references(), ["a"]);
        rollout.reference = json!(["a", 2, null]);
        assert_eq!(rollout.references(), ["a", "2"]);
        rollout.reference = json!(null);
        assert!(rollout.references().is_empty());
    }
}
