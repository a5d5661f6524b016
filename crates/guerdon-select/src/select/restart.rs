//! Restart: whether to abort running attempts when failure is predicted, from the predictor's error rates and the durations.
//!
//! # Formula
//!
//! ```text
//! plain = T_s + T_f·(1 − p)/p
//! aborting = {p[(1 − f)·T_s + f·T_a] + (1 − p)[q·T_a + (1 − q)·T_f]} / (p(1 − f))
//! ```
//!
//! `p` chance of success, `T_s`, `T_f`, `T_a` mean duration of success, failure, aborted attempt; `q` share of failures, `f` of
//! would-be successes that are aborted. Abort only if the second is smaller.
//!
//! # When to use it
//!
//! For generations that can be cut and sampled anew, or tool runs that hang.
//!
//! # Departures
//!
//! Derived by renewal for any law of durations; the paper uses a Markov jump process. f = 1 never ends: it does not pay.
//!
//! # Example
//!
//! ```yaml
//! use: select.restart
//! ```
//!
//! ```
//! use guerdon_select::select::restart::{Input, decide};
//! let input = Input { success: 0.6, time_success: 40.0, time_failure: 60.0, time_abort: 15.0, caught: 0.9, false_alarm: 0.1 };
//! assert!((decide(&input).unwrap().aborting.unwrap() - 56.111).abs() < 1e-3);
//! ```
//!
//! # References
//!
//! "Optimal decision making in robotic assembly and other trial-and-error tasks", 2023.

use guerdon_core::MethodError;
use guerdon_core::method::{Function, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `select.restart`: none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Restart {}

impl Params for Restart {}

/// Input of `select.restart`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Chance of success of an attempt, above 0, at most 1.
    pub success: f64,
    /// Mean duration of a success, at least 0.
    pub time_success: f64,
    /// Mean duration of a failure.
    pub time_failure: f64,
    /// Mean duration until an abort.
    pub time_abort: f64,
    /// Share of failures that are aborted, 0 to 1.
    pub caught: f64,
    /// Share of would-be successes that are aborted, 0 to 1.
    pub false_alarm: f64,
}

/// Output of `select.restart`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Whether aborting pays.
    pub abort: bool,
    /// Mean time to success without aborting.
    pub plain: f64,
    /// Mean time to success with it; null where no success survives.
    pub aborting: Option<f64>,
    /// The false-alarm share up to which aborting pays; null where it never does.
    pub break_even: Option<f64>,
}

/// The decision.
pub fn decide(input: &Input) -> Result<Output, MethodError> {
    let &Input {
        success: p,
        time_success: ts,
        time_failure: tf,
        time_abort: ta,
        caught: q,
        false_alarm: f,
    } = input;
    let times = [ts, tf, ta].iter().all(|t| (0.0..=1e100).contains(t));
    let shares = (1e-12..=1.0).contains(&p) && (0.0..=1.0).contains(&q) && (0.0..=1.0).contains(&f);
    if !times || !shares {
        return Err(MethodError::domain(
            "durations must not be negative, `success` above 0, shares 0 to 1",
        ));
    }
    let plain = ts + tf * (1.0 - p) / p;
    let lost = (1.0 - p) * (q * ta + (1.0 - q) * tf);
    let aborting = (f < 1.0).then(|| (p * ((1.0 - f) * ts + f * ta) + lost) / (p * (1.0 - f)));
    let aborting = aborting.filter(|a| a.is_finite());
    // aborting(f) = plain solved for f; linear because the (1 − f)·ts terms cancel.
    let saved = p * (plain - ts) - lost;
    let price = p * (plain - ts) + p * ta;
    let break_even = (saved > 0.0 && price > 0.0).then(|| (saved / price).min(1.0));
    Ok(Output { abort: aborting.is_some_and(|a| a < plain), plain, aborting, break_even })
}

impl Function for Restart {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        decide(input)
    }
}

guerdon_core::method! {
    Restart: Function,
    id: "select.restart",
    papers: ["restart-makespan-2023"],
    status: Verified(Worked("80; 56.111, 81; break-even 0.490909; p 0.2: 280, 128.333, 0.635294")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"success": 0.6, "time_success": 40, "time_failure": 60, "time_abort": 15, "caught": 0.9, "false_alarm": 0.1}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Input, decide};

    fn check(success: f64, false_alarm: f64, plain: f64, aborting: f64, break_even: f64) {
        let input = Input {
            success,
            time_success: 40.0,
            time_failure: 60.0,
            time_abort: 15.0,
            caught: 0.9,
            false_alarm,
        };
        let out = decide(&input).unwrap();
        assert!(
            (out.plain - plain).abs() < 1e-3 && (out.aborting.unwrap() - aborting).abs() < 1e-3
        );
        assert!((out.break_even.unwrap() - break_even).abs() < 1e-5, "{:?}", out.break_even);
        assert_eq!(out.abort, false_alarm < break_even);
    }

    #[test]
    fn worked_values() {
        check(0.6, 0.1, 80.0, 56.111, 0.490_909);
        check(0.6, 0.5, 80.0, 81.0, 0.490_909);
        check(0.2, 0.1, 280.0, 128.333, 0.635_294);
    }

    #[test]
    fn aborting_everything_never_pays() {
        let input = Input {
            success: 0.5,
            time_success: 1.0,
            time_failure: 1.0,
            time_abort: 0.1,
            caught: 1.0,
            false_alarm: 1.0,
        };
        let out = decide(&input).unwrap();
        assert_eq!((out.abort, out.aborting), (false, None));
        assert!(decide(&Input { success: 0.0, ..input }).is_err());
    }
}
