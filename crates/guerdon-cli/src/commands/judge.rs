//! `guerdon judge`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use guerdon::ask::Models;
use guerdon::engine::{JudgeRun, Judged, RowOptions, judge_file};
use guerdon::io::{OnBadRow, ReadOptions};
use guerdon::{RunError, Spec};
use serde_json::{Map, Value, json};

use super::{BadRow, OutputFormat, bar, dry, stop_flag};
use crate::out;

/// Judge responses with a model: comparisons, ready for `guerdon rank`, with the judge's words and the cost.
///
/// A run that was killed goes on where it was when the same command is given again; no call is paid for twice.
#[derive(clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
pub(crate) struct Args {
    /// The spec, with `models` and a `judge` section (YAML or JSON).
    spec: PathBuf,
    /// The pairs, lists or single responses: JSONL (plain, .gz, .zst), Parquet, or `-` for standard input.
    pairs: PathBuf,
    /// Where the judgements go (.jsonl, .jsonl.gz, .jsonl.zst, .parquet), or `-` for standard output.
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Write a self-contained HTML page with the judge's words beside the responses.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Which judge, where the spec has several signals that ask a model.
    #[arg(long, value_name = "NAME")]
    signal: Option<String>,
    /// Carry the input columns along.
    #[arg(long)]
    keep: bool,
    /// Every prompt and every reply, word for word, in the column `asked`.
    #[arg(long)]
    transcripts: bool,
    /// Ask nobody: let simulated models answer, and say how many calls and tokens the run takes and what it would cost.
    #[arg(long)]
    dry_run: bool,
    /// What becomes of a row that cannot be read.
    #[arg(long, value_enum, default_value_t)]
    on_bad_row: BadRow,
    /// How the summary is printed.
    #[arg(long, value_enum, default_value_t)]
    output_format: OutputFormat,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let spec = match Spec::from_path(&args.spec) {
        Ok(spec) => spec,
        Err(error) => {
            out::note(&error.to_string());
            return Ok(ExitCode::from(2));
        }
    };
    let start = Instant::now();
    if args.dry_run {
        let estimate = dry::Estimate::new(&spec)?;
        judge(args, &spec, &estimate)?;
        out::result(&estimate.render(args.output_format))?;
        return Ok(ExitCode::SUCCESS);
    }
    let models = guerdon::engine::client(&spec)?;
    match judge(args, &spec, models.as_ref()) {
        Err(error @ RunError::Stopped { .. }) => {
            out::note(&error.to_string());
            Ok(ExitCode::from(130))
        }
        Err(error) => Err(error.into()),
        Ok(judged) => {
            if let Some(path) = &args.report {
                let page = guerdon::report::judge_page(&judged, &args.spec, &args.pairs);
                guerdon::io::write_whole(path, page.as_bytes())
                    .with_context(|| format!("cannot write the report {}", path.display()))?;
            }
            print(args, &judged, start.elapsed().as_secs_f64())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn judge(args: &Args, spec: &Spec, models: &dyn Models) -> Result<Judged, RunError> {
    let stop = stop_flag();
    let on_bad_row = if args.on_bad_row == BadRow::Skip { OnBadRow::Skip } else { OnBadRow::Fail };
    let run = JudgeRun {
        input: &args.pairs,
        output: args.output.as_deref().filter(|_| !args.dry_run),
        read: ReadOptions { on_bad_row, ..ReadOptions::default() },
        rows: RowOptions { keep: args.keep, transcripts: args.transcripts },
        name: args.signal.as_deref(),
        stop: &stop,
    };
    let bar = bar::new();
    let judged = judge_file(spec, models, &run, |progress| bar::show(&bar, &progress, "rows"));
    bar.finish_and_clear();
    judged
}

fn print(args: &Args, judged: &Judged, seconds: f64) -> anyhow::Result<()> {
    let text = match args.output_format {
        OutputFormat::Json => as_json(judged, seconds).to_string(),
        OutputFormat::Text => as_text(args, judged, seconds),
    };
    if args.output.as_deref() == Some(Path::new("-")) {
        out::note(text.trim_end());
        return Ok(());
    }
    out::result(&text)
}

fn as_json(judged: &Judged, seconds: f64) -> Value {
    let mut value = judged.tally.to_json();
    let skipped = judged.skipped.reasons.iter().map(|r| (r.kind.to_owned(), json!(r.count)));
    value["skipped"] = skipped.collect::<Map<_, _>>().into();
    value["resumed"] = judged.resumed.into();
    value["ledger"] = judged.ledger.clone();
    value["seconds"] = json!(seconds);
    value
}

fn as_text(args: &Args, judged: &Judged, seconds: f64) -> String {
    let mut text = judged.tally.render(seconds);
    if judged.resumed > 0 {
        text.push_str(&format!("  went on after {} rows of an interrupted run\n", judged.resumed));
    }
    for reason in &judged.skipped.reasons {
        text.push_str(&format!("  left out {} rows: {}\n", reason.count, reason.kind));
    }
    text.push_str(&format!("  {}\n", judged.spent));
    if let Some(path) = args.output.as_deref().filter(|path| *path != Path::new("-")) {
        text.push_str(&format!("  wrote {}\n", path.display()));
    }
    text
}
