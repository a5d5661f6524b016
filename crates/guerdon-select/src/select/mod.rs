//! The `select.*` methods.
