//! How responses are shown: under labels, in an order that the seed decides, so that no judge knows who wrote what and no
//! response owns a place; and how what the judge says of labels is mapped back to the responses.
//!
//! ```
//! use guerdon_judge::show::Show;
//!
//! let show = Show::letters(vec![2, 0, 1]);
//! let responses = ["one", "two", "three"].map(str::to_owned);
//! assert_eq!(show.text(&responses, 0), "three");
//! assert_eq!(show.place("B"), Some(1));
//! assert_eq!(show.back(&[3.0, 1.0, 2.0]), [1.0, 2.0, 3.0]);
//! ```

use guerdon_core::method::{Case, Preference};
use serde::Serialize;

use crate::fence::Fences;
use crate::prompt::Fill;
use crate::question;
use crate::script::Script;

/// An order of responses with their labels: place `k` shows response `order[k]` under `labels[k]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Show {
    order: Vec<usize>,
    labels: Vec<String>,
}

/// One response in a template: `{{ r.label }}` and, in its fence, `{{ r.text }}`.
#[derive(Serialize)]
struct Shown {
    label: String,
    text: String,
}

impl Show {
    /// Labels `A`, `B`, ...; beyond 26 responses, numbers. `order` holds each index below its length once.
    pub fn letters(order: Vec<usize>) -> Self {
        if order.len() > 26 {
            return Self::numbers(order);
        }
        let labels = (b'A'..=b'Z').take(order.len()).map(|c| char::from(c).to_string()).collect();
        Self { order, labels }
    }

    /// Labels `1`, `2`, ... `order` holds each index below its length once.
    pub fn numbers(order: Vec<usize>) -> Self {
        let labels = (1..=order.len()).map(|k| k.to_string()).collect();
        Self { order, labels }
    }

    /// Letters for `n` responses, in an order that the seed and the name of the draw decide.
    pub fn seeded(script: &Script<'_>, n: usize, draw: &str) -> Self {
        Self::letters(script.order(n, draw))
    }

    /// The same labels over the reversed order: of a pair, the other order.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self { order: self.order.iter().rev().copied().collect(), labels: self.labels.clone() }
    }

    /// The labels, in the order of the places.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Which response each place shows.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// The place of a label.
    pub fn place(&self, label: &str) -> Option<usize> {
        self.labels.iter().position(|own| own == label)
    }

    /// The text at a place.
    pub fn text<'a>(&self, responses: &'a [String], place: usize) -> &'a str {
        self.order.get(place).and_then(|k| responses.get(*k)).map_or("", String::as_str)
    }

    /// What was said of the places, by response. Equally long as the order.
    pub fn back<T: Clone>(&self, of_places: &[T]) -> Vec<T> {
        let mut pairs: Vec<(usize, &T)> = self.order.iter().copied().zip(of_places).collect();
        pairs.sort_by_key(|(response, _)| *response);
        pairs.into_iter().map(|(_, value)| value.clone()).collect()
    }

    /// What was said of a pair (first place, tie, second place), by response.
    pub fn preference(&self, of_places: Preference) -> Preference {
        if self.order.first() == Some(&1) { of_places.swapped() } else { of_places }
    }

    /// `responses` of a template: a list of labels and texts, each text in a fence `response_<label>`.
    pub fn fill<'a>(&self, fill: Fill<'a>, fences: &Fences, responses: &[String]) -> Fill<'a> {
        let shown = |(place, label): (usize, &String)| Shown {
            label: label.clone(),
            text: fences.wrap(
                &format!("response_{}", label.to_ascii_lowercase()),
                self.text(responses, place),
            ),
        };
        let all: Vec<Shown> = self.labels.iter().enumerate().map(shown).collect();
        fill.value("responses", all)
    }
}

/// Fences for the texts of a case (question, responses, reference, steps) and these others.
pub fn fences(case: &Case, others: &[&str], seed: u64) -> Fences {
    let question = question(case);
    let mut texts = vec![question.as_str(), case.reference.as_deref().unwrap_or_default()];
    texts.extend(case.responses.iter().chain(&case.steps).map(String::as_str));
    texts.extend(others);
    Fences::new(&texts, seed)
}

#[cfg(test)]
mod tests {
    use super::{Show, fences};
    use crate::contract::Free;
    use crate::fence::find;
    use crate::prompt::{BuiltIn, Fill, Prompt};
    use guerdon_core::method::{Case, Preference};

    #[test]
    fn a_verdict_goes_back_to_the_response() {
        let show = Show::letters(vec![1, 0]);
        assert_eq!(show.preference(Preference::FIRST), Preference::SECOND);
        assert_eq!(show.reversed().preference(Preference::FIRST), Preference::FIRST);
        assert_eq!(show.preference(Preference::TIE), Preference::TIE);
        assert_eq!(Show::letters((0..30).collect()).labels()[29], "30");
    }

    #[test]
    fn responses_stand_in_fences_with_their_labels() {
        let case = Case { responses: vec!["x".into(), "y".into()], ..Case::default() };
        let fences = fences(&case, &[], 3);
        let show = Show::numbers(vec![1, 0]);
        let fill = show.fill(Fill::new(&fences), &fences, &case.responses);
        let own = BuiltIn {
            system: "",
            user: "{% for r in responses %}{{ r.label }}: {{ r.text }}\n{% endfor %}",
        };
        let request = Prompt::default().request(own, fill, &Free).unwrap();
        let text = &request.messages[0].content;
        let found = find(text);
        assert_eq!((found[0].name, found[0].text, found[1].text), ("response_1", "y", "x"));
        assert!(text.starts_with("1: "));
    }
}
