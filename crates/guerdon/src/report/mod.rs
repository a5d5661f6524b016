//! The report of a run: one self-contained HTML page that needs no network.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::engine::Judged;
use crate::monitors::Finding;
use crate::summary::{ColumnSummary, Moments, Summary};

const PAGE: &str = include_str!("../../../../web/report/report.html");
const STYLE: &str = include_str!("../../../../web/report/report.css");
const SCRIPT: &str = include_str!("../../../../web/report/report.js");
const JUDGE_SCRIPT: &str = include_str!("../../../../web/report/judge.js");

/// The page for a summary: `spec` and `rollouts` are the files that it names.
pub fn page(summary: &Summary, findings: &[Finding], spec: &Path, rollouts: &Path) -> String {
    let data = data(summary, findings, spec, rollouts).to_string();
    filled(&data, SCRIPT)
}

fn filled(data: &str, script: &str) -> String {
    let (head, tail) = PAGE.split_once("/*DATA*/").unwrap_or((PAGE, ""));
    let head = head.replacen("/*STYLE*/", STYLE, 1);
    let tail = tail.replacen("/*SCRIPT*/", script, 1);
    // Inside a script element only `</` and `<!--` could end or change it.
    format!("{head}{}{tail}", data.replace('<', "\\u003c"))
}

/// The page of judgements: `spec` and `file` are the files that it names.
pub fn judge_page(judged: &Judged, spec: &Path, file: &Path) -> String {
    let cards = judged.cards.headings();
    let cards = cards.iter().map(|(heading, cards)| json!({"heading": heading, "cards": cards}));
    let data = json!({
        "title": title(spec),
        "version": env!("CARGO_PKG_VERSION"),
        "method": judged.method,
        "file": file.display().to_string(),
        "spent": judged.spent,
        "tally": judged.tally.to_json(),
        "cards": cards.collect::<Vec<_>>(),
    });
    filled(&data.to_string(), JUDGE_SCRIPT)
}

fn data(summary: &Summary, findings: &[Finding], spec: &Path, rollouts: &Path) -> Value {
    let (all, wrong, right) = summary.without_spread();
    let picks = summary.picks.headings.iter().map(|(heading, cards)| {
        json!({"heading": heading, "cards": cards.iter().map(|(_, card)| card).collect::<Vec<_>>()})
    });
    json!({
        "title": title(spec),
        "version": env!("CARGO_PKG_VERSION"),
        "spec_file": spec.display().to_string(),
        "rollouts_file": rollouts.display().to_string(),
        "rollouts": summary.rollouts,
        "groups_total": summary.groups,
        "flat": {"share": all as f64 / summary.groups.max(1) as f64, "all_wrong": wrong, "all_right": right},
        "signals": summary.signals.iter().map(column).collect::<Vec<_>>(),
        "reward": summary.reward.as_ref().map(column),
        "advantage": summary.advantage.as_ref().map(column),
        "contributions": summary.contributions.iter().map(|(name, m)| json!([name, moments(m)])).collect::<Vec<_>>(),
        "between": summary.between.iter().map(crate::summary::Pair::correlation).collect::<Vec<_>>(),
        "points": summary.points.items(),
        "groups": summary.group_points.items(),
        "course": summary.course.iter().map(moments).collect::<Vec<_>>(),
        "findings": findings,
        "picks": picks.collect::<Vec<_>>(),
    })
}

/// The folder's name says more than `reward.yaml`.
fn title(spec: &Path) -> String {
    let stem = spec.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let folder = spec.parent().and_then(Path::file_name).map(|f| f.to_string_lossy().into_owned());
    match folder {
        Some(folder) if stem == "reward" => folder,
        _ => stem,
    }
}

fn moments(m: &Moments) -> Value {
    json!({"mean": m.mean, "spread": m.spread(), "count": m.count})
}

fn column(column: &ColumnSummary) -> Value {
    let m = column.moments;
    let some = |x: f64| (m.count > 0).then_some(x);
    let unscored =
        column.unscored.iter().map(|(kind, (n, example))| (kind.clone(), json!([n, example])));
    json!({
        "name": column.name,
        "method": column.method,
        "scored": m.count,
        "mean": some(m.mean),
        "spread": m.spread(),
        "min": some(m.min),
        "max": some(m.max),
        "r_length": column.with_length.correlation(),
        "unscored": unscored.collect::<Map<_, _>>(),
        "distinct": column.distinct(),
        "values": column.values.items(),
    })
}
