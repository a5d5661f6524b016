//! The `data.*` methods: what a learner is fed.

pub mod curriculum;
pub mod hint;
pub mod mix;
pub mod prompt_pairing;
pub mod prompt_select;
pub mod rank_surprisal;
pub mod rejection_sampling;
pub mod std_filter;
