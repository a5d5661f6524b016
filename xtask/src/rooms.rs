//! Which room holds which family, read from the rooms' build scripts, and which methods are there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::read;

/// A room of the house and one of its families.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Family {
    /// `shape`.
    pub name: String,
    /// `guerdon-shape`.
    pub room: String,
    /// `crates/guerdon-shape/src/shape`.
    pub folder: PathBuf,
}

/// All families below `root`, sorted by name.
pub fn families(root: &Path) -> Result<Vec<Family>, String> {
    let mut all = Vec::new();
    let crates = root.join("crates");
    for entry in fs::read_dir(&crates).map_err(|error| format!("{}: {error}", crates.display()))? {
        let folder = entry.map_err(|error| error.to_string())?.path();
        let build = folder.join("build.rs");
        let Some(room) = folder.file_name().and_then(|n| n.to_str()).filter(|_| build.is_file())
        else {
            continue;
        };
        for name in registered(&read(&build)?) {
            all.push(Family {
                folder: folder.join("src").join(&name),
                room: room.to_owned(),
                name,
            });
        }
    }
    all.sort();
    Ok(all)
}

/// The families in `guerdon_build::registry(&["advantage", "shape"])`.
fn registered(build: &str) -> Vec<String> {
    let list = build
        .split("registry(&[")
        .nth(1)
        .and_then(|rest| rest.split(']').next())
        .unwrap_or_default();
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The ids and aliases of the methods in `folder`, with the file of each.
pub fn ids(folder: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let mut all = Vec::new();
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            all.extend(ids(&path)?);
        } else if path.extension().is_some_and(|e| e == "rs") {
            all.extend(ids_in(&read(&path)?).into_iter().map(|id| (id, path.clone())));
        }
    }
    Ok(all)
}

/// The quoted ids in the `id:` and `aliases:` lines of a method's registration.
fn ids_in(source: &str) -> Vec<String> {
    let registration = source.split("\nguerdon_core::method!").nth(1).unwrap_or_default();
    let lines = registration.lines().take_while(|line| !line.starts_with('}'));
    let named = lines
        .filter(|line| ["id:", "aliases:"].iter().any(|key| line.trim_start().starts_with(key)));
    named.flat_map(|line| line.split('"').skip(1).step_by(2).map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::{ids_in, registered};

    #[test]
    fn families_are_read_from_the_build_script() {
        assert_eq!(
            registered("fn main() {\n    guerdon_build::registry(&[\"advantage\", \"shape\"]);\n}"),
            ["advantage", "shape"]
        );
        assert!(registered("fn main() {}").is_empty());
    }

    #[test]
    fn ids_and_aliases_are_read_from_the_registration() {
        let source = "// id: \"no\"\n\nguerdon_core::method! {\n    P: Signal,\n    id: \"a.b\",\n    aliases: [\"a.c\", \"a.d\"],\n}\nid: \"no\"";
        assert_eq!(ids_in(source), ["a.b", "a.c", "a.d"]);
    }
}
