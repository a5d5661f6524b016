//! `guerdon lab`.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use guerdon_lab::serve_model::{Script, Server, ServerOptions};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::out;

/// Try rewards on simulated worlds.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    ServeModel(ServeModel),
}

/// Serve simulated models (solvers, judges, reward models) behind an OpenAI-compatible interface.
///
/// The first line on standard output is the base URL. Ctrl-C stops the server.
#[derive(clap::Args)]
struct ServeModel {
    /// The script: which models there are and how they behave.
    #[arg(required_unless_present = "schema")]
    script: Option<PathBuf>,
    /// Port; 0 for a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Address to listen at.
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Threads; 0 for one per processor.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Print the JSON schema of scripts instead.
    #[arg(long)]
    schema: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::ServeModel(args) => serve_model(args),
    }
}

fn serve_model(args: &ServeModel) -> anyhow::Result<ExitCode> {
    let Some(path) = args.script.as_deref().filter(|_| !args.schema) else {
        out::result(&serde_json::to_string_pretty(&Script::schema())?)?;
        return Ok(ExitCode::SUCCESS);
    };
    // Before the URL is told: whoever reads it may stop us at once.
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let server = start(path, args)?;
    out::result(&server.url())?;
    signals.forever().next();
    let stats = server.stats();
    out::note(&format!(
        "stopped after {} requests ({} repeated, {} answered)",
        stats.requests, stats.repeats, stats.answered
    ));
    Ok(ExitCode::SUCCESS)
}

fn start(path: &Path, args: &ServeModel) -> anyhow::Result<Server> {
    let script = Script::read(path).with_context(|| format!("{} is no script", path.display()))?;
    let names: Vec<&str> = script.models().collect();
    out::note(&format!("models: {}", names.join(", ")));
    let options = ServerOptions { host: args.host, port: args.port, threads: args.threads };
    Ok(Server::start_at(script, &options)?)
}
