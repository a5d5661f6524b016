//! The `stats.*` methods.

pub mod bootstrap;
pub mod kendall;
pub mod pass_at_k;
pub mod spearman;
