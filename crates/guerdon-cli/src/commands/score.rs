//! `guerdon score`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use guerdon::engine::{FileRun, Finished, RowOptions, Scorer, score_file_with};
use guerdon::io::{OnBadRow, ReadOptions};
use guerdon::monitors::Finding;
use guerdon::{RunError, Spec, summary};
use serde_json::{Map, Value, json};

use super::{BadRow, OutputFormat, bar, dry, stop_flag};
use crate::out;

/// Score rollouts: every signal, the reward and the advantage, with a summary and a report.
///
/// A run that was killed goes on where it was when the same command is given again.
#[derive(clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
pub(crate) struct Args {
    /// The reward spec (YAML or JSON).
    spec: PathBuf,
    /// The rollouts: JSONL (plain, .gz, .zst), Parquet, or `-` for standard input.
    rollouts: PathBuf,
    /// Where the scored rows go (.jsonl, .jsonl.gz, .jsonl.zst, .parquet), or `-` for standard output.
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Write a self-contained HTML report.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Carry the input columns along.
    #[arg(long)]
    keep: bool,
    /// What becomes of a row that cannot be read.
    #[arg(long, value_enum, default_value_t)]
    on_bad_row: BadRow,
    /// Gather the rows of each group in two passes, for data whose groups are not contiguous.
    #[arg(long)]
    group_scan: bool,
    /// Number of threads. Default: all cores. The output does not depend on it.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Every prompt that a model is asked and every reply, word for word, in the column `asked`.
    #[arg(long)]
    transcripts: bool,
    /// Ask no model: let simulated ones answer, and say how many calls and tokens the run takes and what it would cost.
    #[arg(long)]
    dry_run: bool,
    /// Exit with 1 when a monitor of the spec is out of its bounds.
    #[arg(long)]
    strict: bool,
    /// How the summary is printed.
    #[arg(long, value_enum, default_value_t)]
    output_format: OutputFormat,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(threads) = args.threads {
        rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build_global()?;
    }
    let spec = match Spec::from_path(&args.spec) {
        Ok(spec) => spec,
        Err(error) => {
            out::note(&error.to_string());
            return Ok(ExitCode::from(2));
        }
    };
    if spec.signals.is_empty() {
        anyhow::bail!(
            "{} has no `signals`: `guerdon judge` runs its `judge` section",
            args.spec.display()
        );
    }
    if args.dry_run {
        let estimate = Arc::new(dry::Estimate::new(&spec)?);
        score(args, Scorer::with_models(spec, estimate.clone()))?;
        out::result(&estimate.render(args.output_format))?;
        return Ok(ExitCode::SUCCESS);
    }
    let monitors = spec.monitors.clone();
    let earlier = earlier_summary(&spec)?;
    let start = Instant::now();
    let finished = match score(args, Scorer::new(spec)) {
        Err(error @ RunError::Stopped { .. }) => {
            out::note(&error.to_string());
            return Ok(ExitCode::from(130));
        }
        other => other?,
    };
    let findings = monitors.findings(&finished.summary, earlier.as_ref());
    let seconds = start.elapsed().as_secs_f64();
    if let Some(path) = &args.report {
        let page = guerdon::report::page(&finished.summary, &findings, &args.spec, &args.rollouts);
        guerdon::io::write_whole(path, page.as_bytes())
            .with_context(|| format!("cannot write the report {}", path.display()))?;
    }
    print(args, &finished, &findings, seconds)?;
    let negative = args.strict && findings.iter().any(|f| !f.fine);
    Ok(ExitCode::from(u8::from(negative)))
}

fn score(args: &Args, scorer: Scorer) -> Result<Finished, RunError> {
    let stop = stop_flag();
    let run = FileRun {
        input: &args.rollouts,
        output: args.output.as_deref().filter(|_| !args.dry_run),
        read: ReadOptions {
            on_bad_row: if args.on_bad_row == BadRow::Skip {
                OnBadRow::Skip
            } else {
                OnBadRow::Fail
            },
            group_scan: args.group_scan,
            ..ReadOptions::default()
        },
        rows: RowOptions { keep: args.keep, transcripts: args.transcripts },
        stop: &stop,
    };
    let bar = bar::new();
    let finished = score_file_with(scorer, &run, |p| bar::show(&bar, &p, "rollouts"));
    bar.finish_and_clear();
    finished
}

/// The summary that the `drift` monitor compares with; its path is relative to the spec.
fn earlier_summary(spec: &Spec) -> anyhow::Result<Option<Value>> {
    let Some(drift) = &spec.monitors.drift else { return Ok(None) };
    let path = Path::new(&spec.name).parent().unwrap_or(Path::new("")).join(&drift.against);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("the `drift` monitor compares with {}", path.display()))?;
    Ok(Some(
        serde_json::from_str(&text)
            .with_context(|| format!("{} is not a JSON summary", path.display()))?,
    ))
}

fn print(
    args: &Args,
    finished: &Finished,
    findings: &[Finding],
    seconds: f64,
) -> anyhow::Result<()> {
    let rows_on_stdout = args.output.as_deref() == Some(Path::new("-"));
    let text = match args.output_format {
        OutputFormat::Json => json_summary(args, finished, findings, seconds).to_string(),
        OutputFormat::Text => text_summary(args, finished, findings, seconds),
    };
    if rows_on_stdout {
        out::note(text.trim_end());
        return Ok(());
    }
    out::result(&text)
}

fn outputs(args: &Args) -> Vec<String> {
    let rows = args.output.iter().filter(|p| *p != Path::new("-"));
    rows.chain(&args.report).map(|p| p.display().to_string()).collect()
}

fn json_summary(args: &Args, finished: &Finished, findings: &[Finding], seconds: f64) -> Value {
    let mut value = summary::to_json(&finished.summary, findings);
    let skipped = finished.skipped.reasons.iter().map(|r| (r.kind.to_owned(), json!(r.count)));
    value["skipped"] = skipped.collect::<Map<_, _>>().into();
    value["resumed"] = finished.resumed.into();
    if !finished.ledger.is_null() {
        value["ledger"] = finished.ledger.clone();
    }
    value["seconds"] = json!(seconds);
    value["outputs"] = outputs(args).into();
    value
}

fn text_summary(args: &Args, finished: &Finished, findings: &[Finding], seconds: f64) -> String {
    let mut text = summary::render(&finished.summary, seconds);
    if finished.resumed > 0 {
        text.push_str(&format!(
            "  went on after {} rollouts of an interrupted run\n",
            finished.resumed
        ));
    }
    if !finished.spent.is_empty() {
        text.push_str(&format!("  {}\n", finished.spent));
    }
    for reason in &finished.skipped.reasons {
        let example = reason.examples.first().map_or_else(String::new, |e| format!("; first: {e}"));
        text.push_str(&format!("  left out {} rows: {}{example}\n", reason.count, reason.kind));
    }
    for finding in findings.iter().filter(|f| !f.fine) {
        text.push_str(&format!("  warning: {}\n", finding.message));
    }
    let outputs = outputs(args);
    if !outputs.is_empty() {
        text.push_str(&format!("  wrote {}\n", outputs.join(", ")));
    }
    text
}
