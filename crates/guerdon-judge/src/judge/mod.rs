//! The judges.

pub mod pointwise;
pub mod step;
