//! Scores to reward to advantage: shaping, combination, calibration, credit.

pub mod advantage;
pub mod moments;
pub mod shape;

include!(concat!(env!("OUT_DIR"), "/registry.rs"));
