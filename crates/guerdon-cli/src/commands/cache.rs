//! `guerdon cache`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use guerdon::client::{Cache, Prune};
use serde_json::json;

use super::OutputFormat;
use crate::out;

/// What the cache of model replies holds, what it cost, and how to make it smaller.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    /// The cache file. Default: what GUERDON_CACHE names, else `.guerdon/cache.sqlite` here.
    #[arg(long, global = true, value_name = "FILE")]
    cache: Option<PathBuf>,
    /// How the result is printed.
    #[arg(long, global = true, value_enum, default_value_t)]
    output_format: OutputFormat,
}

#[derive(clap::Subcommand)]
enum Command {
    /// How many replies of which model, and what was spent on whose behalf.
    Stats,
    /// Forget replies: they will be paid for again when they are needed.
    Prune {
        /// Replies older than this many days.
        #[arg(long, value_name = "DAYS")]
        older_than: Option<f64>,
        /// Replies of this model.
        #[arg(long)]
        model: Option<String>,
        /// The oldest replies, until the rest fits into this many megabytes.
        #[arg(long, value_name = "MB")]
        max_size: Option<u64>,
    },
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let path = args.cache.clone().unwrap_or_else(guerdon::spec::usual_cache);
    if !path.exists() {
        bail!("there is no cache at {}: name one with --cache", path.display());
    }
    let mut cache = Cache::open(&path)?;
    match &args.command {
        Command::Stats => stats(args, &path, &cache)?,
        Command::Prune { older_than: None, model: None, max_size: None } => {
            bail!("say what to forget: --older-than, --model or --max-size")
        }
        Command::Prune { older_than, model, max_size } => {
            let what = Prune {
                older_than: older_than.map(days).transpose()?,
                model: model.clone(),
                max_bytes: max_size.map(|mb| mb.saturating_mul(1_000_000)),
            };
            let gone = cache.prune(&what)?;
            match args.output_format {
                OutputFormat::Text => out::result(&format!("  forgot {gone} replies\n"))?,
                OutputFormat::Json => out::result(&json!({"forgotten": gone}).to_string())?,
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn days(days: f64) -> anyhow::Result<Duration> {
    Duration::try_from_secs_f64(days * 86_400.0).context("--older-than is a number of days")
}

fn stats(args: &Args, path: &Path, cache: &Cache) -> anyhow::Result<()> {
    let (stats, ledger) = (cache.stats()?, cache.ledger()?);
    if args.output_format == OutputFormat::Json {
        return out::result(&json!({"cache": path, "holds": stats, "spent": ledger}).to_string());
    }
    let mut text = format!("  {}: {:.1} MB\n", path.display(), stats.file_bytes as f64 / 1e6);
    text.push_str("  model                          replies       input      output        cost\n");
    for (name, held) in &stats.models {
        text.push_str(&format!(
            "  {name:<28} {:>9} {:>11} {:>11} {:>11.4}\n",
            held.replies, held.input_tokens, held.output_tokens, held.money
        ));
    }
    if !ledger.lines.is_empty() {
        text.push_str(
            "  on behalf of                     calls     from cache     attempts        cost\n",
        );
    }
    for line in &ledger.lines {
        let (tag, tally) = (format!("{} → {}", line.tag, line.endpoint), &line.tally);
        text.push_str(&format!(
            "  {tag:<28} {:>9} {:>14} {:>12} {:>11.4}\n",
            tally.calls,
            tally.hits + tally.shared,
            tally.attempts,
            tally.money
        ));
    }
    out::result(&text)
}
