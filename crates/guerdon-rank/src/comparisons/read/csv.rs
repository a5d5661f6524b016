//! A streaming CSV scanner: one pass over the bytes, no allocation per row.

use std::io::Read;

use guerdon_core::MethodError;

use super::{CHUNK, Fields, at_line, io};

/// The longest record, in bytes.
const LONGEST: usize = 1 << 26;

pub(super) struct Scanner<R> {
    from: R,
    buffer: Vec<u8>,
    /// The part of the buffer that is not scanned yet.
    start: usize,
    end: usize,
    finished: bool,
    delimiter: u8,
    /// Line on which the next record starts, from 1.
    line: u64,
    fields: Vec<(usize, usize)>,
}

impl<R: Read> Scanner<R> {
    pub(super) fn new(from: R) -> Self {
        Self {
            from,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            finished: false,
            delimiter: b',',
            line: 1,
            fields: Vec::new(),
        }
    }

    /// Reads the header, having guessed the delimiter from it.
    pub(super) fn header(&mut self) -> Result<Vec<String>, MethodError> {
        while !self.buffer[self.start..self.end].contains(&b'\n') && self.fill()? {}
        let first = self.buffer[self.start..self.end]
            .split(|b| *b == b'\n')
            .find(|line| !line.trim_ascii().is_empty());
        let first = first.ok_or_else(|| MethodError::domain("there is nothing in it"))?;
        let times = |d: u8| first.split(|b| *b == d).count();
        // The first of the most frequent: a comma when there is none at all.
        self.delimiter =
            [b',', b'\t', b';', b'|'].into_iter().rev().max_by_key(|d| times(*d)).unwrap_or(b',');
        let mut header = Vec::new();
        if self.record()? {
            for at in 0..self.fields.len() {
                let name = std::str::from_utf8(self.bytes(at));
                header.push(
                    name.map_err(|_| at_line(1, "the header is not UTF-8"))?.trim().to_owned(),
                );
            }
        }
        Ok(header)
    }

    /// Calls `row` with the line and the fields of every record that follows. Every record needs `least` fields.
    pub(super) fn each(
        &mut self,
        least: usize,
        mut row: impl FnMut(u64, &Self) -> Result<(), MethodError>,
    ) -> Result<(), MethodError> {
        loop {
            let line = self.line;
            if !self.record()? {
                return Ok(());
            }
            if self.fields.len() < least {
                let found = self.fields.len();
                return Err(at_line(
                    line,
                    format!("it has {found} fields where at least {least} are needed"),
                ));
            }
            row(line, self)?;
        }
    }

    fn bytes(&self, at: usize) -> &[u8] {
        let (from, to) = self.fields[at];
        &self.buffer[from..to]
    }

    /// Reads more; gives whether there was more.
    fn fill(&mut self) -> Result<bool, MethodError> {
        if self.finished {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            if self.buffer.len() >= LONGEST {
                return Err(at_line(
                    self.line,
                    "a record is longer than 64 MB: is a quote missing?",
                ));
            }
            self.buffer.resize(2 * self.buffer.len(), 0);
        }
        let got = self.from.read(&mut self.buffer[self.end..]).map_err(|error| io(&error))?;
        self.end += got;
        self.finished = got == 0;
        Ok(got > 0)
    }

    /// Scans the next record that is not blank into `fields`; gives whether there was one.
    fn record(&mut self) -> Result<bool, MethodError> {
        loop {
            match self.scan() {
                Scan::More => {
                    if !self.fill()? {
                        return self.last();
                    }
                }
                Scan::Record { next, lines } => {
                    self.start = next;
                    self.line += lines;
                    if !self.blank() {
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// The record at the end of the input, which no line break ends.
    fn last(&mut self) -> Result<bool, MethodError> {
        if self.start == self.end {
            return Ok(false);
        }
        if self.end == self.buffer.len() {
            self.buffer.push(0);
        }
        self.buffer[self.end] = b'\n';
        self.end += 1;
        match self.scan() {
            Scan::Record { next, .. } => {
                self.start = next;
                Ok(!self.blank())
            }
            Scan::More => Err(at_line(self.line, "a quote is not closed")),
        }
    }

    fn blank(&self) -> bool {
        self.fields.len() == 1 && self.bytes(0).trim_ascii().is_empty()
    }

    /// Scans one record; nothing is consumed when it does not end within the buffer.
    fn scan(&mut self) -> Scan {
        self.fields.clear();
        let mut from = self.start;
        let bytes = &self.buffer[..self.end];
        for (offset, &byte) in bytes[from..].iter().enumerate() {
            if byte == self.delimiter {
                self.fields.push((from, self.start + offset));
                from = self.start + offset + 1;
            } else if byte == b'\n' {
                let at = self.start + offset;
                let to = if at > from && bytes[at - 1] == b'\r' { at - 1 } else { at };
                self.fields.push((from, to));
                return Scan::Record { next: at + 1, lines: 1 };
            } else if byte == b'"' && self.start + offset == from {
                return self.scan_quoted();
            }
        }
        Scan::More
    }

    /// As [`Scanner::scan`], for a record with a quoted field: quotes are taken away within the buffer, which only makes
    /// fields shorter, and only once the record is known to be whole.
    fn scan_quoted(&mut self) -> Scan {
        let Some((end, lines)) = self.end_of_quoted() else { return Scan::More };
        self.fields.clear();
        let mut read = self.start;
        while read <= end {
            let from = read;
            let mut write = read;
            let quoted = self.buffer[read] == b'"';
            read += usize::from(quoted);
            let mut inside = quoted;
            while read < end && (inside || self.buffer[read] != self.delimiter) {
                let byte = self.buffer[read];
                read += 1;
                if inside && byte == b'"' {
                    if self.buffer[read] == b'"' && read < end {
                        read += 1;
                    } else {
                        inside = false;
                        continue;
                    }
                }
                self.buffer[write] = byte;
                write += 1;
            }
            let carriage = read == end && write > from && self.buffer[write - 1] == b'\r';
            self.fields.push((from, write - usize::from(carriage)));
            read += 1;
        }
        Scan::Record { next: end + 1, lines }
    }

    /// Where the record's line break stands, and how many lines it spans.
    fn end_of_quoted(&self) -> Option<(usize, u64)> {
        let (mut inside, mut lines) = (false, 1);
        for (offset, &byte) in self.buffer[self.start..self.end].iter().enumerate() {
            match byte {
                b'"' => inside = !inside,
                b'\n' if inside => lines += 1,
                b'\n' => return Some((self.start + offset, lines)),
                _ => {}
            }
        }
        None
    }
}

impl<R: Read> Fields for Scanner<R> {
    fn field(&self, at: usize) -> Result<&[u8], String> {
        Ok(self.bytes(at))
    }
}

enum Scan {
    /// The record ends beyond the buffer.
    More,
    Record {
        next: usize,
        lines: u64,
    },
}
