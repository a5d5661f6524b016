//! The parts of a spec, built.

use guerdon_core::Method;
use guerdon_core::method::{Signal, Transform};
use serde_json::Value;

use super::node::{Kind, Node};

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
    /// The signal itself.
    pub signal: Box<dyn Signal>,
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
