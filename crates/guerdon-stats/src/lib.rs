//! Statistics as pure functions with documented conventions.

pub mod stats;

include!(concat!(env!("OUT_DIR"), "/registry.rs"));
