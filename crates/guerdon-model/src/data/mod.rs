//! The `data.*` methods: what a learner is fed.

pub mod capability_style;
pub mod constraint_tree;
pub mod correction;
pub mod curriculum;
pub mod error_injection;
pub mod failure_segments;
pub mod hint;
pub mod influence;
pub mod mix;
pub mod pair_filter;
pub mod preference_pairs;
pub mod prompt_pairing;
pub mod prompt_select;
pub mod rank_surprisal;
pub mod rejection_sampling;
pub mod std_filter;
pub mod tree_pairs;
