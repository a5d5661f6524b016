//! What can go wrong while reading and writing, with the place and the remedy.

use std::fmt;
use std::io;
use std::sync::Arc;

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as the user named it; `-` is standard input.
    pub file: Arc<str>,
    /// Line (JSONL) or row (Parquet), from 1.
    pub line: u64,
    /// Whether `line` counts rows of a table rather than lines of text.
    pub table: bool,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.table {
            write!(f, "{}: row {}", self.file, self.line)
        } else {
            write!(f, "{}:{}", self.file, self.line)
        }
    }
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Where the row stands.
    pub place: Place,
    /// What is wrong with it.
    pub problem: Problem,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problem.byte() {
            Some(byte) if !self.place.table => write!(f, "{}:{byte}: {}", self.place, self.problem),
            _ => write!(f, "{}: {}", self.place, self.problem),
        }
    }
}

impl std::error::Error for BadRow {}

/// What is wrong with a row. Byte positions count from 1 within the line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The line is not JSON.
    #[error("broken JSON: {message}")]
    Json {
        /// Position of the error.
        byte: usize,
        /// What the parser says.
        message: String,
    },
    /// A number that JSON does not have.
    #[error("{literal} is not JSON: write null where there is no number")]
    NotFinite {
        /// Position of the number; `None` where there are no positions (Parquet).
        byte: Option<usize>,
        /// `NaN`, `Infinity` or `-Infinity`.
        literal: String,
    },
    /// The line is not UTF-8.
    #[error("invalid UTF-8: convert the file to UTF-8")]
    Utf8 {
        /// Position of the first invalid byte.
        byte: usize,
    },
    /// The row is not an object.
    #[error("the row is {found}, expected an object like {{\"prompt\": ..., \"completion\": ...}}")]
    NotObject {
        /// What it is instead.
        found: String,
    },
    /// The row exceeds the limit of [`ReadOptions::max_row_bytes`](crate::ReadOptions::max_row_bytes).
    #[error(
        "the row is longer than {limit} bytes: raise the limit (`max_row_bytes`) or split the row"
    )]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// A column that every row must have is not in this one.
    #[error(
        "column `{column}` is {found}, expected {expected}; map another column with `rollouts: {{{role}: ...}}`"
    )]
    Column {
        /// The key of the mapping.
        role: &'static str,
        /// The column's name or path.
        column: String,
        /// What is there instead.
        found: String,
        /// What should be there.
        expected: &'static str,
        /// Whether nothing is there at all (rather than a value of another type).
        missing: bool,
    },
    /// A column holds a type that has no JSON form.
    #[error("column `{column}`: {detail}")]
    Unsupported {
        /// The column's name.
        column: String,
        /// What cannot be converted.
        detail: String,
    },
}

impl Problem {
    /// Position within the line, where there is one.
    pub fn byte(&self) -> Option<usize> {
        match self {
            Self::Json { byte, .. } | Self::Utf8 { byte } => Some(*byte),
            Self::NotFinite { byte, .. } => *byte,
            _ => None,
        }
    }

    /// The sort of problem, in one or two words: what summaries count by.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Json { .. } => "broken JSON",
            Self::NotFinite { .. } => "not a finite number",
            Self::Utf8 { .. } => "invalid UTF-8",
            Self::NotObject { .. } => "not an object",
            Self::TooLong { .. } => "too long",
            Self::Column { missing: true, .. } => "missing column",
            Self::Column { .. } => "mistyped column",
            Self::Unsupported { .. } => "unsupported type",
        }
    }
}

/// Why rollouts cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be opened.
    #[error("{file}: cannot be opened: {source}")]
    Open {
        /// The file.
        file: Arc<str>,
        /// Why.
        source: io::Error,
    },
    /// Reading fails.
    #[error("{file}: reading fails after line {line}: {source}")]
    Io {
        /// The file.
        file: Arc<str>,
        /// The last whole line.
        line: u64,
        /// Why.
        source: io::Error,
    },
    /// A compressed file ends before its end, or is damaged.
    #[error(
        "{file}: the compressed data breaks off or is damaged after line {line} ({source}): fetch or compress it again"
    )]
    Truncated {
        /// The file.
        file: Arc<str>,
        /// The last whole line.
        line: u64,
        /// What the decompressor says.
        source: io::Error,
    },
    /// The file holds no rows.
    #[error("{file}: there are no rows in it")]
    Empty {
        /// The file.
        file: Arc<str>,
    },
    /// The file is one JSON list rather than one object a line.
    #[error(
        "{file}: this is a JSON list; rollouts are JSONL, one object a line: convert it with `jq -c '.[]' {file}`"
    )]
    JsonArray {
        /// The file.
        file: Arc<str>,
    },
    /// The file is not a readable Parquet file.
    #[error("{file}: not a readable Parquet file: {detail}")]
    Parquet {
        /// The file.
        file: Arc<str>,
        /// What the Parquet reader says.
        detail: String,
    },
    /// A row cannot be read, and bad rows are not skipped.
    #[error("{0}")]
    Row(BadRow),
    /// A mapped column is in none of the first rows.
    #[error("{place}: there is no column `{column}` (mapped as `{role}`){}", hint(near.as_deref(), known))]
    NoColumn {
        /// The first row looked at.
        place: Place,
        /// The key of the mapping.
        role: &'static str,
        /// The column's name or path.
        column: Box<str>,
        /// The nearest name that is there.
        near: Option<Box<str>>,
        /// The columns that are there.
        known: Box<[String]>,
    },
    /// No column is mapped as the completion, and none has a usual name.
    #[error(
        "{place}: no column is known to hold the completion: map one with `rollouts: {{completion: ...}}`; there are: {}",
        known.join(", ")
    )]
    NoCompletion {
        /// The first row looked at.
        place: Place,
        /// The columns that are there.
        known: Vec<String>,
    },
    /// A group goes on after other groups have come between.
    #[error(
        "{place}: {} reappears after it ended at line {ended}: sort the rows by group, or let `--group-scan` gather them in two passes",
        what(group.as_deref())
    )]
    GroupReappears {
        /// The row that reopens the group.
        place: Place,
        /// The group; `None` where groups are inferred from equal prompts.
        group: Option<String>,
        /// The line of the group's last row before that.
        ended: u64,
    },
    /// The temporary copy that a group scan needs cannot be written.
    #[error(
        "the temporary copy for `--group-scan` cannot be written: {source}: set TMPDIR to a directory with room"
    )]
    Spill {
        /// Why.
        source: io::Error,
    },
}

fn hint(near: Option<&str>, known: &[String]) -> String {
    match near {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!("; there are: {}", known.join(", ")),
    }
}

fn what(group: Option<&str>) -> String {
    group.map_or_else(|| "a group of equal prompts".to_owned(), |group| format!("group `{group}`"))
}

/// Why results cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {action}: {source}{}", remedy(source))]
pub struct WriteError {
    /// The file.
    pub file: Arc<str>,
    /// What was tried.
    pub action: &'static str,
    /// Why it failed.
    pub source: io::Error,
}

impl WriteError {
    /// Whether the reader of a pipe has gone: not a failure for a command.
    pub fn is_broken_pipe(&self) -> bool {
        self.source.kind() == io::ErrorKind::BrokenPipe
    }

    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ": make room and start again",
        io::ErrorKind::NotFound => ": make the directory first",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            ": choose another output"
        }
        _ => "",
    }
}
