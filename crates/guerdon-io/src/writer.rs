//! Results into files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::error::WriteError;

/// How rows are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// The same, compressed with gzip.
    Gzip,
    /// The same, compressed with Zstandard.
    Zstd,
    /// Parquet.
    Parquet,
}

impl Format {
    /// The format that a file's extension asks for; JSONL when it asks for none.
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("gz") => Self::Gzip,
            Some("zst") => Self::Zstd,
            Some("parquet") => Self::Parquet,
            _ => Self::Jsonl,
        }
    }
}

pub(crate) fn failed(file: &Path, action: &'static str) -> impl Fn(io::Error) -> WriteError {
    let file: Arc<str> = file.display().to_string().into();
    move |source| WriteError { file: file.clone(), action, source }
}

/// The name of an output that is under way.
pub(crate) fn partial_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// Writes rows. The file appears under its name when [`Writer::finish`] returns; until then, and after a crash, there is
/// only `<name>.partial`.
pub struct Writer {
    path: PathBuf,
    partial: Option<PathBuf>,
    sink: Sink,
    rows: u64,
}

enum Sink {
    Plain(BufWriter<Box<dyn Write + Send>>),
    Gzip(flate2::write::GzEncoder<BufWriter<Box<dyn Write + Send>>>),
    Zstd(zstd::stream::write::Encoder<'static, BufWriter<Box<dyn Write + Send>>>),
}

impl Writer {
    /// Starts a file in the format of its extension; `-` is standard output, as JSONL.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        let fail = failed(path, "cannot be created");
        let special =
            path.as_os_str() == "-" || fs::metadata(path).is_ok_and(|meta| !meta.is_file());
        let partial = (!special).then(|| partial_name(path));
        let raw: Box<dyn Write + Send> = match &partial {
            Some(partial) => Box::new(File::create(partial).map_err(&fail)?),
            None if path.as_os_str() == "-" => Box::new(io::stdout()),
            None => Box::new(File::options().write(true).open(path).map_err(&fail)?),
        };
        let raw = BufWriter::with_capacity(256 << 10, raw);
        let sink = match Format::of(path) {
            Format::Gzip => {
                Sink::Gzip(flate2::write::GzEncoder::new(raw, flate2::Compression::default()))
            }
            Format::Zstd => Sink::Zstd(zstd::stream::write::Encoder::new(raw, 0).map_err(&fail)?),
            Format::Jsonl | Format::Parquet => Sink::Plain(raw),
        };
        Ok(Self { path: path.to_owned(), partial, sink, rows: 0 })
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
        if let Some(partial) = &self.partial {
            File::open(partial).and_then(|file| file.sync_all()).map_err(&fail)?;
            fs::rename(partial, &self.path).map_err(&fail)?;
        }
        Ok(())
    }
}

impl Sink {
    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Plain(sink) => sink,
            Self::Gzip(sink) => sink,
            Self::Zstd(sink) => sink,
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut sink) => sink.flush(),
            Self::Gzip(sink) => sink.finish()?.flush(),
            Self::Zstd(sink) => sink.finish()?.flush(),
        }
    }
}
