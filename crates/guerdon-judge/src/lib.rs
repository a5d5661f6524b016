//! Judges: protocols that ask a language model, and the client that asks.

pub mod judge;

include!(concat!(env!("OUT_DIR"), "/registry.rs"));
