//! How probable one of two words was where a reply gives its verdict.

use guerdon_core::Unscored;
use guerdon_core::method::TokenLogProb;

/// P(yes) among yes and no, at the last token that is one of the two.
pub(super) fn of_label(tokens: &[TokenLogProb], yes: &str, no: &str) -> Result<f64, Unscored> {
    let bare = |token: &str| {
        token.trim_matches(|c: char| c.is_whitespace() || "[]".contains(c)).to_owned()
    };
    let verdict = |token: &&TokenLogProb| [yes, no].contains(&bare(&token.token).as_str());
    let at = tokens.iter().rev().find(verdict).ok_or_else(|| {
        Unscored::unreadable(
            "the reply's log-probabilities hold no token of the verdict: the endpoint may give none",
        )
    })?;
    let own = (at.token.clone(), at.logprob);
    let all = if at.top.is_empty() { std::slice::from_ref(&own) } else { &at.top };
    let mass = |word: &str| -> f64 {
        all.iter().filter(|(token, _)| bare(token) == word).map(|(_, p)| p.min(0.0).exp()).sum()
    };
    let (right, wrong) = (mass(yes), mass(no));
    let share = right / (right + wrong);
    let none = || Unscored::unreadable("the log-probabilities of the verdict are not finite");
    share.is_finite().then_some(share).ok_or_else(none)
}
