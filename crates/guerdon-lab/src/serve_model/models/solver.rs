//! A model that solves questions: right with a known probability.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;

use aho_corasick::{AhoCorasick, MatchKind};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use guerdon_core::seed::fnv1a;
use guerdon_stats::dist::normal_cdf;

use super::Prompt;
use super::prose::{Words, filler};
use crate::serve_model::bounded::{Finite, Positive, Share};
use crate::serve_model::dice::Dice;
use crate::serve_model::draft::Draft;

/// A model that answers questions from a table, right or wrong.
///
/// It is right with probability σ(logit(`accuracy`) − difficulty), where σ is the logistic function. A question that is in
/// no table has a made-up answer, the same for all models of the script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Solver {
    /// Probability of a right answer to a question of difficulty 0. Default: 0.7.
    pub accuracy: Share,
    /// Standard deviation (in logits) of the difficulty of questions that name none. Default: 0.
    pub difficulty_spread: Positive,
    /// Correlation between the samples of one question: 0 for independent ones, 1 for all right or all wrong. (It is the
    /// correlation of the normal variables behind them; the share of right answers stays the same.) Default: 0.
    pub correlation: Share,
    /// Share of the wrong answers that are the same one, the first of the question's `wrong`; the others are drawn from the
    /// rest. Default: 0.5.
    pub systematic: Share,
    /// The questions.
    pub questions: Vec<Question>,
    /// A JSONL file with one question per line, beside the script.
    pub questions_file: Option<PathBuf>,
    /// Words of reasoning before the answer.
    pub words: Words,
    /// Wrong answers are longer by this factor. Default: 1.
    pub wrong_words: Positive,
    /// How the answer is given, with weights: `{boxed: 9, plain: 1}`. Default: always boxed.
    pub styles: IndexMap<Style, Positive>,
    /// Writes a marker `⟦q=.. correct=..⟧` at the end, so that simulated judges know the quality: normal around `right` or
    /// `wrong`. Default: no marker.
    pub mark: Option<Mark>,
}

impl Default for Solver {
    fn default() -> Self {
        Self {
            accuracy: Share::constant(0.7),
            difficulty_spread: Positive::ZERO,
            correlation: Share::ZERO,
            systematic: Share::HALF,
            questions: Vec::new(),
            questions_file: None,
            words: Words::default(),
            wrong_words: Positive::ONE,
            styles: IndexMap::from([(Style::Boxed, Positive::ONE)]),
            mark: None,
        }
    }
}

/// A question with its answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The question; it is found anywhere in the last message.
    pub question: String,
    /// The right answer.
    pub answer: String,
    /// Wrong answers, the most tempting one first. Default: made from the right one.
    #[serde(default)]
    pub wrong: Vec<String>,
    /// Difficulty in logits: 0 is average, more is harder. Default: drawn.
    #[serde(default)]
    pub difficulty: Option<Finite>,
}

/// How an answer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// `\boxed{42}`.
    Boxed,
    /// `The answer is 42.`
    AnswerIs,
    /// `#### 42`.
    Hash,
    /// `<answer>42</answer>`.
    Tag,
    /// Markdown: a heading, a list, `**42**`.
    Markdown,
    /// The answer alone, at the end of the text.
    Plain,
}

/// Qualities of the texts of a solver.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mark {
    /// Mean quality with a right answer. Default: 1.
    pub right: Finite,
    /// Mean quality with a wrong answer. Default: −1.
    pub wrong: Finite,
    /// Standard deviation of the quality. Default: 0.5.
    pub spread: Positive,
}

impl Default for Mark {
    fn default() -> Self {
        Self {
            right: Finite::constant(1.0),
            wrong: Finite::constant(-1.0),
            spread: Positive::constant(0.5),
        }
    }
}

/// A solver that knows its table.
#[derive(Debug)]
pub(crate) struct Ready {
    solver: Solver,
    questions: Vec<Question>,
    whole: HashMap<u64, usize>,
    inside: Option<AhoCorasick>,
    dice: Dice,
}

impl Solver {
    pub(crate) fn ready(
        &self,
        questions: Vec<Question>,
        dice: Dice,
    ) -> Result<Ready, (String, String)> {
        if let Some(i) = questions.iter().position(|q| q.question.trim().is_empty()) {
            return Err((format!("questions.{i}.question"), "a question must have a text".into()));
        }
        if self.styles.values().all(|weight| weight.get() == 0.0) {
            return Err(("styles".into(), "at least one style must have a weight above 0".into()));
        }
        let whole =
            questions.iter().enumerate().map(|(i, q)| (fnv1a(q.question.trim()), i)).collect();
        let texts: Vec<&str> = questions.iter().map(|q| q.question.trim()).collect();
        let inside = (!texts.is_empty())
            .then(|| AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&texts))
            .transpose()
            .map_err(|error| {
                ("questions".to_owned(), format!("the questions are too many: {error}"))
            })?;
        Ok(Ready { solver: self.clone(), questions, whole, inside, dice })
    }
}

impl Ready {
    fn find(&self, text: &str) -> Option<&Question> {
        if let Some(i) = self.whole.get(&fnv1a(text.trim())) {
            return self.questions.get(*i);
        }
        let found = self.inside.as_ref()?.find_iter(text).max_by_key(|m| (m.len(), m.start()))?;
        self.questions.get(found.pattern().as_usize())
    }

    pub(crate) fn write(&self, prompt: &Prompt<'_>, shared: Dice) -> Draft {
        let last = prompt.last();
        let found =
            self.find(last).map_or_else(|| Cow::Owned(invented(last, shared)), Cow::Borrowed);
        let question = found.as_ref();
        let right = self.right(question, prompt.dice);
        let answer =
            if right { question.answer.clone() } else { self.wrong(question, prompt.dice) };
        self.render(&answer, right, prompt.dice)
    }

    /// Whether this sample is right: a normal variable, partly of the question and partly of the sample, lies below the
    /// quantile of the accuracy.
    fn right(&self, question: &Question, sample: Dice) -> bool {
        let item = self.dice.on(&question.question);
        let spread = self.solver.difficulty_spread.get();
        let drawn = || if spread > 0.0 { spread * item.on("difficulty").normal() } else { 0.0 };
        let difficulty = question.difficulty.map_or_else(drawn, Finite::get);
        let accuracy = self.solver.accuracy.get();
        let p = 1.0 / (1.0 + (1.0 - accuracy) / accuracy * difficulty.exp());
        let shared = self.solver.correlation.get();
        let z = shared.sqrt() * item.on("luck").normal()
            + (1.0 - shared).sqrt() * sample.on("luck").normal();
        normal_cdf(z) < p
    }

    fn wrong(&self, question: &Question, sample: Dice) -> String {
        let made;
        let pool = if question.wrong.is_empty() {
            made = tempting(&question.answer);
            &made
        } else {
            &question.wrong
        };
        let [first, rest @ ..] = pool.as_slice() else { return String::new() };
        if rest.is_empty() || sample.on("systematic").chance(self.solver.systematic.get()) {
            return first.clone();
        }
        rest[sample.on("wrong").below(rest.len())].clone()
    }

    fn render(&self, answer: &str, right: bool, dice: Dice) -> Draft {
        let factor = if right { 1.0 } else { self.solver.wrong_words.get() };
        let mean =
            Positive::new(self.solver.words.mean.get() * factor).unwrap_or(self.solver.words.mean);
        let words = Words { mean, ..self.solver.words }.draw(dice.on("words"));
        let mut text = filler(words, dice.on("text"));
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        let styles = &self.solver.styles;
        let style = dice.on("style").weighted(styles.values().map(|weight| weight.get()));
        let style = styles.get_index(style).map_or(Style::Boxed, |(style, _)| *style);
        text.push_str(&match style {
            Style::Boxed => format!("The result is \\boxed{{{answer}}}."),
            Style::AnswerIs => format!("The answer is {answer}."),
            Style::Hash => format!("#### {answer}"),
            Style::Tag => format!("<answer>{answer}</answer>"),
            Style::Markdown => format!("## Result\n\n- checked once more\n- **{answer}**"),
            Style::Plain => answer.to_owned(),
        });
        if let Some(mark) = self.solver.mark {
            let mean = if right { mark.right } else { mark.wrong };
            let q = mean.get() + mark.spread.get() * dice.on("quality").normal();
            text.push_str(&format!("\n⟦q={q:.3} correct={}⟧", u8::from(right)));
        }
        Draft::from(text)
    }
}

/// A question that nobody wrote down, with an answer that all models agree on.
fn invented(question: &str, shared: Dice) -> Question {
    let answer = 10 + shared.on("answer").on(question).below(90);
    Question {
        question: question.to_owned(),
        answer: answer.to_string(),
        wrong: Vec::new(),
        difficulty: None,
    }
}

/// Wrong answers near a right one.
fn tempting(answer: &str) -> Vec<String> {
    match answer.trim().parse::<i64>() {
        Ok(n) => [
            n.saturating_add(1),
            n.saturating_sub(1),
            n.saturating_mul(2).saturating_add(3),
            n.saturating_neg().saturating_sub(7),
        ]
        .map(|n| n.to_string())
        .to_vec(),
        Err(_) => {
            ["not", "almost", "the opposite of"].map(|word| format!("{word} {answer}")).to_vec()
        }
    }
}
