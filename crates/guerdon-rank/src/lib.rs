//! Comparisons to ratings; tournaments.

pub mod rank;

include!(concat!(env!("OUT_DIR"), "/registry.rs"));
