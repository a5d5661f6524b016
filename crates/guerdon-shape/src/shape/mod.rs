//! The `shape.*` methods: scores to reward.

pub mod combine;
pub mod curve;
pub mod par;
pub mod weights;
