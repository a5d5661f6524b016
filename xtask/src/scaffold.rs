//! `cargo xtask scaffold-check`: what `cargo xtask new` makes is put to all its tests, in a scratch workspace.

use std::fs;
use std::path::{Path, PathBuf};

use crate::new::{KINDS, create};
use xtask::run::{cargo_in, read, root, run, target, write};

/// The room that lends its build script, dependencies and tests.
const ROOM: &str = "guerdon-select";
const FAMILY: &str = "select";

pub(crate) fn check() -> Result<(), String> {
    let scratch = make_workspace()?;
    for kind in KINDS {
        create(&scratch, &format!("{FAMILY}/scaffold_{}", kind.name), Some(kind.name))?;
    }
    refuses_what_exists(&scratch)?;
    let steps: [&[&str]; 5] = [
        &["fmt", "--check"],
        &["clippy", "--quiet", "--all-targets", "--", "-D", "warnings"],
        &["test", "--quiet", "--lib", "scaffold_"],
        &["test", "--quiet", "--doc", "scaffold_"],
        &["test", "--quiet", "--test", "laws", "--", "--quiet", "scaffold_"],
    ];
    for args in steps {
        let mut command = cargo_in(&scratch.join("crates").join(ROOM), args);
        command.env("CARGO_TARGET_DIR", target());
        run(command)?;
    }
    println!("A new method of each kind compiles, is documented and obeys its laws.");
    Ok(())
}

/// A workspace of one room, with no method in it but those that will be made. The ground stays where it is.
fn make_workspace() -> Result<PathBuf, String> {
    let scratch = target().join("scaffold");
    let room = scratch.join("crates").join(ROOM);
    if scratch.exists() {
        fs::remove_dir_all(&scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
    }
    let source = root().join("crates").join(ROOM);
    for folder in [format!("src/{FAMILY}"), "tests".to_owned()] {
        fs::create_dir_all(room.join(&folder)).map_err(|error| format!("{folder}: {error}"))?;
    }
    write(&scratch.join("Cargo.toml"), &with_one_member(&read(&root().join("Cargo.toml"))?))?;
    for file in ["Cargo.lock", "rustfmt.toml"] {
        write(&scratch.join(file), &read(&root().join(file))?)?;
    }
    fs::create_dir_all(scratch.join("catalogue")).map_err(|error| error.to_string())?;
    let papers = "catalogue/papers.toml";
    write(&scratch.join(papers), &read(&root().join(papers))?)?;
    let crates = root().join("crates");
    let absolute = format!("path = \"{}/", crates.display());
    let manifest = read(&source.join("Cargo.toml"))?.replace("path = \"../", &absolute);
    write(&room.join("Cargo.toml"), &without_benches(&manifest))?;
    for file in ["build.rs", "tests/laws.rs"] {
        write(&room.join(file), &read(&source.join(file))?)?;
    }
    let code = "include!(concat!(env!(\"OUT_DIR\"), \"/registry.rs\"));";
    write(
        &room.join("src/lib.rs"),
        &format!("//! A scratch room.\n\npub mod {FAMILY};\n\n{code}\n"),
    )?;
    write(&room.join(format!("src/{FAMILY}/mod.rs")), "//! Scratch methods.\n")?;
    Ok(scratch)
}

/// The workspace's manifest (lints, profiles) with the scratch room as its only member.
fn with_one_member(manifest: &str) -> String {
    let lists = ["members", "default-members", "exclude"];
    let lines = manifest
        .lines()
        .filter(|line| !lists.iter().any(|list| line.starts_with(&format!("{list} ="))));
    lines.collect::<Vec<_>>().join("\n").replacen(
        "[workspace]",
        "[workspace]\nmembers = [\"crates/*\"]",
        1,
    )
}

/// A manifest without its `[[bench]]` and `[[example]]` tables: the scratch room has neither.
fn without_benches(manifest: &str) -> String {
    let mut kept = true;
    let lines = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            kept = !["[[bench]]", "[[example]]"].contains(&line.trim());
        }
        kept
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

fn refuses_what_exists(scratch: &Path) -> Result<(), String> {
    let id = format!("{FAMILY}/scaffold_{}", KINDS[0].name);
    match create(scratch, &id, None) {
        Err(message) if message.contains("exists already") => Ok(()),
        _ => Err(format!("`cargo xtask new {id}` does not refuse a name that exists")),
    }
}
