//! `guerdon check`.

use std::path::PathBuf;
use std::process::ExitCode;

use guerdon::Spec;
use guerdon::spec::{JudgeStage, Talk};
use serde_json::json;

use super::OutputFormat;
use crate::out;

/// Check a reward spec: every mistake with its line, column and remedy.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The spec (YAML or JSON).
    spec: PathBuf,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output_format: OutputFormat,
}

/// Exit code 1 when the spec has mistakes.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let checked = Spec::from_path(&args.spec);
    let code = ExitCode::from(u8::from(checked.is_err()));
    match (checked, args.output_format) {
        (Ok(spec), OutputFormat::Text) => out::result(&describe(&spec))?,
        (Err(error), OutputFormat::Text) => out::note(&error.to_string()),
        (Ok(_), OutputFormat::Json) => out::result("[]")?,
        (Err(error), OutputFormat::Json) => {
            let found = error.diagnostics.iter().map(|d| {
                json!({"line": d.span.line, "column": d.span.column, "length": d.span.len, "path": d.path, "message": d.message})
            });
            out::result(&serde_json::Value::from(found.collect::<Vec<_>>()).to_string())?;
        }
    }
    Ok(code)
}

/// Whom a judge asks, and which columns of the data it reads besides prompt, responses and reference.
fn asks(spec: &Spec, stage: &JudgeStage) -> String {
    let (mut models, columns) = (stage.judge.models(), stage.judge.reads());
    models.extend(stage.model.clone());
    if models.is_empty() {
        models.extend(spec.endpoints.default_model().map(str::to_owned));
    }
    models.sort_unstable();
    models.dedup();
    let reads =
        if columns.is_empty() { String::new() } else { format!(", reads {}", columns.join(", ")) };
    format!(" (asks {}{reads})", models.join(", "))
}

fn describe(spec: &Spec) -> String {
    let chain = |stages: &[guerdon::spec::TransformStage]| {
        stages.iter().map(|s| s.method.id).collect::<Vec<_>>().join(" → ")
    };
    let mut lines = vec![format!("{} is a good spec", spec.name)];
    for signal in &*spec.signals {
        let asked = signal.judge().map_or_else(String::new, |stage| asks(spec, stage));
        lines.push(format!("  signal     {}: {}{asked}", signal.name, signal.method.id));
    }
    if let Some(judge) = &spec.judge {
        let asked = match &judge.talk {
            Talk::Judge(stage) => asks(spec, stage),
            Talk::Protocol { .. } => String::new(),
        };
        lines.push(format!("  judge      {}{asked}", judge.method.id));
    }
    if !spec.reward.is_empty() {
        lines.push(format!("  reward     {}", chain(&spec.reward)));
    }
    if !spec.advantage.is_empty() {
        lines.push(format!("  advantage  {}", chain(&spec.advantage)));
    }
    lines.join("\n")
}
