//! The summary as JSON.

use serde_json::{Map, Value, json};

use super::{ColumnSummary, Summary};
use crate::monitors::Finding;

/// The summary as `--output-format json` prints it: what the table says, at full precision.
pub fn to_json(summary: &Summary, findings: &[Finding]) -> Value {
    let (all, wrong, right) = summary.without_spread();
    json!({
        "rollouts": summary.rollouts,
        "groups": summary.groups,
        "signals": summary.signals.iter().map(column).collect::<Vec<_>>(),
        "reward": summary.reward.as_ref().map(column),
        "advantage": summary.advantage.as_ref().map(column),
        "contributions": summary.contributions.iter().map(|(n, m)| (n.clone(), json!(m.mean))).collect::<Map<_, _>>(),
        "groups_without_spread": {
            "groups": all,
            "share": all as f64 / summary.groups.max(1) as f64,
            "all_wrong": wrong,
            "all_right": right,
        },
        "duplicates": summary.duplicates,
        "length": {"mean": summary.length.mean, "spread": summary.length.spread()},
        "monitors": findings,
    })
}

fn column(column: &ColumnSummary) -> Value {
    let moments = column.moments;
    let some = |x: f64| (moments.count > 0).then_some(x);
    json!({
        "name": column.name,
        "method": column.method,
        "scored": moments.count,
        "mean": some(moments.mean),
        "spread": moments.spread(),
        "min": some(moments.min),
        "max": some(moments.max),
        "unscored": column.unscored.iter().map(|(k, (n, _))| (k.clone(), json!(n))).collect::<Map<_, _>>(),
        "r_length": column.with_length.correlation(),
    })
}
