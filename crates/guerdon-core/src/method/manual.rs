//! The manual of a method: its module comment, cut into headings.

/// A module comment, cut into its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manual {
    /// The first paragraph: what the method is, in one sentence.
    pub summary: String,
    /// What stands between the summary and the first heading.
    pub introduction: String,
    /// The sections: heading and text, in order.
    pub sections: Vec<(String, String)>,
}

impl Manual {
    /// The headings that every manual must have, in this order.
    pub const HEADINGS: [&str; 5] =
        ["Formula", "When to use it", "Departures", "Example", "References"];

    /// Cuts a module comment.
    pub fn parse(doc: &str) -> Self {
        let mut manual =
            Self { summary: String::new(), introduction: String::new(), sections: Vec::new() };
        let mut in_code = false;
        for line in doc.lines() {
            in_code ^= line.trim_start().starts_with("```");
            match line.strip_prefix("# ").filter(|_| !in_code) {
                Some(heading) => manual.sections.push((heading.trim().to_owned(), String::new())),
                None => manual.push_line(line),
            }
        }
        manual.introduction = manual.introduction.trim().to_owned();
        for (_, text) in &mut manual.sections {
            *text = text.trim_matches('\n').to_owned();
        }
        manual
    }

    fn push_line(&mut self, line: &str) {
        if let Some((_, text)) = self.sections.last_mut() {
            text.push_str(line);
            text.push('\n');
        } else if self.introduction.is_empty() && !line.trim().is_empty() {
            if !self.summary.is_empty() {
                self.summary.push(' ');
            }
            self.summary.push_str(line.trim());
        } else {
            self.introduction.push_str(line);
            self.introduction.push('\n');
        }
    }

    /// The text under `heading`.
    pub fn section(&self, heading: &str) -> Option<&str> {
        self.sections.iter().find(|(h, _)| h == heading).map(|(_, text)| text.as_str())
    }

    /// The first YAML block under `Example`: a spec entry that uses the method.
    pub fn example_spec(&self) -> Option<String> {
        let text = self.section("Example")?;
        let body = text.split("```yaml\n").nth(1)?;
        Some(body.split("\n```").next()?.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::Manual;

    #[test]
    fn a_comment_is_cut_at_its_headings() {
        let doc = "One\nsentence.\n\nMore.\n\n# Formula\n\nx = y\n\n# Example\n\n```yaml\n# not a heading\nuse: a.b\n```\n";
        let manual = Manual::parse(doc);
        assert_eq!(manual.summary, "One sentence.");
        assert_eq!(manual.introduction, "More.");
        assert_eq!(manual.section("Formula"), Some("x = y"));
        assert_eq!(manual.example_spec().as_deref(), Some("# not a heading\nuse: a.b"));
    }
}
