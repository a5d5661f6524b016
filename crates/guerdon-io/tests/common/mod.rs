//! Helpers that the tests share.
#![allow(dead_code, reason = "each test binary uses some of them")]

use std::fs;
use std::path::{Path, PathBuf};

use guerdon_core::Rollout;
use guerdon_io::{Batch, Mapping, OnBadRow, ReadError, ReadOptions, Reader, open};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A file in a directory of its own, which goes with it.
pub(crate) struct Input {
    pub(crate) dir: TempDir,
    pub(crate) path: PathBuf,
}

pub(crate) fn input(name: &str, bytes: impl AsRef<[u8]>) -> Input {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    Input { dir, path }
}

pub(crate) fn mapping(value: Value) -> Mapping {
    serde_json::from_value(value).unwrap()
}

pub(crate) fn reader(path: &Path, map: Value, options: &ReadOptions) -> Result<Reader, ReadError> {
    open(path, &mapping(map), options)
}

pub(crate) fn batches(reader: &mut Reader, rows: usize) -> Result<Vec<Batch>, ReadError> {
    std::iter::from_fn(|| reader.next_batch(rows).transpose()).collect()
}

/// All rollouts of a JSONL text.
pub(crate) fn read_with(
    text: impl AsRef<[u8]>,
    map: Value,
    options: &ReadOptions,
) -> Result<Vec<Rollout>, ReadError> {
    let input = input("rollouts.jsonl", text);
    let mut reader = reader(&input.path, map, options)?;
    Ok(batches(&mut reader, 100)?.into_iter().flat_map(|batch| batch.rollouts).collect())
}

pub(crate) fn read(text: impl AsRef<[u8]>) -> Vec<Rollout> {
    read_with(text, json!({}), &ReadOptions::default()).unwrap()
}

/// The error of reading a JSONL text, without the directory.
pub(crate) fn error_with(text: impl AsRef<[u8]>, map: Value, options: &ReadOptions) -> String {
    let input = input("rollouts.jsonl", text);
    let result = reader(&input.path, map, options).and_then(|mut reader| batches(&mut reader, 100));
    let directory = format!("{}/", input.dir.path().display());
    result.unwrap_err().to_string().replace(&directory, "")
}

pub(crate) fn error(text: impl AsRef<[u8]>) -> String {
    error_with(text, json!({}), &ReadOptions::default())
}

pub(crate) fn skipping() -> ReadOptions {
    ReadOptions { on_bad_row: OnBadRow::Skip, ..ReadOptions::default() }
}

pub(crate) fn scanning() -> ReadOptions {
    ReadOptions { group_scan: true, ..ReadOptions::default() }
}

/// Numbers from a seed (`SplitMix64`).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    fn text(&mut self) -> String {
        let length = self.below(20);
        let mut any = || {
            let code = u32::try_from(self.below(0x11_0000)).unwrap() >> self.below(16);
            char::from_u32(code).unwrap_or('\u{fffd}')
        };
        (0..length).map(|_| any()).collect()
    }

    fn value(&mut self, depth: u32) -> Value {
        match self.below(if depth == 0 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => json!(self.below(2) == 0),
            2 => json!(self.roll().cast_signed() >> self.below(64)),
            3 => json!(f64::from_bits(self.roll())),
            4 => json!(self.text()),
            5 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            _ => (0..self.below(4)).map(|_| (self.text(), self.value(depth - 1))).collect(),
        }
    }
}

/// A row of any shape that can be read: the same for the same seed.
pub(crate) fn random_row(seed: u64) -> Value {
    let mut dice = Dice(seed);
    let mut row = json!({"completion": dice.text()});
    for column in 0..dice.below(6) {
        row[format!("c{column}")] = dice.value(3);
    }
    row
}

/// The lines that `row` makes of 0, 1, 2 and so on.
pub(crate) fn lines(count: u64, row: impl Fn(u64) -> String) -> String {
    (0..count).map(|i| row(i) + "\n").collect::<Vec<_>>().concat()
}
