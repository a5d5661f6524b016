//! Where words go: results to stdout, everything else to stderr.

use std::io::{self, Write as _};
use std::process::ExitCode;

/// Writes a result to stdout, with a newline.
pub(crate) fn result(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        stdout.write_all(b"\n")?;
    }
    stdout.flush()?;
    Ok(())
}

/// Writes a note to stderr. A stderr that cannot be written to leaves nowhere to complain.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Reports an error with its causes; the exit code is 2.
pub(crate) fn fail(error: &anyhow::Error) -> ExitCode {
    let text = error.to_string();
    note(&if text.starts_with("error:") { text } else { format!("error: {text}") });
    for cause in error.chain().skip(1) {
        note(&format!("Cause: {cause}"));
    }
    ExitCode::from(2)
}

/// Whether the error is a reader that went away: `guerdon ... | head` is no failure.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
            || cause
                .downcast_ref::<guerdon::io::WriteError>()
                .is_some_and(guerdon::io::WriteError::is_broken_pipe)
    })
}
