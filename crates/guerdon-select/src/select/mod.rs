//! The `select.*` methods.

pub mod best_of_n;
pub mod vote;
