//! Results into files, over as many runs as it takes.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::WriteError;
use crate::output::{self, beside, failed};

/// What [`Journal::with_interval`] is, unless it is called.
const INTERVAL: Duration = Duration::from_millis(200);
const VERSION: u32 = 1;
const RECORD: &str = ".partial.journal";
const NEXT: &str = ".partial.journal.next";

/// Writes rows so that a run that was killed goes on where it was.
///
/// Rows go to `<name>.partial` (JSONL, whatever the format in the end), and [`Journal::checkpoint`] records in
/// `<name>.partial.journal` how far the run has come. [`Journal::finish`] gives the rows their format and their name.
/// Both files stand on the disk in the order that makes every moment recoverable: rows before the record that counts them,
/// and the record is replaced as a whole.
pub struct Journal {
    path: PathBuf,
    stream: bool,
    out: BufWriter<Box<dyn Out>>,
    record: Record,
    saved: Option<Instant>,
    interval: Duration,
}

/// How a run begins.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// At the first row.
    Fresh {
        /// Why an earlier run is not continued, where there was one.
        because: Option<String>,
    },
    /// Where an earlier run was killed.
    Resumed {
        /// What [`Journal::checkpoint`] was given last.
        state: Value,
        /// How many rollouts are done: for [`Reader::skip_to`](crate::Reader::skip_to).
        rows: u64,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    version: u32,
    input: Option<String>,
    spec: String,
    rows: u64,
    bytes: u64,
    state: Value,
}

trait Out: Write + Send {
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Out for File {
    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

impl Out for Box<dyn Write + Send> {}

impl Journal {
    /// Goes on with `<path>.partial` if it was begun with the same `input` ([`Reader::fingerprint`](crate::Reader::fingerprint))
    /// and the same `spec` (a hash of everything else that decides the output), else starts anew. An input of `None` cannot
    /// be recognised, so such a run always starts anew. `-`, devices and pipes are written to where they are, without a
    /// journal.
    pub fn open(path: &Path, input: Option<&str>, spec: &str) -> Result<(Self, Start), WriteError> {
        Self::try_open(path, input, spec).map_err(failed(path, "cannot be created"))
    }

    fn try_open(path: &Path, input: Option<&str>, spec: &str) -> io::Result<(Self, Start)> {
        let stream = output::is_stream(path);
        let (input, spec) = (input.map(str::to_owned), spec.to_owned());
        let mut record =
            Record { version: VERSION, input, spec, rows: 0, bytes: 0, state: Value::Null };
        let mut start = Start::Fresh { because: None };
        let out: Box<dyn Out> = if stream {
            Box::new(output::open_stream(path)?)
        } else {
            let mut file = output::open_partial(path)?;
            match earlier(path, &record, file.metadata()?.len()) {
                Ok(last) => {
                    start = Start::Resumed { state: last.state.clone(), rows: last.rows };
                    record = last;
                }
                Err(because) => {
                    // The record goes before the rows it counts.
                    remove(&beside(path, RECORD))?;
                    start = Start::Fresh { because };
                }
            }
            file.set_len(record.bytes)?;
            file.seek(SeekFrom::End(0))?;
            Box::new(file)
        };
        let out = BufWriter::with_capacity(256 << 10, out);
        Ok((
            Self { path: path.to_owned(), stream, out, record, saved: None, interval: INTERVAL },
            start,
        ))
    }

    /// A checkpoint that follows another sooner than `interval` (0.2 s otherwise) is left to the next one: each costs the
    /// disk two synchronisations.
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Appends a row: anything that serialises as a JSON object.
    pub fn write(&mut self, row: &impl Serialize) -> Result<(), WriteError> {
        let mut text = serde_json::to_vec(row)
            .map_err(|error| failed(&self.path, "cannot be written")(error.into()))?;
        text.push(b'\n');
        self.write_lines(&text)
    }

    /// Appends rows that have been serialised already: JSON objects, each with a newline behind it.
    pub fn write_lines(&mut self, text: &[u8]) -> Result<(), WriteError> {
        self.out.write_all(text).map_err(failed(&self.path, "cannot be written"))?;
        self.record.bytes += text.len() as u64;
        Ok(())
    }

    /// Records that `rows` rollouts are done in all, and what the run needs to know to go on from there.
    ///
    /// Returns whether it was recorded: checkpoints in quick succession are left to the next one
    /// ([`Journal::with_interval`]).
    pub fn checkpoint(&mut self, state: &Value, rows: u64) -> Result<bool, WriteError> {
        if self.stream || self.saved.is_some_and(|saved| saved.elapsed() < self.interval) {
            return Ok(false);
        }
        self.record.state.clone_from(state);
        self.record.rows = rows;
        self.save().map_err(failed(&self.path, "cannot be written"))?;
        self.saved = Some(Instant::now());
        Ok(true)
    }

    fn save(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.out.get_ref().sync()?;
        let next = beside(&self.path, NEXT);
        let mut file = File::create(&next)?;
        file.write_all(&serde_json::to_vec(&self.record)?)?;
        file.sync_data()?;
        fs::rename(next, beside(&self.path, RECORD))
    }

    /// Completes the file, gives it its format and its name, and removes the journal.
    pub fn finish(mut self) -> Result<(), WriteError> {
        let fail = failed(&self.path, "cannot be completed");
        self.out.flush().map_err(&fail)?;
        if self.stream {
            return Ok(());
        }
        output::publish_rows(&self.path).map_err(&fail)?;
        // A run that was killed while it recorded has left a `.next`.
        remove(&beside(&self.path, NEXT)).map_err(&fail)?;
        remove(&beside(&self.path, RECORD)).map_err(fail)
    }
}

/// The last record of an earlier run that can be continued, or why there is none.
fn earlier(path: &Path, this: &Record, length: u64) -> Result<Record, Option<String>> {
    let text = fs::read(beside(path, RECORD)).map_err(|_| None)?;
    let refuse =
        |why: &str| Some(format!("the unfinished {}.partial is discarded: {why}", path.display()));
    let last: Record =
        serde_json::from_slice(&text).map_err(|_| refuse("its journal cannot be read"))?;
    let problem = if last.version != VERSION {
        "another version wrote it"
    } else if this.input.is_none() {
        "this input cannot be recognised, so it cannot be continued"
    } else if last.input != this.input {
        "it was made from another input, or the input has changed"
    } else if last.spec != this.spec {
        "it was made with another spec"
    } else if length < last.bytes {
        "some of it is missing"
    } else {
        return Ok(last);
    };
    Err(refuse(problem))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
