//! The parts of a spec, built.

use guerdon_core::Method;
use guerdon_core::method::{ErasedProtocol, Judge, Signal, Transform};
use serde_json::Value;

use super::node::{Kind, Node};
use crate::ask::Against;

/// What becomes of a rollout that a signal cannot score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OnError {
    /// The run stops with the reason.
    Fail,
    /// The rollout stays unscored.
    Null,
    /// This value stands in; the reason is still reported and counted.
    Value(f64),
}

impl OnError {
    /// Reads `fail`, `null` (the word or YAML's own) or a number.
    pub(super) fn read(node: &Node) -> Option<Self> {
        match &node.kind {
            Kind::Scalar(Value::Null) => Some(Self::Null),
            Kind::Scalar(Value::String(word)) if word == "null" => Some(Self::Null),
            Kind::Scalar(Value::String(word)) if word == "fail" => Some(Self::Fail),
            Kind::Scalar(Value::Number(number)) => number.as_f64().map(Self::Value),
            _ => None,
        }
    }
}

/// A signal of the spec.
pub struct SignalStage {
    /// Its name in the spec.
    pub name: String,
    /// Its method.
    pub method: &'static Method,
    /// Its parameters as given.
    pub params: Value,
    /// What becomes of rollouts that it cannot score.
    pub on_error: OnError,
    /// What gives the scores.
    pub source: Source,
}

/// What gives the scores of a signal.
pub enum Source {
    /// A function of the rollout.
    Signal(Box<dyn Signal>),
    /// A model that is asked.
    Judge(JudgeStage),
}

/// A judge of the spec.
pub struct JudgeStage {
    /// The judge itself.
    pub judge: Box<dyn Judge>,
    /// The model that it asks, by its name in `models`; `None` for the default one.
    pub model: Option<String>,
    /// For judges of two responses: how many others of its group a rollout meets; `None` for all.
    pub opponents: Option<u32>,
    /// For judges of two responses: with what a rollout is compared.
    pub against: Against,
}

impl SignalStage {
    /// The signal, where it is a function of the rollout.
    pub fn signal(&self) -> Option<&dyn Signal> {
        match &self.source {
            Source::Signal(signal) => Some(signal.as_ref()),
            Source::Judge(_) => None,
        }
    }

    /// The judge, where a model is asked.
    pub fn judge(&self) -> Option<&JudgeStage> {
        match &self.source {
            Source::Signal(_) => None,
            Source::Judge(judge) => Some(judge),
        }
    }
}

/// What `guerdon judge` runs.
pub struct Asked {
    /// Its method.
    pub method: &'static Method,
    /// Its parameters as given.
    pub params: Value,
    /// The conversation.
    pub talk: Talk,
}

/// A conversation with a model.
pub enum Talk {
    /// One that judges.
    Judge(JudgeStage),
    /// One with a result of its own shape.
    Protocol {
        /// The protocol itself.
        protocol: Box<dyn ErasedProtocol>,
        /// The model that it asks, by its name in `models`; `None` for the default one.
        model: Option<String>,
    },
}

/// A transform of the spec.
pub struct TransformStage {
    /// Its method.
    pub method: &'static Method,
    /// Its parameters as given.
    pub params: Value,
    /// The transform itself.
    pub transform: Box<dyn Transform>,
}
