//! A whole run: from a file of rollouts to a file of rewards, streaming, resumable.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use guerdon_core::method::Scope;
use guerdon_io::{Batch, Journal, ReadOptions, Reader, Skipped, Start};
use rayon::prelude::*;
use serde_json::{Value, json};

use super::ahead::{TICK, ahead};
use super::asking::{Asked, Asker};
use super::{RowOptions, RunError, Scored, Scorer, output_row};
use crate::spec::Spec;
use crate::summary::Summary;

/// Rollouts per batch when no transform asks for more than a group.
const BATCH: usize = 4_096;
/// The same where models are asked: a batch is done when its slowest reply is there.
const ASKED_BATCH: usize = 512;
/// Most rollouts that the engine takes for one batch by itself when a transform looks at the whole input.
const WHOLE: usize = 65_536;

/// What to run.
pub struct FileRun<'a> {
    /// The rollouts; `-` is standard input.
    pub input: &'a Path,
    /// Where the rows go; `None` writes none, `-` is standard output.
    pub output: Option<&'a Path>,
    /// How to read.
    pub read: ReadOptions,
    /// What rows hold.
    pub rows: RowOptions,
    /// Set from outside to stop after the batch at hand.
    pub stop: &'a AtomicBool,
}

/// How far a run is.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Rollouts done.
    pub rows: u64,
    /// Bytes of the input read.
    pub bytes: u64,
    /// Bytes of the input; `None` for standard input.
    pub total: Option<u64>,
    /// What models have cost so far; empty where none are asked.
    pub spent: String,
}

/// What a run leaves.
pub struct Finished {
    /// What it says of the rewards.
    pub summary: Summary,
    /// The rows that could not be read.
    pub skipped: Skipped,
    /// Rollouts that an earlier, interrupted run had done.
    pub resumed: u64,
    /// What models were asked and what that cost, as JSON; `Null` where none were.
    pub ledger: Value,
    /// The same in one line.
    pub spent: String,
}

/// Runs `spec` as `run` says, calling `progress` after every batch.
///
/// With an output file the run can be killed at any moment: run again with the same spec and input, it goes on after the
/// last whole batch and ends with the same bytes.
pub fn score_file(
    spec: Spec,
    run: &FileRun<'_>,
    progress: impl FnMut(Progress),
) -> Result<Finished, RunError> {
    score_file_with(Scorer::new(spec), run, progress)
}

/// The same with a scorer that is at the start of its run.
pub fn score_file_with(
    mut scorer: Scorer,
    run: &FileRun<'_>,
    mut progress: impl FnMut(Progress),
) -> Result<Finished, RunError> {
    let mut summary = Summary::new(scorer.spec());
    let read =
        ReadOptions { needs_completion: scorer.spec().reads_completions(), ..run.read.clone() };
    let mut reader = guerdon_io::open(run.input, &scorer.spec().rollouts, &read)?;
    let (mut sink, resumed) = Sink::open(&mut scorer, &mut summary, &reader, run)?;
    reader.skip_to(resumed)?;
    let (size, asker) = (batch_size(&scorer), scorer.asker()?);
    let stop = run.stop;
    let skipped = thread::scope(|scope| {
        let (send, read) = sync_channel(1);
        let reading = scope.spawn(move || read_ahead(reader, size, resumed, &send));
        let batches = match asker {
            None => read,
            Some(asker) => {
                let (send, asked) = sync_channel(1);
                scope.spawn(move || {
                    ahead(&read, &send, stop, |ready| answered(&asker, ready));
                });
                asked
            }
        };
        let done =
            consume(&mut scorer, &mut sink, &mut summary, run, &batches, resumed, &mut progress);
        // Whoever waits to send learns that nobody listens any more.
        drop(batches);
        let skipped = reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        done.map(|()| skipped)
    })?;
    sink.finish()?;
    Ok(Finished { summary, skipped, resumed, ledger: scorer.ledger(), spent: scorer.spent() })
}

/// A batch on its way: read, and its models asked.
struct Ready {
    batch: Batch,
    /// How far reading was when it was complete.
    at: guerdon_io::Progress,
    asked: Asked,
}

type Step = Result<Ready, RunError>;

/// Reads batches until the end, an error, or until nobody listens; returns what was left out.
fn read_ahead(
    mut reader: Reader,
    size: BatchSize,
    resumed: u64,
    send: &SyncSender<Step>,
) -> Skipped {
    let mut rows = resumed;
    while let Some(batch) = reader.next_batch(size.rows).transpose() {
        let step = batch.map_err(RunError::from).and_then(|batch| {
            size.check(&batch, rows)?;
            rows += batch.rollouts.len() as u64;
            Ok(Ready { batch, at: reader.progress(), asked: Asked::default() })
        });
        let ended = step.is_err();
        if send.send(step).is_err() || ended {
            break;
        }
    }
    reader.skipped().clone()
}

async fn answered(asker: &Asker, ready: Ready) -> Step {
    let Ready { batch, at, .. } = ready;
    let asked = asker.ask(&batch.rollouts, &batch.groups).await;
    Ok(Ready { batch, at, asked })
}

fn consume(
    scorer: &mut Scorer,
    sink: &mut Sink,
    summary: &mut Summary,
    run: &FileRun<'_>,
    batches: &Receiver<Step>,
    resumed: u64,
    progress: &mut impl FnMut(Progress),
) -> Result<(), RunError> {
    let mut so_far = Progress { rows: resumed, ..Progress::default() };
    loop {
        let stop = run.stop.load(Ordering::Relaxed);
        match batches.recv_timeout(TICK) {
            Ok(step) => {
                let Ready { batch, at, asked } = step?;
                let scored = scorer.score_asked(batch.rollouts, batch.groups, asked)?;
                summary.add(scorer.spec(), &scored);
                so_far.rows += scored.rollouts.len() as u64;
                (so_far.bytes, so_far.total) = (at.bytes, at.total);
                sink.write(scorer, &scored, run.rows)?;
                sink.record(scorer, summary, so_far.rows, stop)?;
            }
            Err(RecvTimeoutError::Disconnected) if !stop => return Ok(()),
            Err(_) => {}
        }
        so_far.spent = scorer.spent();
        progress(so_far.clone());
        if stop {
            return Err(RunError::Stopped { rows: so_far.rows });
        }
    }
}

/// How many rollouts make a batch, and who says so.
#[derive(Clone, Copy)]
struct BatchSize {
    rows: usize,
    /// The transform that looks at the whole input, when the spec names no batch size.
    whole: Option<&'static str>,
}

fn batch_size(scorer: &Scorer) -> BatchSize {
    let asks = scorer.spec().signals.iter().any(|s| s.judge().is_some());
    match (scorer.spec().batch, scorer.scope()) {
        (Some(rows), _) => BatchSize { rows, whole: None },
        (None, (Scope::Batch, method)) => BatchSize { rows: WHOLE, whole: Some(method) },
        (None, _) if asks => BatchSize { rows: ASKED_BATCH, whole: None },
        (None, _) => BatchSize { rows: BATCH, whole: None },
    }
}

impl BatchSize {
    /// A method that looks at the whole input must have got all of it in the first batch.
    fn check(self, batch: &Batch, rows_before: u64) -> Result<(), RunError> {
        match self.whole {
            Some(method) if rows_before > 0 || batch.rollouts.len() > 2 * WHOLE => {
                Err(RunError::BatchTooLarge { method, limit: WHOLE })
            }
            _ => Ok(()),
        }
    }
}

/// Where rows go: nowhere, or a file with a journal.
struct Sink {
    journal: Option<Journal>,
    recorded: Instant,
}

/// How often the state of a run is written down. What is done after that is done again when the run is killed.
const RECORD_EVERY: Duration = Duration::from_millis(300);

impl Sink {
    /// Opens the output and puts back what an interrupted run saved; also returns how many rollouts that run had done.
    fn open(
        scorer: &mut Scorer,
        summary: &mut Summary,
        reader: &Reader,
        run: &FileRun<'_>,
    ) -> Result<(Self, u64), RunError> {
        let mut sink = Self { journal: None, recorded: Instant::now() };
        let Some(path) = run.output else { return Ok((sink, 0)) };
        let input = reader.fingerprint();
        let (journal, start) =
            Journal::open(path, input.as_deref(), &identity(scorer.spec(), run))?;
        sink.journal = Some(journal);
        let Start::Resumed { state, rows } = start else { return Ok((sink, 0)) };
        let bad = |what: &str, error: String| RunError::State {
            what: what.to_owned(),
            error,
            file: format!("{}.partial.journal", path.display()),
        };
        scorer.restore(&state["scorer"]).map_err(|e| bad("the transforms", e.to_string()))?;
        *summary = serde_json::from_value(state["summary"].clone())
            .map_err(|e| bad("the summary", e.to_string()))?;
        Ok((sink, rows))
    }

    fn write(
        &mut self,
        scorer: &Scorer,
        scored: &Scored,
        options: RowOptions,
    ) -> Result<(), RunError> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        let rows: Vec<usize> = (0..scored.rollouts.len()).collect();
        let texts: Vec<Vec<u8>> = rows
            .par_chunks(256)
            .map(|part| lines(scorer.spec(), scored, part, options))
            .collect::<Result<_, _>>()?;
        texts.iter().try_for_each(|text| journal.write_lines(text))?;
        Ok(())
    }

    /// Writes the state down if it is time to, or if it `must` be.
    fn record(
        &mut self,
        scorer: &Scorer,
        summary: &Summary,
        done: u64,
        must: bool,
    ) -> Result<(), RunError> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        let wait = RECORD_EVERY.saturating_sub(self.recorded.elapsed());
        if !wait.is_zero() && !must {
            return Ok(());
        }
        thread::sleep(wait);
        let state = json!({"scorer": scorer.save(), "summary": summary});
        if journal.checkpoint(&state, done)? {
            self.recorded = Instant::now();
        }
        Ok(())
    }

    fn finish(self) -> Result<(), RunError> {
        self.journal.map_or(Ok(()), |journal| Ok(journal.finish()?))
    }
}

fn lines(
    spec: &Spec,
    scored: &Scored,
    rows: &[usize],
    options: RowOptions,
) -> Result<Vec<u8>, serde_json::Error> {
    let mut text = Vec::with_capacity(rows.len() * 256);
    for &i in rows {
        serde_json::to_writer(&mut text, &output_row(spec, scored, i, options))?;
        text.push(b'\n');
    }
    Ok(text)
}

/// What must be the same for a run to go on: the spec, what rows hold, how rows are read, and this version.
fn identity(spec: &Spec, run: &FileRun<'_>) -> String {
    let identity: Value = json!({
        "spec": spec.value,
        "keep": run.rows.keep,
        "group_scan": run.read.group_scan,
        "skip": run.read.on_bad_row == guerdon_io::OnBadRow::Skip,
        "version": env!("CARGO_PKG_VERSION"),
    });
    blake3::hash(identity.to_string().as_bytes()).to_hex().to_string()
}
