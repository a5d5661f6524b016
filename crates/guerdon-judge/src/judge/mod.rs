//! The `judge.*` methods.
