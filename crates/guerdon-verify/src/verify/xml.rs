//! XML: whether the completion is well formed, and has the required elements.
//!
//! # Formula
//!
//! ```text
//! score = well_formed · (every required element is there)
//! ```
//!
//! The document is the last fenced block of the completion if there is one, else the whole completion. It is well formed if it
//! has one root element, every element is closed by its own name, attributes are quoted and unique, and nothing but comments,
//! declarations and white space stands outside the root.
//!
//! # When to use it
//!
//! As a format reward for XML output. For loose tags inside prose use `verify.format`.
//!
//! # Departures
//!
//! Document types are refused, so that no entity expands; namespaces are part of the names. At most 1 MiB and 128 levels.
//!
//! # Example
//!
//! ```yaml
//! use: verify.xml
//! required: [city, temperature]
//! ```
//!
//! ```
//! use guerdon_verify::verify::xml::Xml;
//! let xml = Xml { required: vec!["city".into()] };
//! assert!(xml.check("<report><city>Paris</city></report>").is_ok());
//! assert!(xml.check("<report><city>Paris</report></city>").is_err());
//! ```
//!
//! # References
//!
//! Bray et al., "Extensible Markup Language (XML) 1.0 (Fifth Edition)", W3C Recommendation, 2008.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::passage::passage;

/// Deepest nesting of elements.
const MAX_DEPTH: usize = 128;

/// Parameters of `verify.xml`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Xml {
    /// Names of elements that must be there, at any depth. Default none.
    pub required: Vec<String>,
}

impl Params for Xml {
    fn validate(&self) -> Result<(), ParamError> {
        if self.required.iter().any(String::is_empty) {
            return Err(ParamError::new("required", "`required` holds names of elements"));
        }
        Ok(())
    }
}

/// What has been read so far.
struct Walk<'a> {
    required: &'a [String],
    found: Vec<bool>,
    depth: usize,
    roots: usize,
}

impl Walk<'_> {
    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), String> {
        for attribute in element.attributes() {
            attribute.map_err(|error| error.to_string())?;
        }
        self.roots += usize::from(self.depth == 0);
        for (name, found) in self.required.iter().zip(&mut self.found) {
            *found |= element.name() == quick_xml::name::QName(name.as_ref());
        }
        Ok(())
    }

    fn step(&mut self, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(element) => {
                self.open(element)?;
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(format!("deeper than {MAX_DEPTH} elements"));
                }
            }
            Event::Empty(element) => self.open(element)?,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            Event::Text(text) if self.depth == 0 && !blank(text) => {
                return Err("there is text outside the root element".to_owned());
            }
            Event::CData(_) | Event::GeneralRef(_) if self.depth == 0 => {
                return Err("there is text outside the root element".to_owned());
            }
            Event::DocType(_) => return Err("document types are refused".to_owned()),
            _ => {}
        }
        Ok(())
    }

    fn end(&self) -> Result<(), String> {
        if self.depth > 0 || self.roots != 1 {
            return Err("there must be one root element, closed".to_owned());
        }
        match self.found.iter().position(|found| !found) {
            Some(at) => Err(format!("<{}> is missing", self.required[at])),
            None => Ok(()),
        }
    }
}

fn blank<T: AsRef<str> + ?Sized>(text: &T) -> bool {
    text.as_ref().trim().is_empty()
}

impl Xml {
    /// Whether `text` is well formed and has what is required; if not, why.
    pub fn check(&self, text: &str) -> Result<(), String> {
        let mut reader = Reader::from_str(passage(text, "")?);
        let found = vec![false; self.required.len()];
        let mut walk = Walk { required: &self.required, found, depth: 0, roots: 0 };
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Eof => return walk.end(),
                event => walk.step(&event)?,
            }
        }
    }
}

impl Signal for Xml {
    fn score(&self, rollout: &Rollout) -> Outcome {
        Ok(match self.check(rollout.text()) {
            Ok(()) => Score::binary(true),
            Err(why) => Score::binary(false).because(why),
        })
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Xml: Signal,
    id: "verify.xml",
    papers: [],
    status: Stable,
    laws: [WhitespaceInvariant],
    exempt: [],
    sample_params: r#"{"required": ["city"]}"#,
    samples: [
        r#"{"prompt": "Where?", "completion": "<report><city n=\"1\">Paris</city></report>", "reference": "Paris"}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::Xml;

    fn check(text: &str, expect: bool) {
        let xml = Xml { required: vec!["b".into()] };
        assert_eq!(xml.check(text).is_ok(), expect, "{text:?}");
    }

    #[test]
    fn well_formedness() {
        check("<?xml version=\"1.0\"?>\n<a><!-- x --><b c=\"1\"/>t</a>\n", true);
        check("```xml\n<b>x</b>\n```", true);
        for text in [
            "",
            "<a/>",
            "<b>",
            "</b>",
            "<b></a>",
            "<b/><b/>",
            "x<b/>",
            "<b/>x",
            "<b c=1/>",
            "<b c=\"1\" c=\"2\"/>",
            "<!DOCTYPE b [<!ENTITY x \"y\">]><b>&x;</b>",
        ] {
            check(text, false);
        }
        check(&format!("{}<b/>{}", "<a>".repeat(200), "</a>".repeat(200)), false);
    }
}
