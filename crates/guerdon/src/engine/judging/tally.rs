//! What a run says of its judgements.

use std::collections::BTreeMap;

use guerdon_stats::stats::proportion_ci::wilson;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Counts over all judgements of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Rows.
    pub rows: u64,
    /// Verdicts on pairs: first, tie, second.
    pub verdicts: [u64; 3],
    /// Rows without a judgement, by the sort of reason, with an example.
    pub unscored: BTreeMap<String, (u64, String)>,
    /// Of the pairs that people had labelled and the judge decided as people can (a tie is no agreement): how many, and how
    /// many agree.
    pub labelled: u64,
    /// How many of them agree.
    pub agree: u64,
    /// Sum and number of values of judgements that are no comparisons.
    pub values: (f64, u64),
}

impl Tally {
    pub(super) fn add(&mut self, row: &Map<String, Value>) {
        self.rows += 1;
        if let Some(error) = row.get("error").and_then(Value::as_str) {
            let (kind, detail) = error.split_once(": ").unwrap_or((error, ""));
            let slot =
                self.unscored.entry(kind.to_owned()).or_insert_with(|| (0, detail.to_owned()));
            slot.0 += 1;
        }
        let text = |name: &str| row.get(name).and_then(Value::as_str);
        if let Some(winner) = text("winner") {
            let place = ["model_a", "tie", "model_b"].iter().position(|name| *name == winner);
            self.verdicts[place.unwrap_or(1)] += 1;
        }
        if let Some(label) = text("label") {
            // A pair that was not judged stays in the denominator.
            self.labelled += 1;
            self.agree += u64::from(text("winner") == Some(label));
        }
        let own = row.get("value").and_then(Value::as_f64);
        let list =
            row.get("values").filter(|_| !row.contains_key("winner")).and_then(Value::as_array);
        for value in list.into_iter().flatten().filter_map(Value::as_f64).chain(own) {
            self.values.0 += value;
            self.values.1 += 1;
        }
    }

    /// As JSON.
    pub fn to_json(&self) -> Value {
        let mut value = json!({
            "rows": self.rows,
            "unscored": self.unscored.iter().map(|(kind, (n, example))| (kind.clone(), json!({"count": n, "example": example}))).collect::<Map<_, _>>(),
        });
        if self.verdicts.iter().sum::<u64>() > 0 {
            value["verdicts"] = json!({"first": self.verdicts[0], "tie": self.verdicts[1], "second": self.verdicts[2]});
        }
        if self.labelled > 0 {
            let interval = wilson(self.agree, self.labelled, 0.95);
            value["agreement"] = json!({"labelled": self.labelled, "agree": self.agree, "share": self.agree as f64 / self.labelled as f64, "low": interval.low, "high": interval.high});
        }
        if self.values.1 > 0 {
            value["mean"] = json!(self.values.0 / self.values.1 as f64);
        }
        value
    }

    /// As lines for a terminal.
    pub fn render(&self, seconds: f64) -> String {
        let mut text = format!("  {} rows, {seconds:.1} s\n", self.rows);
        let [first, tie, second] = self.verdicts;
        if first + tie + second > 0 {
            text.push_str(&format!("  verdicts   {first} first, {tie} ties, {second} second\n"));
        }
        if self.values.1 > 0 {
            text.push_str(&format!("  mean       {:.3}\n", self.values.0 / self.values.1 as f64));
        }
        if self.labelled > 0 {
            let interval = wilson(self.agree, self.labelled, 0.95);
            text.push_str(&format!(
                "  agreement  {} of {} with the labels: {:.1} % ({:.1} to {:.1})\n",
                self.agree,
                self.labelled,
                100.0 * self.agree as f64 / self.labelled as f64,
                100.0 * interval.low,
                100.0 * interval.high
            ));
        }
        for (kind, (n, example)) in &self.unscored {
            text.push_str(&format!("  unscored   {n} {kind}; first: {example}\n"));
        }
        text
    }
}
