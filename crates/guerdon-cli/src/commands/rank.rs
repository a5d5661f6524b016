//! `guerdon rank`.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use guerdon::rank::read::Data;
use guerdon::rank::{Columns, Job, Leaderboard, read};
use serde_json::Value;

use super::OutputFormat;
use crate::out;

/// Rate models from comparisons, votes or score tables: strengths with intervals, ranks, and what to ask next.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The comparisons: CSV, JSONL (plain, .gz, .zst), Parquet, or `-` for standard input.
    comparisons: PathBuf,
    /// A method of `rank.*`, with parameters as JSON where needed: `elo`, `bradley_terry:{"ties":"davidson"}`. Repeatable.
    #[arg(short, long = "method", value_name = "METHOD[:JSON]", default_value = "bradley_terry")]
    methods: Vec<String>,
    /// Column with the first contestant. Default: guessed from usual names, as are the others.
    #[arg(long, value_name = "COLUMN")]
    first: Option<String>,
    /// Column with the second contestant.
    #[arg(long, value_name = "COLUMN")]
    second: Option<String>,
    /// Column with the outcome.
    #[arg(long, value_name = "COLUMN")]
    winner: Option<String>,
    /// Column with weights.
    #[arg(long, value_name = "COLUMN")]
    weight: Option<String>,
    /// Column that says which rows belong together (prompt, annotator), for intervals.
    #[arg(long, value_name = "COLUMN")]
    cluster: Option<String>,
    /// Value of the outcome that means a win of the first. Repeatable.
    #[arg(long, value_name = "VALUE")]
    first_wins: Vec<String>,
    /// Value of the outcome that means a win of the second. Repeatable.
    #[arg(long, value_name = "VALUE")]
    second_wins: Vec<String>,
    /// Value of the outcome that means a tie. Repeatable.
    #[arg(long, value_name = "VALUE")]
    tie: Vec<String>,
    /// Leave out rows with an unknown outcome instead of stopping.
    #[arg(long)]
    skip_unknown: bool,
    /// In score tables, scores this close are a tie.
    #[arg(long, default_value_t = 0.0)]
    margin: f64,
    /// Write a self-contained leaderboard page.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// An earlier leaderboard (what `--output-format json` printed), to say what changed.
    #[arg(long, value_name = "FILE.json")]
    before: Option<PathBuf>,
    /// Seed of bootstraps and orders.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How the leaderboards are printed.
    #[arg(long, value_enum, default_value_t)]
    output_format: OutputFormat,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let name = args.comparisons.display();
    let all = data(args)?
        .into_comparisons(args.margin)
        .with_context(|| format!("{name} cannot be rated"))?;
    let methods =
        args.methods.iter().map(|text| method(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let before = args.before.as_deref().map(earlier).transpose()?;
    let report = Job::new(methods, args.seed)?.run(&all, before.as_ref())?;
    if let Some(path) = &args.report {
        let page = report.to_html(&title(&args.comparisons));
        guerdon::io::write_whole(path, page.as_bytes())
            .with_context(|| format!("cannot write the report {}", path.display()))?;
    }
    match args.output_format {
        OutputFormat::Text => out::result(&report.to_text())?,
        OutputFormat::Json => out::result(&boards(&report.boards)?)?,
    }
    for failure in &report.failures {
        out::note(&format!("warning: {}: {}", failure.method, failure.error));
    }
    Ok(ExitCode::SUCCESS)
}

/// One leaderboard as an object, several as a list.
fn boards(boards: &[Leaderboard]) -> anyhow::Result<String> {
    Ok(match boards {
        [one] => serde_json::to_string(one)?,
        several => serde_json::to_string(several)?,
    })
}

/// `name` or `name:{json}`.
fn method(text: &str) -> anyhow::Result<(String, Value)> {
    let Some((name, params)) = text.split_once(':') else {
        return Ok((text.to_owned(), Value::Null));
    };
    let params = serde_json::from_str(params)
        .with_context(|| format!("the parameters of `{name}` are no JSON: {params}"))?;
    Ok((name.to_owned(), params))
}

fn earlier(path: &Path) -> anyhow::Result<Leaderboard> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let value: Value = serde_json::from_str(&text)
        .with_context(|| format!("{} is no leaderboard", path.display()))?;
    let first = if let Value::Array(items) = value {
        items.into_iter().next().unwrap_or_default()
    } else {
        value
    };
    serde_json::from_value(first).with_context(|| format!("{} is no leaderboard", path.display()))
}

fn title(path: &Path) -> String {
    path.file_stem()
        .map_or_else(|| "Leaderboard".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

fn data(args: &Args) -> anyhow::Result<Data> {
    let columns = Columns {
        first: args.first.clone(),
        second: args.second.clone(),
        winner: args.winner.clone(),
        first_wins: args.first_wins.clone(),
        second_wins: args.second_wins.clone(),
        tie: args.tie.clone(),
        weight: args.weight.clone(),
        cluster: args.cluster.clone(),
        skip_unknown: args.skip_unknown,
        ..Columns::default()
    };
    let path = &args.comparisons;
    if path == Path::new("-") {
        let mut text = Vec::new();
        std::io::stdin().lock().read_to_end(&mut text)?;
        return read::reader(text.as_slice(), &columns)
            .context("standard input cannot be read as comparisons");
    }
    if !path.exists() {
        bail!("cannot read {}: there is no such file", path.display());
    }
    if is_packed(path)? {
        return read::reader(unpacked(path)?.as_slice(), &columns)
            .with_context(|| format!("{} cannot be read as comparisons", path.display()));
    }
    read::file(path, &columns)
        .with_context(|| format!("{} cannot be read as comparisons", path.display()))
}

/// Whether a file is Parquet, gzip or zstd.
fn is_packed(path: &Path) -> anyhow::Result<bool> {
    let mut head = [0; 4];
    let mut file =
        std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let n = file.read(&mut head)?;
    Ok(n == 4
        && (&head == b"PAR1"
            || head.starts_with(&[0x1f, 0x8b])
            || head == [0x28, 0xb5, 0x2f, 0xfd]))
}

/// The rows as JSON lines.
fn unpacked(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut reader = guerdon::io::open(
        path,
        &guerdon::io::Mapping::default(),
        &guerdon::io::ReadOptions::default(),
    )?;
    let mut text = Vec::new();
    while let Some(rows) = reader.next_rows()? {
        for row in rows {
            serde_json::to_writer(&mut text, &row)?;
            text.write_all(b"\n")?;
        }
    }
    Ok(text)
}
