//! The progress bar.

use std::io::IsTerminal as _;
use std::time::Duration;

use guerdon::engine::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar on stderr; hidden where that is no terminal.
pub(super) fn new() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::no_length();
    let style = ProgressStyle::with_template(
        "  {bar:30} {percent:>3} %  {msg}  {elapsed} elapsed, {eta} left",
    );
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Shows how far a run is, and what models have cost so far.
pub(super) fn show(bar: &ProgressBar, progress: &Progress, what: &str) {
    if let Some(total) = progress.total {
        bar.set_length(total);
        bar.set_position(progress.bytes);
    }
    let spent =
        if progress.spent.is_empty() { String::new() } else { format!(", {}", progress.spent) };
    bar.set_message(format!("{} {what}{spent}", progress.rows));
}
