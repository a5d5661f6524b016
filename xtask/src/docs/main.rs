//! Writes the method pages of the book from the registered methods; with `--check` it only compares.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool speaks through them")]

mod book;
mod page;
mod schema;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use guerdon_core::Method;

/// The rooms whose methods have pages.
const ROOMS: [&[Method]; 6] = [
    guerdon_judge::METHODS,
    guerdon_rank::METHODS,
    guerdon_select::METHODS,
    guerdon_shape::METHODS,
    guerdon_stats::METHODS,
    guerdon_verify::METHODS,
];

fn main() -> ExitCode {
    let check = std::env::args().nth(1).as_deref() == Some("--check");
    match run(check) {
        Ok(message) => {
            println!("{message}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(check: bool) -> Result<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("there is no workspace above xtask")?;
    let source = root.join("docs/src");
    let mut methods: Vec<Method> = ROOMS.iter().flat_map(|room| room.iter().copied()).collect();
    methods.sort_by_key(|method| method.id);
    let papers = book::papers(&read(&root.join("catalogue/papers.toml"))?)?;
    let summary = read(&source.join("SUMMARY.md"))?;
    let pages = book::pages(&methods, &papers, &summary)?;
    let stale = stale(&source, &pages)?;
    let changed: Vec<&String> =
        pages.iter().filter(|(path, text)| read(&source.join(path)).as_ref() != Ok(text)).map(|(path, _)| path).collect();
    if check {
        return report(&changed, &stale, pages.len());
    }
    for path in &changed {
        write(&source.join(path), &pages[*path])?;
    }
    for path in &stale {
        fs::remove_file(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(format!("{} pages for {} methods: {} written, {} removed.", pages.len(), methods.len(), changed.len(), stale.len()))
}

fn report(changed: &[&String], stale: &[PathBuf], pages: usize) -> Result<String, String> {
    if changed.is_empty() && stale.is_empty() {
        return Ok(format!("All {pages} generated pages are up to date."));
    }
    let names = changed.iter().map(|path| format!("  docs/src/{path} differs"));
    let gone = stale.iter().map(|path| format!("  {} has no method any more", path.display()));
    let list: Vec<String> = names.chain(gone).collect();
    Err(format!("generated pages are not those of the code:\n{}\nRun `cargo xtask docs` and commit the result.", list.join("\n")))
}

/// Files below `methods/` that no method has.
fn stale(source: &Path, pages: &BTreeMap<String, String>) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    files(&source.join("methods"), &mut found)?;
    found.retain(|path| {
        let relative = path.strip_prefix(source).unwrap_or(path).to_string_lossy().replace('\\', "/");
        !pages.contains_key(&relative)
    });
    Ok(found)
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    if !folder.is_dir() {
        return Ok(());
    }
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            files(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).and_then(|()| fs::write(path, text)).map_err(|error| format!("{}: {error}", path.display()))
}
