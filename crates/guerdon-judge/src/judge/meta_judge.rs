//! Judges the judges: which of two judgements of an answer is better, or how good one is.
//!
//! # Formula
//!
//! ```text
//! pair     both orders of the two judgements are compared; a verdict only where both agree, else a tie
//! single   value = mean of k grades low…high
//! ```
//!
//! # When to use it
//!
//! To choose among sampled judgements, to filter what a judge is trained on, or to reward a judge that is itself trained. The
//! responses of the case are the judgements; the answer that they judge stands in a column. For samples of one judge that are
//! to be voted on, `judge.genrm` with `filter: meta` does all in one.
//!
//! # Departures
//!
//! Meta-Rewarding turns many such comparisons into Elo scores: give the comparisons to `guerdon rank` for that. Its length
//! control is not needed here, because the verdict of the two orders is strict.
//!
//! # Example
//!
//! ```yaml
//! use: judge.meta_judge
//! what: pair
//! answer: answer
//! ```
//!
//! ```
//! use guerdon_core::method::{Form, Judge};
//! use guerdon_judge::judge::meta_judge::MetaJudge;
//!
//! let judge = MetaJudge::default();
//! assert_eq!((judge.form(), judge.reads()), (Form::Pair, vec!["answer".to_owned()]));
//! ```
//!
//! # References
//!
//! Wu et al., "Meta-Rewarding Language Models: Self-Improving Alignment with LLM-as-a-Meta-Judge", 2024. Liu et al.,
//! "Inference-Time Scaling for Generalist Reward Modeling", 2025 (meta model).

use guerdon_core::method::{Case, Form, Judge, Judgement, Next, Params, Reply, Request};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Format, Label, Quotes, Read, Score};
use crate::judge::pairwise::merge;
use crate::prompt::{BuiltIn, Prompt};
use crate::script::{Pause, Script, converse, sample};
use crate::show::Show;
use crate::view::View;

const BUILT_IN: BuiltIn = BuiltIn {
    system: include_str!("../../prompts/judge.system.j2"),
    user: include_str!("../../prompts/meta_judge.user.j2"),
};

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Which of two judgements is better.
    #[default]
    Pair,
    /// How good one judgement is.
    Single,
}

/// Parameters of `judge.meta_judge`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetaJudge {
    /// What is judged. Default: `pair`.
    pub what: What,
    /// The column with the answer that the judgements judge. Default: `answer`.
    pub answer: String,
    /// The rules that the judge was to follow; empty for none.
    pub rules: String,
    /// The lowest grade of one judgement. Default: 1.
    pub low: i32,
    /// The highest grade of one judgement. Default: 10.
    pub high: i32,
    /// How many times it is judged: grades are averaged, verdicts decided by majority. Range: 1 to 64. Default: 1.
    pub samples: u32,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates in place of the built-in ones.
    pub prompt: Prompt,
}

impl Default for MetaJudge {
    fn default() -> Self {
        Self {
            what: What::Pair,
            answer: "answer".to_owned(),
            rules: String::new(),
            low: 1,
            high: 10,
            samples: 1,
            retries: 1,
            prompt: Prompt::default(),
        }
    }
}

impl Params for MetaJudge {
    fn validate(&self) -> Result<(), ParamError> {
        if self.answer.is_empty() {
            return Err(ParamError::new("answer", "`answer` must name a column"));
        }
        if self.low >= self.high {
            return Err(ParamError::new("high", "`high` must be greater than `low`"));
        }
        ParamError::in_range("samples", self.samples.into(), 1.0, 64.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        self.prompt.validate("prompt")
    }
}

impl MetaJudge {
    fn request(
        &self,
        case: &Case,
        show: &Show,
        format: &dyn Format,
        seed: u64,
    ) -> Result<Request, Unscored> {
        let answer = case.need(&self.answer)?;
        let view = View { case: Some(case), ..View::default() };
        let texts = view.texts(&[&answer], seed)?;
        let fill = show
            .fill(view.fill(&texts), &texts.fences, &case.responses)
            .text("context_answer", &answer)
            .value("rules", &self.rules)
            .value("low", self.low)
            .value("high", self.high);
        self.prompt.request(BUILT_IN, fill, format)
    }

    /// Asks once, in one order.
    fn ask<R: Read>(
        &self,
        case: &Case,
        show: &Show,
        format: &R,
        k: usize,
        script: &mut Script<'_>,
    ) -> Result<R::Answer, Pause> {
        let request = sample(&self.request(case, show, format, script.seed())?, k);
        let answer = case.need(&self.answer)?;
        let quotes = Quotes::of(case.responses.iter().map(String::as_str).chain([answer.as_str()]));
        script.read(&request, |reply| format.read(&reply.text, &quotes))
    }

    fn grade(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let (show, format) = (Show::letters(vec![0]), Score::whole(self.low, self.high));
        let grades = script
            .all(self.samples as usize, |k, script| self.ask(case, &show, &format, k, script))?;
        Ok(Judgement::score(grades.iter().sum::<f64>() / grades.len() as f64))
    }

    fn compare(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let format = Label::new(["A", "B", "tie"]);
        let drawn = Show::seeded(script, 2, "position");
        let orders = [drawn.clone(), drawn.reversed()];
        // Sample `k / 2` in order `k % 2`; positive is for the first judgement.
        let signs = script.all(2 * self.samples as usize, |k, script| {
            let show = &orders[k % 2];
            let place = self.ask(case, show, &format, k / 2, script)?;
            let sign = [1.0, -1.0, 0.0][place];
            Ok(if show.order().first() == Some(&0) { sign } else { -sign })
        })?;
        let verdicts: Vec<_> =
            signs.chunks_exact(2).map(|both| merge::agree(both[0], both[1])).collect();
        let none = || Unscored::failed("no sample has a verdict");
        let (verdict, share) = merge::majority(&verdicts).ok_or_else(none)?;
        let told = Judgement::verdict(verdict);
        Ok(if self.samples > 1 { told.sure(share.clamp(0.0, 1.0)) } else { told })
    }
}

impl Judge for MetaJudge {
    fn form(&self) -> Form {
        match self.what {
            What::Pair => Form::Pair,
            What::Single => Form::Single,
        }
    }

    fn next(
        &self,
        case: &Case,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Judgement>, Unscored> {
        converse(rounds, self.retries, seed, |script| match self.what {
            What::Pair => self.compare(case, script),
            What::Single => self.grade(case, script),
        })
    }

    fn reads(&self) -> Vec<String> {
        vec![self.answer.clone()]
    }

    fn range(&self) -> Option<(f64, f64)> {
        match self.what {
            What::Pair => Some((0.0, 1.0)),
            What::Single => Some((self.low.into(), self.high.into())),
        }
    }
}

guerdon_core::method! {
    MetaJudge: Judge,
    id: "judge.meta_judge",
    papers: ["deepseek-grm-2025"],
    status: Stable,
    laws: [],
    exempt: [],
    samples: [r#"{
        "case": {
            "prompt": "What is 2 + 2?",
            "responses": ["It is right, so 10 of 10.", "I like it."],
            "fields": {"answer": "It is four."}
        },
        "replies": [["Both come to the same.\n[[tie]]"]],
        "values": [0.5, 0.5]
    }"#]
}

#[cfg(test)]
mod tests {
    use super::{MetaJudge, What};
    use crate::fence::find;
    use crate::scripted::{case, judge, text};
    use guerdon_core::method::{Case, Preference};

    fn judged(judgements: &[&str]) -> Case {
        let mut case = case("2 + 2?", judgements);
        case.fields.insert("answer".into(), "It is four.".into());
        case
    }

    #[test]
    fn the_better_judgement_wins_in_both_orders() {
        let own = MetaJudge { samples: 2, ..MetaJudge::default() };
        let (told, asked) = judge(&own, &judged(&["sound", "hasty"]), |request| {
            let text = text(request);
            assert!(find(&text).iter().any(|f| f.text == "It is four."));
            if text.find("\nsound\n") < text.find("\nhasty\n") { "[[A]]" } else { "[[B]]" }.into()
        });
        let told = told.unwrap();
        assert_eq!((told.preference, told.confidence), (Some(Preference::FIRST), Some(1.0)));
        assert_eq!(asked[0].iter().map(|r| r.sample).collect::<Vec<_>>(), [0, 0, 1, 1]);
        let (told, _) = judge(&own, &judged(&["sound", "hasty"]), |_| "[[A]]".into());
        assert_eq!(told.unwrap().preference, Some(Preference::TIE));
    }

    #[test]
    fn one_judgement_is_graded() {
        let own = MetaJudge { what: What::Single, ..MetaJudge::default() };
        let (told, _) = judge(&own, &judged(&["sound"]), |_| "Sound.\nScore: 8".into());
        assert_eq!(told.unwrap().values, [8.0]);
        let (told, _) = judge(&own, &case("?", &["sound"]), |_| "Score: 8".into());
        assert!(told.unwrap_err().detail.contains("`answer`"));
    }
}
