//! The `shape.*` methods: scores to reward.

pub mod combine;
pub mod curve;
pub mod length_penalty;
pub mod normalize;
pub mod par;
pub mod reference;
pub mod state;
pub mod success;
pub mod weights;
