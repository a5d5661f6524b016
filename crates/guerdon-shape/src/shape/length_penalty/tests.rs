//! Worked prices of the papers, and the controller.

use guerdon_core::method::{Params as _, Transform as _};
use guerdon_core::{Column, Frame, Groups, View};
use serde_json::{Value, json};

use super::{LengthPenalty, Pricer};

fn build(params: Value) -> Pricer {
    let params: LengthPenalty = serde_json::from_value(params).unwrap();
    params.validate().unwrap();
    params.transform()
}

fn apply(pricer: &mut Pricer, rewards: &[f64], lengths: &[f64]) -> Vec<f64> {
    let mut frame = Frame::new(Groups::one(rewards.len()));
    frame.insert("length", Column::full(lengths.to_vec())).unwrap();
    let current = Column::full(rewards.to_vec());
    let view = View { frame: &frame, current: Some(&current), seed: 0 };
    pricer.apply(&view).unwrap().iter().flatten().collect()
}

fn check(params: Value, rewards: &[f64], lengths: &[f64], expect: &[f64]) {
    let own = apply(&mut build(params), rewards, lengths);
    assert!(own.iter().zip(expect).all(|(a, e)| (a - e).abs() < 5e-5), "{own:?}, not {expect:?}");
}

#[test]
fn the_controller_prices_length_while_the_policy_is_ahead() {
    let mut pricer = build(json!({"preset": "a_dlp"}));
    let batch: Vec<f64> = (0..10).map(|i| f64::from(u8::from(i < 7))).collect();
    apply(&mut pricer, &batch, &[0.0; 10]);
    assert!((pricer.coefficient - 0.00108).abs() < 1e-12);
    let own = apply(&mut pricer.clone(), &[1.0, 0.0], &[800.0, 800.0]);
    assert!((own[0] - 0.136).abs() < 1e-9 && (own[1] + 0.864).abs() < 1e-9, "{own:?}");
    let mut failing = build(json!({"preset": "a_dlp"}));
    let coefficients: Vec<f64> = (0..2)
        .map(|_| {
            apply(&mut failing, &[0.0], &[1.0]);
            failing.coefficient
        })
        .collect();
    assert!((coefficients[0] - 3.8e-4).abs() < 1e-12 && coefficients[1] == 0.0);
}

#[test]
fn relative_prices_spare_or_punish_the_wrong() {
    let lambda = json!({"preset": "grpo_lambda"});
    check(
        lambda,
        &[1.0, 1.0, 1.0, 0.0],
        &[100.0, 200.0, 300.0, 900.0],
        &[0.9546, 0.9, 0.845_42, 0.0],
    );
    let kimi = json!({"preset": "kimi"});
    check(kimi, &[1.0, -0.5, 1.0, -0.5], &[100.0, 200.0, 300.0, 500.0], &[1.2, -0.5, 1.0, -0.7]);
}

#[test]
fn the_format_length_surrogate() {
    let params = json!({"preset": "format_length"});
    check(params, &[0.5, 0.0, 0.0], &[768.0, 768.0, 3072.0], &[1.25, 0.0, -1.0]);
}

#[test]
fn the_cosine_of_long_reasoning_punishes_the_limit() {
    let params = json!({"preset": "cosine", "max": 100});
    check(params, &[1.0, 1.0, 0.0, 1.0], &[0.0, 50.0, 0.0, 100.0], &[2.0, 1.5, -10.0, -10.0]);
}

#[test]
fn a_buffer_of_nothing_needs_a_floor() {
    let params = |preset: &str| -> LengthPenalty {
        serde_json::from_value(json!({"preset": preset, "buffer": 0})).unwrap()
    };
    assert!(params("trl").validate().is_ok() && params("verl").validate().is_err());
}

#[test]
fn a_linear_price_of_zero_changes_nothing() {
    check(json!({"preset": "s_dlp", "coefficient": 0}), &[1.0, 0.2], &[10.0, 1000.0], &[1.0, 0.2]);
}
