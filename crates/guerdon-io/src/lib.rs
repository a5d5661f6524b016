//! Reading rollouts and writing results: streaming, bounded, and whole or not at all.
//!
//! [`open`] reads JSONL (plain, gzip, Zstandard, standard input) and Parquet in batches of whole groups; memory does not
//! grow with the number of rows, but for some 35 bytes per group that has passed, by which a group that reappears is
//! recognised. [`Writer`] writes a file in one go; [`Journal`] writes one over as many runs as it takes.
//!
//! ```
//! use guerdon_io::{Mapping, ReadOptions, Writer, open};
//! use serde_json::json;
//!
//! let directory = tempfile::tempdir()?;
//! let (input, output) = (directory.path().join("rollouts.jsonl"), directory.path().join("out.parquet"));
//! std::fs::write(&input, "{\"question\": \"1 + 1\", \"response\": \"2\", \"gold\": 2}\n")?;
//!
//! let mut reader = open(&input, &Mapping::default(), &ReadOptions::default())?;
//! let mut writer = Writer::create(&output)?;
//! while let Some(batch) = reader.next_batch(1000)? {
//!     for rollout in &batch.rollouts {
//!         let right = rollout.reference_text().is_some_and(|gold| gold == rollout.text());
//!         writer.write(&json!({"id": rollout.id, "reward": if right { 1.0 } else { 0.0 }}))?;
//!     }
//! }
//! writer.finish()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod convert;
mod error;
mod gather;
mod groups;
mod journal;
mod lines;
mod mapping;
mod memory;
mod output;
mod parse;
mod plan;
mod reader;
mod skipped;
mod source;
mod table;
mod value;
mod whole;
mod writer;

pub use error::{BadRow, Place, Problem, ReadError, WriteError};
pub use journal::{Journal, Start};
pub use mapping::{Mapping, Shape};
pub use memory::rollouts_from_values;
pub use output::Format;
pub use reader::{Batch, OnBadRow, Progress, ReadOptions, Reader, open};
pub use skipped::{Skipped, SkippedRows};
pub use whole::write_whole;
pub use writer::Writer;
