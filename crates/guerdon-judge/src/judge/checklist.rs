//! A checklist made for the question: YES-or-NO questions, and the share of them that a response meets.
//!
//! # Formula
//!
//! ```text
//! accept: share   value = (questions answered YES) / (questions)
//! accept: all     value = 1 where every question is answered YES, else 0
//! ```
//!
//! # When to use it
//!
//! For instructions with many explicit and implicit requirements, where a single grade forgets some of them. Of two responses
//! the one with the higher share is better, equal shares are a tie. `accept: all` is a filter for training data. The list is
//! made from the question alone; a response that imitates a list cannot change it. Below about 83 % right answers per item a
//! direct grade agrees better with people.
//!
//! # Departures
//!
//! A question whose answer cannot be read is asked again with the whole list, then leaves the response unscored.
//!
//! # Example
//!
//! ```yaml
//! use: judge.checklist
//! max_items: 6
//! accept: all
//! ```
//!
//! ```
//! use guerdon_core::method::{Case, Judge, Next};
//! use guerdon_judge::judge::checklist::Checklist;
//!
//! let judge = Checklist::default();
//! let case = Case { prompt: "A haiku about rain.".into(), responses: vec!["Rain falls.".into()], ..Case::default() };
//! let rounds = [
//!     vec!["1. Is it about rain?\n2. Has it 5, 7 and 5 syllables?".into()],
//!     vec!["1. YES\n2. NO, only two".into()],
//! ];
//! let Ok(Next::Done(told)) = judge.next(&case, &rounds, 0) else { panic!() };
//! assert_eq!(told.values, [0.5]);
//! ```
//!
//! # References
//!
//! Cook et al., "TICKing All the Boxes: Generated Checklists Improve LLM Evaluation and Generation", 2024; DecIF, "Improving
//! Instruction-Following through Meta-Decomposition", 2025 (`accept: all`).

use guerdon_core::method::{Case, Form, Judge, Judgement, Next, Params, Part, Reply};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::prompt::Prompt;
use crate::rubric::{Criteria, Criterion, Grader, Maker, Mode, Source};
use crate::script::{Pause, Script, converse};

/// Parameters of `judge.checklist`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Checklist {
    /// The most questions. Range: 1 to 32. Default: 8.
    pub max_items: u32,
    /// The questions, where they need not be made. Default: none.
    pub questions: Vec<String>,
    /// What becomes of the answers. Default: `share`.
    pub accept: Accept,
    /// In how many calls a response is checked. Default: `at_once`.
    pub mode: Mode,
    /// The model that makes the list, by its name in the spec. Default: the judge itself.
    pub maker: Option<String>,
    /// The model that answers it, by its name in the spec. Default: the spec's default.
    pub model: Option<String>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates in place of the built-in ones that have the list made.
    pub make_prompt: Prompt,
    /// Templates in place of the built-in ones that have it answered.
    pub prompt: Prompt,
}

/// What becomes of the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Accept {
    /// The share of YES.
    #[default]
    Share,
    /// 1 where all are YES, else 0.
    All,
}

impl Default for Checklist {
    fn default() -> Self {
        Self {
            max_items: 8,
            questions: Vec::new(),
            accept: Accept::Share,
            mode: Mode::AtOnce,
            maker: None,
            model: None,
            retries: 1,
            make_prompt: Prompt::default(),
            prompt: Prompt::default(),
        }
    }
}

impl Params for Checklist {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("max_items", self.max_items.into(), 1.0, 32.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        self.given().validate("questions")?;
        self.make_prompt.validate("make_prompt")?;
        self.prompt.validate("prompt")
    }
}

impl Checklist {
    fn given(&self) -> Criteria {
        Criteria(self.questions.iter().map(Criterion::new).collect())
    }

    fn list(&self, case: &Case, script: &mut Script<'_>) -> Result<Criteria, Pause> {
        if !self.questions.is_empty() {
            return Ok(self.given());
        }
        let maker = Maker {
            count: self.max_items,
            model: self.maker.clone(),
            prompt: self.make_prompt.clone(),
            ..Maker::default()
        };
        maker.make(case, Source::Prompt, None, 0, script)
    }

    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let list = self.list(case, script)?;
        let grader = Grader {
            mode: self.mode,
            clip: false,
            model: self.model.as_ref(),
            prompt: &self.prompt,
        };
        let answers = grader.grade(case, &case.responses[0], &list.0, script)?;
        let share = answers.values.iter().sum::<f64>() / answers.values.len() as f64;
        let value = match self.accept {
            Accept::Share => share,
            Accept::All => f64::from(u8::from(answers.values.iter().all(|v| *v >= 1.0))),
        };
        let part =
            |(c, v): (&Criterion, &f64)| Part { name: c.text.clone(), values: vec![Some(*v)] };
        let parts = list.0.iter().zip(&answers.values).map(part).collect();
        let mut told = Judgement { parts, ..Judgement::score(value).because(answers.words.trim()) };
        let made = serde_json::to_value(&list).unwrap_or_default();
        told.made.insert("criteria".to_owned(), made);
        Ok(told)
    }
}

impl Judge for Checklist {
    fn form(&self) -> Form {
        Form::Single
    }

    fn next(
        &self,
        case: &Case,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Judgement>, Unscored> {
        converse(rounds, self.retries, seed, |script| self.talk(case, script))
    }

    fn models(&self) -> Vec<String> {
        self.maker.iter().chain(&self.model).cloned().collect()
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Checklist: Judge,
    id: "judge.checklist",
    papers: ["tick-2024", "decif-2025"],
    status: Verified(Worked("TICK's share of five answers, DecIF's rejection of four of five")),
    laws: [],
    exempt: [],
    samples: [r#"{
        "case": {"prompt": "Say hello in French, politely.", "responses": ["Bonjour, madame."]},
        "replies": [["1. Is it French?\n2. Is it a greeting?\n3. Is it polite?"], ["1. YES\n2. YES\n3. NO"]],
        "values": [0.6666666666666666]
    }"#]
}

#[cfg(test)]
mod tests {
    use super::{Accept, Checklist};
    use crate::rubric::Mode;
    use crate::scripted::{self, case, text};

    const LIST: &str = "1. a?\n2. b?\n3. c?\n4. d?\n5. e?";

    fn run(judge: &Checklist, answers: &str) -> Option<f64> {
        let (told, _) = scripted::judge(judge, &case("q", &["r"]), |request| {
            if text(request).contains("numbered list") { LIST } else { answers }.into()
        });
        told.ok().map(|told| told.values[0])
    }

    /// TICK: YES YES NO YES YES is 0.8; DecIF rejects it.
    #[test]
    fn four_of_five() {
        let answers = "1. YES\n2. YES\n3. NO\n4. YES\n5. YES";
        let share = Checklist::default();
        assert_eq!(run(&share, answers), Some(0.8));
        let all = Checklist { accept: Accept::All, ..share };
        assert_eq!(run(&all, answers), Some(0.0));
        assert_eq!(run(&all, &answers.replace("NO", "YES")), Some(1.0));
    }

    #[test]
    fn neither_yes_nor_no_is_an_error() {
        for answers in ["1. YES\n2. MAYBE\n3. NO\n4. YES\n5. YES", "1. YES", "", "2. YES\n3. NO"] {
            assert_eq!(run(&Checklist::default(), answers), None, "{answers}");
        }
    }

    #[test]
    fn an_empty_list_is_an_error() {
        let (told, _) =
            scripted::judge(&Checklist::default(), &case("q", &["r"]), |_| "nothing to ask".into());
        assert!(told.is_err());
    }

    #[test]
    fn each_question_may_be_asked_alone() {
        let judge = Checklist { mode: Mode::PerItem, ..Checklist::default() };
        let (told, asked) = scripted::judge(&judge, &case("q", &["r"]), |request| {
            if text(request).contains("numbered list") { LIST } else { "1. YES" }.into()
        });
        assert_eq!((told.unwrap().values[0], asked[1].len()), (1.0, 5));
    }

    /// DecIF: items confirmed with .95 where they hold and .2 where not; with one violated of m, the odds of passing are t/f
    /// whatever m is: t^m against t^(m−1)·f.
    #[test]
    fn the_odds_of_passing_do_not_depend_on_the_length_of_the_list() {
        let (t, f) = (0.95_f64, 0.2);
        for (m, kept) in [(3, 0.857), (5, 0.774), (8, 0.663)] {
            let (good, bad) = (t.powi(m), t.powi(m - 1) * f);
            assert!((good - kept).abs() < 5e-4 && (good / bad - t / f).abs() < 1e-9);
            let purity = 0.6 * good / (0.6 * good + 0.4 * bad);
            assert!((purity - 0.877).abs() < 5e-4, "{purity}");
        }
    }
}
