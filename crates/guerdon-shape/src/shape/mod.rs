//! The `shape.*` methods: scores to reward.

pub mod par;
