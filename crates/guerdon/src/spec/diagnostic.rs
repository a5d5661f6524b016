//! What is wrong with a spec, where, and what to do about it.

use std::fmt;

use super::node::Span;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where.
    pub span: Span,
    /// Where, as keys, for specs without source text: `signals.correct.use`.
    pub path: String,
    /// What, with the remedy.
    pub message: String,
}

impl Diagnostic {
    /// Something wrong at a place.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, path: String::new(), message: message.into() }
    }

    /// With the keys that lead there.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }
}

/// All that is wrong with a spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecError {
    /// The file, or what else the spec came from.
    pub name: String,
    source: String,
    /// In the order of the source; at least one.
    pub diagnostics: Vec<Diagnostic>,
}

impl SpecError {
    /// The diagnostics of the spec `name` with the text `source` (empty when there is none).
    pub fn new(name: &str, source: &str, mut diagnostics: Vec<Diagnostic>) -> Self {
        diagnostics.sort_by_key(|d| (d.span.line, d.span.column));
        Self { name: name.to_owned(), source: source.to_owned(), diagnostics }
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, diagnostic) in self.diagnostics.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            self.one(f, diagnostic)?;
        }
        Ok(())
    }
}

impl SpecError {
    fn one(&self, f: &mut fmt::Formatter<'_>, diagnostic: &Diagnostic) -> fmt::Result {
        let Diagnostic { span, path, message } = diagnostic;
        write!(f, "error: {message}")?;
        let Some(line) = span.line.checked_sub(1).and_then(|i| self.source.lines().nth(i)) else {
            let place = if path.is_empty() { String::new() } else { format!(", at `{path}`") };
            return write!(f, "\n  --> {}{place}", self.name);
        };
        let number = span.line.to_string();
        let margin = " ".repeat(number.len());
        let indent: String = line
            .chars()
            .take(span.column - 1)
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        let carets =
            "^".repeat(span.len.min(line.chars().count().saturating_sub(span.column - 1)).max(1));
        write!(
            f,
            "\n{margin}--> {}:{number}:{}\n{margin} |\n{number} | {line}\n{margin} | {indent}{carets}",
            self.name, span.column
        )
    }
}

impl std::error::Error for SpecError {}

#[cfg(test)]
mod tests {
    use super::{Diagnostic, Span, SpecError};

    #[test]
    fn a_caret_points_at_the_place() {
        let at = Span { line: 2, column: 4, len: 3 };
        let error = SpecError::new(
            "r.yaml",
            "a: 1\nb: {usx: 2}\n",
            vec![Diagnostic::new(at, "unknown key `usx`")],
        );
        let expect = "error: unknown key `usx`\n --> r.yaml:2:4\n  |\n2 | b: {usx: 2}\n  |    ^^^";
        assert_eq!(error.to_string(), expect);
    }

    #[test]
    fn without_source_the_keys_say_where() {
        let error = SpecError::new(
            "<dict>",
            "",
            vec![Diagnostic::new(Span::default(), "no").at("signals.a")],
        );
        assert_eq!(error.to_string(), "error: no\n  --> <dict>, at `signals.a`");
    }
}
