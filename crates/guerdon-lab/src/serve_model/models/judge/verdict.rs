//! What the offered labels and words mean, and with what probability a judge gives each.

use super::decide::Bench;
use super::scene::{Candidate, Scene};

/// Alternatives with their probabilities, in the order in which the prompt offers them.
pub(crate) type Options = Vec<(String, f64)>;

/// What a label says.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Meaning {
    /// This candidate is the best; `true`: by far.
    Best(usize, bool),
    /// None is better.
    Tie,
    Nothing,
}

const TIES: [&str; 12] = [
    "tie", "tied", "draw", "equal", "same", "both", "neither", "c", "a=b", "b=a", "none", "similar",
];
const GOOD: [&str; 15] = [
    "yes",
    "correct",
    "right",
    "true",
    "pass",
    "good",
    "met",
    "valid",
    "supported",
    "satisfied",
    "accept",
    "agree",
    "follow",
    "aligned",
    "safe",
];
const BAD: [&str; 17] = [
    "no",
    "incorrect",
    "wrong",
    "false",
    "fail",
    "bad",
    "unmet",
    "invalid",
    "unsupported",
    "unsatisfied",
    "reject",
    "disagree",
    "ignore",
    "misaligned",
    "unsafe",
    "missed",
    "error",
];
const UNSURE: [&str; 6] = ["unsure", "partial", "partly", "neutral", "unknown", "unclear"];

impl Bench<'_> {
    /// Probabilities of the labels of a prompt.
    pub(crate) fn labels(&self, scene: &Scene, labels: &[String]) -> Options {
        if let Some(options) = self.reveal(scene, labels) {
            return options;
        }
        let mut p = match scene.candidates.as_slice() {
            // Of steps the last one is judged.
            [.., last] if scene.steps() => self.worth(last, "", labels),
            [only] => self.worth(only, &scene.criterion, labels),
            [first, second] => {
                let meanings = meanings(scene, labels);
                let tie = meanings.contains(&Meaning::Tie);
                self.pair(first, second, &scene.criterion, tie, &meanings)
            }
            _ => self.list(scene, &meanings(scene, labels)),
        };
        normalise(&mut p);
        labels.iter().cloned().zip(p).collect()
    }

    fn pair(
        &self,
        first: &Candidate,
        second: &Candidate,
        criterion: &str,
        ties: bool,
        meanings: &[Meaning],
    ) -> Vec<f64> {
        let odds = self.odds(&first.seen, &second.seen, criterion, ties);
        let side = |i: usize| if i == 0 { odds.first } else { odds.second };
        // Far apart by more than two logits: that far is a clear win.
        let far =
            1.0 / (1.0 + (2.0 - self.logit(&first.seen, &second.seen, criterion).abs()).exp());
        let split = |i: usize, by_far: bool| {
            let other = meanings.contains(&Meaning::Best(i, !by_far));
            if other { side(i) * if by_far { far } else { 1.0 - far } } else { side(i) }
        };
        let p = meanings.iter().map(|meaning| match meaning {
            Meaning::Best(i, by_far) => split(*i, *by_far),
            Meaning::Tie => odds.tie,
            Meaning::Nothing => 0.0,
        });
        p.collect()
    }

    fn list(&self, scene: &Scene, meanings: &[Meaning]) -> Vec<f64> {
        let seen: Vec<_> = scene.candidates.iter().map(|c| c.seen.clone()).collect();
        let best = self.best(&seen, &scene.criterion);
        let p = meanings.iter().map(|meaning| match meaning {
            Meaning::Best(i, _) => best.get(*i).copied().unwrap_or(0.0),
            _ => 0.0,
        });
        p.collect()
    }

    /// Words for one text: yes and no by the law of items, longer scales by the law of grades.
    fn worth(&self, only: &Candidate, criterion: &str, words: &[String]) -> Vec<f64> {
        let (worths, plain) = worths(words);
        if plain && worths.contains(&1.0) && worths.contains(&0.0) {
            let yes = self.yes(&only.seen, criterion);
            let p = |worth: &f64| match *worth {
                1.0 => yes,
                0.0 => 1.0 - yes,
                _ => 0.0,
            };
            return worths.iter().map(p).collect();
        }
        let mut scale = worths.clone();
        scale.sort_by(f64::total_cmp);
        scale.dedup();
        let p = self.grades(&only.seen, criterion, 0.0, &scale);
        let of = |worth: &f64| scale.iter().position(|s| s == worth).map_or(0.0, |i| p[i]);
        worths.iter().map(of).collect()
    }

    /// Probabilities of words such as `A2`, `TIE` and `B1`: which of two is ahead on a criterion, and by how much.
    pub(crate) fn strengths(
        &self,
        scene: &Scene,
        criterion: &str,
        words: &[String],
    ) -> Option<Options> {
        let [first, second] = scene.candidates.as_slice() else { return None };
        let read: Option<Vec<Option<(usize, f64)>>> =
            words.iter().map(|word| strength(scene, word)).collect();
        let read = read?;
        let odds = self.odds(&first.seen, &second.seen, criterion, read.contains(&None));
        let size = self.logit(&first.seen, &second.seen, criterion).abs();
        let most = read.iter().flatten().map(|(_, s)| *s).fold(1.0, f64::max);
        // Strengths near the size of the gap in logits.
        let near = |s: f64| (-(s - size.clamp(1.0, most)).powi(2) / 2.0).exp();
        let total: f64 =
            read.iter().flatten().filter(|(i, _)| *i == 0).map(|(_, s)| near(*s)).sum();
        let mut p: Vec<f64> = read
            .iter()
            .map(|word| match word {
                None => odds.tie,
                Some((0, s)) => odds.first * near(*s) / total,
                Some((_, s)) => odds.second * near(*s) / total,
            })
            .collect();
        normalise(&mut p);
        Some(words.iter().cloned().zip(p).collect())
    }

    /// Probabilities of the words for one text and one question.
    pub(crate) fn words(&self, candidate: &Candidate, item: &str, words: &[String]) -> Options {
        let mut p = self.worth(candidate, item, words);
        normalise(&mut p);
        words.iter().cloned().zip(p).collect()
    }

    /// Probabilities of the numbers of a scale for one candidate of a scene under a criterion.
    pub(crate) fn numbers(
        &self,
        scene: &Scene,
        i: usize,
        criterion: &str,
        scale: &[f64],
    ) -> Options {
        let a = self.judge.sensitivity.get();
        let k = scene.candidates.len();
        let shift = if k > 1 && a > 0.0 { self.slot(i, k) / a } else { 0.0 };
        let p = match scene.candidates.get(i) {
            Some(candidate) => self.grades(&candidate.seen, criterion, shift, scale),
            None => vec![1.0 / scale.len().max(1) as f64; scale.len()],
        };
        scale.iter().map(|value| number(*value)).zip(p).collect()
    }

    /// Probabilities of the place of the first wrong step, 0 for none.
    pub(crate) fn first_wrong(&self, scene: &Scene) -> Options {
        let mut sound = 1.0;
        let mut p = vec![0.0];
        for step in &scene.candidates {
            let yes = self.yes(&step.seen, "");
            p.push(sound * (1.0 - yes));
            sound *= yes;
        }
        p[0] = sound;
        p.into_iter().enumerate().map(|(k, p)| (k.to_string(), p)).collect()
    }
}

/// A number as it stands in a reply.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.to_owned() }
}

/// The numbers of a scale: whole ones, or a hundredth of the range apart; at most a thousand.
pub(crate) fn scale(low: f64, high: f64, whole: bool) -> Vec<f64> {
    let span = (high - low).max(0.0);
    let step = if whole { (span / 1000.0).ceil().max(1.0) } else { span / 100.0 };
    if !span.is_finite() || step <= 0.0 {
        return vec![low];
    }
    let steps = (span / step).floor();
    (0..=1000).map(f64::from).take_while(|i| *i <= steps).map(|i| low + i * step).collect()
}

/// `A2` as the candidate and the strength, a word for a tie as `None`; `None` for anything else.
#[expect(clippy::option_option, reason = "a tie has no side, another word has no meaning")]
fn strength(scene: &Scene, word: &str) -> Option<Option<(usize, f64)>> {
    let lower = word.to_lowercase();
    if TIES.contains(&lower.as_str()) {
        return Some(None);
    }
    let digits = lower.find(|c: char| c.is_ascii_digit()).filter(|at| *at > 0)?;
    let side = scene.labelled(&lower[..digits])?;
    Some(Some((side, lower[digits..].parse().ok().filter(|s: &f64| *s >= 1.0)?)))
}

fn meanings(scene: &Scene, labels: &[String]) -> Vec<Meaning> {
    let meaning = |label: &String| {
        let lower = label.to_lowercase();
        if let Some((left, right)) = lower.split_once(['>', '<']) {
            let winner = if lower.contains('>') { left } else { right };
            let winner = winner.trim_matches(|c: char| !c.is_alphanumeric());
            let by_far = lower.contains(">>") || lower.contains("<<");
            return scene.labelled(winner).map_or(Meaning::Nothing, |i| Meaning::Best(i, by_far));
        }
        match scene.labelled(label) {
            Some(i) => Meaning::Best(i, false),
            None if TIES.contains(&lower.as_str()) => Meaning::Tie,
            None => Meaning::Nothing,
        }
    };
    let read: Vec<Meaning> = labels.iter().map(meaning).collect();
    if read.iter().any(|m| matches!(m, Meaning::Best(..))) {
        read
    } else {
        positional(scene, labels, read)
    }
}

/// Labels that name no candidate stand for the candidates in order.
fn positional(scene: &Scene, labels: &[String], read: Vec<Meaning>) -> Vec<Meaning> {
    if labels.len() < scene.candidates.len() {
        return read;
    }
    let mut next = 0;
    read.into_iter()
        .map(|meaning| {
            if meaning == Meaning::Tie || next >= scene.candidates.len() {
                return meaning;
            }
            next += 1;
            Meaning::Best(next - 1, false)
        })
        .collect()
}

/// Words for one text as values from 0 to 1: by what they say, as numbers, or from best to worst. `true`: they say yes, no
/// or that it is not clear.
fn worths(words: &[String]) -> (Vec<f64>, bool) {
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let said = |word: &String| match word.as_str() {
        w if GOOD.contains(&w) => Some(1.0),
        w if BAD.contains(&w) => Some(0.0),
        w if UNSURE.contains(&w) => Some(0.5),
        _ => None,
    };
    let said: Option<Vec<f64>> = lower.iter().map(said).collect();
    if let Some(values) = said {
        return (values, true);
    }
    let last = (words.len().max(2) - 1) as f64;
    let ranked = || (0..words.len()).map(|i| 1.0 - i as f64 / last).collect();
    (numeric(&lower).unwrap_or_else(ranked), false)
}

fn numeric(words: &[String]) -> Option<Vec<f64>> {
    let values: Vec<f64> = words
        .iter()
        .map(|word| word.parse().ok().filter(|v: &f64| v.is_finite()))
        .collect::<Option<_>>()?;
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (high > low).then(|| values.iter().map(|v| (v - low) / (high - low)).collect())
}

fn normalise(p: &mut [f64]) {
    let total: f64 = p.iter().sum();
    let n = p.len().max(1) as f64;
    p.iter_mut().for_each(|x| *x = if total > 0.0 { *x / total } else { 1.0 / n });
}
