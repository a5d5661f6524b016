//! Running commands, and where things are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root of the workspace.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map_or_else(|| manifest.to_owned(), Path::to_owned)
}

/// The folder for build products.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// `cargo` with arguments, in the root of the workspace.
pub fn cargo(args: &[&str]) -> Command {
    cargo_in(&root(), args)
}

/// `cargo` with arguments, in `folder`.
pub fn cargo_in(folder: &Path, args: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(args).current_dir(folder);
    // What cargo told this process about xtask would make the commands below rebuild or find the wrong package.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}

/// The command as a person would type it.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let quoted = |text: &str| {
        if text.contains(' ') || text.contains('(') { format!("'{text}'") } else { text.to_owned() }
    };
    let envs = command.get_envs().filter_map(|(k, v)| {
        Some(format!("{}={}", k.to_string_lossy(), quoted(&v?.to_string_lossy())))
    });
    let args = command.get_args().map(|arg| quoted(&arg.to_string_lossy()));
    envs.chain([program]).chain(args).collect::<Vec<_>>().join(" ")
}

/// Runs the command; an error names it.
pub fn run(mut command: Command) -> Result<(), String> {
    let status = command
        .status()
        .map_err(|error| format!("`{}` cannot be started: {error}", shown(&command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed ({status})", shown(&command))) }
}

/// Runs the command and gives back what it prints to standard output.
pub fn output(mut command: Command) -> Result<String, String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("`{}` cannot be started: {error}", shown(&command)))?;
    if !output.status.success() {
        return Err(format!("`{}` failed ({})", shown(&command), output.status));
    }
    String::from_utf8(output.stdout)
        .map_err(|error| format!("`{}` printed no text: {error}", shown(&command)))
}

/// Whether `cargo <tool>` is there.
pub fn has_cargo_tool(tool: &str) -> bool {
    let mut command = cargo(&[tool, "--version"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The generator of the method pages, as a command.
pub fn docs_command(args: &[&str]) -> Command {
    let build =
        ["run", "--quiet", "--package", "xtask", "--features", "docs", "--bin", "xtask-docs", "--"];
    cargo(&[&build[..], args].concat())
}

/// Runs the generator of the method pages.
pub fn docs(args: &[&str]) -> Result<(), String> {
    run(docs_command(args))
}

/// Reads a file; the error names it.
pub fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes a file; the error names it.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
