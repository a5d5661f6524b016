//! What a newcomer meets first: the README's two commands, and every example.

use std::fs;
use std::process::Command;

use xtask::run::{cargo, output, root};

/// The README's first fenced block holds exactly two commands, and the second one is this one.
pub(crate) fn check() -> Result<(), String> {
    let text = fs::read_to_string(root().join("README.md"))
        .map_err(|error| format!("README.md: {error}"))?;
    let commands = first_block(&text).ok_or("README.md has no fenced block")?;
    match commands.as_slice() {
        [score, test] if score.contains(" score ") && *test == "cargo xtask test" => examples(),
        _ => Err(format!(
            "README.md must begin with a `score` command and `cargo xtask test`, not {commands:?}"
        )),
    }
}

fn first_block(text: &str) -> Option<Vec<&str>> {
    let (_, rest) = text.split_once("```console\n")?;
    Some(rest.split_once("\n```")?.0.lines().collect())
}

/// Every folder of `examples/` with a `reward.yaml` runs as it stands, and its monitors hold.
fn examples() -> Result<(), String> {
    let folder = root().join("examples");
    let mut names: Vec<_> = fs::read_dir(&folder)
        .map_err(|error| format!("examples: {error}"))?
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .filter(|name| folder.join(name).join("reward.yaml").exists())
        .collect();
    names.sort();
    for name in &names {
        let spec = format!("examples/{name}/reward.yaml");
        let rollouts = format!("examples/{name}/rollouts.jsonl");
        let text =
            fs::read_to_string(root().join(&spec)).map_err(|error| format!("{spec}: {error}"))?;
        if text.contains("verify.code_tests") && !has_sandbox() {
            println!("    {spec}: skipped, it runs code and bubblewrap (`bwrap`) is not installed");
            continue;
        }
        println!("    {spec}");
        output(cargo(&[
            "run",
            "--quiet",
            "--package",
            "guerdon-cli",
            "--",
            "score",
            &spec,
            &rollouts,
            "--strict",
        ]))?;
    }
    Ok(())
}

fn has_sandbox() -> bool {
    Command::new("bwrap").arg("--version").output().is_ok_and(|output| output.status.success())
}

#[cfg(test)]
mod tests {
    use super::first_block;

    #[test]
    fn the_first_block_is_found() {
        assert_eq!(
            first_block("# A\n\n```console\none\ntwo\n```\n```console\nthree\n```"),
            Some(vec!["one", "two"])
        );
        assert_eq!(first_block("nothing"), None);
    }
}
