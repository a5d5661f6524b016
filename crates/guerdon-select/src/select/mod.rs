//! The `select.*` methods.

pub mod adaptive_vote;
pub mod best_of_n;
pub mod rpc;
pub mod test_matrix;
pub mod vote;
