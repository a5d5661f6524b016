//! Training data that models make and judge: protocols of the family `data` that ask a model.
//!
//! They stand in this room since they are built from its contracts, prompts and conversations, and since what routes a
//! judge's verdicts to people reads these verdicts; the other methods of the family are in `guerdon-model`.

pub mod causal_pairs;
pub mod instruction_synth;
pub mod judged_pairs;
pub mod route;
