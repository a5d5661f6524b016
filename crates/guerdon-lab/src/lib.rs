//! The lab: simulated worlds in which rewards are tried before they cost anything.
//!
//! [`serve_model`] is a real OpenAI-compatible server whose models are simulated: solvers, judges and reward models with
//! known accuracy and known biases, and every fault that a network has.

pub mod serve_model;
