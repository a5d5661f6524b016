//! The `advantage.*` methods.
