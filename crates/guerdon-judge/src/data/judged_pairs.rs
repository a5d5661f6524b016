//! Makes a preference pair by a loop of models: sample candidates, judge them with tools, grade the pair, revise the guidance.
//!
//! # Formula
//!
//! ```text
//! candidates y_1..y_n ~ target(x, guidance)         or the row's own responses, in the first round
//! s_i = judge(x, y_i | knowledge, tools, guidance)
//! chosen = first argmax s, rejected = first argmin s; no pair where all s are equal
//! q = grade(x, chosen, rejected);  q ≥ threshold: the pair is kept
//! else a model rewrites the guidance of target and judge, and all is done again, at most `revisions` times; then dropped
//! ```
//!
//! # When to use it
//!
//! To make preference data without people where a model that judges itself would prefer its own style: the judge is told
//! what tools and sources say, and another model grades the pair. The pair is no better than the weakest of the three.
//!
//! # Departures
//!
//! The system's prompts, thresholds and tools for vision, medicine and control are not copied. Where the row brings its own
//! candidates they are used in the first round; a revision samples new ones.
//!
//! # Example
//!
//! ```yaml
//! use: data.judged_pairs
//! candidates: 5
//! threshold: 6
//! target: policy
//! grader: strong
//! ```
//!
//! ```
//! use guerdon_core::method::{Case, Next, Protocol};
//! use guerdon_judge::data::judged_pairs::JudgedPairs;
//!
//! let case = Case { prompt: "2 + 2?".into(), responses: vec!["5".into(), "4".into()], ..Case::default() };
//! let grades = vec!["Score: 1".into(), "Score: 10".into()];
//! let rounds = [grades, vec!["A clear difference.\nScore: 9".into()]];
//! let Ok(Next::Done(made)) = JudgedPairs::default().next(&case, &rounds, 0) else { panic!() };
//! assert_eq!(made.pair.unwrap().chosen, "4");
//! ```
//!
//! # References
//!
//! Zhou et al., "Anyprefer: An Agentic Framework for Preference Data Synthesis", 2025.

use guerdon_core::method::{Case, Next, Params, Protocol, Reply, Request};
use guerdon_core::{Message, ParamError, Text, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Free, Json, Quotes, Read, Score};
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::script::{Pause, Script, converse, sample};
use crate::show::fences;
use crate::toolbox::Toolbox;

const SYSTEM: &str = include_str!("../../prompts/judge.system.j2");
const JUDGE: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../prompts/judged_pairs.judge.user.j2") };
const GRADE: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../prompts/judged_pairs.grade.user.j2") };
const FEEDBACK: BuiltIn = BuiltIn {
    system: "{{ note }}",
    user: include_str!("../../prompts/judged_pairs.feedback.user.j2"),
};

/// The most candidates of a row.
const MOST: usize = 64;

/// Parameters of `data.judged_pairs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JudgedPairs {
    /// How many candidates are sampled. Range: 2 to 64. Default: 5.
    pub candidates: u32,
    /// The lowest grade. Default: 1.
    pub low: i32,
    /// The highest grade. Default: 10.
    pub high: i32,
    /// The grade that a pair must reach. Default: 6.
    pub threshold: f64,
    /// How often the guidance is rewritten before a pair is dropped. Range: 0 to 5. Default: 1.
    pub revisions: u32,
    /// The column with what is known about the question; empty, the default: none. A row without it is judged without.
    pub knowledge: String,
    /// The tools that the judge may use. Default: the pure ones.
    pub tools: Toolbox,
    /// The model that writes candidates. Default: the default one.
    pub target: Option<String>,
    /// The model that grades pairs and revises the guidance. Default: the default one.
    pub grader: Option<String>,
    /// The temperature of the candidates. Range: 0 to 2. Default: 1.
    pub temperature: f64,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates of the judge in place of the built-in ones.
    pub prompt: Prompt,
    /// Templates of the message that shows a tool's answer to the judge.
    pub observation_prompt: Prompt,
    /// Templates of the pair's grade.
    pub grade_prompt: Prompt,
    /// Templates of the revision of the guidance.
    pub feedback_prompt: Prompt,
}

impl Default for JudgedPairs {
    fn default() -> Self {
        Self {
            candidates: 5,
            low: 1,
            high: 10,
            threshold: 6.0,
            revisions: 1,
            knowledge: String::new(),
            tools: Toolbox::default(),
            target: None,
            grader: None,
            temperature: 1.0,
            retries: 1,
            prompt: Prompt::default(),
            observation_prompt: Prompt::default(),
            grade_prompt: Prompt::default(),
            feedback_prompt: Prompt::default(),
        }
    }
}

impl Params for JudgedPairs {
    fn validate(&self) -> Result<(), ParamError> {
        if self.low >= self.high {
            return Err(ParamError::new("high", "`high` must be greater than `low`"));
        }
        ParamError::in_range("candidates", self.candidates.into(), 2.0, MOST as f64)?;
        ParamError::in_range("threshold", self.threshold, self.low.into(), self.high.into())?;
        ParamError::in_range("revisions", self.revisions.into(), 0.0, 5.0)?;
        ParamError::in_range("temperature", self.temperature, 0.0, 2.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        self.tools.validate("tools")?;
        self.prompt.validate("prompt")?;
        self.observation_prompt.validate("observation_prompt")?;
        self.grade_prompt.validate("grade_prompt")?;
        self.feedback_prompt.validate("feedback_prompt")
    }
}

/// What target and judge are told besides the question.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Guidance {
    /// For the model that writes responses.
    pub target: String,
    /// For the judge.
    pub judge: String,
}

/// A preference pair.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Pair {
    /// What was asked.
    pub prompt: Text,
    /// The preferred response.
    pub chosen: String,
    /// The other one.
    pub rejected: String,
    /// The judge's grade of the preferred one.
    pub chosen_score: f64,
    /// The judge's grade of the other one.
    pub rejected_score: f64,
}

/// What came of a row.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Made {
    /// The pair; `None` where none was good enough.
    pub pair: Option<Pair>,
    /// Why there is none; empty where there is one.
    pub dropped: String,
    /// The grade of the last pair; `None` where there was none to grade.
    pub quality: Option<f64>,
    /// The judge's grades of the last candidates, in their order.
    pub scores: Vec<f64>,
    /// How often the guidance was rewritten.
    pub revisions: u32,
}

/// The places of the best and the worst score, the first of each; `None` where all are equal, or there are none.
pub fn best_worst(scores: &[f64]) -> Option<(usize, usize)> {
    let first = |better: fn(f64, f64) -> bool| {
        (0..scores.len()).reduce(|best, k| if better(scores[k], scores[best]) { k } else { best })
    };
    let (best, worst) = (first(|a, b| a > b)?, first(|a, b| a < b)?);
    (scores[best] > scores[worst]).then_some((best, worst))
}

impl JudgedPairs {
    fn format(&self) -> Score {
        Score::whole(self.low, self.high)
    }

    fn sampled(
        &self,
        case: &Case,
        guidance: &Guidance,
        revision: u32,
        script: &mut Script<'_>,
    ) -> Result<Vec<String>, Pause> {
        if revision == 0 && !case.responses.is_empty() {
            return Ok(case.responses.clone());
        }
        let message = |role: &str, content: &str| Message {
            role: role.into(),
            content: content.into(),
            tool_calls: Vec::new(),
        };
        let mut messages = match &case.prompt {
            Text::Plain(text) => vec![message("user", text)],
            Text::Chat(messages) => messages.clone(),
        };
        if !guidance.target.trim().is_empty() {
            messages.insert(0, message("system", &guidance.target));
        }
        let request = Request {
            model: self.target.clone(),
            temperature: Some(self.temperature),
            ..Request::chat(messages)
        };
        let quotes = Quotes::none();
        script.all(self.candidates as usize, |k, script| {
            script.read(&sample(&request, k), |reply| Free.read(&reply.text, &quotes))
        })
    }

    fn judged(
        &self,
        case: &Case,
        candidates: &[String],
        guidance: &Guidance,
        script: &mut Script<'_>,
    ) -> Result<Vec<f64>, Pause> {
        let knowledge = Some(&self.knowledge).filter(|column| !column.is_empty());
        let knowledge = knowledge.and_then(|column| case.text(column));
        let format = self.format();
        script.all(candidates.len(), |k, script| {
            let own = case.with_responses(vec![candidates[k].clone()]);
            let others = [knowledge.as_deref().unwrap_or_default(), &guidance.judge];
            let fences = fences(&own, &others, script.seed());
            let fill = Fill::new(&fences)
                .text("question", &question(case))
                .maybe("reference", case.reference.as_deref())
                .maybe("knowledge", knowledge.as_deref())
                .text("response", &candidates[k])
                .maybe("guidance", Some(guidance.judge.as_str()).filter(|told| !told.is_empty()))
                .value("low", self.low)
                .value("high", self.high);
            let request = self.prompt.request(JUDGE, self.tools.fill(fill), &format)?;
            let texts = [candidates[k].as_str(), knowledge.as_deref().unwrap_or_default()];
            let shown = &self.observation_prompt;
            let (score, _) =
                self.tools.consult(&request, &format, (&own, &texts), shown, script)?;
            Ok(score)
        })
    }

    /// A request about the pair to the grader.
    fn about(
        &self,
        case: &Case,
        pair: &Pair,
        quality: Option<f64>,
        script: &Script<'_>,
    ) -> Result<Request, Unscored> {
        let own = case.with_responses(vec![pair.chosen.clone(), pair.rejected.clone()]);
        let fences = fences(&own, &[], script.seed());
        let fill = Fill::new(&fences)
            .text("question", &question(case))
            .text("response_chosen", &pair.chosen)
            .text("response_rejected", &pair.rejected)
            .value("low", self.low)
            .value("high", self.high)
            .value("quality", quality);
        let request = match quality {
            None => self.grade_prompt.request(GRADE, fill, &self.format()),
            Some(_) => self.feedback_prompt.request(FEEDBACK, fill, &Json::<Guidance>::new()),
        }?;
        Ok(Request { model: self.grader.clone(), ..request })
    }

    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Made, Pause> {
        if case.responses.len() > MOST || case.responses.len() == 1 {
            let reason =
                format!("{} candidates, 2 to {MOST} (or none) are wanted", case.responses.len());
            return Err(Unscored::invalid(reason).into());
        }
        if question(case).trim().is_empty() {
            return Err(Unscored::missing("the row has no prompt to sample responses for").into());
        }
        let mut guidance = Guidance::default();
        let mut revision = 0;
        loop {
            let candidates = self.sampled(case, &guidance, revision, script)?;
            let scores = self.judged(case, &candidates, &guidance, script)?;
            let none = |dropped: &str, quality| Made {
                pair: None,
                dropped: dropped.into(),
                quality,
                scores: scores.clone(),
                revisions: revision,
            };
            let Some((best, worst)) = best_worst(&scores) else {
                return Ok(none("all candidates have the same grade", None));
            };
            let pair = Pair {
                prompt: case.prompt.clone(),
                chosen: candidates[best].clone(),
                rejected: candidates[worst].clone(),
                chosen_score: scores[best],
                rejected_score: scores[worst],
            };
            let quotes = Quotes::of([pair.chosen.as_str(), pair.rejected.as_str()]);
            let request = self.about(case, &pair, None, script)?;
            let quality =
                script.read(&request, |reply| self.format().read(&reply.text, &quotes))?;
            if quality >= self.threshold {
                return Ok(Made { pair: Some(pair), ..none("", Some(quality)) });
            }
            if revision == self.revisions {
                let dropped = format!("the pair was graded {quality}, below {}", self.threshold);
                return Ok(none(&dropped, Some(quality)));
            }
            let request = self.about(case, &pair, Some(quality), script)?;
            let format = Json::<Guidance>::new();
            guidance = script.read(&request, |reply| format.read(&reply.text, &quotes))?;
            revision += 1;
        }
    }
}

impl Protocol for JudgedPairs {
    type Case = Case;
    type Output = Made;

    fn next(&self, case: &Case, rounds: &[Vec<Reply>], seed: u64) -> Result<Next<Made>, Unscored> {
        converse(rounds, self.retries, seed, |script| self.talk(case, script))
    }
}

guerdon_core::method! {
    JudgedPairs: Protocol,
    id: "data.judged_pairs",
    papers: ["anyprefer-2025"],
    status: Verified(Worked("scores 3, 9, 5, 9, 1: the first 9 over the 1; graded 4 below 6: revised once, then dropped")),
    laws: [],
    exempt: [],
    samples: [r#"{"prompt": "What is 2 + 2?", "responses": []}"#]
}

#[cfg(test)]
mod tests {
    use super::{JudgedPairs, best_worst};
    use crate::scripted::{SEED, protocol, text};
    use guerdon_core::method::{Case, Request};
    use guerdon_core::seed::stream;
    use rand::RngExt as _;

    /// Writes five candidates, judges them 3, 9, 5, 9, 1, and grades pairs by `quality`, revision by revision.
    fn run(quality: &[u32], scores: [u32; 5]) -> (super::Made, Vec<Request>) {
        let own = JudgedPairs { target: Some("policy".into()), ..JudgedPairs::default() };
        let case = Case { prompt: "q".into(), ..Case::default() };
        let (mut asked, mut graded) = (Vec::new(), 0);
        let made = protocol(&own, &case, SEED, |request| {
            asked.push(request.clone());
            let shown = text(request);
            if request.model.is_some() {
                return format!("candidate number {}", request.sample);
            }
            if shown.contains("How good is this pair") {
                graded += 1;
                return format!("Score: {}", quality[graded - 1]);
            }
            if shown.contains("What should the model") {
                return r#"{"target": "Be exact.", "judge": "Look at the numbers."}"#.into();
            }
            let k = (0..5).find(|k| shown.contains(&format!("candidate number {k}")));
            format!("Score: {}", scores[k.unwrap()])
        });
        (made.unwrap(), asked)
    }

    #[test]
    fn best_against_worst_in_input_order() {
        let (made, asked) = run(&[8], [3, 9, 5, 9, 1]);
        let pair = made.pair.unwrap();
        assert_eq!(
            (pair.chosen.as_str(), pair.rejected.as_str()),
            ("candidate number 1", "candidate number 4")
        );
        assert_eq!((pair.chosen_score, pair.rejected_score), (9.0, 1.0));
        assert_eq!((asked.len(), made.revisions), (11, 0));
    }

    #[test]
    fn a_poor_pair_is_revised_once_and_then_dropped() {
        let (made, asked) = run(&[4, 4], [3, 9, 5, 9, 1]);
        assert_eq!((made.pair, made.quality, made.revisions), (None, Some(4.0), 1));
        assert!(made.dropped.contains("graded 4, below 6"));
        let second: Vec<&Request> =
            asked.iter().filter(|r| r.messages[0].content == "Be exact.").collect();
        assert_eq!(second.len(), 5, "the target was told");
        assert!(
            text(&asked[asked.len() - 2]).contains("Look at the numbers."),
            "the judge was told"
        );
        assert!(run(&[4, 6], [3, 9, 5, 9, 1]).0.pair.is_some());
    }

    #[test]
    fn equal_scores_make_no_pair() {
        let (made, asked) = run(&[], [5; 5]);
        assert_eq!((made.pair, made.quality, asked.len()), (None, None, 10));
        assert_eq!(best_worst(&[]), None);
        assert_eq!(best_worst(&[3.0, 9.0, 5.0, 9.0, 1.0]), Some((1, 4)));
    }

    /// The share of rightly ordered pairs, and their mean gap of style, of a judge that weighs quality and its own style.
    fn simulate(quality: f64, style: f64) -> (f64, f64) {
        let mut rng = stream(1, "pairs");
        let mut normal = || (0..12).map(|_| rng.random_range(-0.5..0.5)).sum::<f64>();
        let (mut right, mut gap) = (0.0, 0.0);
        for _ in 0..2_000 {
            let all: Vec<(f64, f64)> = (0..5).map(|_| (normal(), normal())).collect();
            let scores: Vec<f64> =
                all.iter().map(|(q, s)| quality * q + style * s + 0.1 * normal()).collect();
            let (best, worst) = best_worst(&scores).unwrap();
            right += f64::from(u8::from(all[best].0 > all[worst].0));
            gap += all[best].1 - all[worst].1;
        }
        (right / 2_000.0, gap / 2_000.0)
    }

    #[test]
    fn a_judge_that_is_told_makes_cleaner_pairs() {
        let (own, own_gap) = simulate(0.5, 0.8);
        let (told, told_gap) = simulate(0.9, 0.1);
        assert!((own - 0.802).abs() < 0.05 && told > 0.97, "{own} {told}");
        assert!((own_gap - 1.73).abs() < 0.3 && told_gap.abs() < 0.5, "{own_gap} {told_gap}");
    }
}
