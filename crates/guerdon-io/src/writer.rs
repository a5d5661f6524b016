//! Results into files, in one go.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::WriteError;
use crate::output::{self, Format, Sink, beside, failed};

/// Writes rows. The file appears under its name when [`Writer::finish`] returns; until then, and after a crash, there is
/// only `<name>.partial`. For runs that go on where they were killed, see [`Journal`](crate::Journal).
pub struct Writer {
    path: PathBuf,
    stream: bool,
    sink: Sink,
    rows: u64,
}

impl Writer {
    /// Starts a file in the format of its extension ([`Format::of`]). `-` is standard output, as JSONL; devices and pipes
    /// are written to where they are.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        let stream = output::is_stream(path);
        let sink = if stream {
            output::open_stream(path).and_then(|raw| Sink::new(raw, Format::Jsonl))
        } else {
            output::open_partial(path).and_then(|file| {
                file.set_len(0)?;
                Sink::new(Box::new(file), Format::of(path))
            })
        };
        let sink = sink.map_err(failed(path, "cannot be created"))?;
        Ok(Self { path: path.to_owned(), stream, sink, rows: 0 })
    }

    /// Appends a row: anything that serialises as a JSON object.
    pub fn write(&mut self, row: &impl Serialize) -> Result<(), WriteError> {
        let fail = failed(&self.path, "cannot be written");
        let sink = self.sink.writer();
        serde_json::to_writer(&mut *sink, row).map_err(|error| fail(error.into()))?;
        sink.write_all(b"\n").map_err(&fail)?;
        self.rows += 1;
        Ok(())
    }

    /// Number of rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Completes the file and gives it its name.
    pub fn finish(self) -> Result<(), WriteError> {
        let fail = failed(&self.path, "cannot be completed");
        self.sink.finish().map_err(&fail)?;
        match Format::of(&self.path) {
            _ if self.stream => Ok(()),
            Format::Parquet => output::publish_rows(&self.path),
            _ => output::publish(&beside(&self.path, ".partial"), &self.path),
        }
        .map_err(fail)
    }
}
