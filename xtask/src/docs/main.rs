//! Writes the method pages of the book from the registered methods; with `--check` it only compares.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks through them"
)]

mod book;
mod page;
mod schema;
mod stubs;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use guerdon_core::Method;
use xtask::rooms::{families, ids};
use xtask::run::{read, root, write};

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
    let root = root();
    let source = root.join("docs/src");
    let mut methods: Vec<Method> = guerdon::methods().copied().collect();
    methods.sort_by_key(|method| method.id);
    nothing_forgotten(&root, &methods)?;
    let papers = book::papers(&read(&root.join("catalogue/papers.toml"))?)?;
    let summary = read(&source.join("SUMMARY.md"))?;
    let pages = book::pages(&methods, &papers, &summary)?;
    let stale = stale(&source, &pages)?;
    let stubs = stubs::text(&methods);
    let stubs_differ = read(&root.join(stubs::PATH)).as_ref() != Ok(&stubs);
    if check && stubs_differ {
        return Err(format!(
            "{} is not that of the code. Run `cargo xtask docs` and commit the result.",
            stubs::PATH
        ));
    }
    let changed: Vec<&String> = pages
        .iter()
        .filter(|(path, text)| read(&source.join(path)).as_ref() != Ok(text))
        .map(|(path, _)| path)
        .collect();
    if check {
        return report(&changed, &stale, pages.len());
    }
    if stubs_differ {
        write(&root.join(stubs::PATH), &stubs)?;
    }
    for path in &changed {
        put(&source.join(path), &pages[*path])?;
    }
    for path in &stale {
        fs::remove_file(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(format!(
        "{} pages for {} methods: {} written, {} removed.",
        pages.len(),
        methods.len(),
        changed.len(),
        stale.len()
    ))
}

/// Every method that stands in a room must be known to the facade.
fn nothing_forgotten(root: &Path, methods: &[Method]) -> Result<(), String> {
    for family in families(root)? {
        let known = |id: &str| methods.iter().any(|m| m.id == id || m.aliases.contains(&id));
        if let Some((id, _)) = ids(&family.folder)?.into_iter().find(|(id, _)| !known(id)) {
            return Err(format!(
                "`{id}` stands in {} but `guerdon::methods()` does not know it: add the room to the facade",
                family.room
            ));
        }
    }
    Ok(())
}

fn report(changed: &[&String], stale: &[PathBuf], pages: usize) -> Result<String, String> {
    if changed.is_empty() && stale.is_empty() {
        return Ok(format!("All {pages} generated pages are up to date."));
    }
    let names = changed.iter().map(|path| format!("  docs/src/{path} differs"));
    let gone = stale.iter().map(|path| format!("  {} has no method any more", path.display()));
    let list: Vec<String> = names.chain(gone).collect();
    Err(format!(
        "generated pages are not those of the code:\n{}\nRun `cargo xtask docs` and commit the result.",
        list.join("\n")
    ))
}

/// Files below `methods/` that no method has.
fn stale(source: &Path, pages: &BTreeMap<String, String>) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    files(&source.join("methods"), &mut found)?;
    found.retain(|path| {
        let relative =
            path.strip_prefix(source).unwrap_or(path).to_string_lossy().replace('\\', "/");
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

fn put(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    write(path, text)
}
