//! The project's tasks, run as `cargo xtask <task>`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks through them"
)]

mod architecture;
mod bench;
mod new;
mod python;
mod readme;
mod scaffold;
mod steps;

use std::process::ExitCode;

use xtask::run;

const HELP: &str = "\
The project's tasks.

    cargo xtask test [--list] [--only STEP] [--from STEP]
        Everything that must hold, in order; stops at the first failure and says how to repeat it.
    cargo xtask new FAMILY/NAME [--kind signal|transform|selector|function|online|protocol]
        A new method: one file that compiles, is documented and passes its laws, and its `pub mod` line.
    cargo xtask docs [--check]
        Writes the method pages of the book from the code (or checks that they are up to date).
    cargo xtask scaffold-check
        Makes a method of each kind with `new` in a scratch workspace and puts it to all its tests.
    cargo xtask architecture
        Checks that every crate knows only the floors beneath it.
    cargo xtask bench [WORD]
        Runs the benches whose name holds WORD, and the peers where they are there, and prints the ratios.
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["test", rest @ ..] => steps::main(rest),
        ["new", rest @ ..] => new::main(rest),
        ["docs", rest @ ..] => run::docs(rest),
        ["scaffold-check"] => scaffold::check(),
        ["architecture"] => architecture::check()
            .map(|()| println!("Every crate knows only the floors beneath it.")),
        ["bench", rest @ ..] => bench::main(rest),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!("there is no task `{}`\n\n{HELP}", other.join(" "))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
