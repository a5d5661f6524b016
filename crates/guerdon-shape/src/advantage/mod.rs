//! The `advantage.*` methods: a reward becomes what the trainer multiplies the gradient with.

pub mod asymmetric;
pub mod cross_episode;
pub mod filter;
pub mod gae;
pub mod gdpo;
pub mod gpg;
pub mod grpo;
pub mod maxrl;
pub mod opo;
pub mod otb;
pub mod pair_norm;
pub mod pass_k;
pub mod progress;
pub mod reinforce_pp;
pub mod remax;
pub mod return_to_go;
pub mod rloo;
pub mod rules;
pub mod sign_weight;
pub mod tokens;
pub mod tournament;
pub mod tree;
pub mod turn;
