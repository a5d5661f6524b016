//! `cargo xtask bench`: our figures beside the peers', from one run on one machine.
//!
//! A bench target (`[[bench]] harness = false`) prints one JSON line per figure to standard output: `{"work": "ROUGE-L",
//! "per_s": 123.4}`, with `p50_ms` and `p99_ms` where they matter. Peers print the same with their name as `peer`. Figures with
//! the same `work` stand in one row of the table.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use xtask::run::{cargo, output, root};

/// Peer scripts that run by themselves.
const PEERS: [&str; 4] =
    ["math_equivalence.py", "text_overlap.py", "ratings.py", "code_execution.py"];

/// How often a peer repeats its work.
const REPEATS: &str = "3";

/// One figure.
#[derive(Debug, Clone, PartialEq)]
struct Figure {
    /// `None` for ours.
    peer: Option<String>,
    work: String,
    per_s: f64,
    p99_ms: Option<f64>,
}

pub(crate) fn main(args: &[&str]) -> Result<(), String> {
    let word = match args {
        [] => "",
        [word] => word,
        other => return Err(format!("one word at most, not `{}`", other.join(" "))),
    };
    let mut figures = Vec::new();
    for (package, bench) in targets()?.iter().filter(|(_, bench)| bench.contains(word)) {
        println!("━━━ {package} · {bench}");
        figures.extend(read_figures(&output(cargo(&[
            "bench", "--quiet", "-p", package, "--bench", bench,
        ]))?));
    }
    figures.extend(peers(word));
    print!("{}", table(&figures));
    Ok(())
}

/// The bench targets of the workspace: package and name.
fn targets() -> Result<Vec<(String, String)>, String> {
    let text = output(cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value =
        serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    let mut all = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        for target in package["targets"].as_array().into_iter().flatten() {
            let is_bench = target["kind"]
                .as_array()
                .is_some_and(|kinds| kinds.contains(&Value::from("bench")));
            if let (true, Some(name), Some(bench)) =
                (is_bench, package["name"].as_str(), target["name"].as_str())
            {
                all.push((name.to_owned(), bench.to_owned()));
            }
        }
    }
    all.sort();
    Ok(all)
}

/// The peers' figures; a peer that is not there or does not run is named and left out.
fn peers(word: &str) -> Vec<Figure> {
    let folder = root().join("../shared/peers");
    let Some(python) = python().filter(|_| folder.is_dir()) else {
        println!("(no peers: they need ../shared/peers and .venv-peers, or GUERDON_PEERS_PYTHON)");
        return Vec::new();
    };
    let scripts = PEERS.iter().filter(|script| script.contains(word) || word.is_empty());
    scripts.flat_map(|script| peer(&python, &folder.join(script))).collect()
}

fn python() -> Option<PathBuf> {
    let given = std::env::var_os("GUERDON_PEERS_PYTHON").map(PathBuf::from);
    given.or_else(|| Some(root().join(".venv-peers/bin/python"))).filter(|path| path.is_file())
}

fn peer(python: &Path, script: &Path) -> Vec<Figure> {
    println!("━━━ peer · {}", script.file_name().unwrap_or_default().display());
    let mut command = Command::new(python);
    command.arg(script).arg(REPEATS);
    output(command).map_or_else(
        |why| {
            println!("(left out: {why})");
            Vec::new()
        },
        |text| read_figures(&text),
    )
}

/// The figures among the lines of a bench's output. Lines that are none are shown, not lost.
fn read_figures(text: &str) -> Vec<Figure> {
    let mut figures = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let row: Value = serde_json::from_str(line).unwrap_or_default();
        match (row["work"].as_str(), row["per_s"].as_f64()) {
            (Some(work), Some(per_s)) => figures.push(Figure {
                peer: row["peer"].as_str().filter(|peer| *peer != "guerdon").map(str::to_owned),
                work: work.to_owned(),
                per_s,
                p99_ms: row["p99_ms"].as_f64(),
            }),
            _ => println!("{line}"),
        }
    }
    figures
}

/// The table of ratios: one row for each of our figures and each peer that did the same work.
fn table(figures: &[Figure]) -> String {
    let (peers, ours): (Vec<&Figure>, Vec<&Figure>) =
        figures.iter().partition(|figure| figure.peer.is_some());
    let mut rows = vec![["work", "ours/s", "p99 ms", "peer", "peer/s", "ratio"].map(str::to_owned)];
    for our in &ours {
        let p99 = our.p99_ms.map_or_else(String::new, |ms| format!("{ms:.3}"));
        let start = [our.work.clone(), rate(our.per_s), p99];
        let same: Vec<&&Figure> = peers.iter().filter(|peer| peer.work == our.work).collect();
        for peer in &same {
            let name = peer.peer.clone().unwrap_or_default();
            rows.push(row(
                &start,
                [name, rate(peer.per_s), format!("{:.1}×", our.per_s / peer.per_s)],
            ));
        }
        if same.is_empty() {
            rows.push(row(&start, [String::new(), String::new(), String::new()]));
        }
    }
    for peer in peers.iter().filter(|peer| ours.iter().all(|our| our.work != peer.work)) {
        let name = peer.peer.clone().unwrap_or_default();
        rows.push(row(
            &[peer.work.clone(), "-".to_owned(), String::new()],
            [name, rate(peer.per_s), String::new()],
        ));
    }
    aligned(&rows)
}

fn row(start: &[String; 3], end: [String; 3]) -> [String; 6] {
    let [a, b, c] = start.clone();
    let [d, e, f] = end;
    [a, b, c, d, e, f]
}

fn rate(per_s: f64) -> String {
    if per_s >= 100.0 { format!("{per_s:.0}") } else { format!("{per_s:.2}") }
}

fn aligned(rows: &[[String; 6]]) -> String {
    let width = |k: usize| rows.iter().map(|row| row[k].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    let mut text = String::new();
    for row in rows {
        for (k, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[k] - cell.chars().count());
            let left = k == 0 || k == 3;
            let (first, second) = if left { (cell, &pad) } else { (&pad, cell) };
            text.extend([first, second, "  "]);
        }
        text = text.trim_end().to_owned() + "\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{read_figures, table};

    #[test]
    fn figures_of_the_same_work_make_a_ratio() {
        let lines = "noise\n{\"work\": \"BLEU\", \"per_s\": 5000}\n{\"peer\": \"sacrebleu\", \"work\": \"BLEU\", \"per_s\": 50}\n\
                     {\"peer\": \"x\", \"work\": \"only theirs\", \"per_s\": 2.5}";
        let text = table(&read_figures(lines));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "work         ours/s  p99 ms  peer       peer/s   ratio");
        assert_eq!(lines[1], "BLEU           5000          sacrebleu   50.00  100.0×");
        assert_eq!(lines[2], "only theirs       -          x            2.50");
    }
}
