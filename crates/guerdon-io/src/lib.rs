//! Reading rollouts and writing results: streaming, bounded, and whole or not at all.

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
