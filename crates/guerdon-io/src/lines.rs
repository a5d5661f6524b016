//! Text cut into lines: bounded, a chunk at a time.

use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;

use serde_json::{Map, Value};

use crate::error::Problem;

const CHUNK_BYTES: usize = 4 << 20;
const CHUNK_LINES: usize = 1 << 12;
const READ_BYTES: usize = 256 << 10;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Several rows; the text of those that come from text stands end to end in `bytes`.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    pub(crate) bytes: Vec<u8>,
    pub(crate) rows: Vec<RawRow>,
}

impl Chunk {
    /// Whether the chunk holds as much as one should.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= CHUNK_BYTES || self.rows.len() >= CHUNK_LINES
    }
}

/// What a row holds before it is parsed.
#[derive(Debug)]
pub(crate) enum Content {
    /// Text, and where it stands in the chunk.
    Text(Range<usize>),
    /// A line that exceeds the limit.
    TooLong,
    /// A row of a table.
    Columns(Result<Map<String, Value>, Problem>),
}

/// One line that is not blank, or one row of a table.
#[derive(Debug)]
pub(crate) struct RawRow {
    /// Line (or row of a table) in the file, from 1.
    pub(crate) number: u64,
    /// How many rows precede it.
    pub(crate) row: u64,
    /// Where it starts in the decompressed text.
    pub(crate) offset: u64,
    pub(crate) content: Content,
}

/// Cuts a stream into chunks of lines. Chunks depend on the text alone.
pub(crate) struct Lines {
    input: BufReader<Box<dyn Read + Send>>,
    max_line: usize,
    offset: u64,
    number: u64,
    rows: u64,
    failed: Option<io::Error>,
    ended: bool,
}

impl Lines {
    pub(crate) fn new(input: Box<dyn Read + Send>, max_line: usize) -> Self {
        Self {
            input: BufReader::with_capacity(READ_BYTES, input),
            max_line,
            offset: 0,
            number: 0,
            rows: 0,
            failed: None,
            ended: false,
        }
    }

    /// The number of the last whole line.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The next lines; an empty chunk at the end. Lines before an error are returned before it.
    pub(crate) fn next_chunk(&mut self) -> io::Result<Chunk> {
        let mut chunk = Chunk::default();
        while !self.ended && !chunk.is_full() {
            match self.failed.take().map_or_else(|| self.line(&mut chunk), Err) {
                Ok(()) => {}
                Err(error) if chunk.rows.is_empty() => {
                    self.ended = true;
                    return Err(error);
                }
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        Ok(chunk)
    }

    /// Appends the next line unless it is blank.
    fn line(&mut self, chunk: &mut Chunk) -> io::Result<()> {
        let from = chunk.bytes.len();
        let (length, fits) = self.take_line(&mut chunk.bytes)?;
        if length == 0 {
            self.ended = true;
            return Ok(());
        }
        let offset = self.offset;
        self.offset += length;
        self.number += 1;
        let skip = if offset == 0 && chunk.bytes[from..].starts_with(BOM) { BOM.len() } else { 0 };
        if fits && chunk.bytes[from + skip..].trim_ascii().is_empty() {
            chunk.bytes.truncate(from);
            return Ok(());
        }
        let content =
            if fits { Content::Text(from + skip..chunk.bytes.len()) } else { Content::TooLong };
        let offset = offset + skip as u64;
        chunk.rows.push(RawRow { number: self.number, row: self.rows, offset, content });
        self.rows += 1;
        Ok(())
    }

    /// Appends the bytes up to the next newline to `out`, or nothing when they exceed the limit; returns how many bytes
    /// went by and whether they fitted.
    fn take_line(&mut self, out: &mut Vec<u8>) -> io::Result<(u64, bool)> {
        let from = out.len();
        let (mut length, mut fits) = (0_u64, true);
        loop {
            let available = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    out.truncate(from);
                    return Err(error);
                }
                Ok(available) => available,
            };
            let newline = memchr::memchr(b'\n', available);
            let used = newline.map_or(available.len(), |at| at + 1);
            fits = fits && out.len() - from + used <= self.max_line.saturating_add(1);
            if fits {
                out.extend_from_slice(&available[..used]);
            } else {
                out.truncate(from);
            }
            self.input.consume(used);
            length += used as u64;
            if newline.is_some() || used == 0 {
                return Ok((length, fits));
            }
        }
    }
}
