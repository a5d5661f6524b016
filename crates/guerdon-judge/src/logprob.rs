//! What the log-probabilities of a reply say: how likely each choice was where the verdict stands, and how sure the whole
//! reply was.

use guerdon_core::Unscored;
use guerdon_core::method::{Reply, TokenLogProb};

/// How many alternatives are asked for per token: the most that the common endpoints give.
pub const TOP: u8 = 20;

/// The probability of each choice at the place of the reply where one of them stands.
///
/// `start` is the byte of `reply.text` at which the word that was chosen begins. Alternatives that are none of the choices
/// are left out; a choice that is no alternative has probability 0. The sum is positive and may be less than 1.
pub fn choices(
    reply: &Reply,
    start: usize,
    word: &str,
    choices: &[String],
) -> Result<Vec<f64>, Unscored> {
    let (token, before) = token_at(reply, start)?;
    let own = token.token.get(before..).unwrap_or_default();
    let whole = own.len() >= word.len();
    let prefix = token.token.get(..before).unwrap_or_default();
    let mut weights = vec![0.0; choices.len()];
    let chosen = (token.token.clone(), token.logprob);
    let listed = token.top.iter().any(|(text, _)| *text == token.token);
    for (text, logprob) in token.top.iter().chain((!listed).then_some(&chosen)) {
        let Some(rest) = after(text, prefix) else { continue };
        let mut fits = (0..choices.len()).filter(|k| is(rest, &choices[*k], whole));
        match (fits.next(), fits.next()) {
            (Some(only), None) => weights[only] += probability(*logprob),
            (Some(_), Some(_)) => {
                return Err(Unscored::unreadable(
                    "several verdicts begin with the same token, so its probability says nothing: use labels or grades \
                     that are one token each",
                ));
            }
            _ => {}
        }
    }
    if weights.iter().sum::<f64>() > 0.0 {
        return Ok(weights);
    }
    Err(Unscored::unreadable("no verdict is among the alternatives of the token"))
}

/// How surprised the model was by its own reply: e to the mean of −log-probability, at least 1.
pub fn perplexity(reply: &Reply) -> Result<f64, Unscored> {
    let tokens = given(reply)?;
    let mean = tokens.iter().map(|token| token.logprob).sum::<f64>() / tokens.len() as f64;
    let value = (-mean).exp();
    if value.is_finite() {
        return Ok(value.max(1.0));
    }
    Err(Unscored::unreadable("the log-probabilities of the reply are not finite"))
}

fn given(reply: &Reply) -> Result<&[TokenLogProb], Unscored> {
    if reply.logprobs.is_empty() {
        return Err(Unscored::missing(
            "the reply has no log-probabilities: use a model whose endpoint gives them, or another setting",
        ));
    }
    Ok(&reply.logprobs)
}

fn probability(logprob: f64) -> f64 {
    if logprob.is_nan() { 0.0 } else { logprob.min(0.0).exp() }
}

/// The token that holds the byte, and how many bytes of it stand before that byte.
fn token_at(reply: &Reply, start: usize) -> Result<(&TokenLogProb, usize), Unscored> {
    let tokens = given(reply)?;
    let spelled: String = tokens.iter().map(|token| token.token.as_str()).collect();
    let text = reply.text.trim();
    let shift = reply.text.len() - reply.text.trim_start().len();
    let lost = || Unscored::unreadable("the tokens of the reply do not spell its text");
    let at = spelled.find(text).ok_or_else(lost)? + start.checked_sub(shift).ok_or_else(lost)?;
    let mut end = 0;
    for token in tokens {
        let begin = end;
        end += token.token.len();
        if at < end {
            return Ok((token, at - begin));
        }
    }
    Err(lost())
}

/// What an alternative says after the same beginning; white space before a word does not matter.
fn after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = match text.strip_prefix(prefix) {
        Some(rest) => rest,
        None if prefix.trim().is_empty() => text,
        None => return None,
    };
    let rest = rest.trim_start();
    (!rest.is_empty()).then_some(rest)
}

/// Whether the rest of a token is the choice. `whole`: the token that was chosen holds its word to the end.
fn is(rest: &str, choice: &str, whole: bool) -> bool {
    let ends = |tail: &str| !tail.starts_with(|c: char| c.is_alphanumeric() || "<>=".contains(c));
    rest.strip_prefix(choice).is_some_and(ends) || (!whole && choice.starts_with(rest))
}

#[cfg(test)]
mod tests {
    use super::{choices, perplexity};
    use guerdon_core::method::{Reply, TokenLogProb};

    fn reply(tokens: &[(&str, &[(&str, f64)])]) -> Reply {
        let token = |(text, top): &(&str, &[(&str, f64)])| TokenLogProb {
            token: (*text).to_owned(),
            logprob: -0.5,
            top: top.iter().map(|(text, p)| ((*text).to_owned(), p.ln())).collect(),
        };
        let text = tokens.iter().map(|(text, _)| *text).collect::<String>();
        Reply {
            text: text.trim().to_owned(),
            logprobs: tokens.iter().map(token).collect(),
            ..Reply::default()
        }
    }

    fn read(reply: &Reply, word: &str, all: &[&str]) -> Option<Vec<f64>> {
        let all: Vec<String> = all.iter().map(|text| (*text).to_owned()).collect();
        let weights = choices(reply, reply.text.rfind(word).unwrap(), word, &all).ok()?;
        Some(weights.iter().map(|w| (w * 1e6).round() / 1e6).collect())
    }

    #[test]
    fn the_alternatives_of_the_verdict_are_read() {
        let own = reply(&[
            ("\n", &[]),
            ("So: [[", &[]),
            ("A", &[("A", 0.6), ("B", 0.3), ("x", 0.1)]),
            ("]]", &[]),
        ]);
        assert_eq!(read(&own, "A", &["A", "B", "tie"]), Some(vec![0.6, 0.3, 0.0]));
        let joined = reply(&[("[[A", &[("[[A", 0.7), ("[[tie", 0.2), ("{B", 0.1)]), ("]]", &[])]);
        assert_eq!(read(&joined, "A", &["A", "B", "tie"]), Some(vec![0.7, 0.0, 0.2]));
        let cut = reply(&[("[[", &[]), ("t", &[("t", 0.5), ("A", 0.5)]), ("ie]]", &[])]);
        assert_eq!(read(&cut, "tie", &["A", "B", "tie"]), Some(vec![0.5, 0.0, 0.5]));
    }

    #[test]
    fn tokens_that_begin_several_verdicts_are_refused() {
        let own = reply(&[("1", &[("1", 0.5), ("7", 0.5)]), ("0", &[])]);
        assert_eq!(read(&own, "10", &["1", "7", "10"]), None);
        let whole = reply(&[(" 1", &[(" 1", 0.5), (" 10", 0.3), ("7", 0.2)])]);
        assert_eq!(read(&whole, "1", &["1", "7", "10"]), Some(vec![0.5, 0.2, 0.3]));
        assert_eq!(read(&Reply::from("A"), "A", &["A"]), None);
    }

    #[test]
    fn perplexity_is_the_mean_surprise() {
        let own = reply(&[("a", &[]), ("b", &[])]);
        assert!((perplexity(&own).unwrap() - 0.5f64.exp()).abs() < 1e-12);
        assert!(perplexity(&Reply::from("a")).is_err());
    }
}
