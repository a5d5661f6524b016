//! What each rule proposes for the candidates of one prompt.

use super::{Candidate, PreferencePairs, Rule, Source};

/// Whether the margin applies: the rule goes by scores.
pub(super) fn by_score(rule: Rule) -> bool {
    !matches!(rule, Rule::CrossLanguage | Rule::Rewrite | Rule::Refined)
}

/// Pairs (chosen, rejected) of the candidates `own` of one prompt.
pub(super) fn propose(
    params: &PreferencePairs,
    all: &[Candidate],
    own: &[usize],
) -> Vec<(usize, usize)> {
    match params.rule {
        Rule::BestWorst => {
            let ranked = ranked(all, own);
            ranked
                .first()
                .zip(ranked.last())
                .filter(|(a, b)| a != b)
                .map(|(a, b)| (*a, *b))
                .into_iter()
                .collect()
        }
        Rule::All => {
            let ranked = ranked(all, own);
            let pairs = (0..ranked.len()).flat_map(|a| (a + 1..ranked.len()).map(move |b| (a, b)));
            pairs.take(super::MAX_PAIRS + 1).map(|(a, b)| (ranked[a], ranked[b])).collect()
        }
        Rule::AgainstBest => match ranked(all, own)[..] {
            [best, ref others @ ..] => others.iter().map(|other| (best, *other)).collect(),
            [] => Vec::new(),
        },
        Rule::Anchored | Rule::Future => {
            anchored(all, own, params.rule == Rule::Future).into_iter().collect()
        }
        Rule::CrossLanguage => cross_language(params, all, own),
        Rule::Rewrite => {
            one_of_each(all, own, Source::Rewritten, Source::Original).into_iter().collect()
        }
        Rule::Refined => refined(all, own),
    }
}

/// The scored candidates, best first; equal ones by order.
fn ranked(all: &[Candidate], own: &[usize]) -> Vec<usize> {
    let mut ranked: Vec<(usize, f64)> =
        own.iter().filter_map(|&i| Some((i, all[i].score?))).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked.into_iter().map(|(i, _)| i).collect()
}

fn from(all: &[Candidate], own: &[usize], source: Source) -> Vec<usize> {
    own.iter().copied().filter(|&i| all[i].source == source).collect()
}

fn anchored(all: &[Candidate], own: &[usize], guided: bool) -> Option<(usize, usize)> {
    let best = |source| ranked(all, &from(all, own, source)).first().copied();
    let current = best(Source::Current)?;
    let future = best(Source::Future).filter(|&i| guided && all[i].score > all[current].score);
    let worst = ranked(all, &from(all, own, Source::Initial)).last().copied()?;
    Some((future.unwrap_or(current), worst))
}

fn one_of_each(
    all: &[Candidate],
    own: &[usize],
    chosen: Source,
    rejected: Source,
) -> Option<(usize, usize)> {
    Some((*from(all, own, chosen).first()?, *from(all, own, rejected).first()?))
}

fn cross_language(
    params: &PreferencePairs,
    all: &[Candidate],
    own: &[usize],
) -> Vec<(usize, usize)> {
    let within = |language: &str| -> Vec<usize> {
        own.iter().copied().filter(|&i| all[i].language == language).collect()
    };
    let strong = one_of_each(all, &within(&params.strong), Source::Native, Source::Translated);
    let weak = one_of_each(all, &within(&params.weak), Source::Translated, Source::Native);
    strong.into_iter().chain(weak).collect()
}

fn refined(all: &[Candidate], own: &[usize]) -> Vec<(usize, usize)> {
    let Some(&original) = from(all, own, Source::Original).first() else { return Vec::new() };
    let before = &all[original].aspects;
    let improves = |i: &usize| {
        let after = &all[*i].aspects;
        let pairs = || before.iter().zip(after);
        before.len() == after.len() && pairs().all(|(b, a)| a >= b) && pairs().any(|(b, a)| a > b)
    };
    from(all, own, Source::Refined).into_iter().filter(improves).map(|i| (i, original)).collect()
}
