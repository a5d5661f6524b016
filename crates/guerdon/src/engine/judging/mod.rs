//! `guerdon judge`: from a file of responses to a file of judgements, streaming, resumable.

mod card;
mod row;
mod tally;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;

use futures_util::StreamExt as _;
use futures_util::stream;
use guerdon_core::method::ErasedProtocol;
use guerdon_core::seed::fnv1a;
use guerdon_core::{Rollout, Unscored};
use guerdon_io::{Journal, ReadOptions, Reader, Skipped, Start};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use card::Cards;
pub use tally::Tally;

use super::ahead::{TICK, ahead};
use super::{Progress, RunError};
use crate::Spec;
use crate::ask::{Ended, Models, converse, judge};
use crate::spec::{JudgeStage, Talk};

/// Rows per batch.
const BATCH: usize = 256;

/// What to judge.
pub struct JudgeRun<'a> {
    /// The pairs, lists or single responses; `-` is standard input.
    pub input: &'a Path,
    /// Where the judgements go; `None` writes none, `-` is standard output.
    pub output: Option<&'a Path>,
    /// How to read.
    pub read: ReadOptions,
    /// What rows hold besides the judgement.
    pub rows: super::RowOptions,
    /// Which of the spec's judges; `None` for the `judge` section, or the only signal that asks a model.
    pub name: Option<&'a str>,
    /// Set from outside to stop.
    pub stop: &'a AtomicBool,
}

/// What a run leaves.
pub struct Judged {
    /// What it says of the judgements.
    pub tally: Tally,
    /// Judgements worth reading.
    pub cards: Cards,
    /// The method that judged.
    pub method: &'static str,
    /// The rows that could not be read.
    pub skipped: Skipped,
    /// Rows that an earlier, interrupted run had done.
    pub resumed: u64,
    /// What models were asked and what that cost, as JSON.
    pub ledger: Value,
    /// The same in one line.
    pub spent: String,
}

/// What is asked on behalf of every row.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    name: &'a str,
    method: &'static str,
    model: Option<&'a str>,
    task: Task<'a>,
}

#[derive(Clone, Copy)]
enum Task<'a> {
    Judge(&'a JudgeStage),
    Protocol(&'a dyn ErasedProtocol),
}

impl<'a> Asker<'a> {
    fn of(spec: &'a Spec, name: Option<&'a str>) -> Result<Self, RunError> {
        let fallback = spec.endpoints.default_model();
        if let (Some(asked), None | Some("judge")) = (&spec.judge, name) {
            let (own, task) = match &asked.talk {
                Talk::Judge(stage) => (stage.model.as_deref(), Task::Judge(stage)),
                Talk::Protocol { protocol, model } => {
                    (model.as_deref(), Task::Protocol(protocol.as_ref()))
                }
            };
            return Ok(Self {
                name: "judge",
                method: asked.method.id,
                model: own.or(fallback),
                task,
            });
        }
        let judges: Vec<_> = spec
            .signals
            .iter()
            .filter_map(|s| Some((s.name.as_str(), s.method.id, s.judge()?)))
            .collect();
        let wanted: Vec<_> = match name {
            Some(name) => judges.iter().filter(|(own, ..)| *own == name).collect(),
            None => judges.iter().collect(),
        };
        match wanted.as_slice() {
            [(name, method, stage)] => {
                let model = stage.model.as_deref().or(fallback);
                Ok(Self { name, method, model, task: Task::Judge(stage) })
            }
            _ => Err(RunError::WhichJudge {
                names: judges.iter().map(|(name, ..)| (*name).to_owned()).collect(),
            }),
        }
    }
}

/// A row and how its conversation ended.
pub(super) struct Answered {
    rollout: Rollout,
    ended: Ended<Value>,
}

/// Batches of rows on their way, and how far reading was.
type Step<T> = Result<(Vec<T>, guerdon_io::Progress), RunError>;

/// Runs the judge of `spec` as `run` says, calling `progress` now and then.
///
/// With an output file the run can be killed at any moment: run again with the same spec and input, it goes on after the
/// last whole batch; replies that had come are in the cache and are not paid for again.
pub fn judge_file(
    spec: &Spec,
    models: &dyn Models,
    run: &JudgeRun<'_>,
    mut progress: impl FnMut(Progress),
) -> Result<Judged, RunError> {
    let asker = Asker::of(spec, run.name)?;
    let read = ReadOptions { needs_completion: false, ungrouped: true, ..run.read.clone() };
    let mut reader = guerdon_io::open(run.input, &spec.rollouts, &read)?;
    let mut out = Out::open(spec, run, &reader)?;
    reader.skip_to(out.rows)?;
    let resumed = out.rows;
    let skipped = thread::scope(|scope| {
        let ((send, read), (answer, answered)) = (sync_channel(1), sync_channel(1));
        let reading = scope.spawn(move || read_ahead(reader, &send));
        scope.spawn(move || {
            ahead(&read, &answer, run.stop, |batch| ask(spec, asker, models, batch));
        });
        let done = out.consume(spec, run, &answered, models, &mut progress);
        drop(answered);
        let skipped = reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        done.map(|()| skipped)
    })?;
    let State { tally, cards } = out.finish()?;
    Ok(Judged {
        tally,
        cards,
        method: asker.method,
        skipped,
        resumed,
        ledger: models.ledger(),
        spent: models.spent(),
    })
}

fn read_ahead(mut reader: Reader, send: &SyncSender<Step<Rollout>>) -> Skipped {
    while let Some(batch) = reader.next_batch(BATCH).transpose() {
        let step = batch.map_err(RunError::from).map(|batch| (batch.rollouts, reader.progress()));
        let ended = step.is_err();
        if send.send(step).is_err() || ended {
            break;
        }
    }
    reader.skipped().clone()
}

async fn ask(
    spec: &Spec,
    asker: Asker<'_>,
    models: &dyn Models,
    (rows, at): (Vec<Rollout>, guerdon_io::Progress),
) -> Step<Answered> {
    let ended: Vec<_> = stream::iter(&rows)
        .map(|row| one(spec, asker, models, row))
        .buffered(BATCH)
        .collect()
        .await;
    let answered = rows.into_iter().zip(ended).map(|(rollout, ended)| Answered { rollout, ended });
    Ok((answered.collect(), at))
}

async fn one(spec: &Spec, asker: Asker<'_>, models: &dyn Models, row: &Rollout) -> Ended<Value> {
    let seed = spec.seed ^ fnv1a(asker.name) ^ fnv1a(&row.id);
    match asker.task {
        Task::Protocol(protocol) => {
            let case = Value::Object(row.columns.clone());
            let next = |rounds: &[Vec<_>]| protocol.next_json(&case, rounds, seed);
            converse(models, asker.model, asker.name, next).await
        }
        Task::Judge(stage) => {
            let Some(case) = spec.pairs.case(row) else {
                let reason = Unscored::missing(
                    "the row holds no responses: name their columns under `pairs:`",
                );
                return Ended { result: Err(reason), turns: Vec::new() };
            };
            let own = stage.judge.as_ref();
            let ended = judge(models, asker.model, asker.name, own, &case, seed).await;
            let result = ended.result.and_then(|told| {
                serde_json::to_value(told).map_err(|error| Unscored::failed(error.to_string()))
            });
            Ended { result, turns: ended.turns }
        }
    }
}

/// Where judgements go, and what is said of them.
struct Out {
    journal: Option<Journal>,
    state: State,
    rows: u64,
}

/// What is said of the judgements so far.
#[derive(Default, Serialize, Deserialize)]
struct State {
    tally: Tally,
    cards: Cards,
}

impl Out {
    fn open(spec: &Spec, run: &JudgeRun<'_>, reader: &Reader) -> Result<Self, RunError> {
        let mut out = Self { journal: None, state: State::default(), rows: 0 };
        let Some(path) = run.output else { return Ok(out) };
        let identity = json!({
            "spec": spec.value, "name": run.name, "keep": run.rows.keep, "transcripts": run.rows.transcripts,
            "version": env!("CARGO_PKG_VERSION"),
        });
        let identity = blake3::hash(identity.to_string().as_bytes()).to_hex().to_string();
        let (journal, start) = Journal::open(path, reader.fingerprint().as_deref(), &identity)?;
        out.journal = Some(journal);
        if let Start::Resumed { state, rows } = start {
            out.rows = rows;
            out.state = serde_json::from_value(state).map_err(|error| RunError::State {
                what: "the judgements".to_owned(),
                error: error.to_string(),
                file: format!("{}.partial.journal", path.display()),
            })?;
        }
        Ok(out)
    }

    fn consume(
        &mut self,
        spec: &Spec,
        run: &JudgeRun<'_>,
        answered: &Receiver<Step<Answered>>,
        models: &dyn Models,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), RunError> {
        let mut so_far = Progress { rows: self.rows, ..Progress::default() };
        loop {
            let stop = run.stop.load(Ordering::Relaxed);
            match answered.recv_timeout(TICK) {
                Ok(step) => {
                    let (batch, at) = step?;
                    for one in &batch {
                        let row = self.row(spec, run, one);
                        if let Some(journal) = &mut self.journal {
                            journal.write(&row)?;
                        }
                    }
                    (so_far.rows, so_far.bytes, so_far.total) = (self.rows, at.bytes, at.total);
                    self.record()?;
                }
                Err(RecvTimeoutError::Disconnected) if !stop => return Ok(()),
                Err(_) => {}
            }
            so_far.spent = models.spent();
            progress(so_far.clone());
            if stop {
                self.record()?;
                return Err(RunError::Stopped { rows: self.rows });
            }
        }
    }

    fn row(&mut self, spec: &Spec, run: &JudgeRun<'_>, one: &Answered) -> Map<String, Value> {
        let row = row::row(&spec.pairs, one, run.rows);
        self.state.tally.add(&row);
        self.state.cards.offer(self.rows, &spec.pairs, one);
        self.rows += 1;
        row
    }

    fn record(&mut self) -> Result<(), RunError> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        let state = serde_json::to_value(&self.state)?;
        journal.checkpoint(&state, self.rows)?;
        Ok(())
    }

    fn finish(self) -> Result<State, RunError> {
        if let Some(journal) = self.journal {
            journal.finish()?;
        }
        Ok(self.state)
    }
}

/// Judges rows that a program holds; one output row per row, in the same order.
pub fn judge_rows(
    spec: &Spec,
    models: &dyn Models,
    name: Option<&str>,
    rows: Vec<Value>,
) -> Result<Vec<Map<String, Value>>, RunError> {
    let asker = Asker::of(spec, name)?;
    let rollouts = guerdon_io::rollouts_from_values(rows, &spec.rollouts, false)?;
    let at = guerdon_io::Progress { bytes: 0, total: None };
    let runtime = super::asking::runtime()?;
    let (answered, _) = runtime.block_on(ask(spec, asker, models, (rollouts, at)))?;
    let options = super::RowOptions::default();
    Ok(answered.iter().map(|one| row::row(&spec.pairs, one, options)).collect())
}

/// The client of a spec's models, for [`judge_file`].
pub fn client(spec: &Spec) -> Result<Arc<dyn Models>, RunError> {
    Ok(Arc::new(spec.endpoints.client()?))
}
