//! `guerdon papers`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::OutputFormat;
use crate::out;

/// The bibliography, compiled in.
const PAPERS: &str = include_str!("../../../../catalogue/papers.toml");

/// The published systems of the field, with the methods that carry each and the claims that re-run it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A citation key, or a part of a key or title. Default: all.
    paper: Option<String>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output_format: OutputFormat,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let papers: toml::Table = PAPERS.parse()?;
    let wanted = args.paper.as_deref().unwrap_or("").to_lowercase();
    let rows: Vec<Value> = papers
        .iter()
        .map(|(key, paper)| row(key, paper))
        .filter(|row| {
            ["key", "title", "name"]
                .iter()
                .any(|k| row[k].as_str().is_some_and(|t| t.to_lowercase().contains(&wanted)))
        })
        .collect();
    match args.output_format {
        OutputFormat::Json => out::result(&Value::from(rows).to_string())?,
        OutputFormat::Text => out::result(&table(&rows))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Claims come with the lab; until then no paper has one, and the list says so by being empty.
fn row(key: &str, paper: &toml::Value) -> Value {
    let text = |k: &str| paper.get(k).and_then(toml::Value::as_str).unwrap_or("");
    let methods: Vec<&str> =
        guerdon::methods().filter(|m| m.papers.contains(&key)).map(|m| m.id).collect();
    json!({"key": key, "title": text("title"), "name": text("name"), "methods": methods, "claims": []})
}

fn table(rows: &[Value]) -> String {
    let carried =
        rows.iter().filter(|r| r["methods"].as_array().is_some_and(|m| !m.is_empty())).count();
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    lines.push(format!("\n{} papers, {carried} with at least one method", rows.len()));
    lines.join("\n")
}

fn line(row: &Value) -> String {
    let methods: Vec<&str> =
        row["methods"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let methods = if methods.is_empty() { "-".to_owned() } else { methods.join(", ") };
    format!(
        "{:<32} {}\n{:<32} {methods}",
        row["key"].as_str().unwrap_or(""),
        row["title"].as_str().unwrap_or(""),
        ""
    )
}
