//! The `verify.*` methods: signals that need no model.

pub mod choice;
pub mod column;
pub mod exact_match;
pub mod format;
pub mod length;
pub mod math;
pub mod number;
