//! The laws of a judge: from utilities to the probabilities of verdicts, grades and answers.

use guerdon_stats::dist::{normal_cdf, normal_quantile};

use super::Judge;
use crate::serve_model::dice::Dice;
use crate::serve_model::world::Seen;

/// A judge before one prompt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bench<'a> {
    pub(crate) judge: &'a Judge,
    /// Errors that all judges of the script share.
    pub(crate) shared: Dice,
    /// Errors of this judge, the same for every sample.
    pub(crate) own: Dice,
}

/// Probabilities of a comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Odds {
    pub(crate) first: f64,
    pub(crate) tie: f64,
    pub(crate) second: f64,
}

impl Bench<'_> {
    /// The utility of a text; of its quality under a criterion, where the criterion names a trait of the text.
    pub(crate) fn utility(&self, seen: &Seen, criterion: &str) -> f64 {
        trait_named(seen, criterion).unwrap_or(seen.quality) + self.judge.bias.of(seen)
    }

    /// The odds in logits that the first beats the second.
    pub(crate) fn logit(&self, first: &Seen, second: &Seen, criterion: &str) -> f64 {
        let gap = self.utility(first, criterion) - self.utility(second, criterion);
        let cycle =
            self.judge.intransitivity.get() * (self.angle(first) - self.angle(second)).sin();
        self.judge.sensitivity.get() * gap + self.judge.slot_bias.get() + cycle
    }

    /// Probabilities of the verdict on a pair, given the errors that belong to the pair.
    pub(crate) fn odds(&self, first: &Seen, second: &Seen, criterion: &str, ties: bool) -> Odds {
        let logit = self.logit(first, second, criterion);
        let width = if ties { self.judge.tie_width.get() } else { 0.0 };
        let fixed = self.pair_error(first.key, second.key);
        let below = self.given(logistic(logit - width), fixed);
        let above = self.given(1.0 - logistic(-logit - width), fixed);
        Odds { first: below, tie: (above - below).max(0.0), second: 1.0 - above.max(below) }
    }

    /// Probabilities of the best of several: softmax of the utilities with the slot bias.
    pub(crate) fn best(&self, seen: &[Seen], criterion: &str) -> Vec<f64> {
        let a = self.judge.sensitivity.get();
        let logits: Vec<f64> = seen
            .iter()
            .enumerate()
            .map(|(i, s)| a * self.utility(s, criterion) + self.slot(i, seen.len()))
            .collect();
        let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = logits.iter().map(|l| (l - top).exp()).collect();
        let total: f64 = weights.iter().sum();
        weights.into_iter().map(|w| w / total).collect()
    }

    /// The part of the slot bias of slot `i` of `k`, in logits.
    pub(crate) fn slot(&self, i: usize, k: usize) -> f64 {
        let place = if k > 1 { i as f64 / (k - 1) as f64 } else { 0.5 };
        self.judge.slot_bias.get() * (0.5 - place)
    }

    /// Probabilities of the grades of a rising scale. `shift` is added to the utility.
    pub(crate) fn grades(
        &self,
        seen: &Seen,
        criterion: &str,
        shift: f64,
        scale: &[f64],
    ) -> Vec<f64> {
        let [low, .., high] = scale else { return vec![1.0; scale.len()] };
        let own = &self.judge.grades;
        let (own_low, own_high) = (own.low.get(), own.high.get());
        let stretch = (high - low) / (own_high - own_low) * (1.0 - own.central.get());
        let middle = f64::midpoint(own_low, own_high);
        let raw = own.center.get() + own.slope.get() * (self.utility(seen, criterion) + shift);
        let center = f64::midpoint(*low, *high)
            + stretch * (raw - middle)
            + own.leniency.get() * (high - low) / (own_high - own_low);
        let spread = self.judge.noise.get() * (own.slope.get() * stretch).abs();
        let at = center + spread * self.text_error(seen.key, criterion);
        let left = spread * (1.0 - self.fixed_share()).max(0.0).sqrt();
        rounded(at, left, scale)
    }

    /// Whether YES is right.
    pub(crate) fn met(&self, seen: &Seen, item: &str) -> bool {
        let luck = || self.shared.on("item").at(seen.key).on(item).normal();
        trait_named(seen, item).unwrap_or_else(|| seen.quality + luck()) > 0.0
    }

    /// The probability of YES, given the errors that belong to the text.
    pub(crate) fn yes(&self, seen: &Seen, item: &str) -> f64 {
        let items = &self.judge.items;
        let met = self.met(seen, item);
        let wrong = if met { 1.0 - items.yes_if_met.get() } else { items.yes_if_missed.get() };
        let shared = items.correlation.get();
        let luck = self.own.on("items").at(seen.key).normal();
        let error = conditional(wrong, shared.sqrt() * luck, 1.0 - shared);
        if met { 1.0 - error } else { error }
    }

    fn angle(&self, seen: &Seen) -> f64 {
        let drawn = || std::f64::consts::TAU * self.shared.on("angle").at(seen.key).uniform();
        seen.traits.get("angle").copied().unwrap_or_else(drawn)
    }

    fn fixed_share(&self) -> f64 {
        self.judge.shared.get() + self.judge.consistency.get()
    }

    fn given(&self, p: f64, fixed: f64) -> f64 {
        conditional(p, fixed, 1.0 - self.fixed_share())
    }

    /// The part of the error that belongs to a pair; it changes its sign when the pair is swapped.
    fn pair_error(&self, first: u64, second: u64) -> f64 {
        let (low, high) = (first.min(second), first.max(second));
        let sign = if first == low { 1.0 } else { -1.0 };
        sign * self.fixed(|dice| dice.on("pair").at(low).at(high).normal())
    }

    /// The part of the error that belongs to a text under a criterion.
    fn text_error(&self, key: u64, criterion: &str) -> f64 {
        self.fixed(|dice| dice.on("text").at(key).on(criterion).normal())
    }

    fn fixed(&self, draw: impl Fn(Dice) -> f64) -> f64 {
        let part =
            |share: f64, dice: Dice| if share > 0.0 { share.sqrt() * draw(dice) } else { 0.0 };
        part(self.judge.shared.get(), self.shared) + part(self.judge.consistency.get(), self.own)
    }
}

/// P(Φ(Z) < `p`) where Z = `fixed` + √`left` · N(0, 1).
fn conditional(p: f64, fixed: f64, left: f64) -> f64 {
    let gap = normal_quantile(p.clamp(0.0, 1.0)) - fixed;
    if left > 1e-12 { normal_cdf(gap / left.sqrt()) } else { f64::from(u8::from(gap > 0.0)) }
}

/// Probabilities of a normal variable rounded to the nearest of a rising scale.
fn rounded(mean: f64, spread: f64, scale: &[f64]) -> Vec<f64> {
    let below = |x: f64| {
        if spread > 1e-12 { normal_cdf((x - mean) / spread) } else { f64::from(u8::from(mean < x)) }
    };
    let edges = scale.windows(2).map(|w| below(f64::midpoint(w[0], w[1])));
    let mut last = 0.0;
    edges
        .chain([1.0])
        .map(|edge| {
            let p = (edge - last).max(0.0);
            last = edge;
            p
        })
        .collect()
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The value of the longest-named trait whose name stands in a text.
pub(super) fn trait_named(seen: &Seen, text: &str) -> Option<f64> {
    if text.is_empty() || seen.traits.is_empty() {
        return None;
    }
    let text = text.to_lowercase();
    let named = seen.traits.iter().filter(|(name, _)| {
        !matches!(name.as_str(), "style" | "angle" | "correct")
            && text.contains(&name.to_lowercase())
    });
    named.max_by_key(|(name, _)| name.len()).map(|(_, value)| *value)
}
