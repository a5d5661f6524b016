//! A reply while it is written: text, with the places where the model chose between alternatives.

use super::dice::Dice;
use super::tokens;

/// Why a reply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Finish {
    /// It was done, or a stop text came.
    #[default]
    Stop,
    /// It became too long.
    Length,
}

impl Finish {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
        }
    }
}

/// A place where one of several texts was chosen, with their probabilities.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Choice {
    /// Where it stands in the text, in bytes.
    pub(crate) at: usize,
    /// The alternatives with their probabilities, which add up to 1.
    pub(crate) options: Vec<(String, f64)>,
    /// Which was chosen.
    pub(crate) chosen: usize,
}

/// A reply of a model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Draft {
    pub(crate) text: String,
    pub(crate) choices: Vec<Choice>,
    pub(crate) finish: Finish,
    /// How sure the model is of its words, 0 to 1: sure words have high probabilities.
    pub(crate) certainty: f64,
}

impl Default for Draft {
    fn default() -> Self {
        Self { text: String::new(), choices: Vec::new(), finish: Finish::Stop, certainty: 0.8 }
    }
}

impl From<String> for Draft {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

/// One token of a reply.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) logprob: f64,
    /// The most probable alternatives, best first.
    pub(crate) top: Vec<(String, f64)>,
}

/// The least log-probability that is reported.
const FLOOR: f64 = -30.0;
/// What else a model might have said.
const WORDS: [&str; 12] =
    [" the", " a", " and", " it", " so", " is", " this", " that", " but", " we", " to", " of"];

impl Draft {
    /// Adds text.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds the chosen one of several alternatives.
    pub(crate) fn choose(&mut self, options: Vec<(String, f64)>, chosen: usize) -> &mut Self {
        let text = options.get(chosen).map(|(text, _)| text.clone()).unwrap_or_default();
        self.choices.push(Choice { at: self.text.len(), options, chosen });
        self.text.push_str(&text);
        self
    }

    /// Keeps the first `bytes` of the text, or fewer where a character would be cut.
    pub(crate) fn cut(&mut self, bytes: usize, finish: Finish) {
        if bytes >= self.text.len() {
            return;
        }
        let end = (0..=bytes).rev().find(|i| self.text.is_char_boundary(*i)).unwrap_or(0);
        self.text.truncate(end);
        self.finish = finish;
    }

    /// Ends the text before the first of the stop texts.
    pub(crate) fn stop_at(&mut self, stops: &[String]) {
        let first =
            stops.iter().filter(|s| !s.is_empty()).filter_map(|s| self.text.find(s.as_str())).min();
        if let Some(at) = first {
            self.cut(at, Finish::Stop);
        }
    }

    /// Keeps at most `max` tokens.
    pub(crate) fn limit(&mut self, max: usize) {
        let mut end = 0;
        for _ in 0..max {
            if end >= self.text.len() {
                return;
            }
            end += tokens::first(&self.text[end..]);
        }
        self.cut(end, Finish::Length);
    }

    /// The tokens with their log-probabilities, and `top` alternatives each.
    pub(crate) fn tokens(&self, top: usize, dice: Dice) -> Vec<Token> {
        let mut choices = self.choices.iter().peekable();
        let mut at = 0;
        let mut out = Vec::new();
        for (i, text) in tokens::split(&self.text).into_iter().enumerate() {
            let end = at + text.len();
            while choices.next_if(|choice| choice.at < at).is_some() {}
            out.push(match choices.peek() {
                Some(choice) if choice.at < end => self.chosen(choice, at, text, top),
                _ => plain(text, self.certainty, top, dice.at(i as u64)),
            });
            at = end;
        }
        out
    }

    /// The token at `at` in which a choice begins: its alternatives are the first tokens of the other texts.
    fn chosen(&self, choice: &Choice, at: usize, text: &str, top: usize) -> Token {
        let before = &self.text[at..choice.at];
        let mut masses: Vec<(String, f64)> = Vec::new();
        for (option, p) in &choice.options {
            let whole = format!("{before}{option}");
            let token = whole[..tokens::first(&whole)].to_owned();
            match masses.iter_mut().find(|(other, _)| *other == token) {
                Some((_, mass)) => *mass += p,
                None => masses.push((token, *p)),
            }
        }
        let logs: Vec<(String, f64)> =
            masses.into_iter().filter(|(_, p)| *p > 0.0).map(|(t, p)| (t, log(p))).collect();
        let own = logs.iter().find(|(token, _)| token == text).map_or(FLOOR, |(_, p)| *p);
        Token { text: text.to_owned(), logprob: own, top: ranked(logs, top) }
    }
}

fn log(p: f64) -> f64 {
    p.ln().clamp(FLOOR, 0.0)
}

fn ranked(mut logs: Vec<(String, f64)>, top: usize) -> Vec<(String, f64)> {
    logs.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    logs.truncate(top);
    logs
}

/// A token that nothing depends on: its probability falls with the model's doubt, the rest goes to other words.
pub(crate) fn plain(text: &str, certainty: f64, top: usize, dice: Dice) -> Token {
    let p = (1.0 - (1.0 - certainty).clamp(0.0, 1.0) * dice.uniform()).clamp(1e-6, 1.0 - 1e-6);
    let others = top.saturating_sub(1).min(WORDS.len());
    let start = dice.below(WORDS.len());
    let mut mass = 1.0 - p;
    let words = (0..WORDS.len()).map(|i| WORDS[(start + i) % WORDS.len()]);
    let mut logs = vec![(text.to_owned(), log(p))];
    for word in words.filter(|word| *word != text).take(others) {
        mass /= 2.0;
        logs.push((word.to_owned(), log(mass)));
    }
    Token { text: text.to_owned(), logprob: log(p), top: ranked(logs, top) }
}

#[cfg(test)]
mod tests {
    use super::{Dice, Draft, Finish};

    fn verdict() -> Draft {
        let mut draft = Draft::default();
        draft
            .push("I say [[")
            .choose(vec![("A".into(), 0.7), ("B".into(), 0.25), ("tie".into(), 0.05)], 1);
        draft.push("]].");
        draft
    }

    #[test]
    fn the_verdict_token_tells_its_probabilities() {
        let tokens = verdict().tokens(5, Dice::new(0));
        let token = tokens.iter().find(|t| t.text == "B").unwrap();
        assert_eq!(token.logprob, 0.25_f64.ln());
        assert_eq!(
            token.top.iter().map(|(t, _)| t.as_str()).collect::<Vec<_>>(),
            ["A", "B", "tie"]
        );
        let mass: f64 = token.top.iter().map(|(_, p)| p.exp()).sum();
        assert!((mass - 1.0).abs() < 1e-12);
    }

    #[test]
    fn alternatives_share_their_first_token() {
        let mut draft = Draft::default();
        draft
            .push("Grade: ")
            .choose(vec![("1234".into(), 0.5), ("1239".into(), 0.25), ("7".into(), 0.25)], 0);
        let tokens = draft.tokens(5, Dice::new(0));
        assert_eq!(tokens[2].text, " 123");
        assert_eq!(tokens[2].top, [(" 123".into(), 0.75_f64.ln()), (" 7".into(), 0.25_f64.ln())]);
    }

    #[test]
    fn every_token_leaves_no_more_than_one() {
        for token in verdict().tokens(20, Dice::new(3)) {
            let mass: f64 = token.top.iter().map(|(_, p)| p.exp()).sum();
            assert!(mass <= 1.0 + 1e-9 && token.logprob <= 0.0, "{token:?}");
        }
    }

    #[test]
    fn limits_and_stops_cut() {
        let mut draft = verdict();
        draft.limit(4);
        assert_eq!((draft.text.as_str(), draft.finish), ("I say [[", Finish::Length));
        let mut draft = verdict();
        draft.limit(7);
        assert_eq!(draft.finish, Finish::Stop);
        draft.stop_at(&["]]".into()]);
        assert_eq!((draft.text.as_str(), draft.finish), ("I say [[B", Finish::Stop));
    }
}
