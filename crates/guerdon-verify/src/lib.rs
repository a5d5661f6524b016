//! Signals that need no model.

pub mod math;
pub mod verify;

include!(concat!(env!("OUT_DIR"), "/registry.rs"));
