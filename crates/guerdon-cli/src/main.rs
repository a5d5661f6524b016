//! `guerdon`: the reward engine on the command line.
//!
//! Exit codes: 0 done, 1 a negative result (a monitor out of bounds under `--strict`, a spec with mistakes), 2 an error,
//! 130 stopped by Ctrl-C. Results go to stdout, everything else to stderr; a closed pipe is no error.

mod commands;
mod out;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The reward engine for language-model training and evaluation.
#[derive(Parser)]
#[command(name = "guerdon", version, propagate_version = true, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Score(commands::score::Args),
    Judge(commands::judge::Args),
    Rank(commands::rank::Args),
    Lab(commands::lab::Args),
    Cache(commands::cache::Args),
    Check(commands::check::Args),
    Schema(commands::schema::Args),
    Methods(commands::methods::Args),
    Papers(commands::papers::Args),
    Completions(commands::completions::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Score(args) => commands::score::run(&args),
        Command::Judge(args) => commands::judge::run(&args),
        Command::Rank(args) => commands::rank::run(&args),
        Command::Lab(args) => commands::lab::run(&args),
        Command::Cache(args) => commands::cache::run(&args),
        Command::Check(args) => commands::check::run(&args),
        Command::Schema(args) => commands::schema::run(&args),
        Command::Methods(args) => commands::methods::run(&args),
        Command::Papers(args) => commands::papers::run(&args),
        Command::Completions(args) => commands::completions::run::<Cli>(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) if out::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => out::fail(&error),
    }
}
