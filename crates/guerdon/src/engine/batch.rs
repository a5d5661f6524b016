//! One batch: signals, then reward, then advantage.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use guerdon_core::method::{Scope, Signal};
use guerdon_core::{Column, Frame, Groups, MethodError, Outcome, Rollout, Unscored, View, seed};
use rayon::prelude::*;
use serde_json::Value;

use super::RunError;
use super::asking::{Asked, Asker, Conversation};
use super::frame::FrameBuilder;
use crate::Spec;
use crate::ask::Models;
use crate::spec::{OnError, SignalStage, TransformStage};

/// Runs a spec over batches, in order.
pub struct Scorer {
    spec: Spec,
    frames: FrameBuilder,
    /// Who asks the models; made when the first is to be asked.
    asker: Option<Arc<Asker>>,
}

/// The result of one batch.
#[derive(Debug)]
pub struct Scored {
    /// The rollouts.
    pub rollouts: Vec<Rollout>,
    /// How they are grouped.
    pub groups: Groups,
    /// What each signal said, signal by signal, as it said it (before `on_error`).
    pub outcomes: Vec<Vec<Outcome>>,
    /// The signals' columns, after `on_error`.
    pub signals: Vec<Column>,
    /// The reward; `None` when the spec has several signals and no `reward`.
    pub reward: Option<Column>,
    /// The advantage; `None` when the spec asks for none.
    pub advantage: Option<Column>,
    /// What each signal contributed to the reward, for chains that combine several.
    pub contributions: Vec<(String, Column)>,
    /// The conversations with models that began at each rollout; empty where no model is asked.
    pub conversations: Vec<Vec<Conversation>>,
}

impl Scorer {
    /// A scorer at the start of a run.
    pub fn new(spec: Spec) -> Self {
        let frames = FrameBuilder::new(&spec);
        Self { spec, frames, asker: None }
    }

    /// A scorer whose models are answered for by something else than the spec's endpoints, such as a simulation.
    pub fn with_models(spec: Spec, models: Arc<dyn Models>) -> Self {
        let asker = Asker::new(&spec, models);
        let mut scorer = Self::new(spec);
        scorer.asker = Some(Arc::new(asker));
        scorer
    }

    /// Who asks the models; `None` where the spec asks none.
    pub(super) fn asker(&mut self) -> Result<Option<Arc<Asker>>, RunError> {
        if self.asker.is_none() && self.spec.signals.iter().any(|s| s.judge().is_some()) {
            let client = self.spec.endpoints.client()?;
            self.asker = Some(Arc::new(Asker::new(&self.spec, Arc::new(client))));
        }
        Ok(self.asker.clone())
    }

    /// What the models that were asked have cost so far; empty where none were.
    pub fn spent(&self) -> String {
        self.asker.as_ref().map_or_else(String::new, |asker| asker.models.spent())
    }

    /// The ledger of the models that were asked, as JSON; `Null` where none were.
    pub fn ledger(&self) -> Value {
        self.asker.as_ref().map_or(Value::Null, |asker| asker.models.ledger())
    }

    /// The spec.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// How many rollouts the spec's transforms must see at once, and which of them says so.
    pub fn scope(&self) -> (Scope, &'static str) {
        let stages = self.spec.reward.iter().chain(&self.spec.advantage);
        stages
            .map(|s| (s.transform.scope(), s.method.id))
            .max_by_key(|(scope, _)| *scope)
            .unwrap_or((Scope::Rollout, ""))
    }

    /// Scores rows that a program holds: maps with the columns that the spec's `rollouts` section names.
    ///
    /// Rows of one group need not be neighbours; the results come back in the order of the rows.
    pub fn score_rows(&mut self, rows: Vec<Value>) -> Result<Scored, RunError> {
        let rollouts = guerdon_io::rollouts_from_values(
            rows,
            &self.spec.rollouts,
            self.spec.reads_completions(),
        )?;
        self.score_any_order(rollouts)
    }

    /// Scores rollouts whose groups need not be contiguous; results in the order given.
    pub fn score_any_order(&mut self, rollouts: Vec<Rollout>) -> Result<Scored, RunError> {
        let keys: Vec<&str> = rollouts.iter().map(|r| r.group.as_str()).collect();
        let (groups, order) = Groups::from_keys(&keys);
        if order.iter().enumerate().all(|(i, at)| i == *at) {
            return self.score(rollouts, groups);
        }
        let mut slots: Vec<Option<Rollout>> = rollouts.into_iter().map(Some).collect();
        let sorted = order.iter().filter_map(|&i| slots[i].take()).collect();
        Ok(self.score(sorted, groups)?.reordered(&order))
    }

    /// Scores one batch of whole, contiguous groups.
    pub fn score(&mut self, rollouts: Vec<Rollout>, groups: Groups) -> Result<Scored, RunError> {
        let asked = match self.asker()? {
            Some(asker) => asker.wait(&rollouts, &groups)?,
            None => Asked::default(),
        };
        self.score_asked(rollouts, groups, asked)
    }

    /// Scores one batch whose models have answered.
    pub(super) fn score_asked(
        &mut self,
        rollouts: Vec<Rollout>,
        groups: Groups,
        asked: Asked,
    ) -> Result<Scored, RunError> {
        let Asked { mut outcomes, conversations } = asked;
        outcomes.resize_with(self.spec.signals.len(), Vec::new);
        for (stage, own) in self.spec.signals.iter().zip(&mut outcomes) {
            if let Some(signal) = stage.signal() {
                *own = run_signal(signal, &rollouts, &groups);
            }
        }
        let signals = self.settle(&rollouts, &outcomes)?;
        let mut frame = self.frames.frame(&self.spec, &rollouts, groups, &signals)?;
        let start = signals.first().filter(|_| signals.len() == 1).cloned();
        let reward = chain("reward", &mut self.spec.reward, self.spec.seed, &frame, start)?;
        let advantage = self.advantage(&mut frame, reward.column.as_ref())?;
        Ok(Scored {
            rollouts,
            groups: frame.groups,
            outcomes,
            signals,
            reward: reward.column,
            advantage,
            contributions: reward.contributions,
            conversations,
        })
    }

    /// The chain from the reward (or, without one, from the signals) to the advantage.
    fn advantage(
        &mut self,
        frame: &mut Frame,
        reward: Option<&Column>,
    ) -> Result<Option<Column>, RunError> {
        if self.spec.advantage.is_empty() {
            return Ok(None);
        }
        if let Some(reward) = reward {
            frame
                .insert("reward", reward.clone())
                .map_err(|error| transform_error("advantage", "reward", error))?;
        }
        let (stages, seed) = (&mut self.spec.advantage, self.spec.seed);
        Ok(chain("advantage", stages, seed, frame, reward.cloned())?.column)
    }

    /// The signals' columns after `on_error`.
    fn settle(
        &self,
        rollouts: &[Rollout],
        outcomes: &[Vec<Outcome>],
    ) -> Result<Vec<Column>, RunError> {
        self.spec
            .signals
            .iter()
            .zip(outcomes)
            .map(|(stage, own)| settle(stage, rollouts, own))
            .collect()
    }

    /// The states of all online transforms.
    pub fn save(&self) -> Value {
        let stages = self.spec.reward.iter().chain(&self.spec.advantage);
        let states: Vec<Value> = stages.map(|s| s.transform.save()).collect();
        serde_json::json!({"transforms": states, "columns": self.frames.save()})
    }

    /// Puts saved states back.
    pub fn restore(&mut self, state: &Value) -> Result<(), MethodError> {
        self.frames.restore(&state["columns"]);
        let stages = self.spec.reward.iter_mut().chain(&mut self.spec.advantage);
        for (i, stage) in stages.enumerate() {
            stage.transform.restore(&state["transforms"][i])?;
        }
        Ok(())
    }
}

impl Scored {
    /// Puts row `k` at place `order[k]`. The groups are gone after that: every row stands alone.
    fn reordered(self, order: &[usize]) -> Self {
        let column = |c: &Column| {
            let mut back = vec![0; order.len()];
            order.iter().enumerate().for_each(|(k, &at)| back[at] = k);
            c.take(&back)
        };
        let outcomes = self.outcomes.into_iter().map(|own| sorted_by(order, own));
        Self {
            groups: Groups::equal(order.len(), 1),
            outcomes: outcomes.collect(),
            signals: self.signals.iter().map(column).collect(),
            reward: self.reward.as_ref().map(column),
            advantage: self.advantage.as_ref().map(column),
            contributions: self.contributions.iter().map(|(n, c)| (n.clone(), column(c))).collect(),
            rollouts: sorted_by(order, self.rollouts),
            conversations: sorted_by(order, self.conversations),
        }
    }
}

/// Puts item `k` at place `order[k]`; nothing stays nothing.
fn sorted_by<T>(order: &[usize], items: Vec<T>) -> Vec<T> {
    let mut numbered: Vec<_> = order.iter().copied().zip(items).collect();
    numbered.sort_by_key(|(at, _)| *at);
    numbered.into_iter().map(|(_, item)| item).collect()
}

fn settle(
    stage: &SignalStage,
    rollouts: &[Rollout],
    outcomes: &[Outcome],
) -> Result<Column, RunError> {
    let failed = rollouts.iter().zip(outcomes).find(|(_, o)| o.is_err());
    if let (OnError::Fail, Some((rollout, Err(reason)))) = (stage.on_error, failed) {
        return Err(RunError::Signal {
            signal: stage.name.clone(),
            id: rollout.id.clone(),
            reason: reason.clone(),
        });
    }
    let column = Column::from_outcomes(outcomes);
    match stage.on_error {
        OnError::Value(value) => Ok(column.filled(value)),
        OnError::Fail | OnError::Null => Ok(column),
    }
}

/// A panic in a method costs its rollouts their score, never the run.
fn guarded(rollouts: usize, f: impl FnOnce() -> Vec<Outcome>) -> Vec<Outcome> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        let reason = Unscored::failed(format!(
            "the method panicked ({}); please report it",
            text.unwrap_or("no message")
        ));
        vec![Err(reason); rollouts]
    })
}

fn run_signal(signal: &dyn Signal, rollouts: &[Rollout], groups: &Groups) -> Vec<Outcome> {
    if signal.scope() == Scope::Rollout {
        return rollouts
            .par_iter()
            .with_min_len(8)
            .flat_map_iter(|rollout| guarded(1, || vec![signal.score(rollout)]))
            .collect();
    }
    let ranges: Vec<_> = groups.iter().collect();
    ranges
        .into_par_iter()
        .flat_map_iter(|range| {
            let group = &rollouts[range];
            let outcomes = guarded(group.len(), || signal.score_group(group));
            debug_assert_eq!(outcomes.len(), group.len());
            outcomes
        })
        .collect()
}

/// Scores rollouts with one signal; rollouts of a group need not be neighbours, outcomes come in the order given.
pub fn score_in_order(signal: &dyn Signal, rollouts: Vec<Rollout>) -> Vec<Outcome> {
    let keys: Vec<&str> = rollouts.iter().map(|r| r.group.as_str()).collect();
    let (groups, order) = Groups::from_keys(&keys);
    let mut slots: Vec<Option<Rollout>> = rollouts.into_iter().map(Some).collect();
    let sorted: Vec<Rollout> = order.iter().filter_map(|&i| slots[i].take()).collect();
    sorted_by(&order, run_signal(signal, &sorted, &groups))
}

/// What a chain of transforms leaves.
struct Chained {
    column: Option<Column>,
    /// What the columns contributed, by the last stage that tells.
    contributions: Vec<(String, Column)>,
}

fn chain(
    section: &'static str,
    stages: &mut [TransformStage],
    run_seed: u64,
    frame: &Frame,
    start: Option<Column>,
) -> Result<Chained, RunError> {
    let mut chained = Chained { column: start, contributions: Vec::new() };
    for (i, stage) in stages.iter_mut().enumerate() {
        let seed = stage_seed(run_seed, section, i);
        let view = View { frame, current: chained.column.as_ref(), seed };
        let next = stage
            .transform
            .apply(&view)
            .map_err(|error| transform_error(section, stage.method.id, error))?;
        let told = stage.transform.contributions(&view);
        if !told.is_empty() {
            chained.contributions = told;
        }
        chained.column = Some(next);
    }
    Ok(chained)
}

fn stage_seed(run_seed: u64, section: &str, i: usize) -> u64 {
    run_seed ^ seed::fnv1a(&format!("{section}.{i}"))
}

fn transform_error(section: &'static str, method: &'static str, error: MethodError) -> RunError {
    RunError::Transform { section, method, error }
}
