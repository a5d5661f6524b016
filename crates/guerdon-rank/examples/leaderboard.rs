//! Rates a file of comparisons by three methods, prints the tables and writes the page.
//!
//! ```text
//! cargo run -p guerdon-rank --example leaderboard -- COMPARISONS PAGE.html [EARLIER.json]
//! ```
//!
//! The first leaderboard goes to `PAGE.json`; give it as `EARLIER.json` next time to see what changed.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use std::error::Error;
use std::fs;
use std::path::Path;

use guerdon_rank::{Columns, Job, Leaderboard, read};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, page, rest @ ..] = arguments.as_slice() else {
        return Err("usage: leaderboard COMPARISONS PAGE.html [EARLIER.json]".into());
    };
    let before: Option<Leaderboard> = match rest.first() {
        Some(path) => Some(serde_json::from_str(&fs::read_to_string(path)?)?),
        None => None,
    };
    let all = read::file(Path::new(input), &Columns::default())?.into_comparisons(0.0)?;
    let methods = ["bradley_terry", "elo", "win_rate"].map(|name| (name.to_owned(), Value::Null));
    let report = Job::new(methods, 0)?.run(&all, before.as_ref())?;
    print!("{}", report.to_text());
    fs::write(page, report.to_html("Leaderboard"))?;
    fs::write(
        Path::new(page).with_extension("json"),
        serde_json::to_string_pretty(&report.boards[0])?,
    )?;
    Ok(())
}
