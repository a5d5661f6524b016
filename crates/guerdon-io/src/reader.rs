//! Rollouts from files, in batches of whole groups.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use guerdon_core::{Groups, Rollout};
use rayon::prelude::*;
use serde_json::{Map, Value};

use crate::error::{BadRow, Place, Problem, ReadError};
use crate::lines::{Chunk, Line, Lines};
use crate::mapping::Mapping;
use crate::parse;
use crate::plan::{Parsed, Plan};
use crate::source::{self, Input, Kind};

/// What becomes of a row that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnBadRow {
    /// Reading ends with an error.
    #[default]
    Fail,
    /// The row is left out and counted.
    Skip,
}

/// How to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    /// What becomes of a row that cannot be read.
    pub on_bad_row: OnBadRow,
    /// Longest line in bytes; a longer one is a bad row, and is never held in memory.
    pub max_row_bytes: usize,
    /// Gather the rows of each group in two passes, for data whose groups are not contiguous.
    pub group_scan: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { on_bad_row: OnBadRow::Fail, max_row_bytes: 64 << 20, group_scan: false }
    }
}

/// Rollouts that follow one another, in whole groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The rollouts.
    pub rollouts: Vec<Rollout>,
    /// Their groups, in order.
    pub groups: Groups,
    /// How many rollouts came before this batch.
    pub first_row: u64,
}

/// How far reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read of the file as it stands on disk.
    pub bytes: u64,
    /// Bytes in the file; `None` for standard input.
    pub total: Option<u64>,
}

/// The rows that were left out, by sort of problem.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Skipped {
    /// Sort of problem ([`Problem::kind`]), in order of first appearance.
    pub reasons: Vec<SkippedRows>,
}

/// The rows that were left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedRows {
    /// The sort of problem.
    pub kind: &'static str,
    /// How many rows.
    pub count: u64,
    /// The first of them, at most [`Skipped::EXAMPLES`].
    pub examples: Vec<BadRow>,
}

impl Skipped {
    /// How many rows are kept as examples per reason.
    pub const EXAMPLES: usize = 3;

    /// How many rows were left out in all.
    pub fn total(&self) -> u64 {
        self.reasons.iter().map(|reason| reason.count).sum()
    }

    fn add(&mut self, row: BadRow) {
        let kind = row.problem.kind();
        let at = self.reasons.iter().position(|reason| reason.kind == kind).unwrap_or_else(|| {
            self.reasons.push(SkippedRows { kind, count: 0, examples: Vec::new() });
            self.reasons.len() - 1
        });
        let reason = &mut self.reasons[at];
        reason.count += 1;
        if reason.examples.len() < Self::EXAMPLES {
            reason.examples.push(row);
        }
    }
}

/// Reads rollouts. See [`open`].
pub struct Reader {
    file: Arc<str>,
    mapping: Mapping,
    options: ReadOptions,
    lines: Lines,
    compressed: bool,
    plan: Option<Plan>,
    queue: VecDeque<Parsed>,
    failed: Option<ReadError>,
    groups: GroupTracker,
    skipped: Skipped,
    delivered: u64,
    seen: bool,
    bytes: Arc<AtomicU64>,
    total: Option<u64>,
}

/// Opens rollouts: JSONL, plain or compressed with gzip or zstd (told by its first bytes), or Parquet; `-` is standard
/// input.
///
/// Columns that `mapping` does not name are found by their usual names, from the first rows of the file.
pub fn open(path: &Path, mapping: &Mapping, options: &ReadOptions) -> Result<Reader, ReadError> {
    let file: Arc<str> = path.display().to_string().into();
    let Input { kind, bytes, read, total, .. } = source::open(path, &file)?;
    let text = source::text(kind, bytes)
        .map_err(|source| ReadError::Open { file: file.clone(), source })?;
    Ok(Reader {
        file,
        mapping: mapping.clone(),
        options: options.clone(),
        lines: Lines::new(text, options.max_row_bytes),
        compressed: kind != Kind::Plain,
        plan: None,
        queue: VecDeque::new(),
        failed: None,
        groups: GroupTracker::default(),
        skipped: Skipped::default(),
        delivered: 0,
        seen: false,
        bytes: read,
        total,
    })
}

impl Reader {
    /// The next rollouts: at least `rows`, rounded up to the end of a group, or what remains; `None` at the end.
    ///
    /// After an error the reader is at its end.
    pub fn next_batch(&mut self, rows: usize) -> Result<Option<Batch>, ReadError> {
        let mut rollouts = Vec::new();
        let mut sizes: Vec<usize> = Vec::new();
        while self.fill()? {
            let Some(next) = self.queue.front() else { break };
            let continues = self.groups.continues(next.key);
            if !continues && rollouts.len() >= rows.max(1) {
                break;
            }
            let Some(parsed) = self.queue.pop_front() else { break };
            match sizes.last_mut().filter(|_| continues) {
                Some(size) => *size += 1,
                None => sizes.push(1),
            }
            rollouts.push(self.grouped(parsed)?);
        }
        if rollouts.is_empty() {
            return Ok(None);
        }
        let first_row = self.delivered;
        self.delivered += rollouts.len() as u64;
        Ok(Some(Batch { rollouts, groups: Groups::from_sizes(sizes), first_row }))
    }

    /// The rows left out so far.
    pub fn skipped(&self) -> &Skipped {
        &self.skipped
    }

    /// How far reading has come.
    pub fn progress(&self) -> Progress {
        Progress { bytes: self.bytes.load(Ordering::Relaxed), total: self.total }
    }

    /// Gives a rollout its group.
    fn grouped(&mut self, parsed: Parsed) -> Result<Rollout, ReadError> {
        let Parsed { mut rollout, line, row, key, .. } = parsed;
        let infers = self.plan.as_ref().is_some_and(Plan::infers_groups);
        if let Err(ended) = self.groups.enter(key, line, row) {
            let group = (!infers).then(|| rollout.group.clone());
            self.queue.clear();
            self.failed = None;
            return Err(ReadError::GroupReappears { place: self.place(line), group, ended });
        }
        if infers {
            rollout.group = self.groups.first_row.to_string();
        }
        Ok(rollout)
    }

    fn place(&self, line: u64) -> Place {
        Place { file: self.file.clone(), line, table: false }
    }

    /// Makes sure that a rollout is waiting; false at the end.
    fn fill(&mut self) -> Result<bool, ReadError> {
        while self.queue.is_empty() {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            let chunk = self.lines.next_chunk().map_err(|source| self.broken(source))?;
            if chunk.lines.is_empty() {
                return if self.seen {
                    Ok(false)
                } else {
                    Err(ReadError::Empty { file: self.file.clone() })
                };
            }
            self.read_chunk(&chunk)?;
        }
        Ok(true)
    }

    fn broken(&self, source: std::io::Error) -> ReadError {
        let (file, line) = (self.file.clone(), self.lines.number());
        if self.compressed {
            ReadError::Truncated { file, line, source }
        } else {
            ReadError::Io { file, line, source }
        }
    }

    fn read_chunk(&mut self, chunk: &Chunk) -> Result<(), ReadError> {
        if !self.seen && is_list(chunk) {
            return Err(ReadError::JsonArray { file: self.file.clone() });
        }
        self.seen = true;
        let max = self.options.max_row_bytes;
        let rows: Vec<Row> = match &self.plan {
            Some(plan) => chunk
                .lines
                .par_iter()
                .map(|line| parse_line(chunk, line, max).and_then(|c| finish(plan, c, line)))
                .collect(),
            None => self.first_chunk(chunk)?,
        };
        for (row, line) in rows.into_iter().zip(&chunk.lines) {
            match row {
                Ok(parsed) => self.queue.push_back(parsed),
                Err(problem) => {
                    let bad = BadRow { place: self.place(line.number), problem };
                    match self.options.on_bad_row {
                        OnBadRow::Skip => self.skipped.add(bad),
                        OnBadRow::Fail => {
                            self.failed = Some(ReadError::Row(bad));
                            break;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Decides from the first rows which column is what.
    fn first_chunk(&mut self, chunk: &Chunk) -> Result<Vec<Row>, ReadError> {
        let max = self.options.max_row_bytes;
        let columns: Vec<_> =
            chunk.lines.par_iter().map(|line| parse_line(chunk, line, max)).collect();
        let first = columns.iter().zip(&chunk.lines).find(|(c, _)| c.is_ok());
        let Some((_, first)) = first else {
            return Ok(columns.into_iter().filter_map(Result::err).map(Err).collect());
        };
        let sample: Vec<&Map<String, Value>> = columns.iter().flatten().collect();
        let plan = Plan::new(&self.mapping, &sample, &self.place(first.number))?;
        let rows = columns.into_iter().zip(&chunk.lines);
        let rows = rows.map(|(c, line)| c.and_then(|c| finish(&plan, c, line))).collect();
        self.plan = Some(plan);
        Ok(rows)
    }
}

type Row = Result<Parsed, Problem>;

fn is_list(chunk: &Chunk) -> bool {
    chunk
        .lines
        .first()
        .and_then(|line| line.span.clone())
        .is_some_and(|span| chunk.bytes[span].trim_ascii_start().starts_with(b"["))
}

fn parse_line(chunk: &Chunk, line: &Line, limit: usize) -> Result<Map<String, Value>, Problem> {
    let span = line.span.clone().ok_or(Problem::TooLong { limit })?;
    parse::columns(&chunk.bytes[span])
}

fn finish(plan: &Plan, columns: Map<String, Value>, line: &Line) -> Row {
    let (rollout, key) = plan.rollout(columns, line.row)?;
    Ok(Parsed { rollout, line: line.number, row: line.row, key, offset: line.offset })
}

/// Which group is open, and which have been.
#[derive(Debug, Default)]
struct GroupTracker {
    open: Option<u64>,
    last_line: u64,
    first_row: u64,
    /// The line at which each closed group ended. Only looked up, never iterated.
    closed: HashMap<u64, u64>,
}

impl GroupTracker {
    fn continues(&self, key: Option<u64>) -> bool {
        key.is_some() && key == self.open
    }

    /// Takes note of a row; the error is the line at which its group ended before.
    fn enter(&mut self, key: Option<u64>, line: u64, row: u64) -> Result<(), u64> {
        if !self.continues(key) {
            if let Some(open) = self.open {
                self.closed.insert(open, self.last_line);
            }
            if let Some(ended) = key.and_then(|key| self.closed.get(&key)) {
                return Err(*ended);
            }
            self.open = key;
            self.first_row = row;
        }
        self.last_line = line;
        Ok(())
    }
}
