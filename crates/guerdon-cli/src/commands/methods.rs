//! `guerdon methods`.

use std::process::ExitCode;

use anyhow::bail;
use guerdon::core::Method;
use guerdon::core::method::Kind;
use serde_json::{Map, Value, json};

use super::OutputFormat;
use crate::out;

/// The catalogue: every method, or one with its documentation, parameters and papers.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A method (`shape.par`) or a family (`shape`). Default: all.
    id: Option<String>,
    /// Print the built-in templates of a method that asks a model, to read or to replace.
    #[arg(long, requires = "id")]
    prompt: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output_format: OutputFormat,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let json = args.output_format == OutputFormat::Json;
    if let (true, Some(id)) = (args.prompt, &args.id) {
        return prompts(id);
    }
    let text = match &args.id {
        None => list(guerdon::methods().collect(), json),
        Some(id) => match guerdon::find(id) {
            Some(method) if json => serde_json::to_string_pretty(&describe(method))?,
            Some(method) => page(method),
            None => family(id, json)?,
        },
    };
    out::result(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn prompts(id: &str) -> anyhow::Result<ExitCode> {
    let method = match guerdon::find(id) {
        Some(method) if matches!(method.kind, Kind::Judge(_) | Kind::Protocol(..)) => method,
        Some(method) => bail!("`{id}` asks no model: it is a {}", method.kind.name()),
        None => {
            bail!("there is no method `{id}`; `guerdon methods judge` lists those that ask a model")
        }
    };
    let texts = guerdon::judge::prompts_of(method.id);
    let texts: Vec<String> = texts.map(|(file, text)| format!("{{# {file} #}}\n{text}")).collect();
    out::result(&texts.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn family(id: &str, json: bool) -> anyhow::Result<String> {
    let methods: Vec<_> = guerdon::methods().filter(|m| m.family() == id).collect();
    if !methods.is_empty() {
        return Ok(list(methods, json));
    }
    match guerdon::nearest_method(id) {
        Some(near) => bail!("there is no method `{id}`; did you mean `{near}`?"),
        None => bail!("there is no method `{id}`; `guerdon methods` lists them"),
    }
}

fn list(mut methods: Vec<&'static Method>, json: bool) -> String {
    methods.sort_by_key(|m| m.id);
    if json {
        return Value::from(methods.into_iter().map(describe).collect::<Vec<_>>()).to_string();
    }
    let width = methods.iter().map(|m| m.id.len()).max().unwrap_or(0);
    methods.iter().map(|m| format!("{:<width$}  {}\n", m.id, m.manual().summary)).collect()
}

fn describe(method: &Method) -> Value {
    json!({
        "id": method.id,
        "family": method.family(),
        "kind": method.kind.name(),
        "aliases": method.aliases,
        "summary": method.manual().summary,
        "documentation": method.doc,
        "parameters": (method.params.schema)().to_value(),
        "papers": method.papers,
        "status": method.status.name(),
        "evidence": method.status.evidence(),
        "laws": method.laws.iter().map(|l| format!("{l:?}")).collect::<Vec<_>>(),
        "exempt": method.exempt.iter().map(|(l, why)| (format!("{l:?}"), json!(why))).collect::<Map<_, _>>(),
        "source": method.source,
    })
}

fn page(method: &Method) -> String {
    let mut text = format!(
        "{} ({}, {})\n\n{}\n\n# Parameters\n\n",
        method.id,
        method.kind.name(),
        method.status.name(),
        method.doc.trim()
    );
    let schema = (method.params.schema)().to_value();
    let parameters = schema["properties"].as_object().cloned().unwrap_or_default();
    if parameters.is_empty() {
        text.push_str("None.\n");
    }
    for (name, parameter) in parameters {
        let default = parameter
            .get("default")
            .filter(|d| !d.is_null())
            .map_or_else(String::new, |d| format!(" = {d}"));
        let words = parameter["description"].as_str().unwrap_or("").replace('\n', " ");
        text.push_str(&format!("  {name}{default}\n      {words}\n"));
    }
    if let Some(evidence) = method.status.evidence() {
        text.push_str(&format!("\n# Checked against\n\n{evidence}\n"));
    }
    if !method.papers.is_empty() {
        text.push_str(&format!("\n# Papers\n\n{}\n", method.papers.join(", ")));
    }
    text
}
