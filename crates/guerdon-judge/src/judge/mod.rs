//! The judges.

pub mod pointwise;
pub mod step;
pub mod verdict_parse;
