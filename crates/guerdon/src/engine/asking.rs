//! The models' part of a batch: all judges of the spec, asked side by side.

use std::sync::{Arc, OnceLock};

use futures_util::future::join_all;
use guerdon_core::{Groups, Outcome, Rollout};
use tokio::runtime::{Builder, Runtime};

use super::RunError;
use crate::Spec;
use crate::ask::{Models, Turn, outcomes};
use crate::spec::SignalStage;

/// A conversation with a model.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The signal on whose behalf it was held.
    pub signal: String,
    /// The rows of the batch whose responses were judged, in the order of the case.
    pub rows: Vec<usize>,
    /// Round by round, what was asked and what was answered.
    pub rounds: Vec<Vec<Turn>>,
}

/// What the models said of a batch.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Signal by signal, in the order of the spec; empty for those that ask no model.
    pub(super) outcomes: Vec<Vec<Outcome>>,
    /// Rollout by rollout, the conversations that begin with it.
    pub(super) conversations: Vec<Vec<Conversation>>,
}

/// Asks the models on behalf of all judges of a spec.
pub(super) struct Asker {
    pub(super) models: Arc<dyn Models>,
    signals: Arc<[SignalStage]>,
    default_model: Option<String>,
    seed: u64,
}

impl Asker {
    pub(super) fn new(spec: &Spec, models: Arc<dyn Models>) -> Self {
        Self {
            models,
            signals: Arc::clone(&spec.signals),
            default_model: spec.endpoints.default_model().map(str::to_owned),
            seed: spec.seed,
        }
    }

    /// Asks all that a batch needs.
    pub(super) async fn ask(&self, rollouts: &[Rollout], groups: &Groups) -> Asked {
        let each = self.signals.iter().map(|stage| self.one(stage, rollouts, groups));
        let mut asked = Asked {
            outcomes: Vec::with_capacity(self.signals.len()),
            conversations: vec![Vec::new(); rollouts.len()],
        };
        for (outcomes, conversations) in join_all(each).await {
            asked.outcomes.push(outcomes);
            for conversation in conversations {
                asked.conversations[conversation.rows[0]].push(conversation);
            }
        }
        asked
    }

    async fn one(
        &self,
        stage: &SignalStage,
        rollouts: &[Rollout],
        groups: &Groups,
    ) -> (Vec<Outcome>, Vec<Conversation>) {
        let Some(judge) = stage.judge() else { return (Vec::new(), Vec::new()) };
        let model = judge.model.as_deref().or(self.default_model.as_deref());
        let job = crate::ask::Batch {
            name: &stage.name,
            judge,
            model,
            seed: self.seed,
            rollouts,
            groups,
        };
        let (outcomes, told) = outcomes(self.models.as_ref(), &job).await;
        let named = told.into_iter().map(|(rows, rounds)| Conversation {
            signal: stage.name.clone(),
            rows,
            rounds,
        });
        (outcomes, named.collect())
    }

    /// Asks all that a batch needs, and waits.
    pub(super) fn wait(&self, rollouts: &[Rollout], groups: &Groups) -> Result<Asked, RunError> {
        Ok(runtime()?.block_on(self.ask(rollouts, groups)))
    }
}

/// What drives the calls: one for the process, so that connections stay open between calls of a program.
pub(super) fn runtime() -> Result<&'static Runtime, RunError> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let runtime = Builder::new_current_thread().enable_all().build().map_err(RunError::Runtime)?;
    Ok(RUNTIME.get_or_init(|| runtime))
}
