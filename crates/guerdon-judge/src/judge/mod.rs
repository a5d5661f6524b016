//! The judges.

pub mod pointwise;
