//! A rubric: criteria with weights, levels, tiers and gates, answered one by one and added up outside the model.
//!
//! # Formula
//!
//! One response (`form: absolute`), `g_k` in 0..1 the grade on criterion k (yes 1, no 0, a grade divided by its highest):
//!
//! ```text
//! mean     Σ w_k·g_k / Σ max(w_k, 0), cut to 0..1          sum   Σ w_k·g_k
//! tiers    Σ_t W_t·(mean of g in tier t) / Σ_t W_t         overall  the judge's own grade, given the criteria
//! gates    0 where a mandatory (or veto) criterion has g_k < ½
//! pass     1 where the value reaches `pass`, else 0
//! ```
//!
//! Two responses (`form: relative`), `s_k` the signed strength with which the first wins on criterion k:
//!
//! ```text
//! balance = Σ w_k·s_k / Σ w_k over s_k ≠ 0; where a veto criterion tells the two apart, over such criteria only
//! first wins   if one order of the two says so and the other does not say the opposite
//! ```
//!
//! # When to use it
//!
//! Where quality has parts that can be named: the reward says which part was missed, weights stay outside the model, and a
//! gate cannot be bought off. Comparisons by criterion tell close responses apart better than two grades do. Criteria that are
//! made (`source: generated`) are made before the response is seen, so that no response can influence them; contrastive ones
//! (`source: contrastive`) fit the pair, and can justify either order of it: audit them with swapped labels.
//!
//! # Departures
//!
//! An item that cannot be read is asked again, then leaves the response unscored; released code counts it as 0 (MPO) or the
//! comparison as a tie (OpenRS). OpenRS adds 1e-6 to the divisor and reads a verdict only where its first order decides; here
//! both orders count alike. KWBench does not publish its tier weights: `tiers` names them.
//!
//! # Example
//!
//! ```yaml
//! use: judge.rubric
//! criteria:
//!   - Does the answer name the capital?
//!   - text: How clear is the explanation?
//!     weight: 2
//!     max: 10
//!   - text: Is everything it says true?
//!     mandatory: true
//! ```
//!
//! ```
//! use guerdon_core::method::{Case, Judge, Next};
//! use guerdon_judge::judge::rubric::Rubric;
//! use guerdon_judge::rubric::{Criteria, Criterion};
//!
//! let criteria = Criteria(vec![Criterion::new("Is it short?"), Criterion::new("Is it polite?")]);
//! let judge = Rubric { criteria, ..Rubric::default() };
//! let case = Case { prompt: "Say hello.".into(), responses: vec!["Hello!".into()], ..Case::default() };
//! let rounds = [vec!["1. YES, one word\n2. NO".into()]];
//! let Ok(Next::Done(told)) = judge.next(&case, &rounds, 0) else { panic!() };
//! assert_eq!((told.values, told.parts[1].name.as_str()), (vec![0.5], "Is it polite?"));
//! ```
//!
//! # References
//!
//! OpenRS, "Open Rubric System: Scaling Reinforcement Learning with Pairwise Adaptive Rubric", 2026 (weights, strengths,
//! veto); MPO, "Toward Evaluative Thinking: Meta Policy Optimization with Evolving Reward Models", 2025 (items in turn);
//! CARMO, "Dynamic Criteria Generation for Context-Aware Reward Modelling", 2024 (criteria first); OpenRubrics, 2025 (rules
//! before principles); KWBench, 2026 (mandatory items and tiers).

mod relative;
#[cfg(test)]
mod tests;

use guerdon_core::method::{Case, Form, Judge, Judgement, Next, Params, Part, Reply};
use guerdon_core::{ParamError, Unscored};
use rand::seq::SliceRandom as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Quotes, Read as _, Score};
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::rubric::{
    Aggregate, Criteria, Criterion, Grader, Maker, Mode, Sort, Source, Tiers, numbered,
    standard_tiers, total,
};
use crate::script::{Pause, Script, converse};
use crate::show;

const OVERALL: BuiltIn = BuiltIn {
    system: include_str!("../../../prompts/judge.system.j2"),
    user: include_str!("../../../prompts/rubric.overall.user.j2"),
};

/// Parameters of `judge.rubric`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rubric {
    /// The criteria, each a text or an object. Default: none, the row has them.
    pub criteria: Criteria,
    /// Principles in words (a constitution): criteria of the kind `principle`. Default: none.
    pub principles: Vec<String>,
    /// The column of the row that holds criteria, where none are given here: a list, an object with `criteria` and
    /// `version`, or a text with one per line. Default: `rubric`.
    pub column: String,
    /// Where the criteria come from. Default: `given`.
    pub source: Origin,
    /// How criteria are made, for `source: generated` and `contrastive`.
    pub make: Maker,
    /// How many of the criteria are used per case, drawn by seed; 0 for all. Range: 0 to 64. Default: 0.
    pub draw: u32,
    /// Whether one response is judged or two are compared. Default: `absolute`.
    pub form: Kind,
    /// How grades become a value. Default: `mean`. Comparisons know `mean` and `overall`.
    pub aggregate: Aggregate,
    /// In how many calls a response is graded. Default: `at_once`.
    pub mode: Mode,
    /// Weights of the tiers, by name. Default: core 5, important 2, highlight 1.
    pub tiers: Tiers,
    /// The value from which on a response passes: then the value is 1 or 0. Default: none.
    pub pass: Option<f64>,
    /// Whether a grade above the scale counts as the highest; otherwise it is unreadable. Default: false.
    pub clip: bool,
    /// The lowest overall grade. Default: 1.
    pub low: i32,
    /// The highest overall grade. Default: 10.
    pub high: i32,
    /// The greatest strength of a win on one criterion. Range: 1 to 9. Default: 3.
    pub strength: u32,
    /// In which orders two responses are shown. Default: `both`.
    pub orders: Orders,
    /// The model that judges, by its name in the spec. Default: the spec's default.
    pub model: Option<String>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates in place of the built-in ones, for whatever the form and the aggregate ask.
    pub prompt: Prompt,
}

/// Where criteria come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// From the spec or the row.
    #[default]
    Given,
    /// Made from the question, before any response is seen.
    Generated,
    /// Made from what tells the two responses apart.
    Contrastive,
}

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One response.
    #[default]
    Absolute,
    /// Two responses, against each other.
    Relative,
}

/// In which orders two responses are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Orders {
    /// Once, in an order drawn by seed.
    One,
    /// In both.
    #[default]
    Both,
}

impl Default for Rubric {
    fn default() -> Self {
        Self {
            criteria: Criteria::default(),
            principles: Vec::new(),
            column: "rubric".to_owned(),
            source: Origin::Given,
            make: Maker::default(),
            draw: 0,
            form: Kind::Absolute,
            aggregate: Aggregate::Mean,
            mode: Mode::AtOnce,
            tiers: standard_tiers(),
            pass: None,
            clip: false,
            low: 1,
            high: 10,
            strength: 3,
            orders: Orders::Both,
            model: None,
            retries: 1,
            prompt: Prompt::default(),
        }
    }
}

impl Params for Rubric {
    fn validate(&self) -> Result<(), ParamError> {
        self.own_criteria().validate("criteria")?;
        self.make.validate("make")?;
        ParamError::in_range("draw", self.draw.into(), 0.0, 64.0)?;
        ParamError::in_range("strength", self.strength.into(), 1.0, 9.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        if let Some(pass) = self.pass {
            ParamError::in_range("pass", pass, f64::MIN, f64::MAX)?;
        }
        for (tier, weight) in &self.tiers {
            ParamError::in_range("tiers", *weight, 0.0, 1e6).map_err(|mut error| {
                error.path.push(tier.clone());
                error
            })?;
        }
        if self.low >= self.high {
            return Err(ParamError::new("high", "`high` must be greater than `low`"));
        }
        self.fits()?;
        self.prompt.validate("prompt")
    }
}

impl Rubric {
    /// Whether source, form and aggregate go together.
    fn fits(&self) -> Result<(), ParamError> {
        let single = self.form == Kind::Absolute;
        if single && self.source == Origin::Contrastive {
            let what = "`source: contrastive` needs two responses: say `form: relative`";
            return Err(ParamError::new("source", what));
        }
        if !single && !matches!(self.aggregate, Aggregate::Mean | Aggregate::Overall) {
            let what = "comparisons are added up as `mean` or `overall`";
            return Err(ParamError::new("aggregate", what));
        }
        Ok(())
    }

    /// The criteria of the spec.
    fn own_criteria(&self) -> Criteria {
        let principle = |text: &String| Criterion {
            kind: Some(Sort::Principle),
            ..Criterion::new(text.as_str())
        };
        let principles = self.principles.iter().map(principle);
        Criteria(self.criteria.0.iter().cloned().chain(principles).collect())
    }

    /// The criteria for a case, and their version.
    fn criteria(
        &self,
        case: &Case,
        script: &mut Script<'_>,
    ) -> Result<(Criteria, Option<u64>), Pause> {
        let own = self.own_criteria();
        let (mut criteria, version) = match self.source {
            Origin::Given if own.0.is_empty() => {
                let column = case.fields.get(&self.column).filter(|value| !value.is_null());
                Criteria::from_column(column.ok_or_else(|| self.no_criteria())?)?
            }
            Origin::Given => (own, None),
            Origin::Generated => (self.make.make(case, Source::Prompt, None, 0, script)?, None),
            Origin::Contrastive => {
                (self.make.make(case, Source::Candidates, None, 0, script)?, None)
            }
        };
        if self.draw > 0 {
            criteria.0.shuffle(&mut script.stream("criteria drawn"));
            criteria.0.truncate(self.draw as usize);
        }
        criteria.rules_first();
        Ok((criteria, version))
    }

    fn no_criteria(&self) -> Unscored {
        Unscored::missing(format!(
            "no criteria are given, and the row has no column `{}` that holds them",
            self.column
        ))
    }

    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let (criteria, version) = self.criteria(case, script)?;
        let mut told = match (self.form, self.aggregate) {
            (Kind::Relative, _) => relative::compare(self, case, &criteria.0, script)?,
            (Kind::Absolute, Aggregate::Overall) => self.overall(case, &criteria.0, script)?,
            (Kind::Absolute, _) => self.absolute(case, &criteria.0, script)?,
        };
        if let (Kind::Absolute, Some(pass)) = (self.form, self.pass) {
            told.values.iter_mut().for_each(|v| *v = f64::from(u8::from(*v >= pass - 1e-12)));
        }
        let made = serde_json::to_value(&criteria).unwrap_or_default();
        told.made.insert("criteria".to_owned(), made);
        if let Some(version) = version {
            told.made.insert("version".to_owned(), version.into());
        }
        Ok(told)
    }

    fn absolute(
        &self,
        case: &Case,
        criteria: &[Criterion],
        script: &mut Script<'_>,
    ) -> Result<Judgement, Pause> {
        let grader = Grader {
            mode: self.mode,
            clip: self.clip,
            model: self.model.as_ref(),
            prompt: &self.prompt,
        };
        let graded = grader.grade(case, &case.responses[0], criteria, script)?;
        let value = total(criteria, &graded.values, self.aggregate, &self.tiers)?;
        let part =
            |(c, v): (&Criterion, &f64)| Part { name: c.text.clone(), values: vec![Some(*v)] };
        let parts = criteria.iter().zip(&graded.values).map(part).collect();
        Ok(Judgement { parts, ..Judgement::score(value).because(graded.words.trim()) })
    }

    fn overall(
        &self,
        case: &Case,
        criteria: &[Criterion],
        script: &mut Script<'_>,
    ) -> Result<Judgement, Pause> {
        let (list, format) = (numbered(criteria), Score::whole(self.low, self.high));
        let fences = show::fences(case, &[&list], script.seed());
        let fill = Fill::new(&fences)
            .text("question", &question(case))
            .maybe("reference", case.reference.as_deref())
            .text("response", &case.responses[0])
            .text("criteria", &list)
            .value("low", self.low)
            .value("high", self.high);
        let mut request = self.prompt.request(OVERALL, fill, &format)?;
        request.model.clone_from(&self.model);
        let quotes = Quotes::of([case.responses[0].as_str()]);
        let (score, words) = script
            .read(&request, |reply| Ok((format.read(&reply.text, &quotes)?, reply.text.clone())))?;
        Ok(Judgement::score(score).because(words.trim()))
    }
}

impl Judge for Rubric {
    fn form(&self) -> Form {
        match self.form {
            Kind::Absolute => Form::Single,
            Kind::Relative => Form::Pair,
        }
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
        let maker = self.make.model.iter().filter(|_| self.source != Origin::Given);
        self.model.iter().chain(maker).cloned().collect()
    }

    fn reads(&self) -> Vec<String> {
        let column = match self.source {
            Origin::Given if self.own_criteria().0.is_empty() => &self.column,
            Origin::Given => "",
            _ => &self.make.meta_column,
        };
        (!column.is_empty()).then(|| column.to_owned()).into_iter().collect()
    }

    fn range(&self) -> Option<(f64, f64)> {
        match (self.form, self.aggregate) {
            (Kind::Absolute, _) if self.pass.is_some() => Some((0.0, 1.0)),
            (Kind::Absolute, Aggregate::Overall) => Some((self.low.into(), self.high.into())),
            (Kind::Absolute, Aggregate::Sum) => None,
            _ => Some((0.0, 1.0)),
        }
    }
}

guerdon_core::method! {
    Rubric: Judge,
    id: "judge.rubric",
    papers: [
        "openrubrics-2025", "openrs-2026", "carmo-2024", "mpo-2025", "rrd-2026", "claw-eval-2026", "kwbench-2026",
        "cqot-2024", "opinpref-2024", "ssc-2025", "rlrf-2024", "core-mm-2023", "asdagent-2026", "sharp-2026",
        "legalreasoner-2025", "sophiavl-2025", "mobile-r1-2025",
    ],
    status: Verified(Worked("KWBench's tiers, OpenRS's balance and veto, MPO's items")),
    laws: [],
    exempt: [],
    sample_params: r#"{"criteria": ["Is it right?", {"text": "Is it short?", "weight": 3}]}"#,
    samples: [
        r#"{
            "case": {"prompt": "What is 2 + 2?", "responses": ["It is four."], "reference": "4"},
            "replies": [["Both hold.\n1. YES\n2. NO, it could be one word"]],
            "values": [0.25]
        }"#,
        r#"{
            "case": {"prompt": "What is 2 + 2?", "responses": ["It is four."]},
            "replies": [["1. YES\n2. YES"]],
            "values": [1]
        }"#,
    ]
}
