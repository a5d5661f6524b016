//! Spending reward at test time: choosing among candidates.

pub mod select;

include!(concat!(env!("OUT_DIR"), "/registry.rs"));
