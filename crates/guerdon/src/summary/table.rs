//! The summary as a table for a terminal.

use std::fmt::Write as _;

use super::{ColumnSummary, Summary};

/// The table that `guerdon score` prints; `seconds` is the time of the run.
pub fn render(summary: &Summary, seconds: f64) -> String {
    let mut out = format!(
        "  {} rollouts, {} groups, {seconds:.1} s\n",
        thousands(summary.rollouts),
        thousands(summary.groups)
    );
    let columns = || summary.signals.iter().chain(&summary.reward).chain(&summary.advantage);
    let width = columns().map(|c| c.name.chars().count()).max().unwrap_or(0).max(8);
    let reasons = columns().map(|c| unscored(c).chars().count()).max().unwrap_or(0).max(8);
    let _ = writeln!(
        out,
        "  {:<width$}  {:>9}  {:>9}  {:<reasons$}  {:>9}",
        "signal", "mean", "spread", "unscored", "r(length)"
    );
    for column in columns() {
        let moments = column.moments;
        let mean = (moments.count > 0).then_some(moments.mean);
        let _ = writeln!(
            out,
            "  {:<width$}  {:>9}  {:>9}  {:<reasons$}  {:>9}",
            column.name,
            number(mean),
            number(moments.spread()),
            unscored(column),
            column.with_length.correlation().map_or_else(|| "-".into(), |r| format!("{r:.2}")),
        );
    }
    if let Some(line) = spread_line(summary) {
        let _ = writeln!(out, "  {line}");
    }
    out
}

fn spread_line(summary: &Summary) -> Option<String> {
    summary.reward.as_ref()?;
    if summary.groups == summary.rollouts {
        return None;
    }
    let (all, wrong, right) = summary.without_spread();
    let share = |n: u64| format!("{:.0} %", 100.0 * n as f64 / summary.groups.max(1) as f64);
    let parts = if all == 0 {
        String::new()
    } else {
        format!(" ({} all wrong, {} all right)", share(wrong), share(right))
    };
    Some(format!("groups without spread: {}{parts}", share(all)))
}

fn number(value: Option<f64>) -> String {
    match value {
        None => "-".into(),
        Some(v) if v.abs() < 1e-12 => "0.000".into(),
        Some(v) if v != 0.0 && !(1e-3..1e6).contains(&v.abs()) => format!("{v:.2e}"),
        Some(v) => format!("{v:.3}"),
    }
}

fn unscored(column: &ColumnSummary) -> String {
    let parts: Vec<String> = column
        .unscored
        .iter()
        .map(|(kind, (n, _))| format!("{} ({kind})", thousands(*n)))
        .collect();
    if parts.is_empty() { "-".into() } else { parts.join(", ") }
}

/// Digits in groups of three.
fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{number, thousands};

    #[test]
    fn numbers_are_short_and_readable() {
        assert_eq!(thousands(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(number(Some(0.41234)), "0.412");
        assert_eq!(number(Some(1.5e9)), "1.50e9");
        assert_eq!(number(None), "-");
    }
}
