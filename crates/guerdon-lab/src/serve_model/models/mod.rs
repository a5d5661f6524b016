//! The kinds of simulated models.

mod embedder;
mod judge;
mod prose;
mod reward;
mod scripted;
mod solver;

pub use embedder::Embedder;
pub use judge::{Bias, Criteria, Grades, Injection, Items, Judge, Mishaps};
pub use prose::{Kind, Prose, Words};
pub use reward::RewardModel;
pub(crate) use scripted::compile;
pub use scripted::{Outcome, Rule, Scripted};
pub use solver::{Mark, Question, Solver, Style};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dice::Dice;
use super::draft::Draft;
use super::server::{Fault, Latency, Limit};
use super::world::World;

/// A model of the script: exactly one kind, and what is wrong with its line.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// Answers questions, right with a known probability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub solver: Option<Solver>,
    /// Judges texts, with known sensitivity and biases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judge: Option<Judge>,
    /// Gives a number to a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reward: Option<RewardModel>,
    /// Replies by rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scripted: Option<Scripted>,
    /// Writes words without meaning, or echoes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prose: Option<Prose>,
    /// Turns texts into vectors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedder: Option<Embedder>,
    /// Faults of calls of this model, before those of the script.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// How long it takes. Default: that of the script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// How often it may be called. Default: that of the script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) role: String,
    pub(crate) text: String,
}

/// What a model is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prompt<'a> {
    pub(crate) turns: &'a [Turn],
    /// The JSON schema of the reply, where one is asked for.
    pub(crate) schema: Option<&'a serde_json::Value>,
    /// Whether the reply must be JSON.
    pub(crate) json: bool,
    /// The chance of this sample.
    pub(crate) dice: Dice,
    /// Seed plus index of the sample.
    pub(crate) sample: u64,
    /// Whether the temperature is 0.
    pub(crate) cold: bool,
}

impl Prompt<'_> {
    /// The text of the last message.
    pub(crate) fn last(&self) -> &str {
        self.turns.last().map_or("", |turn| turn.text.as_str())
    }

    /// All messages, one below the other, each under its role.
    pub(crate) fn conversation(&self) -> String {
        self.turns.iter().map(|turn| format!("{}:\n{}\n", turn.role, turn.text)).collect()
    }
}

/// A model that is ready to answer.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) mind: Mind,
    /// The model's own chance.
    pub(crate) dice: Dice,
    /// Its faults and those of the script, each with its number in the script.
    pub(crate) faults: Vec<(usize, Fault)>,
    pub(crate) latency: Latency,
    pub(crate) limit: Option<Limit>,
}

/// The kind of a model, with its tables.
#[derive(Debug)]
pub(crate) enum Mind {
    Solver(solver::Ready),
    Judge(Judge),
    Reward(RewardModel),
    Scripted(scripted::Ready),
    Prose(Prose),
    Embedder(Embedder),
}

impl Ready {
    /// Writes a reply, or says why this model writes none.
    pub(crate) fn write(
        &self,
        prompt: &Prompt<'_>,
        world: &World,
        shared: Dice,
    ) -> Result<Draft, String> {
        match &self.mind {
            Mind::Solver(solver) => Ok(solver.write(prompt, shared)),
            Mind::Judge(judge) => Ok(judge.write(prompt, world, shared, self.dice)),
            Mind::Scripted(scripted) => scripted.write(prompt),
            Mind::Prose(prose) => Ok(prose.write(prompt)),
            Mind::Reward(_) => Err("this model gives rewards and writes no text: call /classify, /pooling, /v1/embeddings or /get_reward".into()),
            Mind::Embedder(_) => Err("this model gives vectors and writes no text: call /v1/embeddings".into()),
        }
    }

    /// The numbers that the model gives to a text: a reward, or a vector.
    pub(crate) fn numbers(&self, text: &str, world: &World) -> Option<Vec<f64>> {
        match &self.mind {
            Mind::Reward(reward) => Some(vec![reward.reward(&world.see_inside(text), self.dice)]),
            Mind::Embedder(embedder) => Some(embedder.embed(text, self.dice)),
            _ => None,
        }
    }
}
