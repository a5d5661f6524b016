//! The judges.

pub mod pairwise;
pub mod pointwise;
pub mod step;
pub mod verdict_parse;
