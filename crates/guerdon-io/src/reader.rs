//! Rollouts from files, in batches of whole groups.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use guerdon_core::{Groups, Rollout};
use rayon::prelude::*;
use serde_json::{Map, Value};

use crate::error::{BadRow, Place, Problem, ReadError};
use crate::gather::{Entry, Gathered, Spill};
use crate::groups::GroupTracker;
use crate::lines::{Chunk, Content, RawRow};
use crate::mapping::Mapping;
use crate::parse;
use crate::plan::{Parsed, Plan};
use crate::skipped::Skipped;
use crate::source::{Fnv, Input, Kind, Rows};

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
    /// Every row is a group of its own, whatever its columns say: for data in which no row has to do with another.
    pub ungrouped: bool,
    /// Refuse rows without a completion. Default true; without it a missing completion is empty.
    pub needs_completion: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            on_bad_row: OnBadRow::Fail,
            max_row_bytes: 64 << 20,
            group_scan: false,
            ungrouped: false,
            needs_completion: true,
        }
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

/// Reads rollouts. See [`open`].
pub struct Reader {
    file: Arc<str>,
    mapping: Mapping,
    options: ReadOptions,
    rows: Rows,
    table: bool,
    plan: Option<Plan>,
    queue: VecDeque<Parsed>,
    failed: Option<ReadError>,
    ended: bool,
    groups: GroupTracker,
    skipped: Skipped,
    delivered: u64,
    seen: bool,
    /// Where a group scan is still to be made.
    scan: Option<Scan>,
    bytes: Arc<AtomicU64>,
    total: Option<u64>,
    fingerprint: Option<u64>,
}

/// What the second pass of a group scan reads.
enum Scan {
    /// The file itself.
    Again(std::fs::File),
    /// A temporary copy.
    Copy,
}

/// Opens rollouts: JSONL, plain or compressed with gzip or zstd (told by its first bytes), or Parquet; `-` is standard
/// input.
///
/// What `mapping` does not name is found by its usual names, or those of the preset, in the first rows of the file (the
/// first 4,096 rows or 4 MiB): the first name that is there, is not taken, and whose first value fits. Where no column
/// holds the completion but there are `messages`, the last message of the assistant is the completion. A mapped column
/// that is in none of the first rows is an error. A row of which the completion, or the group where there is a group
/// column, is missing or of another type is a bad row; so is one in which a mapped column is of another type. Of all other
/// columns, missing and null mean that nothing is known.
pub fn open(path: &Path, mapping: &Mapping, options: &ReadOptions) -> Result<Reader, ReadError> {
    let mut input = Input::open(path)?;
    let (file, bytes, total) = (input.name.clone(), input.read.clone(), input.total);
    let fingerprint = input.fingerprint;
    let scan = options.group_scan.then(|| match input.kind {
        Kind::Plain => input.file.take().map_or(Scan::Copy, Scan::Again),
        _ => Scan::Copy,
    });
    let rows = input.into_rows(options.max_row_bytes)?;
    Ok(Reader {
        file,
        mapping: mapping.clone(),
        options: options.clone(),
        table: rows.is_table(),
        rows,
        plan: None,
        queue: VecDeque::new(),
        failed: None,
        ended: false,
        groups: GroupTracker::default(),
        skipped: Skipped::default(),
        delivered: 0,
        seen: false,
        scan,
        bytes,
        total,
        fingerprint,
    })
}

impl Reader {
    /// The next rollouts: at least `rows`, rounded up to the end of a group, or what remains; `None` at the end.
    ///
    /// Batches depend on the input and on `rows` alone. After an error the reader is at its end.
    pub fn next_batch(&mut self, rows: usize) -> Result<Option<Batch>, ReadError> {
        let result = self.gather().and_then(|()| self.batch(rows.max(1)));
        if result.is_err() {
            self.ended = true;
            self.queue.clear();
            self.failed = None;
        }
        result
    }

    /// Passes over rollouts until `rows` have gone by in all; a batch must have ended there before.
    pub fn skip_to(&mut self, rows: u64) -> Result<(), ReadError> {
        const AT_ONCE: u64 = 4096;
        while self.delivered < rows {
            let step = usize::try_from((rows - self.delivered).min(AT_ONCE)).unwrap_or(1);
            if self.next_batch(step)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// The rows left out so far.
    pub fn skipped(&self) -> &Skipped {
        &self.skipped
    }

    /// How far reading has come. A group scan counts the bytes of both passes.
    pub fn progress(&self) -> Progress {
        let passes = 1 + u64::from(self.options.group_scan);
        let total = self.total.map(|total| total * passes);
        Progress { bytes: self.bytes.load(Ordering::Relaxed), total }
    }

    /// Stands for the rollouts that this reader yields: it changes when the file or the options do. `None` for what cannot
    /// be read again (standard input, pipes).
    pub fn fingerprint(&self) -> Option<String> {
        let mut hash = Fnv(self.fingerprint?);
        hash.feed(format!("{:?} {:?}", self.options, self.mapping).as_bytes());
        Some(format!("{:016x}", hash.0))
    }

    fn batch(&mut self, rows: usize) -> Result<Option<Batch>, ReadError> {
        let mut rollouts = Vec::new();
        let mut sizes: Vec<usize> = Vec::new();
        while self.fill()? {
            let Some(next) = self.queue.front() else { break };
            let continues = self.groups.continues(next.key);
            if !continues && rollouts.len() >= rows {
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

    /// The next plain rows, as they stand in the file; `None` at the end. For tables that hold no rollouts: nothing is
    /// mapped, grouped or skipped. Not to be mixed with [`Reader::next_batch`].
    pub fn next_rows(&mut self) -> Result<Option<Vec<Map<String, Value>>>, ReadError> {
        let chunk = self.rows.next_chunk(&self.file)?;
        if chunk.rows.is_empty() {
            return Ok(None);
        }
        let (limit, Chunk { bytes, rows }) = (self.options.max_row_bytes, chunk);
        let parsed: Vec<_> = rows.into_par_iter().map(|raw| columns(raw, &bytes, limit)).collect();
        let row = |row: ParsedColumns| {
            let place = self.place(row.number);
            row.columns.map_err(|problem| ReadError::Row(BadRow { place, problem }))
        };
        parsed.into_iter().map(row).collect::<Result<_, _>>().map(Some)
    }

    /// Gives a rollout its group.
    fn grouped(&mut self, parsed: Parsed) -> Result<Rollout, ReadError> {
        let Parsed { mut rollout, line, row, key, .. } = parsed;
        let infers = self.options.ungrouped || self.plan.as_ref().is_some_and(Plan::infers_groups);
        if let Err(ended) = self.groups.enter(key, line, row) {
            let group = (!infers).then(|| rollout.group.clone());
            return Err(ReadError::GroupReappears { place: self.place(line), group, ended });
        }
        if infers {
            rollout.group = self.groups.first_row().to_string();
        }
        Ok(rollout)
    }

    fn place(&self, line: u64) -> Place {
        Place { file: self.file.clone(), line, table: self.table }
    }

    /// The first pass of a group scan, where one is asked for and not made yet.
    fn gather(&mut self) -> Result<(), ReadError> {
        let spilled = |source| ReadError::Spill { source };
        let Some(scan) = self.scan.take() else { return Ok(()) };
        let mut spill = match scan {
            Scan::Copy => Some(Spill::new().map_err(spilled)?),
            Scan::Again(_) => None,
        };
        let entries = self.index(spill.as_mut())?;
        let file = match (scan, spill) {
            (_, Some(spill)) => spill.into_file().map_err(spilled)?,
            (Scan::Again(file), None) => file,
            (Scan::Copy, None) => return Ok(()),
        };
        let bytes = self.total.unwrap_or(0);
        self.rows = Rows::Gathered(
            Gathered::new(file, entries, self.bytes.clone(), bytes).map_err(spilled)?,
        );
        Ok(())
    }

    /// Where every row stands and which group it belongs to, groups numbered in order of first appearance.
    fn index(&mut self, mut spill: Option<&mut Spill>) -> Result<Vec<Entry>, ReadError> {
        let mut numbers: HashMap<u64, u64> = HashMap::new();
        let (mut groups, mut entries) = (0, Vec::new());
        while self.fill()? {
            while let Some(parsed) = self.queue.pop_front() {
                let Parsed { rollout, line, row, key, offset, length } = parsed;
                let group = key.map_or(groups, |key| *numbers.entry(key).or_insert(groups));
                groups += u64::from(group == groups);
                let (offset, length) = match &mut spill {
                    None => (offset, length),
                    Some(spill) => spill
                        .push(&rollout.columns)
                        .map_err(|source| ReadError::Spill { source })?,
                };
                entries.push(Entry { group, number: line, row, offset, length });
            }
        }
        Ok(entries)
    }

    /// Makes sure that a rollout is waiting; false at the end.
    fn fill(&mut self) -> Result<bool, ReadError> {
        while self.queue.is_empty() {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if self.ended {
                return Ok(false);
            }
            let chunk = self.rows.next_chunk(&self.file)?;
            if chunk.rows.is_empty() {
                return if self.seen {
                    Ok(false)
                } else {
                    Err(ReadError::Empty { file: self.file.clone() })
                };
            }
            self.read_chunk(chunk)?;
        }
        Ok(true)
    }

    fn read_chunk(&mut self, chunk: Chunk) -> Result<(), ReadError> {
        if !self.seen && is_list(&chunk) {
            return Err(ReadError::JsonArray { file: self.file.clone() });
        }
        self.seen = true;
        for (line, row) in self.parse_chunk(chunk)? {
            let bad = match row {
                Ok(mut parsed) => {
                    parsed.key = parsed.key.filter(|_| !self.options.ungrouped);
                    self.queue.push_back(parsed);
                    continue;
                }
                Err(problem) => BadRow { place: self.place(line), problem },
            };
            if self.options.on_bad_row == OnBadRow::Fail {
                self.failed = Some(ReadError::Row(bad));
                break;
            }
            self.skipped.add(bad);
        }
        Ok(())
    }

    /// Rows with their lines, in order. The first chunk that has rows decides which column is what.
    fn parse_chunk(&mut self, chunk: Chunk) -> Result<Vec<(u64, Row)>, ReadError> {
        let limit = self.options.max_row_bytes;
        let Chunk { bytes, rows } = chunk;
        if let Some(plan) = &self.plan {
            let parse = |raw| finish(plan, columns(raw, &bytes, limit));
            return Ok(rows.into_par_iter().map(parse).collect());
        }
        let parsed: Vec<_> = rows.into_par_iter().map(|raw| columns(raw, &bytes, limit)).collect();
        if let Some(first) = parsed.iter().find(|row| row.columns.is_ok()) {
            let sample: Vec<_> =
                parsed.iter().filter_map(|row| row.columns.as_ref().ok()).collect();
            self.plan = Some(Plan::new(
                &self.mapping,
                self.options.needs_completion,
                &sample,
                &self.place(first.number),
            )?);
        }
        let failed =
            |row: ParsedColumns| row.columns.err().map(|problem| (row.number, Err(problem)));
        Ok(match &self.plan {
            Some(plan) => parsed.into_iter().map(|row| finish(plan, row)).collect(),
            None => parsed.into_iter().filter_map(failed).collect(),
        })
    }
}

type Row = Result<Parsed, Problem>;

/// A row whose text has been read, and where it stands.
struct ParsedColumns {
    number: u64,
    row: u64,
    offset: u64,
    length: u64,
    columns: Result<Map<String, Value>, Problem>,
}

fn is_list(chunk: &Chunk) -> bool {
    match chunk.rows.first().map(|row| &row.content) {
        Some(Content::Text(span)) => chunk.bytes[span.clone()].trim_ascii_start().starts_with(b"["),
        _ => false,
    }
}

fn columns(raw: RawRow, bytes: &[u8], limit: usize) -> ParsedColumns {
    let RawRow { number, row, offset, content } = raw;
    let (length, columns) = match content {
        Content::Text(span) => (span.len(), parse::columns(&bytes[span])),
        Content::TooLong => (0, Err(Problem::TooLong { limit })),
        Content::Columns(columns) => (0, columns),
    };
    ParsedColumns { number, row, offset, length: length as u64, columns }
}

fn finish(plan: &Plan, parsed: ParsedColumns) -> (u64, Row) {
    let ParsedColumns { number, row, offset, length, columns } = parsed;
    let rollout = columns.and_then(|columns| plan.rollout(columns, row));
    let parsed =
        rollout.map(|(rollout, key)| Parsed { rollout, line: number, row, key, offset, length });
    (number, parsed)
}
