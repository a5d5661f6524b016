//! The `rank.*` methods.
