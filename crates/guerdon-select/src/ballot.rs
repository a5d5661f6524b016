//! Votes with weights: the hub of everything that counts answers.
//!
//! Answers are the same when their keys are; [`Equality`] makes keys out of texts, and a caller that knows better (an
//! equivalence checker) brings its own. Classes stand in the order of their first candidate, so that "the strongest, ties
//! to the earliest" is the first maximum.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When two answers are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Equality {
    /// The same text but for surrounding white space.
    #[default]
    Text,
    /// The same text but for case and white space.
    IgnoreCase,
    /// The same number (`1,000`, `1000.0` and `1e3` are), else the same text.
    Number,
}

impl Equality {
    /// The key of an answer: equal keys, same answer.
    pub fn key(self, answer: &str) -> String {
        match self {
            Self::Text => answer.trim().to_owned(),
            Self::IgnoreCase => {
                answer.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
            }
            Self::Number => {
                number(answer).map_or_else(|| answer.trim().to_owned(), |n| n.to_string())
            }
        }
    }
}

/// A plain decimal number, with thousands separators allowed.
fn number(text: &str) -> Option<f64> {
    let plain: String = text.trim().chars().filter(|c| *c != ',').collect();
    let starts =
        plain.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let value: f64 = plain.parse().ok()?;
    // −0 and 0 are one number.
    (starts && value.is_finite()).then_some(value + 0.0)
}

/// The candidates that gave one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// The key that they share.
    pub key: String,
    /// Their summed weight.
    pub weight: f64,
    /// Their indices, ascending.
    pub members: Vec<usize>,
}

/// Counts the votes: one class per key, in the order of the first vote. A `None` key or weight casts no vote.
pub fn count(keys: &[Option<String>], weights: &[Option<f64>]) -> Vec<Class> {
    let mut classes: Vec<Class> = Vec::new();
    let mut place: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, (key, weight)) in keys.iter().zip(weights).enumerate() {
        let (Some(key), Some(weight)) = (key, weight) else { continue };
        let at = *place.entry(key).or_insert(classes.len());
        if at == classes.len() {
            classes.push(Class { key: key.clone(), weight: 0.0, members: Vec::new() });
        }
        classes[at].weight += weight;
        classes[at].members.push(index);
    }
    classes
}

/// The strongest class; ties go to the class whose first vote is earliest.
pub fn winner(classes: &[Class]) -> Option<&Class> {
    first_max(classes.iter().map(|class| class.weight)).map(|at| &classes[at])
}

/// The index of the first greatest value.
pub fn first_max(values: impl IntoIterator<Item = f64>) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (index, value) in values.into_iter().enumerate() {
        if best.is_none_or(|(_, greatest)| value > greatest) {
            best = Some((index, value));
        }
    }
    best.map(|(index, _)| index)
}

/// The classes by falling weight (ties in their order), each key with its weight.
pub fn tally(classes: &[Class]) -> Vec<(String, f64)> {
    let mut tally: Vec<_> = classes.iter().map(|c| (c.key.clone(), c.weight)).collect();
    tally.sort_by(|a, b| b.1.total_cmp(&a.1));
    tally
}

/// `class`'s share of all weight, 0 to 1; `None` where a weight is negative or all are 0.
pub fn share(class: &Class, classes: &[Class]) -> Option<f64> {
    let total: f64 = classes.iter().map(|c| c.weight).sum();
    let proper = classes.iter().all(|c| c.weight >= 0.0) && total > 0.0 && total.is_finite();
    proper.then(|| class.weight / total)
}

#[cfg(test)]
mod tests {
    use super::{Equality, count, first_max, winner};

    fn check(equality: Equality, a: &str, b: &str, same: bool) {
        assert_eq!(equality.key(a) == equality.key(b), same, "{a:?} and {b:?}");
    }

    #[test]
    fn equality_of_answers() {
        check(Equality::Text, " 4\n", "4", true);
        check(Equality::Text, "4", "4.0", false);
        check(Equality::IgnoreCase, "New  York", "new york", true);
        check(Equality::Number, "1,000", "1e3", true);
        check(Equality::Number, "-0", "0.0", true);
        check(Equality::Number, "inf", "infinity", false);
        check(Equality::Number, "4 apples", "4", false);
    }

    #[test]
    fn ties_go_to_the_earliest() {
        let keys: Vec<_> = ["b", "a", "a", "b"].map(|k| Some(k.to_owned())).into();
        let classes = count(&keys, &[Some(1.0); 4]);
        assert_eq!(winner(&classes).unwrap().key, "b");
        assert_eq!(first_max([1.0, 2.0, 2.0]), Some(1));
        assert_eq!(first_max([]), None);
    }
}
