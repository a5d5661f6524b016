//! What grades on criteria add up to.

use std::collections::BTreeMap;

use guerdon_core::Unscored;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Criterion;

/// Weights of tiers, by name.
pub type Tiers = BTreeMap<String, f64>;

/// How the grades of one response become its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// Σ w·g / Σ of the positive w, cut to 0..1: a weighted mean, from which penalties are taken.
    #[default]
    Mean,
    /// Σ w·g.
    Sum,
    /// The mean within each tier, weighed by the tier: Σ t·mean / Σ t.
    Tiers,
    /// The judge's own overall grade or verdict, given the criteria.
    Overall,
}

/// The weights of a rubric whose criteria are core, important or a highlight.
pub fn standard_tiers() -> Tiers {
    [("core", 5.0), ("important", 2.0), ("highlight", 1.0)]
        .map(|(tier, weight)| (tier.to_owned(), weight))
        .into()
}

/// The weight of a criterion: its own, times that of its tier. A criterion that gates needs no weight for its tier.
pub fn weight(criterion: &Criterion, tiers: &Tiers) -> Result<f64, Unscored> {
    let Some(tier) = &criterion.tier else { return Ok(criterion.weight) };
    match tier_weight(tier, tiers) {
        Err(_) if criterion.gate() => Ok(criterion.weight),
        of_tier => Ok(criterion.weight * of_tier?),
    }
}

fn tier_weight(tier: &str, tiers: &Tiers) -> Result<f64, Unscored> {
    tiers.get(tier).copied().ok_or_else(|| {
        let known: Vec<&str> = tiers.keys().map(String::as_str).collect();
        Unscored::invalid(format!("the tier `{tier}` has no weight; known: {}", known.join(", ")))
    })
}

/// The value of one response: `grades[k]`, 0 to 1, is what it got on `criteria[k]`. A criterion that gates is met from ½ on;
/// where one is not, the value is at most 0.
pub fn total(
    criteria: &[Criterion],
    grades: &[f64],
    how: Aggregate,
    tiers: &Tiers,
) -> Result<f64, Unscored> {
    let value = match how {
        Aggregate::Tiers => by_tier(criteria, grades, tiers)?,
        _ => flat(criteria, grades, how, tiers)?,
    };
    let shut =
        criteria.iter().zip(grades).any(|(criterion, grade)| criterion.gate() && *grade < 0.5);
    Ok(if shut { value.min(0.0) } else { value })
}

fn flat(
    criteria: &[Criterion],
    grades: &[f64],
    how: Aggregate,
    tiers: &Tiers,
) -> Result<f64, Unscored> {
    let weights: Vec<f64> =
        criteria.iter().map(|criterion| weight(criterion, tiers)).collect::<Result<_, _>>()?;
    let sum: f64 = weights.iter().zip(grades).map(|(w, g)| w * g).sum();
    if how == Aggregate::Sum {
        return Ok(sum);
    }
    let positive: f64 = weights.iter().filter(|w| **w > 0.0).sum();
    if positive > 0.0 {
        return Ok((sum / positive).clamp(0.0, 1.0));
    }
    Err(Unscored::invalid("no criterion has a positive weight"))
}

fn by_tier(criteria: &[Criterion], grades: &[f64], tiers: &Tiers) -> Result<f64, Unscored> {
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (criterion, grade) in criteria.iter().zip(grades) {
        let tier = criterion.tier.as_deref().ok_or_else(|| {
            Unscored::invalid(format!("the criterion {:?} has no tier", criterion.text))
        })?;
        let (sum, weights) = sums.entry(tier).or_default();
        *sum += criterion.weight * grade;
        *weights += criterion.weight.max(0.0);
    }
    let (mut value, mut of) = (0.0, 0.0);
    for (tier, (sum, weights)) in sums {
        let share = tier_weight(tier, tiers)?;
        value += share * if weights > 0.0 { (sum / weights).clamp(0.0, 1.0) } else { 0.0 };
        of += share;
    }
    if of > 0.0 { Ok(value / of) } else { Err(Unscored::invalid("no tier has a positive weight")) }
}

/// How much better the first of two responses is: Σ w·s / Σ w over the criteria that tell them apart, `strengths[k]` positive
/// where the first wins on `criteria[k]`. Where a criterion that gates tells them apart, only such criteria count. 0 where
/// none does.
pub fn balance(criteria: &[Criterion], strengths: &[f64], tiers: &Tiers) -> Result<f64, Unscored> {
    let telling = || criteria.iter().zip(strengths).filter(|(_, s)| **s != 0.0);
    let flaws = telling().any(|(criterion, _)| criterion.gate());
    let (mut sum, mut weights) = (0.0, 0.0);
    for (criterion, strength) in telling().filter(|(criterion, _)| !flaws || criterion.gate()) {
        let weight = weight(criterion, tiers)?;
        sum += weight * strength;
        weights += weight.abs();
    }
    Ok(if weights > 0.0 { sum / weights } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::{Aggregate, Tiers, balance, standard_tiers, total};
    use crate::rubric::Criterion;

    fn items(weights: &[f64]) -> Vec<Criterion> {
        weights.iter().map(|&weight| Criterion { weight, ..Criterion::new("x") }).collect()
    }

    fn near(value: f64, expect: f64) {
        assert!((value - expect).abs() < 1e-9, "{value} is not {expect}");
    }

    #[test]
    fn means_sums_and_penalties() {
        let none = Tiers::new();
        let check = |weights: &[f64], grades: &[f64], how, expect| {
            near(total(&items(weights), grades, how, &none).unwrap(), expect);
        };
        check(&[1.0; 5], &[1.0, 1.0, 0.0, 1.0, 1.0], Aggregate::Mean, 0.8);
        check(&[1.0, 1.0], &[0.7, 1.0], Aggregate::Mean, 0.85);
        check(&[3.0, 1.0, -2.0], &[1.0, 0.0, 1.0], Aggregate::Mean, 0.25);
        check(&[1.0, -2.0], &[1.0, 1.0], Aggregate::Mean, 0.0);
        check(&[1.0, -2.0], &[1.0, 1.0], Aggregate::Sum, -1.0);
        assert!(total(&items(&[-1.0]), &[1.0], Aggregate::Mean, &none).is_err());
    }

    /// KWBench: mandatory 3/3, 2/4, 1/2 give .4 + .175 + .125; a missed mandatory one gives 0.
    #[test]
    fn tiers_behind_a_gate() {
        let tiers: Tiers = [("mandatory", 0.4), ("expert", 0.35), ("polish", 0.25)]
            .map(|(tier, weight)| (tier.to_owned(), weight))
            .into();
        let names = ["mandatory"; 3].into_iter().chain(["expert"; 4]).chain(["polish"; 2]);
        let criteria: Vec<Criterion> = names
            .map(|tier| Criterion { tier: Some(tier.to_owned()), ..Criterion::new("x") })
            .collect();
        let mut grades = [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0];
        near(total(&criteria, &grades, Aggregate::Tiers, &tiers).unwrap(), 0.7);
        grades[1] = 0.0;
        near(total(&criteria, &grades, Aggregate::Tiers, &tiers).unwrap(), 0.0);
        assert!(total(&criteria, &grades, Aggregate::Tiers, &standard_tiers()).is_err());
    }

    /// OpenRS: core +2, important −1, highlight +1, important 0 give 9/8; a flaw of the first with strength 2 gives −2.
    #[test]
    fn a_balance_of_criteria_and_its_veto() {
        let tags = ["[core] a", "[important] b", "[highlight] c", "[important] d", "[flaw] e"];
        let criteria = tags.map(Criterion::tagged);
        let tiers = standard_tiers();
        let fine = balance(&criteria, &[2.0, -1.0, 1.0, 0.0, 0.0], &tiers).unwrap();
        near(fine, 1.125);
        // The released code adds 1e-6 to the divisor.
        assert!((9.0 / (8.0 + 1e-6) - (fine - 1.4e-7)).abs() < 1e-8);
        near(balance(&criteria, &[2.0, -1.0, 1.0, 0.0, -2.0], &tiers).unwrap(), -2.0);
        near(balance(&criteria, &[0.0; 5], &tiers).unwrap(), 0.0);
    }
}
