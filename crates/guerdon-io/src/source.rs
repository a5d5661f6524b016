//! Where rows come from: opening, telling the format, decompressing, counting bytes.

use std::fs::{File, Metadata};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use crate::error::ReadError;
use crate::gather::Gathered;
use crate::lines::{Chunk, Lines};
use crate::table::Table;

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
    pub(crate) name: Arc<str>,
    pub(crate) kind: Kind,
    /// How many bytes have been read of the file as it stands.
    pub(crate) read: Arc<AtomicU64>,
    /// How many there are, where known.
    pub(crate) total: Option<u64>,
    /// Stands for the content of a regular file.
    pub(crate) fingerprint: Option<u64>,
    /// A second handle on a regular file.
    pub(crate) file: Option<File>,
    bytes: Box<dyn Read + Send>,
}

impl Input {
    /// Opens a file; `-` is standard input.
    pub(crate) fn open(path: &Path) -> Result<Self, ReadError> {
        let name: Arc<str> = path.display().to_string().into();
        Self::try_open(path, name.clone()).map_err(|source| ReadError::Open { file: name, source })
    }

    fn try_open(path: &Path, name: Arc<str>) -> io::Result<Self> {
        let (mut raw, mut regular): (Box<dyn Read + Send>, _) = (Box::new(io::stdin()), None);
        if path.as_os_str() != "-" {
            let file = File::open(path)?;
            let meta = file.metadata()?;
            if meta.is_dir() {
                return Err(io::Error::from(io::ErrorKind::IsADirectory));
            }
            if meta.is_file() {
                regular = Some((File::open(path)?, meta));
            }
            raw = Box::new(file);
        }
        let read = Arc::new(AtomicU64::new(0));
        let mut counted = Counted { inner: raw, read: read.clone() };
        let mut head = Vec::new();
        counted.by_ref().take(4).read_to_end(&mut head)?;
        let kind = Kind::of(&head);
        let bytes = Box::new(Cursor::new(head).chain(counted));
        let total = regular.as_ref().map(|(_, meta)| meta.len());
        let fingerprint =
            regular.as_mut().map(|(file, meta)| fingerprint(file, meta)).transpose()?;
        let file = regular.map(|(file, _)| file);
        Ok(Self { name, kind, read, total, fingerprint, file, bytes })
    }

    /// The rows. Parquet that is not in a regular file is copied to a temporary one.
    pub(crate) fn into_rows(mut self, max_row_bytes: usize) -> Result<Rows, ReadError> {
        let fail = |source| ReadError::Open { file: self.name.clone(), source };
        let text: Box<dyn Read + Send> = match self.kind {
            Kind::Plain => self.bytes,
            Kind::Gzip => Box::new(flate2::read::MultiGzDecoder::new(self.bytes)),
            Kind::Zstd => Box::new(zstd::stream::read::Decoder::new(self.bytes).map_err(fail)?),
            Kind::Parquet => {
                let file = match self.file {
                    Some(file) => file,
                    None => copy(&mut self.bytes).map_err(|source| ReadError::Spill { source })?,
                };
                return Ok(Rows::Table(Table::open(file, &self.name, self.read)?));
            }
        };
        Ok(Rows::Text {
            lines: Lines::new(text, max_row_bytes),
            compressed: self.kind != Kind::Plain,
        })
    }
}

fn copy(bytes: &mut dyn Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(bytes, &mut file)?;
    Ok(file)
}

/// Rows on their way from a source.
pub(crate) enum Rows {
    Text { lines: Lines, compressed: bool },
    Table(Table),
    Gathered(Gathered),
}

impl Rows {
    /// The next rows; an empty chunk at the end.
    pub(crate) fn next_chunk(&mut self, file: &Arc<str>) -> Result<Chunk, ReadError> {
        match self {
            Self::Table(table) => table.next_chunk(),
            Self::Gathered(rows) => rows.next_chunk().map_err(|source| ReadError::Io {
                file: file.clone(),
                line: 0,
                source,
            }),
            Self::Text { lines, compressed } => lines.next_chunk().map_err(|source| {
                let (file, line) = (file.clone(), lines.number());
                match compressed {
                    true => ReadError::Truncated { file, line, source },
                    false => ReadError::Io { file, line, source },
                }
            }),
        }
    }

    /// Whether places are rows of a table.
    pub(crate) fn is_table(&self) -> bool {
        matches!(self, Self::Table(_))
    }
}

/// `done` rows of `rows`, in bytes of a file that has `bytes`.
pub(crate) fn share(done: u64, rows: u64, bytes: u64) -> u64 {
    let share = u128::from(done.min(rows)) * u128::from(bytes) / u128::from(rows.max(1));
    u64::try_from(share).unwrap_or(bytes)
}

/// Stands for a file's content: its length, time of change, and first and last 64 KiB.
fn fingerprint(file: &mut File, meta: &Metadata) -> io::Result<u64> {
    const END: u64 = 64 << 10;
    let mut hash = Fnv::default();
    hash.feed(&meta.len().to_le_bytes());
    if let Ok(age) = meta.modified().map(|time| time.duration_since(SystemTime::UNIX_EPOCH)) {
        hash.feed(&age.unwrap_or_default().as_nanos().to_le_bytes());
    }
    for start in [0, meta.len().saturating_sub(END)] {
        let mut part = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        file.take(END).read_to_end(&mut part)?;
        hash.feed(&part);
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(hash.0)
}

/// FNV-1a in 64 bits: the same on every platform and in every version, as what outlives a run must be.
pub(crate) struct Fnv(pub(crate) u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
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
