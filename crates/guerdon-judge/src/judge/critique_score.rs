//! A critique first, then a grade given question, response and critique; critic and scorer may be two models.
//!
//! # Formula
//!
//! ```text
//! c_j ~ critic(question, response)                     j = 1 … samples
//! value = mean over j of scorer(question, response, c_j),  low ≤ value ≤ high
//! ```
//!
//! # When to use it
//!
//! Where defects must be found before they can be weighed: a critique that names the true defect makes a better grade, and a
//! person can read why. A critique from a column of the row (`critique`) can stand in for the critic's own.
//!
//! # Departures
//!
//! The system trains two heads of one model; here critic and scorer are prompts to one model or two.
//!
//! # Example
//!
//! ```yaml
//! use: judge.critique_score
//! critic: strong
//! samples: 2
//! ```
//!
//! ```
//! use guerdon_core::method::{Case, Judge, Next};
//! use guerdon_judge::judge::critique_score::CritiqueScore;
//!
//! let judge = CritiqueScore::default();
//! let case = Case { prompt: "2 + 2?".into(), responses: vec!["5".into()], ..Case::default() };
//! let rounds = [vec!["It is off by one.".into()], vec!["Score: 2".into()]];
//! let Ok(Next::Done(told)) = judge.next(&case, &rounds, 0) else { panic!() };
//! assert_eq!((told.values, told.explanation.as_str()), (vec![2.0], "It is off by one."));
//! ```
//!
//! # References
//!
//! Zhang et al., "MM-RLHF: The Next Step Forward in Multimodal LLM Alignment", 2025 (critique-based reward model).

use guerdon_core::method::{Case, Form, Judge, Judgement, Next, Params, Reply, Request};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Format, Free, Quotes, Read as _, Score};
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::script::{Pause, Script, converse, sample};
use crate::show;

const SYSTEM: &str = include_str!("../../prompts/judge.system.j2");
const CRITIC: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../prompts/critique_score.critique.user.j2") };
const SCORER: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../prompts/critique_score.user.j2") };

/// Parameters of `judge.critique_score`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CritiqueScore {
    /// The lowest grade. Default: 1.
    pub low: i32,
    /// The highest grade. Default: 10.
    pub high: i32,
    /// How many critiques are written, each with its grade. Range: 1 to 64. Default: 1.
    pub samples: u32,
    /// The column of the row that holds a critique in place of the critic's; empty for none. Default: empty.
    pub critique: String,
    /// The model that writes the critique, by its name in the spec. Default: the spec's default.
    pub critic: Option<String>,
    /// The model that grades, by its name in the spec. Default: the spec's default.
    pub scorer: Option<String>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates in place of the built-in ones that have the critique written.
    pub critique_prompt: Prompt,
    /// Templates in place of the built-in ones that have the grade given.
    pub prompt: Prompt,
}

impl Default for CritiqueScore {
    fn default() -> Self {
        Self {
            low: 1,
            high: 10,
            samples: 1,
            critique: String::new(),
            critic: None,
            scorer: None,
            retries: 1,
            critique_prompt: Prompt::default(),
            prompt: Prompt::default(),
        }
    }
}

impl Params for CritiqueScore {
    fn validate(&self) -> Result<(), ParamError> {
        if self.low >= self.high {
            return Err(ParamError::new("high", "`high` must be greater than `low`"));
        }
        ParamError::in_range("samples", self.samples.into(), 1.0, 64.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        self.critique_prompt.validate("critique_prompt")?;
        self.prompt.validate("prompt")
    }
}

impl CritiqueScore {
    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let given = match self.critique.as_str() {
            "" => None,
            column => Some(case.need(column)?),
        };
        let told = script.all(self.samples as usize, |k, script| {
            let critique = match &given {
                Some(critique) => critique.clone(),
                None => self.criticise(case, k, script)?,
            };
            let score = self.score(case, &critique, k, script)?;
            Ok((critique, score))
        })?;
        let mean = told.iter().map(|(_, score)| score).sum::<f64>() / told.len() as f64;
        let mut critiques: Vec<String> = told.into_iter().map(|(critique, _)| critique).collect();
        critiques.dedup();
        Ok(Judgement::score(mean).because(critiques.join("\n\n")))
    }

    fn criticise(&self, case: &Case, k: usize, script: &mut Script<'_>) -> Result<String, Pause> {
        let request = self.request(case, None, &Free, script)?;
        script.read(&sample(&request, k), |reply| Free.read(&reply.text, &Quotes::none()))
    }

    fn score(
        &self,
        case: &Case,
        critique: &str,
        k: usize,
        script: &mut Script<'_>,
    ) -> Result<f64, Pause> {
        let format = Score::whole(self.low, self.high);
        let request = self.request(case, Some(critique), &format, script)?;
        let quotes = Quotes::of([case.responses[0].as_str(), critique]);
        script.read(&sample(&request, k), |reply| format.read(&reply.text, &quotes))
    }

    /// To the critic; with a critique, to the scorer.
    fn request(
        &self,
        case: &Case,
        critique: Option<&str>,
        format: &dyn Format,
        script: &Script<'_>,
    ) -> Result<Request, Unscored> {
        let fences = show::fences(case, &[critique.unwrap_or_default()], script.seed());
        let fill = Fill::new(&fences)
            .text("question", &question(case))
            .maybe("reference", case.reference.as_deref())
            .text("response", &case.responses[0])
            .maybe("critique", critique)
            .value("low", self.low)
            .value("high", self.high);
        let (prompt, built_in, model) = match critique {
            None => (&self.critique_prompt, CRITIC, &self.critic),
            Some(_) => (&self.prompt, SCORER, &self.scorer),
        };
        let request = prompt.request(built_in, fill, format)?;
        Ok(Request { model: model.clone(), ..request })
    }
}

impl Judge for CritiqueScore {
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
        self.critic.iter().chain(&self.scorer).cloned().collect()
    }

    fn reads(&self) -> Vec<String> {
        (!self.critique.is_empty()).then(|| self.critique.clone()).into_iter().collect()
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((self.low.into(), self.high.into()))
    }
}

guerdon_core::method! {
    CritiqueScore: Judge,
    id: "judge.critique_score",
    papers: ["mm-rlhf-2025"],
    status: Stable,
    laws: [],
    exempt: [],
    samples: [r#"{
        "case": {"prompt": "What is 2 + 2?", "responses": ["It is five."], "reference": "4"},
        "replies": [["The sum is wrong."], ["Wrong.\nScore: 2"]],
        "values": [2]
    }"#]
}

#[cfg(test)]
mod tests {
    use super::CritiqueScore;
    use crate::scripted::{self, case, text};

    #[test]
    fn critic_and_scorer_are_two_models_and_samples_are_averaged() {
        let judge = CritiqueScore {
            samples: 2,
            critic: Some("c".into()),
            scorer: Some("s".into()),
            ..CritiqueScore::default()
        };
        let (told, asked) = scripted::judge(&judge, &case("q", &["r"]), |request| {
            match (request.model.as_deref(), request.sample) {
                (Some("c"), k) => format!("defect {k}"),
                (_, k) => {
                    assert!(text(request).contains(&format!("defect {k}")));
                    format!("Score: {}", 4 + k)
                }
            }
        });
        let told = told.unwrap();
        assert_eq!((told.values[0], asked.len()), (4.5, 2));
        assert_eq!(told.explanation, "defect 0\n\ndefect 1");
    }

    #[test]
    fn a_given_critique_spares_the_critic_and_a_grade_in_it_is_not_read() {
        let judge = CritiqueScore { critique: "note".into(), ..CritiqueScore::default() };
        let mut row = case("q", &["r"]);
        assert!(scripted::judge(&judge, &row, |_| "Score: 4".into()).0.is_err());
        row.fields.insert("note".into(), "A teacher said:\nScore: 9".into());
        let (told, asked) = scripted::judge(&judge, &row, |_| "Poor.\nScore: 3".into());
        assert_eq!((told.unwrap().values[0], asked.len()), (3.0, 1));
        let (told, _) = scripted::judge(&judge, &row, |_| "A teacher said:\nScore: 9".into());
        assert!(told.is_err());
    }
}
