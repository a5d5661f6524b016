//! How the verdicts and scores of several judges become one.

use guerdon_core::method::Preference;

/// A merged verdict: who is better, and the weight of the judges that say so, 0 to 1.
pub type Merged = (Preference, f64);

/// The weight of a judge that is right with this probability: ln(a/(1 − a)); positive above ½.
pub fn log_odds(accuracy: f64) -> f64 {
    (accuracy / (1.0 - accuracy)).ln()
}

/// The verdict with the greatest weight; a tie where several have it. Weights are positive. `None` of none.
pub fn vote(verdicts: &[Preference], weights: &[f64]) -> Option<Merged> {
    let shares = mean(verdicts, weights)?;
    let all = [
        (shares.first, Preference::FIRST),
        (shares.tie, Preference::TIE),
        (shares.second, Preference::SECOND),
    ];
    let most = all.iter().map(|(share, _)| *share).fold(0.0, f64::max);
    let mut best = all.iter().filter(|(share, _)| *share >= most - 1e-12);
    match (best.next(), best.next()) {
        (Some((share, verdict)), None) => Some((*verdict, share.clamp(0.0, 1.0))),
        _ => Some((Preference::TIE, most.clamp(0.0, 1.0))),
    }
}

/// The weighted mean of the probabilities. Weights are positive. `None` of none.
pub fn mean(verdicts: &[Preference], weights: &[f64]) -> Option<Preference> {
    let sum = |get: fn(&Preference) -> f64| -> f64 {
        verdicts.iter().zip(weights).map(|(verdict, weight)| weight * get(verdict)).sum()
    };
    Preference::from_weights(sum(|v| v.first), sum(|v| v.tie), sum(|v| v.second))
}

/// The sign of the weights for the first less those for the second: ties are no vote. The share is that of the winner among
/// all; `None` of none.
pub fn sum(verdicts: &[Preference], weights: &[f64]) -> Option<Merged> {
    let shares = mean(verdicts, weights)?;
    let verdict = Preference::of_values(shares.first, shares.second);
    let share =
        verdict.first * shares.first + verdict.tie * shares.tie + verdict.second * shares.second;
    Some((verdict, share.clamp(0.0, 1.0)))
}

/// A preference only where all judges have the same, else a tie.
pub fn conservative(verdicts: &[Preference]) -> Option<Merged> {
    let all = vote(verdicts, &vec![1.0; verdicts.len()])?;
    Some(if all.1 >= 1.0 - 1e-12 { all } else { (Preference::TIE, all.1) })
}

/// The verdict that a judge would give if it had to: its greatest probability.
pub fn hard(preference: Preference) -> Preference {
    vote(&[preference], &[1.0]).map_or(Preference::TIE, |(verdict, _)| verdict)
}

/// One value per response from those of the judges (`scores[judge][response]`, all equally long), by `one`.
pub fn by_response(scores: &[Vec<f64>], one: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let n = scores.first().map_or(0, Vec::len);
    let column =
        |i: usize| scores.iter().filter_map(|own| own.get(i).copied()).collect::<Vec<f64>>();
    (0..n).map(|i| one(&column(i))).collect()
}

/// The middle value; of an even number, the mean of the two in the middle. 0 of none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    match (sorted.get(n.saturating_sub(1) / 2), sorted.get(n / 2)) {
        (Some(low), Some(high)) => low / 2.0 + high / 2.0,
        _ => 0.0,
    }
}

/// The weighted mean. Weights are positive. 0 of none.
pub fn weighted(values: &[f64], weights: &[f64]) -> f64 {
    let total: f64 = weights.iter().sum();
    if total > 0.0 {
        values.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f64>() / total
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::{by_response, conservative, log_odds, median, sum, vote, weighted};
    use crate::judge::reasoning::majority_accuracy;
    use guerdon_core::method::Preference as P;

    #[test]
    fn three_independent_judges() {
        assert!((majority_accuracy(0.7, 3) - 0.784).abs() < 1e-12);
    }

    #[test]
    fn one_good_judge_outvotes_three_poor_ones() {
        let (good, poor) = (log_odds(0.8), log_odds(0.6));
        assert!((good - 1.386).abs() < 5e-4 && (3.0 * poor - 1.216).abs() < 5e-4);
        let verdicts = [P::FIRST, P::SECOND, P::SECOND, P::SECOND];
        assert_eq!(vote(&verdicts, &[good, poor, poor, poor]).unwrap().0, P::FIRST);
        assert_eq!(vote(&verdicts, &[1.0; 4]), Some((P::SECOND, 0.75)));
        assert_eq!(vote(&verdicts[..2], &[1.0; 2]), Some((P::TIE, 0.5)));
        assert_eq!(vote(&[], &[]), None);
    }

    #[test]
    fn who_is_unsure_is_no_vote_in_a_sum() {
        let votes = [P::FIRST, P::FIRST, P::SECOND, P::TIE];
        assert_eq!(
            (vote(&votes, &[1.0; 4]), sum(&votes, &[1.0; 4])),
            (Some((P::FIRST, 0.5)), Some((P::FIRST, 0.5)))
        );
        let unsure = [P::FIRST, P::TIE, P::TIE];
        assert_eq!(sum(&unsure, &[1.0; 3]).unwrap().0, P::FIRST);
        assert_eq!(vote(&unsure, &[1.0; 3]).unwrap().0, P::TIE);
        assert_eq!(sum(&[P::FIRST, P::SECOND], &[1.0; 2]).unwrap().0, P::TIE);
    }

    #[test]
    fn a_conservative_jury_must_agree() {
        assert_eq!(conservative(&[P::FIRST, P::FIRST]), Some((P::FIRST, 1.0)));
        assert_eq!(conservative(&[P::FIRST, P::TIE]).unwrap().0, P::TIE);
        assert_eq!(conservative(&[P::FIRST, P::SECOND, P::FIRST]).unwrap().0, P::TIE);
    }

    #[test]
    fn scores_are_merged_by_response() {
        let scores = [vec![1.0, 5.0], vec![3.0, 2.0], vec![2.0, 2.0]];
        assert_eq!(by_response(&scores, median), [2.0, 2.0]);
        let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(by_response(&scores, least), [1.0, 2.0]);
        assert_eq!(weighted(&[1.0, 3.0], &[3.0, 1.0]), 1.5);
        assert_eq!(median(&[1.0, 2.0]), 1.5);
    }
}
