//! The Python package: built as the workspace builds it, linted, typed and tested.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::run::{cargo, root, run, target};

/// What the tests need, in a virtual environment of their own below `target/`.
const TOOLS: [&str; 5] = ["pytest", "mypy", "ruff", "numpy", "pyarrow"];

/// Builds the native library into a copy of the package and runs ruff, mypy and the tests over it.
pub(crate) fn check() -> Result<(), String> {
    let place = target().join("python");
    let python = environment(&place)?;
    let package = assemble(&place)?;
    run(tool(&python, &package, &["ruff", "check", "."]))?;
    run(tool(&python, &package, &["ruff", "format", "--check", "."]))?;
    run(tool(&python, &package, &["mypy"]))?;
    let mut tests = tool(
        &python,
        &package,
        &["pytest", "--quiet", "--doctest-modules", "--ignore=guerdon/trl.py", "."],
    );
    // The command serves the simulated models that the tests ask.
    run(cargo(&["build", "--quiet", "--package", "guerdon-cli"]))?;
    let command = format!("guerdon{}", std::env::consts::EXE_SUFFIX);
    tests.env("GUERDON", target().join("debug").join(command));
    run(tests)
}

fn tool(python: &Path, package: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(python);
    command.arg("-m").args(words).current_dir(package);
    command
}

/// The interpreter of a virtual environment that holds the tools.
fn environment(place: &Path) -> Result<PathBuf, String> {
    let venv = place.join("venv");
    let python = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let complete = venv.join("complete");
    if complete.exists() {
        return Ok(python);
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&venv);
    run(make)?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(TOOLS);
    run(install)?;
    fs::write(&complete, "").map_err(|error| format!("{}: {error}", complete.display()))?;
    Ok(python)
}

/// A copy of `python/` with the native library in its place.
fn assemble(place: &Path) -> Result<PathBuf, String> {
    run(cargo(&["build", "--quiet", "--package", "guerdon-python"]))?;
    let package = place.join("package");
    let _ = fs::remove_dir_all(&package);
    copy(&root().join("python"), &package)
        .map_err(|error| format!("{}: {error}", package.display()))?;
    let built = target().join("debug").join(format!(
        "{}_native{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    ));
    let native = package.join("guerdon").join("_native.abi3.so");
    fs::copy(&built, &native).map_err(|error| format!("{}: {error}", built.display()))?;
    Ok(package)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            if name != "__pycache__" {
                copy(&entry.path(), &to.join(name))?;
            }
        } else {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}
