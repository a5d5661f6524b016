//! What comes out of a signal: a score, or the reason why there is none.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A signal's verdict on one rollout. The value is finite: a constructor refuses anything else.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    value: f64,
    /// Values per step, token or turn, where the method gives them.
    pub fine: Option<(crate::Level, Vec<f64>)>,
    /// How sure the method is of the value, 0 to 1.
    pub confidence: Option<f64>,
    /// Why the value is what it is, in a few words.
    pub explanation: Option<String>,
    /// Named parts of the value (per test, per constraint), for reports.
    pub parts: Vec<(String, f64)>,
}

/// What a signal says of one rollout.
pub type Outcome = Result<Score, Unscored>;

impl Score {
    /// A bare value; unscored when it is not finite.
    pub fn new(value: f64) -> Outcome {
        if value.is_finite() {
            Ok(Self { value, fine: None, confidence: None, explanation: None, parts: Vec::new() })
        } else {
            Err(Unscored::invalid(format!("the value is {value}")))
        }
    }

    /// 1 for true, 0 for false.
    pub fn binary(right: bool) -> Self {
        Self {
            value: f64::from(u8::from(right)),
            fine: None,
            confidence: None,
            explanation: None,
            parts: Vec::new(),
        }
    }

    /// The value; always finite.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// With an explanation.
    #[must_use]
    pub fn because(mut self, explanation: impl Into<String>) -> Self {
        self.explanation = Some(explanation.into());
        self
    }

    /// With values per step, token or turn. Values that are not finite make the rollout unscored.
    pub fn with_fine(mut self, level: crate::Level, values: Vec<f64>) -> Outcome {
        if let Some(bad) = values.iter().find(|v| !v.is_finite()) {
            return Err(Unscored::invalid(format!("a value per {level} is {bad}")));
        }
        self.fine = Some((level, values));
        Ok(self)
    }
}

/// Why a rollout has no score. The kind is counted in summaries; the detail is for reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unscored {
    /// The sort of reason.
    pub kind: UnscoredKind,
    /// What happened, with the offending value.
    pub detail: String,
}

/// The sorts of reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnscoredKind {
    /// Something the method needs is not in the row (a reference, a column).
    Missing,
    /// Something the method needs is there and not usable (a reference that cannot be read, a value that is not finite).
    Invalid,
    /// The work would exceed the budget.
    Budget,
    /// The time limit passed.
    Timeout,
    /// The method declines to judge.
    Abstained,
    /// A reply of a judge could not be read.
    Unreadable,
    /// A service or a tool failed.
    Failed,
}

impl Unscored {
    fn of(kind: UnscoredKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// Something the method needs is not in the row.
    pub fn missing(detail: impl Into<String>) -> Self {
        Self::of(UnscoredKind::Missing, detail)
    }

    /// Something the method needs is there and not usable.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::of(UnscoredKind::Invalid, detail)
    }

    /// The work would exceed the budget.
    pub fn budget(detail: impl Into<String>) -> Self {
        Self::of(UnscoredKind::Budget, detail)
    }

    /// The time limit passed.
    pub fn timeout(detail: impl Into<String>) -> Self {
        Self::of(UnscoredKind::Timeout, detail)
    }

    /// The method declines to judge.
    pub fn abstained(detail: impl Into<String>) -> Self {
        Self::of(UnscoredKind::Abstained, detail)
    }

    /// A reply could not be read.
    pub fn unreadable(detail: impl Into<String>) -> Self {
        Self::of(UnscoredKind::Unreadable, detail)
    }

    /// A service or a tool failed.
    pub fn failed(detail: impl Into<String>) -> Self {
        Self::of(UnscoredKind::Failed, detail)
    }
}

impl UnscoredKind {
    /// The kind in one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Invalid => "invalid",
            Self::Budget => "budget",
            Self::Timeout => "timeout",
            Self::Abstained => "abstained",
            Self::Unreadable => "unreadable",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Unscored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.detail)
    }
}

impl std::error::Error for Unscored {}

impl From<crate::MethodError> for Unscored {
    fn from(error: crate::MethodError) -> Self {
        match error {
            crate::MethodError::Budget(detail) => Self::budget(detail),
            crate::MethodError::MissingColumn { .. } => Self::missing(error.to_string()),
            other => Self::invalid(other.to_string()),
        }
    }
}
