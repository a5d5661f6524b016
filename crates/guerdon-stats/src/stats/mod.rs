//! The `stats.*` methods.
