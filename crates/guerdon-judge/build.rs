//! Writes the registry of this room, and the list of its prompts.

use std::path::Path;
use std::{env, fs, io};

fn main() {
    guerdon_build::registry(&["judge", "data"]);
    if let Err(error) = prompts() {
        panic!("the list of prompts could not be written: {error}");
    }
}

fn prompts() -> io::Result<()> {
    let variable = |name| env::var(name).map_err(io::Error::other);
    let folder = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("prompts");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files =
        fs::read_dir(&folder)?.map(|f| Ok(f?.path())).collect::<io::Result<Vec<_>>>()?;
    files.sort();
    let entries: String = files
        .iter()
        .filter_map(|file| Some((file.file_name()?.to_str()?, file)))
        .map(|(name, file)| {
            format!("    ({name:?}, include_str!({:?})),\n", file.display().to_string())
        })
        .collect();
    let code = format!(
        "/// Every built-in template by its file name.\npub static PROMPTS: &[(&str, &str)] = &[\n{entries}];\n"
    );
    fs::write(Path::new(&variable("OUT_DIR")?).join("prompts.rs"), code)
}
