//! The second pass of a group scan: rows in the order of their groups.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value};

use crate::lines::{Chunk, Content, RawRow};
use crate::source::share;

/// Where a row stands, in 40 bytes: the memory that a group scan needs per row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) group: u64,
    pub(crate) number: u64,
    pub(crate) row: u64,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// A temporary copy of rows that cannot be read twice where they are.
pub(crate) struct Spill {
    out: BufWriter<File>,
    bytes: u64,
}

impl Spill {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { out: BufWriter::with_capacity(256 << 10, tempfile::tempfile()?), bytes: 0 })
    }

    /// Appends a row; returns where it stands.
    pub(crate) fn push(&mut self, columns: &Map<String, Value>) -> io::Result<(u64, u64)> {
        let text = serde_json::to_vec(columns)?;
        self.out.write_all(&text)?;
        let offset = self.bytes;
        self.bytes += text.len() as u64;
        Ok((offset, text.len() as u64))
    }

    pub(crate) fn into_file(self) -> io::Result<File> {
        self.out.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

/// Reads rows in the order of their groups.
pub(crate) struct Gathered {
    file: BufReader<File>,
    at: u64,
    entries: std::vec::IntoIter<Entry>,
    count: u64,
    read: Arc<AtomicU64>,
    bytes: u64,
}

impl Gathered {
    /// The second pass counts as another `bytes` of progress.
    pub(crate) fn new(
        mut file: File,
        mut entries: Vec<Entry>,
        read: Arc<AtomicU64>,
        bytes: u64,
    ) -> io::Result<Self> {
        entries.sort_by_key(|entry| entry.group);
        file.seek(SeekFrom::Start(0))?;
        let count = entries.len() as u64;
        let file = BufReader::with_capacity(256 << 10, file);
        Ok(Self { file, at: 0, entries: entries.into_iter(), count, read, bytes })
    }

    /// The next rows; an empty chunk at the end.
    pub(crate) fn next_chunk(&mut self) -> io::Result<Chunk> {
        let mut chunk = Chunk::default();
        while !chunk.is_full() {
            let Some(entry) = self.entries.next() else { break };
            self.push(&mut chunk, entry)?;
        }
        let done = self.count - self.entries.len() as u64;
        self.read.store(self.bytes + share(done, self.count, self.bytes), Ordering::Relaxed);
        Ok(chunk)
    }

    fn push(&mut self, chunk: &mut Chunk, entry: Entry) -> io::Result<()> {
        // Positions in a file fit in 63 bits.
        self.file.seek_relative(entry.offset.cast_signed() - self.at.cast_signed())?;
        let from = chunk.bytes.len();
        let read = (&mut self.file).take(entry.length).read_to_end(&mut chunk.bytes)?;
        self.at = entry.offset + read as u64;
        if read as u64 != entry.length {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file has shrunk"));
        }
        let content = Content::Text(from..chunk.bytes.len());
        let Entry { number, row, offset, .. } = entry;
        chunk.rows.push(RawRow { number, row, offset, content });
        Ok(())
    }
}
