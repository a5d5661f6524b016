//! Worked combinations of the papers, and the rules for unscored signals, steps and values per step.

use guerdon_core::method::{Params as _, Transform as _};
use guerdon_core::{Column, Fine, Frame, Groups, Level, View};
use serde_json::{Value, json};

use super::{Combine, Combiner};

fn build(params: Value) -> Combiner {
    let params: Combine = serde_json::from_value(params).unwrap();
    params.validate().unwrap();
    params.transform()
}

fn frame(columns: &[(&str, &[Option<f64>])]) -> Frame {
    let mut frame = Frame::new(Groups::one(columns[0].1.len()));
    for (name, values) in columns {
        frame.insert(name, Column::from_options(values.iter().copied())).unwrap();
    }
    frame
}

fn apply(combiner: &mut Combiner, frame: &Frame) -> Column {
    combiner.apply(&View { frame, current: None, seed: 0 }).unwrap()
}

/// One rollout with these signals gets `expect`.
fn check(params: Value, signals: &[(&str, f64)], expect: f64) {
    let columns: Vec<_> = signals.iter().map(|(name, v)| (*name, [Some(*v)])).collect();
    let columns: Vec<_> = columns.iter().map(|(name, v)| (*name, v.as_slice())).collect();
    let own = apply(&mut build(params), &frame(&columns)).get(0).unwrap();
    assert!((own - expect).abs() < 5e-5, "{own}, not {expect}");
}

#[test]
fn worked_numbers_of_the_papers() {
    let harmo = json!({"weights": {"rule": "c", "model": "1 - c"}});
    check(harmo.clone(), &[("rule", 1.0), ("model", 0.4), ("c", 0.9)], 0.94);
    check(harmo.clone(), &[("rule", 1.0), ("model", 0.4), ("c", 1.0)], 1.0);
    check(harmo, &[("rule", 1.0), ("model", 0.4), ("c", 0.0)], 0.4);
    let flow = json!({"weights": {"pass": 0.6, "nodes": 0.2, "tokens": 0.2}});
    check(flow, &[("pass", 1.0), ("nodes", 0.5), ("tokens", 0.75)], 0.85);
    check(json!({"weights": {"em": 0.4, "cost": 0.6}}), &[("em", 1.0), ("cost", 0.4)], 0.64);
    check(json!({"weights": {"correct": 1, "sar": 0.2}}), &[("correct", 1.0), ("sar", 0.5)], 1.1);
    check(
        json!({"weights": {"f": 0.1, "a": 0.9, "s": 0.5}}),
        &[("f", 1.0), ("a", 1.0), ("s", 1.0)],
        1.5,
    );
    check(json!({"weights": {"env": 0.75, "d": 0.25}}), &[("env", 0.4), ("d", 1.0)], 0.55);
    check(json!({"weights": {"format": 1, "calls": 1}}), &[("format", 1.0), ("calls", 0.5)], 1.5);
    check(json!({"weights": {"r": 1, "logratio": -0.05}}), &[("r", 1.4), ("logratio", 3.0)], 1.25);
    let r3 = json!({"weights": {"rel": 1, "len": 1, "uniq": 1}, "op": "product"});
    check(r3, &[("rel", 0.7), ("len", 0.5), ("uniq", 0.75)], 0.2625);
    let navigation = json!({"weights": {"success": 5, "new": 0.02, "hit": -0.1, "progress": 0.05}, "constant": -0.05});
    check(navigation, &[("success", 1.0), ("new", 4.0), ("hit", 1.0), ("progress", 2.0)], 5.03);
    let target = json!({"weights": {"a": 1, "b": 1, "c": 1}, "op": "distance", "targets": {"a": 0.8, "b": 0.2, "c": 0.5}});
    check(target, &[("a", 0.7), ("b", 0.35), ("c", 0.55)], -0.1);
}

#[test]
fn caps_and_switches() {
    check(json!({"weights": {"a": 1, "b": 1}, "cap": {"a": 1.0}}), &[("a", 3.0), ("b", 0.5)], 1.5);
    let mut off = build(json!({"weights": {"a": 1, "b": 2}, "off": ["b"]}));
    let frame = frame(&[("a", &[Some(1.0)]), ("b", &[Some(3.0)])]);
    assert_eq!(apply(&mut off, &frame).get(0), Some(1.0));
    let view = View { frame: &frame, current: None, seed: 0 };
    let parts: Vec<_> = off.contributions(&view).into_iter().map(|(n, c)| (n, c.get(0))).collect();
    assert_eq!(parts, [("a".to_owned(), Some(1.0)), ("b".to_owned(), Some(6.0))]);
}

#[test]
fn an_unscored_signal_counts_as_the_spec_says() {
    let columns: &[(&str, &[Option<f64>])] =
        &[("a", &[Some(1.0), None, None]), ("b", &[Some(2.0), Some(2.0), None])];
    let run = |missing: &str| {
        let column = apply(
            &mut build(json!({"weights": {"a": 1, "b": 1}, "missing": missing})),
            &frame(columns),
        );
        column.iter().collect::<Vec<_>>()
    };
    assert_eq!(run("unscored"), [Some(3.0), None, None]);
    assert_eq!(run("skip"), [Some(3.0), Some(2.0), None]);
    assert_eq!(run("zero"), [Some(3.0), Some(2.0), None]);
    let mean = |missing: &str| {
        let params = json!({"weights": {"a": 1, "b": 1}, "missing": missing, "op": "mean"});
        apply(&mut build(params), &frame(columns)).get(1)
    };
    assert_eq!((mean("skip"), mean("zero")), (Some(2.0), Some(1.0)));
}

#[test]
fn normalising_first_weighs_spreads_away() {
    let columns: &[(&str, &[Option<f64>])] =
        &[("a", &[Some(0.0), Some(1.0)]), ("b", &[Some(0.0), Some(1000.0)])];
    let own = apply(
        &mut build(json!({"weights": {"a": 1, "b": -1}, "normalize_first": "group"})),
        &frame(columns),
    );
    assert!(own.iter().all(|v| v.unwrap().abs() < 2e-6), "{own:?}");
}

#[test]
fn the_step_is_state() {
    let params = json!({"weights": {"a": {"from": 1.0, "to": 0.0, "steps": 2}}});
    let frame = frame(&[("a", &[Some(1.0)])]);
    let mut whole = build(params.clone());
    let values: Vec<_> = (0..4).map(|_| apply(&mut whole, &frame).get(0).unwrap()).collect();
    assert_eq!(values, [1.0, 0.5, 0.0, 0.0]);
    let mut first = build(params.clone());
    apply(&mut first, &frame);
    let mut resumed = build(params);
    resumed.restore(&first.save()).unwrap();
    assert_eq!(apply(&mut resumed, &frame).get(0), Some(0.5));
    let view = View { frame: &frame, current: None, seed: 0 };
    assert_eq!(resumed.contributions(&view)[0].1.get(0), Some(0.5));
}

#[test]
fn values_per_step_are_joined_and_the_outcome_is_paid_last() {
    let mut frame = frame(&[("outcome", &[Some(1.0)]), ("lines", &[Some(-0.05)])]);
    let mut lines = Column::full(vec![-0.05]);
    lines.fine = Some(Fine::from_rows(Level::Step, [&[0.8, 0.0, -0.4, -0.6][..]]));
    frame.insert("lines", lines).unwrap();
    let params = json!({"weights": {"lines": 0.25, "outcome": 1.0}, "per_length": true});
    let fine = apply(&mut build(params), &frame).fine.unwrap();
    for (own, expect) in fine.row(0).iter().zip([0.05, 0.0, -0.025, 0.9625]) {
        assert!((own - expect).abs() < 1e-12, "{fine:?}");
    }
}

#[test]
fn two_heads_multiply_step_by_step() {
    let mut frame = Frame::new(Groups::one(1));
    for (name, steps) in [("right", [0.9, 0.6]), ("potential", [0.7, 0.95])] {
        let mut column = Column::full(vec![steps[1]]);
        column.fine = Some(Fine::from_rows(Level::Step, [&steps[..]]));
        frame.insert(name, column).unwrap();
    }
    let params = json!({"weights": {"right": 1, "potential": 1}, "op": "product"});
    let fine = apply(&mut build(params), &frame).fine.unwrap();
    assert!((fine.row(0)[0] - 0.63).abs() < 1e-12 && (fine.row(0)[1] - 0.57).abs() < 1e-12);
}

#[test]
fn the_running_reward_can_be_combined_again() {
    let frame = frame(&[("length", &[Some(100.0)])]);
    let current = Column::full(vec![1.0]);
    let view = View { frame: &frame, current: Some(&current), seed: 0 };
    let mut combiner = build(json!({"weights": {"reward": 1, "length": -0.001}}));
    assert_eq!(combiner.reads(), ["length"]);
    assert!((combiner.apply(&view).unwrap().get(0).unwrap() - 0.9).abs() < 1e-12);
}

#[test]
fn an_unknown_signal_is_named() {
    let mut combiner = build(json!({"weights": {"corect": 1}}));
    assert_eq!(combiner.reads(), ["corect"]);
    let frame = frame(&[("correct", &[Some(1.0)])]);
    let error = combiner.apply(&View { frame: &frame, current: None, seed: 0 }).unwrap_err();
    assert_eq!(error.to_string(), "there is no column `corect`; did you mean `correct`?");
}
