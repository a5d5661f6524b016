//! Files that appear whole or not at all: what the writer and the journal share.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::convert;
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
    /// Parquet. A column takes the least type that holds all its values; values of several types, whole numbers above
    /// 2^63 and empty objects become JSON text; keys that some rows lack are null in them.
    Parquet,
}

impl Format {
    /// The format that a file's extension asks for (`.gz`, `.zst`, `.parquet`); JSONL when it asks for none.
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(OsStr::to_str) {
            Some("gz") => Self::Gzip,
            Some("zst") => Self::Zstd,
            Some("parquet") => Self::Parquet,
            _ => Self::Jsonl,
        }
    }
}

/// Turns what the system says into an error that names the file.
pub(crate) fn failed(
    file: &Path,
    action: &'static str,
) -> impl Fn(io::Error) -> WriteError + use<> {
    let file: Arc<str> = file.display().to_string().into();
    move |source| WriteError { file: file.clone(), action, source }
}

/// `path` with `suffix` after its name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Whether `path` is standard output, or a device or pipe that is written to where it is.
pub(crate) fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
        || fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
}

/// Opens what [`is_stream`] recognises.
pub(crate) fn open_stream(path: &Path) -> io::Result<Box<dyn Write + Send>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdout()));
    }
    Ok(Box::new(File::options().write(true).open(path)?))
}

/// Opens `<path>.partial` for this process alone, with what is in it.
pub(crate) fn open_partial(path: &Path) -> io::Result<File> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let partial = beside(path, ".partial");
    let file = File::options().read(true).write(true).create(true).truncate(false).open(partial)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => {
            Err(io::Error::new(io::ErrorKind::ResourceBusy, "another run is writing this file"))
        }
        Err(fs::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            Ok(file)
        }
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Gives the JSONL rows in `<path>.partial` their format and their name.
pub(crate) fn publish_rows(path: &Path) -> io::Result<()> {
    let partial = beside(path, ".partial");
    if Format::of(path) == Format::Jsonl {
        return publish(&partial, path);
    }
    let converted = beside(path, ".partial.out");
    let result = convert_rows(&partial, &converted, Format::of(path));
    if result.is_err() {
        // The rows are still in `.partial`; what was made of them is of no use.
        let _ = fs::remove_file(&converted);
    }
    result?;
    publish(&converted, path)?;
    fs::remove_file(&partial)
}

fn convert_rows(partial: &Path, out: &Path, format: Format) -> io::Result<()> {
    let mut rows = File::open(partial)?;
    if format == Format::Parquet {
        return convert::parquet(rows, out);
    }
    let mut sink = Sink::new(Box::new(File::create(out)?), format)?;
    io::copy(&mut rows, sink.writer())?;
    sink.finish()
}

/// Renames a complete file, and sees both to the disk.
pub(crate) fn publish(from: &Path, to: &Path) -> io::Result<()> {
    File::open(from)?.sync_all()?;
    fs::rename(from, to)?;
    if let Some(directory) = to.parent() {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        // Not every system can open a directory; the rename is done all the same.
        let _ = File::open(directory).and_then(|directory| directory.sync_all());
    }
    Ok(())
}

type Raw = BufWriter<Box<dyn Write + Send>>;

/// A stream in one of the text formats.
pub(crate) enum Sink {
    Plain(Raw),
    Gzip(flate2::write::GzEncoder<Raw>),
    Zstd(zstd::stream::write::Encoder<'static, Raw>),
}

impl Sink {
    /// Parquet rows go into a stream as JSONL first.
    pub(crate) fn new(raw: Box<dyn Write + Send>, format: Format) -> io::Result<Self> {
        let raw = BufWriter::with_capacity(256 << 10, raw);
        Ok(match format {
            Format::Gzip => {
                Self::Gzip(flate2::write::GzEncoder::new(raw, flate2::Compression::default()))
            }
            Format::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(raw, 0)?),
            Format::Jsonl | Format::Parquet => Self::Plain(raw),
        })
    }

    pub(crate) fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Plain(sink) => sink,
            Self::Gzip(sink) => sink,
            Self::Zstd(sink) => sink,
        }
    }

    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut sink) => sink.flush(),
            Self::Gzip(sink) => sink.finish()?.flush(),
            Self::Zstd(sink) => sink.finish()?.flush(),
        }
    }
}
