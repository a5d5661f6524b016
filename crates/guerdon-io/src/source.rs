//! Where rows come from: opening, decompressing, counting bytes.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::ReadError;

/// What the first bytes say a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Gzip,
    Zstd,
    Parquet,
}

impl Kind {
    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd] => Self::Zstd,
            b"PAR1" => Self::Parquet,
            _ => Self::Plain,
        }
    }
}

/// An opened input.
pub(crate) struct Input {
    pub(crate) kind: Kind,
    /// The raw bytes, from the start.
    pub(crate) bytes: Box<dyn Read + Send>,
    /// How many raw bytes have been read.
    pub(crate) read: Arc<AtomicU64>,
    /// How many there are, where known.
    pub(crate) total: Option<u64>,
    /// The file, where it is a regular one.
    pub(crate) file: Option<File>,
}

/// Opens a file; `-` is standard input.
pub(crate) fn open(path: &Path, name: &Arc<str>) -> Result<Input, ReadError> {
    let fail = |source| ReadError::Open { file: name.clone(), source };
    let read = Arc::new(AtomicU64::new(0));
    let (raw, file): (Box<dyn Read + Send>, Option<File>) = if path.as_os_str() == "-" {
        (Box::new(io::stdin()), None)
    } else {
        let file = File::open(path).map_err(fail)?;
        let meta = file.metadata().map_err(fail)?;
        if meta.is_dir() {
            return Err(fail(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let regular = if meta.is_file() { Some(File::open(path).map_err(fail)?) } else { None };
        (Box::new(file), regular)
    };
    let total = file.as_ref().and_then(|file| file.metadata().ok()).map(|meta| meta.len());
    let mut counted = Counted { inner: raw, read: read.clone() };
    let mut head = Vec::new();
    counted.by_ref().take(4).read_to_end(&mut head).map_err(fail)?;
    let kind = Kind::of(&head);
    Ok(Input { kind, bytes: Box::new(Cursor::new(head).chain(counted)), read, total, file })
}

/// The text of an input that is not Parquet.
pub(crate) fn text(kind: Kind, bytes: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    Ok(match kind {
        Kind::Gzip => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
        Kind::Zstd => Box::new(zstd::stream::read::Decoder::new(bytes)?),
        Kind::Plain | Kind::Parquet => bytes,
    })
}

struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
