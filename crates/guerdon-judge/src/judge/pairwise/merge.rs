//! How the verdicts of the two orders, and of several samples, become one.

use guerdon_core::method::Preference;
use std::cmp::Ordering;

/// What one order of the pair says, by response: weights of first, tie and second.
pub type Weights = [f64; 3];

/// The verdict of a sign: positive for the first.
pub fn by_sign(value: f64) -> Preference {
    Preference::of_values(value, 0.0)
}

/// The verdict of both orders where they name the same response, else a tie. Positive values are for the first.
pub fn agree(one: f64, other: f64) -> Preference {
    if one * other > 0.0 { by_sign(one) } else { Preference::TIE }
}

/// The sign of the sum: a clear verdict and a tie give the clear one, two opposite ones a tie.
pub fn sum(one: f64, other: f64) -> Preference {
    by_sign(one + other)
}

/// Adds the weights of both orders: the verdict, and the probabilities that it is made of.
///
/// The greatest wins; it is a tie where the two greatest differ by less than `2·tolerance`, or not at all. `None` where all
/// weights are zero.
pub fn likelihood(
    one: Weights,
    other: Weights,
    tolerance: f64,
) -> Option<(Preference, Preference)> {
    let added: Vec<f64> = one.iter().zip(other).map(|(a, b)| a + b).collect();
    let soft = Preference::from_weights(added[0], added[1], added[2])?;
    let mut order = [0, 1, 2];
    order.sort_by(|a, b| added[*b].total_cmp(&added[*a]));
    let gap = added[order[0]] - added[order[1]];
    if gap < 2.0 * tolerance || gap == 0.0 {
        return Some((Preference::TIE, soft));
    }
    let verdict = [Preference::FIRST, Preference::TIE, Preference::SECOND][order[0]];
    Some((verdict, soft))
}

/// The verdict of the order whose reply surprised the model less; of equally surprising ones, what both say.
pub fn perplexity(one: (f64, f64), other: (f64, f64)) -> Preference {
    match one.1.total_cmp(&other.1) {
        Ordering::Less => by_sign(one.0),
        Ordering::Greater => by_sign(other.0),
        Ordering::Equal => agree(one.0, other.0),
    }
}

/// The most frequent verdict, and its share; where several are equally frequent, a tie.
pub fn majority(verdicts: &[Preference]) -> Option<(Preference, f64)> {
    let all = Preference::mean(verdicts)?;
    let shares = [
        (all.first, Preference::FIRST),
        (all.tie, Preference::TIE),
        (all.second, Preference::SECOND),
    ];
    let most = shares.iter().map(|(share, _)| *share).fold(0.0, f64::max);
    let mut best = shares.iter().filter(|(share, _)| *share >= most - 1e-12);
    match (best.next(), best.next()) {
        (Some((share, verdict)), None) => Some((*verdict, *share)),
        _ => Some((Preference::TIE, most)),
    }
}

/// What asking until both orders agree does to a judge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Consistency {
    /// Probability that the verdict is right, given that both orders agree.
    pub accuracy: f64,
    /// Probability that both orders agree in one attempt.
    pub agrees: f64,
    /// Probability that no attempt agrees.
    pub left: f64,
    /// Expected number of calls.
    pub calls: f64,
}

/// For a judge that is right with probability `p1` where the better response stands first and `p2` where it stands second.
pub fn consistency(p1: f64, p2: f64, attempts: u32) -> Consistency {
    let right = p1 * p2;
    let agrees = right + (1.0 - p1) * (1.0 - p2);
    let miss = 1.0 - agrees;
    let tried: f64 = (0..attempts).map(|k| miss.powi(k.cast_signed())).sum();
    Consistency {
        accuracy: if agrees > 0.0 { right / agrees } else { 0.5 },
        agrees,
        left: miss.powi(attempts.cast_signed()),
        calls: 2.0 * tried,
    }
}

#[cfg(test)]
mod tests {
    use super::{agree, consistency, likelihood, majority, perplexity, sum};
    use guerdon_core::method::Preference as P;

    #[test]
    fn likelihoods_of_both_orders_add_up() {
        let (one, other) = ([0.55, 0.25, 0.20], [0.40, 0.50, 0.10]);
        let (verdict, soft) = likelihood(one, other, 0.0).unwrap();
        assert_eq!(verdict, P::FIRST);
        assert!((soft.first - 0.475).abs() < 1e-12 && (soft.tie - 0.375).abs() < 1e-12);
        assert_eq!(likelihood(one, other, 0.09).unwrap().0, P::FIRST);
        assert_eq!(likelihood(one, other, 0.11).unwrap().0, P::TIE);
        assert_eq!(likelihood([0.0; 3], [0.0; 3], 0.0), None);
    }

    #[test]
    fn orders_agree_or_not() {
        assert_eq!((agree(1.0, 2.0), sum(1.0, 2.0)), (P::FIRST, P::FIRST));
        assert_eq!((agree(1.0, 0.0), sum(1.0, 0.0)), (P::TIE, P::FIRST));
        assert_eq!((agree(1.0, -1.0), sum(1.0, -1.0)), (P::TIE, P::TIE));
        assert_eq!(sum(2.0, -1.0), P::FIRST);
        assert_eq!(perplexity((1.0, 1.2), (-1.0, 1.1)), P::SECOND);
    }

    #[test]
    fn the_majority_wins_and_a_draw_is_a_tie() {
        let votes = [P::FIRST, P::SECOND, P::FIRST, P::TIE];
        assert_eq!(majority(&votes), Some((P::FIRST, 0.5)));
        assert_eq!(majority(&votes[..2]), Some((P::TIE, 0.5)));
        assert_eq!(majority(&[]), None);
    }

    #[test]
    fn asking_until_consistent_removes_the_slot_bias() {
        let own = consistency(0.95, 0.55, 5);
        assert!((own.accuracy - 0.9587).abs() < 5e-5, "{own:?}");
        assert!((own.agrees - 0.545).abs() < 1e-12 && (own.left - 0.0195).abs() < 5e-5);
        assert!((own.calls - 3.60).abs() < 5e-3);
    }
}
