//! `cargo xtask test`: everything that must hold, in order.

use std::process::Command;
use std::time::Instant;

use crate::{architecture, python, readme, scaffold};
use xtask::run::{cargo, docs_command, has_cargo_tool, run, shown};

/// One thing that must hold.
struct Step {
    /// Its name, for `--only` and `--from`.
    name: &'static str,
    /// What it shows, in a few words.
    shows: &'static str,
    /// What does it.
    action: Action,
    /// What to do when it fails.
    remedy: &'static str,
}

enum Action {
    /// A command whose exit status tells.
    Command(fn() -> Command),
    /// A check of our own.
    Check(fn() -> Result<(), String>),
}

/// So that the generator of the method pages is looked at, too.
const DOCS: &str = "--features=xtask/docs";

/// The steps, cheapest first. Add one here and `cargo xtask test` runs it.
const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        shows: "the code is formatted",
        action: Action::Command(|| cargo(&["fmt", "--all", "--check"])),
        remedy: "run `cargo fmt --all`",
    },
    Step {
        name: "architecture",
        shows: "every crate knows only the floors beneath it",
        action: Action::Check(architecture::check),
        remedy: "move the code to the floor where both crates can reach it",
    },
    Step {
        name: "clippy",
        shows: "no lint complains",
        action: Action::Command(|| {
            cargo(&["clippy", "--workspace", "--all-targets", DOCS, "--", "-D", "warnings"])
        }),
        remedy: "mend the code; an `allow` needs a reason",
    },
    Step {
        name: "tests",
        shows: "unit and integration tests pass",
        action: Action::Command(unit_tests),
        remedy: "run the failing test alone: `cargo test -p CRATE NAME`",
    },
    Step {
        name: "laws",
        shows: "every method obeys its laws",
        action: Action::Command(|| {
            cargo(&["test", "--workspace", "--no-fail-fast", "--test", "laws", "--", "--quiet"])
        }),
        remedy: "run one method alone: `cargo test -p ROOM --test laws FAMILY.NAME`",
    },
    Step {
        name: "doctests",
        shows: "the examples in the documentation run",
        action: Action::Command(|| cargo(&["test", "--workspace", "--quiet", "--doc"])),
        remedy: "run one crate alone: `cargo test -p CRATE --doc`",
    },
    Step {
        name: "generated",
        shows: "the method pages are those of the code",
        action: Action::Command(|| docs_command(&["--check"])),
        remedy: "run `cargo xtask docs` and commit the result",
    },
    Step {
        name: "scaffold",
        shows: "a new method of each kind compiles and obeys its laws",
        action: Action::Check(scaffold::check),
        remedy: "mend the templates in xtask/templates",
    },
    Step {
        name: "readme",
        shows: "the README's commands are those of the project, and every example runs",
        action: Action::Check(readme::check),
        remedy: "mend README.md or the example",
    },
    Step {
        name: "python",
        shows: "the Python package is clean, typed and passes its tests",
        action: Action::Check(python::check),
        remedy: "see python/; `cargo xtask test --only python` builds and tests it",
    },
    Step {
        name: "doc",
        shows: "the documentation builds without warnings",
        action: Action::Command(doc),
        remedy: "mend the links and the markup that rustdoc names",
    },
];

fn unit_tests() -> Command {
    if has_cargo_tool("nextest") {
        cargo(&[
            "nextest",
            "run",
            "--workspace",
            DOCS,
            "--no-fail-fast",
            "--filterset",
            "not binary(laws)",
        ])
    } else {
        cargo(&["test", "--workspace", DOCS, "--lib", "--bins", "--tests"])
    }
}

fn doc() -> Command {
    let mut command = cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}

pub(crate) fn main(args: &[&str]) -> Result<(), String> {
    let steps = match args {
        [] => STEPS,
        ["--list"] => {
            for step in STEPS {
                println!("{:<14}{}", step.name, step.shows);
            }
            return Ok(());
        }
        ["--only", name] => std::slice::from_ref(&STEPS[position(name)?]),
        ["--from", name] => &STEPS[position(name)?..],
        other => {
            return Err(format!("`{}` is not understood; see `cargo xtask help`", other.join(" ")));
        }
    };
    let start = Instant::now();
    let mut times = Vec::new();
    for (k, step) in steps.iter().enumerate() {
        let began = Instant::now();
        perform(step, k + 1, steps.len())?;
        times.push(format!("  {:<14}{:>7.1} s", step.name, began.elapsed().as_secs_f64()));
    }
    println!(
        "\nAll {} steps hold ({:.0} s).\n{}",
        steps.len(),
        start.elapsed().as_secs_f64(),
        times.join("\n")
    );
    Ok(())
}

fn position(name: &str) -> Result<usize, String> {
    let names = || STEPS.iter().map(|step| step.name);
    names().position(|known| known == name).ok_or_else(|| {
        format!("there is no step `{name}`; there are: {}", names().collect::<Vec<_>>().join(", "))
    })
}

fn perform(step: &Step, k: usize, of: usize) -> Result<(), String> {
    println!("\n━━━ {k}/{of} {} · {}", step.name, step.shows);
    let outcome = match step.action {
        Action::Command(make) => {
            let command = make();
            println!("    {}\n", shown(&command));
            run(command)
        }
        Action::Check(check) => check(),
    };
    outcome.map_err(|why| {
        let Step { name, remedy, .. } = step;
        format!("step {k} of {of}, `{name}`, does not hold: {why}\n  To mend it: {remedy}.\n  To repeat it: cargo xtask test --only {name}")
    })
}

#[cfg(test)]
mod tests {
    use super::{STEPS, position};

    #[test]
    fn names_are_unique_and_unknown_ones_refused() {
        for (k, step) in STEPS.iter().enumerate() {
            assert_eq!(position(step.name), Ok(k));
        }
        assert!(position("nothing").unwrap_err().contains("there are: fmt, "));
    }
}
