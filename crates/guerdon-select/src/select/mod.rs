//! The `select.*` methods.

pub mod adaptive_vote;
pub mod best_of_n;
pub mod calibrated_choice;
pub mod cascade;
pub mod consensus_game;
pub mod dpp;
pub mod early_exit;
pub mod knockout;
pub mod reject;
pub mod restart;
pub mod rpc;
pub mod test_matrix;
pub mod vote;
