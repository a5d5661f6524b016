//! Judgements for people to read.

use guerdon_core::method::{Judgement, Part};
use serde::{Deserialize, Serialize};

use super::Answered;
use crate::spec::{Label, PairMapping};
use crate::summary::Sample;

/// The most characters of a text that a card keeps.
const TEXT: usize = 6_000;
/// Cards kept per heading.
const CARDS: usize = 12;

/// A judgement with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Card {
    id: String,
    question: String,
    responses: Vec<String>,
    names: Vec<String>,
    winner: Option<String>,
    label: Option<String>,
    preference: Option<[f64; 3]>,
    values: Vec<f64>,
    confidence: Option<f64>,
    parts: Vec<Part>,
    words: String,
    prompt: String,
    error: Option<String>,
}

/// Judgements worth reading.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cards {
    /// Against the labels.
    against: Vec<Card>,
    /// Without a judgement.
    unscored: Vec<Card>,
    /// Ties.
    ties: Vec<Card>,
    /// An even sample.
    sample: Sample<Card>,
}

impl Default for Cards {
    fn default() -> Self {
        Self {
            against: Vec::new(),
            unscored: Vec::new(),
            ties: Vec::new(),
            sample: Sample::new(CARDS),
        }
    }
}

impl Cards {
    pub(super) fn offer(&mut self, row: u64, pairs: &PairMapping, one: &Answered) {
        let told: Option<Judgement> = one
            .ended
            .result
            .as_ref()
            .ok()
            .and_then(|told| serde_json::from_value(told.clone()).ok());
        let winner = told.as_ref().and_then(Judgement::compared).map(Label::of);
        let label = pairs.label(&one.rollout);
        let make = || card(pairs, one, told.as_ref(), winner, label);
        let heading = match (&one.ended.result, winner) {
            (Err(_), _) => Some(&mut self.unscored),
            (Ok(_), Some(winner)) if label.is_some_and(|label| label != winner) => {
                Some(&mut self.against)
            }
            (Ok(_), Some(Label::Tie)) => Some(&mut self.ties),
            _ => None,
        };
        if let Some(cards) = heading.filter(|cards| cards.len() < CARDS) {
            cards.push(make());
        }
        self.sample.offer(row, make);
    }

    /// Heading by heading; those without cards are left out.
    pub(crate) fn headings(&self) -> Vec<(&'static str, Vec<&Card>)> {
        let mut all = vec![
            ("Against the labels", self.against.iter().collect::<Vec<_>>()),
            ("Without a judgement", self.unscored.iter().collect()),
            ("Ties", self.ties.iter().collect()),
            ("A sample", self.sample.items()),
        ];
        all.retain(|(_, cards)| !cards.is_empty());
        all
    }
}

fn card(
    pairs: &PairMapping,
    one: &Answered,
    told: Option<&Judgement>,
    winner: Option<Label>,
    label: Option<Label>,
) -> Card {
    let case = pairs.case(&one.rollout).unwrap_or_default();
    let (first, second) = pairs.names(&one.rollout);
    let prompt = one.ended.turns.first().and_then(|round| round.first()).map(|turn| {
        let messages = turn.request.messages.iter().map(|m| format!("[{}]\n{}", m.role, m.content));
        messages.collect::<Vec<_>>().join("\n\n")
    });
    Card {
        id: one.rollout.id.clone(),
        question: cut(&guerdon_judge::question(&case)),
        names: if case.responses.len() == 2 { vec![first, second] } else { Vec::new() },
        responses: case.responses.iter().map(|text| cut(text)).collect(),
        winner: winner.map(|winner| winner.name().to_owned()),
        label: label.map(|label| label.name().to_owned()),
        preference: told.and_then(Judgement::compared).map(|p| [p.first, p.tie, p.second]),
        values: told.map_or_else(Vec::new, |told| told.values.clone()),
        confidence: told.and_then(|told| told.confidence),
        parts: told.map_or_else(Vec::new, |told| told.parts.clone()),
        words: cut(&crate::ask::words(&one.ended.turns)),
        prompt: cut(&prompt.unwrap_or_default()),
        error: one.ended.result.as_ref().err().map(|reason| cut(&reason.to_string())),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT) {
        None => text.to_owned(),
        Some((at, _)) => format!("{} […]", &text[..at]),
    }
}
