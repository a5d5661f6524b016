//! Which column of the data is what.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `rollouts` section of a spec: which column of the data is what.
///
/// A column is named as the data names it; a dotted path (`reward_model.ground_truth`, `messages.0.content`) leads into
/// objects and lists. What is not mapped is found by its usual names, see [`open`](crate::open).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// What was asked: text, or a list of messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// What the model answered: text, or a list of messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion: Option<String>,
    /// The reference answer, of any shape.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What names the group of a rollout: text, a number or a boolean. Without one, neighbours with equal prompts form a
    /// group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What names a rollout: text or a number. Without one, its row number (from 0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The steps of the solution: a list of texts, or of objects with `text` and optionally `label`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<String>,
    /// All turns of a multi-turn episode: a list of messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turns: Option<String>,
    /// The tool calls of the completion. Without a column, those in the completion's messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<String>,
    /// Natural-log probabilities of the completion's tokens under the sampling policy: a list of numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<String>,
    /// The same under the reference policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ref_logprobs: Option<String>,
    /// Number of tokens in the completion, or the list of tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<String>,
    /// The confidence that the model stated: a number, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<String>,
    /// The shape of the data, for the columns that are not mapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<Shape>,
}

/// The shapes of data that trainers and services use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `prompt` and `completion`, as text or messages; other columns as they come.
    Trl,
    /// `prompt` as messages, `response` (or `solution_str`, `output`), `reward_model.ground_truth`, `extra_info.index`.
    Verl,
    /// `messages`: the last message of the assistant is the completion, what precedes it is the prompt.
    Openai,
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Prompt,
    Completion,
    Reference,
    Group,
    Id,
    Steps,
    Turns,
    ToolCalls,
    Logprobs,
    RefLogprobs,
    Tokens,
    Confidence,
}

impl Role {
    /// The key in the mapping.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Completion => "completion",
            Self::Reference => "reference",
            Self::Group => "group",
            Self::Id => "id",
            Self::Steps => "steps",
            Self::Turns => "turns",
            Self::ToolCalls => "tool_calls",
            Self::Logprobs => "logprobs",
            Self::RefLogprobs => "ref_logprobs",
            Self::Tokens => "tokens",
            Self::Confidence => "confidence",
        }
    }

    /// What a value must be, in words.
    pub(crate) fn expects(self) -> &'static str {
        match self {
            Self::Prompt | Self::Completion => "text or a list of messages",
            Self::Reference => "any value",
            Self::Group => "text, a number or a boolean",
            Self::Id => "text or a number",
            Self::Steps => "a list of texts, or of objects with `text` and `label`",
            Self::Turns => "a list of messages with `role` and `content`",
            Self::ToolCalls => "a list of calls with `name` and `arguments`",
            Self::Logprobs | Self::RefLogprobs => "a list of numbers of at most 0",
            Self::Tokens => "a whole number or a list",
            Self::Confidence => "a number from 0 to 1",
        }
    }

    /// The usual names, best first.
    pub(crate) fn usual_names(self, preset: Option<Shape>) -> &'static [&'static str] {
        match (self, preset) {
            (Self::Prompt, Some(Shape::Trl | Shape::Verl)) => &["prompt"],
            (Self::Completion, Some(Shape::Trl)) => &["completion"],
            (Self::Completion, Some(Shape::Verl)) => &["response", "solution_str", "output"],
            (Self::Reference, Some(Shape::Verl)) => &["reward_model.ground_truth", "ground_truth"],
            (Self::Group, Some(Shape::Verl)) => &["extra_info.index", "uid"],
            (Self::Prompt, _) => &["prompt", "question", "problem", "query", "input", "messages"],
            (Self::Completion, _) => {
                &["completion", "response", "output", "answer_text", "generation", "solution_str"]
            }
            (Self::Reference, _) => &[
                "reference",
                "gold",
                "ground_truth",
                "answer",
                "label",
                "target",
                "solution",
                "reward_model.ground_truth",
            ],
            (Self::Group, _) => {
                &["group", "group_id", "uid", "prompt_id", "question_id", "problem_id", "index"]
            }
            (Self::Id, _) => &["id"],
            (Self::Steps, _) => &["steps"],
            (Self::Turns, _) => &["turns"],
            (Self::ToolCalls, _) => &["tool_calls"],
            (Self::Logprobs, _) => &["logprobs"],
            (Self::RefLogprobs, _) => &["ref_logprobs"],
            (Self::Tokens, _) => &["tokens"],
            (Self::Confidence, _) => &["confidence"],
        }
    }
}

impl Mapping {
    pub(crate) fn explicit(&self, role: Role) -> Option<&str> {
        match role {
            Role::Prompt => &self.prompt,
            Role::Completion => &self.completion,
            Role::Reference => &self.reference,
            Role::Group => &self.group,
            Role::Id => &self.id,
            Role::Steps => &self.steps,
            Role::Turns => &self.turns,
            Role::ToolCalls => &self.tool_calls,
            Role::Logprobs => &self.logprobs,
            Role::RefLogprobs => &self.ref_logprobs,
            Role::Tokens => &self.tokens,
            Role::Confidence => &self.confidence,
        }
        .as_deref()
    }
}
