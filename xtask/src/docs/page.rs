//! The page of one method.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use guerdon_core::Method;
use guerdon_core::method::Kind;

use crate::book::Paper;
use crate::schema;

/// The page, in Markdown.
pub(crate) fn method(method: Method, papers: &BTreeMap<String, Paper>) -> String {
    let manual = method.manual();
    let mut text = format!("# `{}`\n\n{}\n\n{}", method.id, manual.summary, facts(method));
    if !manual.introduction.is_empty() {
        let _ = write!(text, "\n{}\n", manual.introduction);
    }
    for (heading, body) in &manual.sections {
        if heading == "Example" {
            text += &parameters(method);
            text += &laws(method);
        }
        let _ = write!(text, "\n## {heading}\n\n{}\n", with_rust_fences(body));
        if heading == "References" {
            text += &cited(method, papers);
        }
    }
    text
}

fn facts(method: Method) -> String {
    let status = match method.status.evidence() {
        Some(evidence) => format!("{}: {evidence}", method.status.name()),
        None => method.status.name().to_owned(),
    };
    let mut text = format!(
        "| | |\n|---|---|\n| kind | {} |\n| status | {} |\n",
        method.kind.name(),
        cell(&status)
    );
    if !method.aliases.is_empty() {
        let aliases: Vec<String> =
            method.aliases.iter().map(|alias| format!("`{alias}`")).collect();
        let _ = writeln!(text, "| aliases | {} |", aliases.join(", "));
    }
    let _ = writeln!(text, "| source | `crates/{}` |", method.source);
    text
}

fn parameters(method: Method) -> String {
    let schema = (method.params.schema)().to_value();
    // Where a parameter is required there are no defaults of the whole, but the schema knows those of the others.
    let defaults = (method.params.check)(serde_json::Value::Null).unwrap_or_default();
    let mut text = format!("\n## Parameters\n\n{}", schema::table(&schema, Some(&defaults)));
    let mut add = |heading: &str, schema: serde_json::Value| {
        let _ = write!(text, "\n## {heading}\n\n{}", schema::table(&schema, None));
    };
    match &method.kind {
        Kind::Function(info, _) => {
            add("Input", (info.input)().to_value());
            add("Output", (info.output)().to_value());
        }
        Kind::Online(info, _) => {
            add("Event", (info.event)().to_value());
            add("Reading", (info.reading)().to_value());
        }
        Kind::Protocol(info, _) => {
            add("Case", (info.case)().to_value());
            add("Output", (info.output)().to_value());
        }
        _ => {}
    }
    text
}

fn laws(method: Method) -> String {
    if method.laws.is_empty() && method.exempt.is_empty() {
        return String::new();
    }
    let mut text = "\n## Laws\n".to_owned();
    if !method.laws.is_empty() {
        let claimed: Vec<String> =
            method.laws.iter().map(|law| format!("`{}`", law.name())).collect();
        let _ = write!(text, "\nBeside the laws of its kind it obeys {}.\n", claimed.join(", "));
    }
    if !method.exempt.is_empty() {
        text += "\nIt is exempt from:\n\n";
    }
    for (law, reason) in method.exempt {
        let _ = writeln!(text, "- `{}`: {reason}", law.name());
    }
    text
}

fn cited(method: Method, papers: &BTreeMap<String, Paper>) -> String {
    if method.papers.is_empty() {
        return String::new();
    }
    let mut text = "\nSystems of the catalogue that use it:\n\n".to_owned();
    for key in method.papers {
        match papers.get(*key) {
            Some(paper) => {
                let _ = writeln!(text, "- **{}**: {} (`{key}`)", paper.name, paper.title);
            }
            None => {
                let _ = writeln!(text, "- `{key}`");
            }
        }
    }
    text
}

/// Code blocks without a language are Rust in a doc comment; the book needs it said.
fn with_rust_fences(body: &str) -> String {
    let mut inside = false;
    let lines = body.lines().map(|line| {
        let opens = line.trim_start().starts_with("```") && !inside;
        inside ^= line.trim_start().starts_with("```");
        if opens && line.trim() == "```" { line.replace("```", "```rust") } else { line.to_owned() }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A text that stands in one cell of a table.
pub(crate) fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::{cell, with_rust_fences};

    #[test]
    fn rust_is_named_and_other_languages_stay() {
        let body = "```yaml\na: b\n```\n\n```\nlet x = 1;\n```";
        assert_eq!(with_rust_fences(body), "```yaml\na: b\n```\n\n```rust\nlet x = 1;\n```");
    }

    #[test]
    fn a_cell_is_one_line() {
        assert_eq!(cell("a |\n  b"), "a \\| b");
    }
}
