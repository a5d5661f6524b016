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
