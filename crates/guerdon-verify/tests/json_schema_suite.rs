//! The official JSON Schema Test Suite, where `JSON_SCHEMA_TEST_SUITE` names a checkout of it; skipped elsewhere.
//!
//! Every required test must agree, but for those of [`DEPARTURES`]. With `JSON_SCHEMA_OPTIONAL` set the optional ones are
//! run as well and counted.

#![allow(
    clippy::print_stderr,
    reason = "the test says how many cases agreed, or that it was skipped"
)]

use std::path::{Path, PathBuf};

use guerdon_verify::verify::json_schema::{Compile, Draft};
use serde_json::{Map, Value};

/// Custom vocabularies are not read.
const DEPARTURES: [&str; 1] =
    ["schema that uses custom metaschema with with no validation vocabulary"];

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn files(folder: &Path, found: &mut Vec<PathBuf>, deep: bool) {
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && deep {
            files(&path, found, deep);
        } else if path.extension().is_some_and(|e| e == "json") {
            found.push(path);
        }
    }
}

/// What the suite serves at `localhost:1234`.
fn documents(suite: &Path) -> Map<String, Value> {
    let root = suite.join("remotes");
    let mut paths = Vec::new();
    files(&root, &mut paths, true);
    let uri = |path: &Path| {
        format!("http://localhost:1234/{}", path.strip_prefix(&root).unwrap().display())
    };
    // Drafts that are not read here.
    let foreign = |uri: &str| {
        ["3", "4", "6"].iter().any(|d| uri.contains(&format!("/draft{d}/"))) || uri.contains("/v1/")
    };
    paths.iter().map(|path| (uri(path), read(path))).filter(|(uri, _)| !foreign(uri)).collect()
}

#[derive(Default)]
struct Count {
    agreed: usize,
    wrong: Vec<String>,
}

fn run(paths: &[PathBuf], options: &Compile<'_>) -> Count {
    let mut count = Count::default();
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        for group in read(path).as_array().unwrap() {
            let compiled = options.compile(&group["schema"]);
            for test in group["tests"].as_array().unwrap() {
                let got = compiled.as_ref().map(|v| v.is_valid(&test["data"]));
                let label = format!("{name}: {}: {}", group["description"], test["description"]);
                match got {
                    Ok(valid) if Value::Bool(valid) == test["valid"] => count.agreed += 1,
                    Ok(valid) => count.wrong.push(format!("{label}: {valid}")),
                    Err(error) => count.wrong.push(format!("{label}: {error}")),
                }
            }
        }
    }
    count
}

fn check(draft: Draft, folder: &str) {
    let Some(suite) = std::env::var_os("JSON_SCHEMA_TEST_SUITE").map(PathBuf::from) else {
        eprintln!("skipped: JSON_SCHEMA_TEST_SUITE names no checkout of the test suite");
        return;
    };
    let documents = documents(&suite);
    let tests = suite.join("tests").join(folder);
    let options = Compile { draft, formats: false, documents: Some(&documents) };
    let mut paths = Vec::new();
    files(&tests, &mut paths, false);
    let required = run(&paths, &options);
    eprintln!(
        "{folder}: {} required tests agree, {} do not",
        required.agreed,
        required.wrong.len()
    );
    for (sub, formats) in [("optional", false), ("optional/format", true)] {
        let mut paths = Vec::new();
        files(&tests.join(sub), &mut paths, false);
        let count = run(&paths, &Compile { formats, ..options.clone() });
        eprintln!("{folder}: {sub}: {} agree, {} do not", count.agreed, count.wrong.len());
        if std::env::var_os("JSON_SCHEMA_OPTIONAL").is_some() {
            count.wrong.iter().for_each(|wrong| eprintln!("  {wrong}"));
        }
    }
    let wrong = required.wrong.iter().filter(|w| !DEPARTURES.iter().any(|d| w.contains(d)));
    let wrong: Vec<_> = wrong.map(String::as_str).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn draft_seven() {
    check(Draft::Draft7, "draft7");
}

#[test]
fn draft_2019_09() {
    check(Draft::Draft201909, "draft2019-09");
}

#[test]
fn draft_2020_12() {
    check(Draft::Draft202012, "draft2020-12");
}
