//! What is watched during a run: thresholds in the spec, warnings in the summary, an exit code with `--strict`.

use guerdon_core::{ParamError, nearest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::summary::{ColumnSummary, Summary};

/// Bounds on a number. Both are inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bounds {
    /// Least value that is fine.
    pub min: Option<f64>,
    /// Greatest value that is fine.
    pub max: Option<f64>,
}

/// Bounds on a number of one signal.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SignalBounds {
    /// The signal; `reward` (the default) and `advantage` are names too.
    pub of: Option<String>,
    /// Least value that is fine.
    pub min: Option<f64>,
    /// Greatest value that is fine.
    pub max: Option<f64>,
}

/// Bounds on the correlation of two signals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BetweenBounds {
    /// The two signals.
    pub between: [String; 2],
    /// Least correlation that is fine, −1 to 1.
    #[serde(default)]
    pub min: Option<f64>,
    /// Greatest correlation that is fine, −1 to 1.
    #[serde(default)]
    pub max: Option<f64>,
}

/// A comparison with an earlier run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// The summary of the earlier run: what `guerdon score --output-format json` printed.
    pub against: String,
    /// The column compared. Default `reward`.
    #[serde(default)]
    pub of: Option<String>,
    /// Greatest shift of the mean that is fine, in spreads of the earlier run. Default 0.5.
    #[serde(default = "half")]
    pub max: f64,
}

fn half() -> f64 {
    0.5
}

/// The `monitors` section of a spec. What is not named is not watched.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Monitors {
    /// Share of groups whose rollouts all have the same reward, 0 to 1: they teach nothing.
    pub groups_without_spread: Option<Bounds>,
    /// Correlation with the completion's length, −1 to 1.
    pub length_correlation: Option<SignalBounds>,
    /// Share of rollouts that a signal could not score, 0 to 1.
    pub unscored: Option<SignalBounds>,
    /// Share of rollouts at the highest value seen, 0 to 1: a saturated signal carries no more.
    pub saturation: Option<SignalBounds>,
    /// Mean.
    pub mean: Option<SignalBounds>,
    /// Share of rollouts whose text another rollout of the group gave before, 0 to 1.
    pub duplicates: Option<Bounds>,
    /// Correlation of two signals.
    pub agreement: Option<BetweenBounds>,
    /// Mean reward per unit of length (token where recorded, else word).
    pub reward_per_length: Option<Bounds>,
    /// Greatest step between neighbouring stretches of the run, in standard errors of a stretch's mean.
    pub jump: Option<Bounds>,
    /// Shift of a mean against an earlier run.
    pub drift: Option<Drift>,
}

/// What a monitor found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The monitor, with the column where it watches one.
    pub monitor: String,
    /// The number watched; `None` where there is none (nothing was scored).
    pub value: Option<f64>,
    /// Whether it lies within its bounds. A number that does not exist is not.
    pub fine: bool,
    /// The finding in a sentence.
    pub message: String,
}

impl Monitors {
    /// Checks that every column named is a signal of the spec, `reward` or `advantage`.
    pub fn check(&self, signals: &[&str]) -> Result<(), ParamError> {
        let sided = [
            ("length_correlation", &self.length_correlation),
            ("unscored", &self.unscored),
            ("saturation", &self.saturation),
            ("mean", &self.mean),
        ];
        let mut named: Vec<(Vec<&str>, &str)> = sided
            .iter()
            .filter_map(|(m, b)| Some((vec![*m, "of"], b.as_ref()?.of.as_deref()?)))
            .collect();
        if let Some(agreement) = &self.agreement {
            named.push((vec!["agreement", "between", "0"], &agreement.between[0]));
            named.push((vec!["agreement", "between", "1"], &agreement.between[1]));
        }
        if let Some(of) = self.drift.as_ref().and_then(|d| d.of.as_deref()) {
            named.push((vec!["drift", "of"], of));
        }
        let known: Vec<&str> = signals.iter().copied().chain(["reward", "advantage"]).collect();
        match named.into_iter().find(|(_, name)| !known.contains(name)) {
            None => Ok(()),
            Some((path, name)) => {
                let hint = nearest(name, known.iter().copied()).map_or_else(
                    || format!("known: {}", known.join(", ")),
                    |n| format!("did you mean `{n}`?"),
                );
                Err(ParamError {
                    path: path.into_iter().map(str::to_owned).collect(),
                    message: format!("there is no signal `{name}`; {hint}"),
                    unknown_key: false,
                })
            }
        }
    }

    /// What the monitors find in a summary. `earlier` is the summary that `drift` names, as JSON.
    pub fn findings(&self, summary: &Summary, earlier: Option<&Value>) -> Vec<Finding> {
        let mut out = Vec::new();
        if let Some(b) = self.groups_without_spread {
            let share = summary.without_spread().0 as f64 / summary.groups.max(1) as f64;
            out.push(finding("groups_without_spread", Some(share), b.min, b.max));
        }
        let mut sided = |name: &str,
                         bounds: &Option<SignalBounds>,
                         f: &dyn Fn(&ColumnSummary) -> Option<f64>| {
            if let Some(b) = bounds {
                let of = b.of.as_deref().unwrap_or("reward");
                out.push(finding(
                    &format!("{name} of {of}"),
                    column(summary, of).and_then(f),
                    b.min,
                    b.max,
                ));
            }
        };
        sided("length_correlation", &self.length_correlation, &|c| {
            Some(c.with_length.correlation().unwrap_or(0.0))
        });
        let rows = summary.rollouts;
        sided("unscored", &self.unscored, &|c| {
            (rows > 0).then(|| (rows - c.moments.count) as f64 / rows as f64)
        });
        sided("saturation", &self.saturation, &saturation);
        sided("mean", &self.mean, &|c| (c.moments.count > 0).then_some(c.moments.mean));
        if let Some(b) = self.duplicates {
            let share = summary.duplicates as f64 / summary.rollouts.max(1) as f64;
            out.push(finding("duplicates", Some(share), b.min, b.max));
        }
        if let Some(b) = &self.agreement {
            out.push(finding(
                &format!("agreement of {} and {}", b.between[0], b.between[1]),
                between(summary, &b.between),
                b.min,
                b.max,
            ));
        }
        if let Some(b) = self.reward_per_length {
            let reward = column(summary, "reward").filter(|c| c.moments.count > 0);
            let value = reward
                .filter(|_| summary.length.mean > 0.0)
                .map(|c| c.moments.mean / summary.length.mean);
            out.push(finding("reward_per_length", value, b.min, b.max));
        }
        if let Some(b) = self.jump {
            out.push(finding("jump", jump(summary), b.min, b.max));
        }
        if let Some(drift) = &self.drift {
            out.push(drifted(summary, drift, earlier));
        }
        out
    }
}

fn finding(monitor: &str, value: Option<f64>, min: Option<f64>, max: Option<f64>) -> Finding {
    let Some(x) = value else {
        return Finding {
            monitor: monitor.into(),
            value,
            fine: false,
            message: format!("{monitor}: there is nothing to watch"),
        };
    };
    let (low, high) = (min.is_some_and(|m| x < m), max.is_some_and(|m| x > m));
    let bound = match (low, high) {
        (true, _) => format!(", below the least value {}", min.unwrap_or_default()),
        (_, true) => format!(", above the greatest value {}", max.unwrap_or_default()),
        _ => String::new(),
    };
    Finding {
        monitor: monitor.into(),
        value,
        fine: !(low || high),
        message: format!("{monitor} is {x:.3}{bound}"),
    }
}

fn column<'a>(summary: &'a Summary, name: &str) -> Option<&'a ColumnSummary> {
    summary.signals.iter().chain(&summary.reward).chain(&summary.advantage).find(|c| c.name == name)
}

/// Share of scored rows at the greatest value; 0 when the column has too many values to count.
fn saturation(column: &ColumnSummary) -> Option<f64> {
    let total = column.moments.count;
    let top = column.distinct().map_or(0, |d| d.last().map_or(0, |(_, n)| *n));
    (total > 0).then(|| top as f64 / total as f64)
}

fn between(summary: &Summary, names: &[String; 2]) -> Option<f64> {
    let at = |name: &String| summary.signals.iter().position(|c| c.name == *name);
    let (a, b) = (at(&names[0])?, at(&names[1])?);
    let (a, b) = (a.min(b), a.max(b));
    let n = summary.signals.len();
    let index = (0..a).map(|i| n - 1 - i).sum::<usize>() + (b.checked_sub(a + 1)?);
    summary.between.get(index)?.correlation()
}

fn jump(summary: &Summary) -> Option<f64> {
    let mut all = crate::summary::Moments::default();
    for block in &summary.course {
        all = all.merged(block);
    }
    let spread = all.spread().filter(|s| *s > 0.0)?;
    let steps = summary.course.windows(2).map(|w| {
        (w[1].mean - w[0].mean).abs() / spread * (w[0].count.min(w[1].count) as f64).sqrt()
    });
    steps.max_by(f64::total_cmp)
}

fn drifted(summary: &Summary, drift: &Drift, earlier: Option<&Value>) -> Finding {
    let of = drift.of.as_deref().unwrap_or("reward");
    let monitor = format!("drift of {of}");
    let then = earlier.and_then(|e| {
        let columns =
            e["signals"].as_array().into_iter().flatten().chain([&e["reward"], &e["advantage"]]);
        columns
            .into_iter()
            .find(|c| c["name"] == of)
            .map(|c| (c["mean"].as_f64(), c["spread"].as_f64()))
    });
    let value = match (then, column(summary, of)) {
        (Some((Some(mean), Some(spread))), Some(now)) if spread > 0.0 && now.moments.count > 0 => {
            Some((now.moments.mean - mean).abs() / spread)
        }
        _ => None,
    };
    finding(&monitor, value, None, Some(drift.max))
}
