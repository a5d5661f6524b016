//! `cargo xtask architecture`: a crate knows only the floors beneath it, never its neighbours.

use serde_json::Value;

use xtask::run::{cargo, output};

/// The floors, lowest first. A crate may depend on crates of lower floors.
const FLOORS: [&[&str]; 7] = [
    // Ground: what knows no other part of the house.
    &["guerdon-core", "guerdon-build", "guerdon-sandbox"],
    // Ground: what builds on core alone.
    &["guerdon-client", "guerdon-io", "guerdon-stats"],
    // Rooms.
    &[
        "guerdon-verify",
        "guerdon-judge",
        "guerdon-model",
        "guerdon-shape",
        "guerdon-select",
        "guerdon-rank",
        "guerdon-decide",
        "guerdon-audit",
    ],
    // The facade: the spec and the engine.
    &["guerdon"],
    // What is built with it.
    &["guerdon-lab", "guerdon-serve"],
    // The command, and the Python package.
    &["guerdon-cli", "guerdon-python"],
    // Tools, which may know everything.
    &["xtask"],
];

/// Checks the dependencies of all crates of the workspace, those of tests and build scripts among them.
pub(crate) fn check() -> Result<(), String> {
    let text = output(cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value =
        serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    let wrong: Vec<String> =
        dependencies(&metadata).iter().filter_map(|(from, to)| violation(from, to)).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n  ")) }
}

/// Every pair of crates of the house of which the first depends on the second.
fn dependencies(metadata: &Value) -> Vec<(String, String)> {
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let mut pairs = Vec::new();
    for package in list(metadata, "packages") {
        let from = name(&package);
        // A crate without dependencies must have its floor, too.
        pairs.push((from.clone(), from.clone()));
        let inside = list(&package, "dependencies")
            .into_iter()
            .filter(|dependency| !dependency["path"].is_null());
        pairs.extend(inside.map(|dependency| (from.clone(), name(&dependency))));
    }
    pairs
}

fn violation(from: &str, to: &str) -> Option<String> {
    let floor = |name: &str| FLOORS.iter().position(|floor| floor.contains(&name));
    match (floor(from), floor(to)) {
        (None, _) => {
            Some(format!("`{from}` has no floor: give it one in xtask/src/architecture.rs"))
        }
        (_, None) => Some(format!("`{to}` has no floor: give it one in xtask/src/architecture.rs")),
        (Some(above), Some(below)) if above > below || from == to => None,
        (Some(above), Some(below)) if above == below => {
            Some(format!("`{from}` depends on its neighbour `{to}`"))
        }
        _ => Some(format!("`{from}` depends on `{to}`, which stands above it")),
    }
}

#[cfg(test)]
mod tests {
    use super::{check, dependencies, violation};
    use serde_json::json;

    #[test]
    fn the_house_stands() {
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn neighbours_and_upper_floors_are_out_of_reach() {
        assert_eq!(violation("guerdon-shape", "guerdon-core"), None);
        assert_eq!(violation("guerdon-cli", "guerdon-shape"), None);
        assert!(violation("guerdon-shape", "guerdon-verify").unwrap().contains("neighbour"));
        assert!(violation("guerdon-shape", "guerdon").unwrap().contains("above"));
        assert!(violation("guerdon-attic", "guerdon-core").unwrap().contains("no floor"));
    }

    #[test]
    fn only_crates_of_the_house_count() {
        let metadata = json!({"packages": [{"name": "a", "dependencies": [{"name": "serde"}, {"name": "b", "path": "/b"}]}]});
        assert_eq!(dependencies(&metadata), [("a".into(), "a".into()), ("a".into(), "b".into())]);
    }
}
