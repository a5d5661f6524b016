//! Build-time support for rooms: one call in `build.rs` turns the method files of a crate into its registry.
//!
//! A file is a method file when it stands in a family folder (`src/<family>/...`) and registers itself with
//! `guerdon_core::method!`. Its module documentation (`//!`) becomes the method's manual. The generated slice is plain
//! Rust, sorted by path, so that a registered method is always there: no linker tricks.

#![allow(clippy::print_stdout, reason = "cargo reads a build script through its output")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The line that makes a file a method file.
const MARK: &str = "guerdon_core::method!";

/// Writes `$OUT_DIR/registry.rs` with `pub static METHODS: &[guerdon_core::Method]`.
///
/// `families` names the folders below `src/` to search. Include the result in the crate root with
/// `include!(concat!(env!("OUT_DIR"), "/registry.rs"));`.
///
/// # Panics
///
/// When the sources cannot be read or the output cannot be written: a build script has no other way to fail.
pub fn registry(families: &[&str]) {
    if let Err(error) = write_registry(families) {
        panic!("the method registry could not be generated: {error}");
    }
}

fn write_registry(families: &[&str]) -> io::Result<()> {
    let manifest = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let src = manifest.join("src");
    let mut files = Vec::new();
    for family in families {
        println!("cargo::rerun-if-changed={}", src.join(family).display());
        collect(&src.join(family), &mut files)?;
    }
    files.sort();
    let mut entries = String::new();
    for file in &files {
        let text = fs::read_to_string(file)?;
        if text.lines().any(|line| line.starts_with(MARK)) {
            entry(&mut entries, &src, file, &text);
        }
    }
    let code = format!(
        "/// The methods of this room, in the order of their files.\npub static METHODS: &[guerdon_core::Method] = &[\n{entries}];\n"
    );
    fs::write(PathBuf::from(variable("OUT_DIR")?).join("registry.rs"), code)
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for item in fs::read_dir(folder)? {
        let path = item?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn entry(out: &mut String, src: &Path, file: &Path, text: &str) {
    let relative = file.strip_prefix(src).unwrap_or(file).with_extension("");
    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
    let module = parts.iter().filter(|part| *part != "mod").cloned().collect::<Vec<_>>().join("::");
    let source = format!("src/{}.rs", parts.join("/"));
    let _ = writeln!(
        out,
        "    guerdon_core::Method {{ def: &crate::{module}::METHOD, doc: {:?}, source: concat!(env!(\"CARGO_PKG_NAME\"), \"/{source}\") }},",
        module_doc(text)
    );
}

/// The text of the leading `//!` lines.
fn module_doc(text: &str) -> String {
    let lines = text.lines().take_while(|line| line.starts_with("//!"));
    lines
        .map(|line| line[3..].strip_prefix(' ').unwrap_or(&line[3..]))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::module_doc;

    #[test]
    fn the_manual_is_the_leading_module_comment() {
        let text = "//! One line.\n//!\n//!   indented\nuse std::fmt;\n//! not this\n";
        assert_eq!(module_doc(text), "One line.\n\n  indented");
    }
}
