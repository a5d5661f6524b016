//! Labels of raters: numbers or texts, coded as indices in a fixed order.

use std::cmp::Ordering;

use guerdon_core::MethodError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A label: a number or a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Label {
    /// A grade.
    Number(f64),
    /// A category.
    Text(String),
    /// Yes or no.
    Flag(bool),
}

impl Label {
    /// The number, where the label is one (false and true are 0 and 1).
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Flag(flag) => Some(f64::from(u8::from(*flag))),
            Self::Text(_) => None,
        }
    }
}

impl From<&str> for Label {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<f64> for Label {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

/// Numbers (flags among them) before texts, each ascending.
fn compare(a: &Label, b: &Label) -> Ordering {
    match (a, b) {
        (Label::Text(a), Label::Text(b)) => a.cmp(b),
        (Label::Text(_), _) => Ordering::Greater,
        (_, Label::Text(_)) => Ordering::Less,
        _ => crate::order::compare(a.number().unwrap_or(0.0), b.number().unwrap_or(0.0)),
    }
}

/// The distinct labels in order: `given` if it is not empty, else those that occur, ascending.
#[derive(Debug, Clone, PartialEq)]
pub struct Codes {
    labels: Vec<Label>,
}

impl Codes {
    /// Codes for all labels of `seen`. With `given` every seen label must be among them.
    pub fn new<'a>(
        seen: impl IntoIterator<Item = &'a Label>,
        given: &[Label],
    ) -> Result<Self, MethodError> {
        let mut labels: Vec<Label> =
            if given.is_empty() { seen.into_iter().cloned().collect() } else { given.to_vec() };
        if let Some(bad) = labels.iter().filter_map(Label::number).find(|n| !n.is_finite()) {
            return Err(MethodError::domain(format!("a label is {bad}: labels must be finite")));
        }
        if given.is_empty() {
            labels.sort_by(compare);
            labels.dedup_by(|a, b| compare(a, b).is_eq());
        }
        Ok(Self { labels })
    }

    /// Number of distinct labels.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The index of `label`.
    pub fn code(&self, label: &Label) -> Result<usize, MethodError> {
        self.labels.iter().position(|known| compare(known, label).is_eq()).ok_or_else(|| {
            MethodError::domain(format!("the label {label:?} is not among `labels`"))
        })
    }

    /// The labels as numbers; `None` where one is a text.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        self.labels.iter().map(Label::number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Codes, Label};

    #[test]
    fn codes_follow_the_order_of_labels() {
        let seen = [Label::from(3.0), Label::from("b"), Label::from(1.0), Label::from(3.0)];
        let codes = Codes::new(&seen, &[]).unwrap();
        assert_eq!(
            (codes.len(), codes.code(&seen[0]).unwrap(), codes.code(&seen[1]).unwrap()),
            (3, 1, 2)
        );
        assert_eq!(codes.numbers(), None);
    }

    #[test]
    fn given_labels_fix_the_order() {
        let given = ["low", "high"].map(Label::from);
        let codes = Codes::new(&[], &given).unwrap();
        assert_eq!(codes.code(&given[1]).unwrap(), 1);
        assert!(codes.code(&Label::from("middle")).is_err());
    }
}
