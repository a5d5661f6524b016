//! The `verify.*` methods: signals that need no model.

pub mod exact_match;
