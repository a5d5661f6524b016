//! Reading rollouts and writing results: streaming, bounded, and whole or not at all.

mod error;
mod lines;
mod mapping;
mod parse;
mod plan;
mod reader;
mod source;
mod value;
mod writer;

pub use error::{BadRow, Place, Problem, ReadError, WriteError};
pub use mapping::{Mapping, Shape};
pub use reader::{Batch, OnBadRow, Progress, ReadOptions, Reader, Skipped, SkippedRows, open};
pub use writer::{Format, Writer};
