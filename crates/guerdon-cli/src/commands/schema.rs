//! `guerdon schema`.

use std::process::ExitCode;

use crate::out;

/// Print the JSON schema of reward specs, for editors.
///
/// With the YAML language server: `# yaml-language-server: $schema=guerdon.schema.json` as a spec's first line.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> anyhow::Result<ExitCode> {
    out::result(&serde_json::to_string_pretty(&guerdon::spec::schema())?)?;
    Ok(ExitCode::SUCCESS)
}
