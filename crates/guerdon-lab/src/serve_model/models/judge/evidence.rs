//! What a judge learns from the other texts of a prompt: facts of a debate, answers of tools, the scores of another judge.

use std::sync::LazyLock;

use regex::Regex;

use super::decide::Bench;
use super::scene::{Candidate, Piece, Scene};
use super::verdict::Options;
use crate::serve_model::world::{Seen, World, pattern};

/// A fact that speaks for one of two decisions.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    /// Its number.
    pub(crate) label: String,
    pub(crate) seen: Seen,
}

static SIDE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"You speak for (?:decision|response) ([A-Za-z0-9]+)"));
static SCORES: LazyLock<Regex> = LazyLock::new(|| pattern(r"Scores: \[\[([^\]]*)\]\]"));
static SUM: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[0-9(][0-9 .()]*[-+*/][-0-9 .+*/()]*[0-9)]"));
static OFFERED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^- ([a-z0-9_]+): "));

impl Scene {
    /// Takes in what the other texts say.
    pub(super) fn learn(&mut self, pieces: &[Piece<'_>], skeleton: &str, world: &World) {
        self.facts = pieces
            .iter()
            .filter_map(|p| {
                Some(Fact {
                    label: p.name.strip_prefix("feature_")?.to_owned(),
                    seen: world.see(p.text),
                })
            })
            .collect();
        let side = SIDE.captures(skeleton).map(|found| found[1].to_owned());
        self.side = side.and_then(|label| self.labelled(&label));
        for candidate in &mut self.candidates {
            let told: Vec<f64> =
                self.facts.iter().filter_map(|fact| weight(fact, candidate)).collect();
            if !told.is_empty() {
                candidate.seen.quality = told.iter().sum();
            }
        }
        let observed = pieces.iter().filter(|piece| piece.name.starts_with("observation"));
        if observed.into_iter().any(|piece| !piece.text.to_lowercase().contains("error")) {
            self.check();
        }
        let shown: Vec<f64> = pieces
            .iter()
            .filter(|piece| piece.name.starts_with("context_"))
            .map(|piece| world.see(piece.text).quality)
            .collect();
        if let [only] = self.candidates.as_mut_slice()
            && let Some(agreement) = agreement(&only.text, &shown)
        {
            only.seen.quality = agreement;
        }
    }

    /// A tool has shown the `truth` of the texts.
    fn check(&mut self) {
        for candidate in &mut self.candidates {
            candidate.seen.quality =
                candidate.seen.traits.get("truth").copied().unwrap_or(candidate.seen.quality);
        }
    }

    /// The tool that is offered and what to give it: the first sum in the candidate, otherwise its first line.
    pub(super) fn tool(&self) -> Option<(String, String)> {
        let name = OFFERED.captures(&self.skeleton)?[1].to_owned();
        let text = &self.candidates.first()?.text;
        let sum = SUM.find(text).map(|found| found.as_str().trim());
        let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("nothing");
        let input: String = sum.unwrap_or(line).chars().take(200).collect();
        Some((name, input))
    }
}

/// How much a fact speaks for a candidate: its traits that the candidate names.
fn weight(fact: &Fact, candidate: &Candidate) -> Option<f64> {
    let text = candidate.text.to_lowercase();
    let named = fact.seen.traits.iter().filter(|(name, _)| text.contains(&name.to_lowercase()));
    named.map(|(_, value)| *value).reduce(|sum, value| sum + value)
}

/// How far scores agree with qualities: 1.5 times the share of rightly ordered pairs less that of wrongly ordered ones.
fn agreement(words: &str, qualities: &[f64]) -> Option<f64> {
    let list = &SCORES.captures_iter(words).last()?[1];
    let scores: Vec<f64> = list.split(',').map(|s| s.trim().parse().ok()).collect::<Option<_>>()?;
    if scores.len() != qualities.len() || scores.len() < 2 {
        return None;
    }
    let (mut sum, mut pairs) = (0.0, 0.0);
    for i in 0..scores.len() {
        for j in 0..i {
            sum += ((scores[i] - scores[j]) * (qualities[i] - qualities[j]))
                .partial_cmp(&0.0)
                .map_or(0.0, |o| f64::from(o as i8));
            pairs += 1.0;
        }
    }
    Some(1.5 * sum / pairs)
}

impl Bench<'_> {
    /// Probabilities of the facts to reveal: those that help the speaker's side more, the more probable.
    pub(super) fn reveal(&self, scene: &Scene, labels: &[String]) -> Option<Options> {
        let side = scene.side?;
        let helps = |label: &String| {
            let fact = scene.facts.iter().find(|fact| fact.label == *label)?;
            let of =
                |i: usize| scene.candidates.get(i).and_then(|c| weight(fact, c)).unwrap_or(0.0);
            let others = (0..scene.candidates.len()).filter(|i| *i != side).map(of).sum::<f64>();
            Some((self.judge.sensitivity.get() * (of(side) - others)).clamp(-50.0, 50.0).exp())
        };
        let weights: Option<Vec<f64>> = labels.iter().map(helps).collect();
        let weights = weights?;
        let total: f64 = weights.iter().sum();
        Some(labels.iter().cloned().zip(weights.into_iter().map(|w| w / total)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::agreement;

    #[test]
    fn scores_agree_in_their_order() {
        assert_eq!(agreement("Scores: [[7, 6, 4]]", &[2.0, 1.0, 0.0]), Some(1.5));
        assert_eq!(agreement("Scores: [[4, 7]]", &[2.0, 1.0]), Some(-1.5));
        assert_eq!(agreement("Scores: [[7, 7]]", &[2.0, 1.0]), Some(0.0));
        assert_eq!(agreement("Scores: [[7]]", &[2.0, 1.0]), None);
        assert_eq!(agreement("none", &[2.0, 1.0]), None);
    }
}
