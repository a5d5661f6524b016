//! The machinery that makes a method out of one file.
//!
//! A method file holds its manual (the module comment), its parameters (a struct), the pure function, one call of
//! [`method!`](crate::method!) and its tests. The room's build script collects all such files into a plain slice of
//! [`Method`]s. What can be done with a method follows from its [`Kind`]:
//!
//! | kind | shape | in → out |
//! |---|---|---|
//! | [`Signal`] | pure | rollout (or group) → score or reason |
//! | [`Transform`] | pure, or online with explicit state | columns → column |
//! | [`Selector`] | pure | candidates → the chosen one |
//! | [`Function`] | pure | typed input → typed output |
//! | [`Online`] | state, event → state; state → reading |
//! | [`Protocol`] | sans-IO | case and replies so far → requests, or the result |
//! | [`Judge`] | sans-IO | responses and replies so far → requests, or the judgement |

mod def;
mod function;
mod judge;
mod manual;
mod protocol;
mod select;

pub use def::{
    Build, Evidence, Kind, Law, Method, MethodDef, ParamsInfo, Status, params_info, parse,
    read_value,
};
pub use function::{ErasedFunction, ErasedOnline, Function, FunctionInfo, Online, OnlineInfo};
pub use judge::{Case, Form, Judge, Judgement, Part, Preference, ask};
pub use manual::Manual;
pub use protocol::{ErasedProtocol, Next, Protocol, ProtocolInfo, Reply, Request, TokenLogProb};
pub use select::{Candidates, Selection, Selector};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Column, MethodError, Outcome, ParamError, Rollout, View};

/// The parameters of a method: a plain struct that refuses unknown keys (`#[serde(deny_unknown_fields, default)]`).
pub trait Params:
    Serialize + DeserializeOwned + schemars::JsonSchema + Send + Sync + 'static
{
    /// Checks ranges and combinations; the error names the field.
    fn validate(&self) -> Result<(), ParamError> {
        Ok(())
    }
}

/// How many rollouts a method must see at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Each rollout for itself.
    Rollout,
    /// A whole group.
    Group,
    /// A whole batch (several groups).
    Batch,
}

/// A reward function that needs no model.
pub trait Signal: Send + Sync {
    /// Scores one rollout.
    fn score(&self, rollout: &Rollout) -> Outcome;

    /// Scores the rollouts of one group. Methods that compare rollouts implement this and set [`Signal::scope`].
    fn score_group(&self, group: &[Rollout]) -> Vec<Outcome> {
        group.iter().map(|rollout| self.score(rollout)).collect()
    }

    /// Whether the rollouts of a group must be scored together.
    fn scope(&self) -> Scope {
        Scope::Rollout
    }

    /// Whether it reads the completion. Data without completions can be scored by signals that do not.
    fn reads_completion(&self) -> bool {
        true
    }

    /// The least and the greatest value the signal can give, where both are known.
    fn range(&self) -> Option<(f64, f64)> {
        None
    }
}

/// A pure function from columns to a column, or an online one with explicit state.
pub trait Transform: Send + Sync {
    /// Computes the new running column.
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError>;

    /// The columns, besides the running one, that it reads: signals by name, `length`, `tokens`, or columns of the data.
    fn reads(&self) -> Vec<String> {
        Vec::new()
    }

    /// How many rollouts it must see at once for its result not to depend on how the data is cut.
    fn scope(&self) -> Scope {
        Scope::Group
    }

    /// The state that a resumed run needs; `Null` for a pure transform.
    fn save(&self) -> Value {
        Value::Null
    }

    /// Puts a saved state back.
    fn restore(&mut self, state: &Value) -> Result<(), MethodError> {
        let _ = state;
        Ok(())
    }

    /// Named contributions to the last result (per row), for transforms that combine several columns.
    fn contributions(&self, view: &View<'_>) -> Vec<(String, Column)> {
        let _ = view;
        Vec::new()
    }
}
