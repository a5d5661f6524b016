//! The `verify.*` methods: signals that need no model.

pub mod abstain;
pub mod bmas;
pub mod choice;
pub mod choice_probability;
pub mod column;
pub mod consensus;
pub mod constraint_nli;
mod cues;
pub mod exact_match;
pub mod format;
pub mod grounding;
pub mod knowledge;
pub mod length;
pub mod likelihood;
pub mod math;
pub mod nonempty_answer;
pub mod number;
pub mod perplexity_gain;
pub mod phrases;
pub mod rank_failures;
mod records;
pub mod refusal;
pub mod relaxed_number;
pub mod repetition;
pub mod steering;
pub mod unique_solution;
pub mod verbal_probability;
