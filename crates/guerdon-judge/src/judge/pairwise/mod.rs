//! Which of two responses is better: in one order or both, with or without ties, from verdicts or their probabilities.
//!
//! # Formula
//!
//! ```text
//! v1, v2   verdicts of the two orders, by response: + the first, − the second, 0 a tie
//! agree       v1 if v1 and v2 name the same response, else a tie
//! sum         sign(v1 + v2)
//! likelihood  argmax over {first, tie, second} of p1 + p2, p the probabilities of the labels with the swapped order mapped
//!             back; a tie where the two greatest sums differ by less than 2·tolerance
//! perplexity  the verdict of the order whose reply has the lower perplexity
//! until_consistent  asks both orders again, at most `attempts` times, until they name the same
//! ```
//!
//! A judge that is right with p1 where the better one stands first and p2 where it stands second is right with
//! `p1·p2/(p1·p2 + (1 − p1)(1 − p2))` where both orders agree ([`merge::consistency`]).
//!
//! # When to use it
//!
//! Where close responses must be told apart: a comparison is finer than two grades. Both orders cost twice and remove most of
//! the slot bias. Where candidates can game the judge, grades (`judge.pointwise`) are flipped less often.
//!
//! # Departures
//!
//! The order of a single comparison is drawn from the seed, not fixed. A verdict that cannot be read in either order leaves the
//! pair unscored; the systems cited drop it or call it a tie. Equal sums of likelihoods are a tie also at tolerance 0.
//!
//! # Example
//!
//! ```yaml
//! use: judge.pairwise
//! order: both
//! merge: agree
//! ```
//!
//! ```
//! use guerdon_core::method::{Case, Judge, Next, Preference};
//! use guerdon_judge::judge::pairwise::Pairwise;
//!
//! let judge = Pairwise::default();
//! let responses = vec!["Hello!".into(), "Go away.".into()];
//! let case = Case { prompt: "Say hello.".into(), responses, ..Case::default() };
//! let Ok(Next::Ask(requests)) = judge.next(&case, &[], 0) else { panic!() };
//! let first = |text: &str| text.find("Hello!") < text.find("Go away.");
//! let reply = |r: &guerdon_core::method::Request| if first(&r.messages[1].content) { "[[A]]" } else { "[[B]]" };
//! let rounds = [requests.iter().map(|r| reply(r).into()).collect()];
//! let Ok(Next::Done(told)) = judge.next(&case, &rounds, 0) else { panic!() };
//! assert_eq!(told.preference, Some(Preference::FIRST));
//! ```
//!
//! # References
//!
//! Wang et al., "TrustJudge: Inconsistencies of LLM-as-a-Judge and How to Alleviate Them", 2025. Kim et al., "Persona is a
//! Double-edged Sword", 2024 (Jekyll & Hyde). Bansal et al., "Peering Through Preferences", 2023. Tripathi et al., "Pairwise or
//! Pointwise?", 2025. Cao et al., "CompassJudger-1", 2024.

pub mod merge;

use guerdon_core::method::{
    Case, Form, Judge, Judgement, Next, Params, Preference, Reply, Request,
};
use guerdon_core::{ParamError, Unscored};
use rand::RngExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Format, Label, Quotes, Read};
use crate::grader::Grader;
use crate::logprob;
use crate::prompt::{BuiltIn, Prompt};
use crate::script::{Pause, Script, converse, sample};
use crate::show::Show;
use crate::view::View;
use merge::Weights;

const BUILT_IN: BuiltIn = BuiltIn {
    system: include_str!("../../../prompts/judge.system.j2"),
    user: include_str!("../../../prompts/pairwise.user.j2"),
};

/// In which orders a pair is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// One, drawn from the seed.
    Single,
    /// Both, and their verdicts are merged.
    #[default]
    Both,
    /// Both, again and again until they name the same.
    UntilConsistent,
}

/// How the verdicts of both orders become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Merge {
    /// What both say; a tie where they differ.
    #[default]
    Agree,
    /// The greatest sum of the labels' probabilities. Needs log-probabilities.
    Likelihood,
    /// The order whose reply has the lower perplexity. Needs log-probabilities.
    Perplexity,
    /// The sign of the sum of both.
    Sum,
}

/// Whether the judge may call it a tie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// It may.
    #[default]
    Allowed,
    /// It must decide.
    Forbidden,
}

/// How finely a verdict is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// `A`, `tie`, `B`.
    #[default]
    Three,
    /// `A>>B`, `A>B`, `A=B`, `B>A`, `B>>A`.
    Five,
}

/// What becomes of a pair on which the orders never agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// One of the two, drawn from the seed.
    Random,
    /// The first response of the case.
    First,
    /// No verdict: the pair is unscored.
    #[default]
    Abstain,
}

/// What is given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Give {
    /// One verdict: the majority of the samples.
    #[default]
    Verdict,
    /// Probabilities: of the labels where they are merged by likelihood, else the shares of the samples.
    Probabilities,
}

/// Parameters of `judge.pairwise`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pairwise {
    /// In which orders the pair is shown. Default: `both`.
    pub order: Order,
    /// How the verdicts of both orders become one. Default: `agree`.
    pub merge: Merge,
    /// Whether the judge may call it a tie. Default: `allowed`.
    pub ties: Ties,
    /// How finely a verdict is told. Default: `three`.
    pub scale: Scale,
    /// Weight of `>>` where `>` has 1, for `merge: sum`. Range: 1 to 10. Default: 1.
    pub strong: f64,
    /// Half the difference of the two greatest sums of probabilities below which it is a tie, for `merge: likelihood`. Range: 0
    /// to 1. Default: 0.
    pub tolerance: f64,
    /// How often both orders are asked, for `order: until_consistent`. Range: 1 to 20. Default: 5.
    pub attempts: u32,
    /// What becomes of a pair on which the orders never agree. Default: `abstain`.
    pub fallback: Fallback,
    /// How many times the whole comparison is made. Range: 1 to 64. Default: 1.
    pub samples: u32,
    /// What is given out. Default: `verdict`.
    pub give: Give,
    /// What is compared (`helpfulness`, `faithfulness to the source`); empty for the whole of its quality.
    pub criterion: String,
    /// The column that describes who asked, for a verdict in that person's place; empty for none.
    pub profile: String,
    /// The column that holds advice for the judge (a rubric, a hint); empty for none.
    pub advice: String,
    /// The language in which a response should be written; empty for any.
    pub answer_in: String,
    /// The language in which the judge reasons; empty for any.
    pub reason_in: String,
    /// Whether the judge answers with the verdict alone, without reasoning.
    pub direct: bool,
    /// A published grader whose reply format and reader are used: for prompts that were written for it.
    pub reply: Option<Grader>,
    /// Sampling temperature; `null` for that of the model's entry in the spec. Range: 0 to 2.
    pub temperature: Option<f64>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates in place of the built-in ones.
    pub prompt: Prompt,
}

impl Default for Pairwise {
    fn default() -> Self {
        Self {
            order: Order::Both,
            merge: Merge::Agree,
            ties: Ties::Allowed,
            scale: Scale::Three,
            strong: 1.0,
            tolerance: 0.0,
            attempts: 5,
            fallback: Fallback::Abstain,
            samples: 1,
            give: Give::Verdict,
            criterion: String::new(),
            profile: String::new(),
            advice: String::new(),
            answer_in: String::new(),
            reason_in: String::new(),
            direct: false,
            reply: None,
            temperature: None,
            retries: 1,
            prompt: Prompt::default(),
        }
    }
}

impl Params for Pairwise {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("strong", self.strong, 1.0, 10.0)?;
        ParamError::in_range("tolerance", self.tolerance, 0.0, 1.0)?;
        ParamError::in_range("attempts", self.attempts.into(), 1.0, 20.0)?;
        ParamError::in_range("samples", self.samples.into(), 1.0, 64.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        if let Some(temperature) = self.temperature {
            ParamError::in_range("temperature", temperature, 0.0, 2.0)?;
        }
        if self.order == Order::UntilConsistent && self.temperature == Some(0.0) {
            let why = "`temperature` must be above 0 with `order: until_consistent`: at 0 every attempt repeats the first";
            return Err(ParamError::new("temperature", why));
        }
        if let Some(grader) = self.reply.filter(|grader| !grader.compares()) {
            let why =
                format!("`reply` must be a grader that compares two responses, not {grader:?}");
            return Err(ParamError::new("reply", why));
        }
        if self.reply.is_some() && self.merge == Merge::Likelihood && self.order != Order::Single {
            let why = "`merge: likelihood` reads the built-in labels: leave `reply` out";
            return Err(ParamError::new("merge", why));
        }
        self.prompt.validate("prompt")
    }
}

/// What the reply to one order says, by response.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Told {
    /// Positive for the first response, 0 for a tie.
    sign: f64,
    /// Probabilities of first, tie, second, where they are asked for.
    weights: Option<Weights>,
    /// Perplexity of the reply, where it is asked for.
    perplexity: Option<f64>,
}

impl Pairwise {
    /// The labels with what each says of the places: positive for the first place.
    fn labels(&self) -> Vec<(&'static str, f64)> {
        let all = match self.scale {
            Scale::Three => vec![("A", 1.0), ("B", -1.0), ("tie", 0.0)],
            Scale::Five => vec![
                ("A>>B", self.strong),
                ("A>B", 1.0),
                ("A=B", 0.0),
                ("B>A", -1.0),
                ("B>>A", -self.strong),
            ],
        };
        let ties = self.ties == Ties::Allowed;
        all.into_iter().filter(|(_, sign)| ties || *sign != 0.0).collect()
    }

    fn format(&self) -> Label {
        let labels = self.labels().iter().map(|(label, _)| (*label).to_owned()).collect();
        Label { labels, direct: self.direct }
    }

    fn view<'a>(&'a self, case: &'a Case) -> View<'a> {
        View {
            case: Some(case),
            criterion: &self.criterion,
            profile: &self.profile,
            advice: &self.advice,
            answer_in: &self.answer_in,
            reason_in: &self.reason_in,
        }
    }

    fn top_logprobs(&self) -> u8 {
        match (self.order, self.merge) {
            (Order::Both, Merge::Likelihood) => logprob::TOP,
            (Order::Both, Merge::Perplexity) => 1,
            _ => 0,
        }
    }

    fn request(&self, case: &Case, show: &Show, seed: u64) -> Result<Request, Unscored> {
        let view = self.view(case);
        let texts = view.texts(&[], seed)?;
        let labels = if self.reply.is_some() { "own" } else { "letters" };
        let fill = show
            .fill(view.fill(&texts), &texts.fences, &case.responses)
            .value("scale", if self.reply.is_some() { Scale::Three } else { self.scale })
            .value("labels", labels)
            .value("ties", self.ties == Ties::Allowed);
        let label = self.format();
        let format: &dyn Format = self.reply.as_ref().map_or(&label, |grader| grader as _);
        let request = self.prompt.request(BUILT_IN, fill, format)?;
        Ok(Request { temperature: self.temperature, top_logprobs: self.top_logprobs(), ..request })
    }

    /// What a reply says of the places shown.
    fn read(&self, reply: &Reply, quotes: &Quotes<'_>) -> Result<Told, Unscored> {
        let asks = self.top_logprobs() > 0;
        let perplexity = (asks && self.merge == Merge::Perplexity)
            .then(|| logprob::perplexity(reply))
            .transpose()?;
        if let Some(grader) = self.reply {
            let said = grader.read_beside(&reply.text, quotes)?.preference()?;
            if self.ties == Ties::Forbidden && said == Preference::TIE {
                return Err(Unscored::unreadable("a tie is not offered"));
            }
            return Ok(Told { sign: said.first - said.second, weights: None, perplexity });
        }
        let (format, labels) = (self.format(), self.labels());
        let label = format.read(&reply.text, quotes)?;
        let weights = (asks && self.merge == Merge::Likelihood)
            .then(|| self.weights(reply, &format, label))
            .transpose()?;
        Ok(Told { sign: labels[label].1, weights, perplexity })
    }

    /// The probabilities of first place, tie, second place where the verdict stands.
    fn weights(&self, reply: &Reply, format: &Label, label: usize) -> Result<Weights, Unscored> {
        let lost = || Unscored::unreadable("the verdict's place in the reply is lost");
        let place = format.place(&reply.text, label).ok_or_else(lost)?;
        let of = logprob::choices(reply, place, &format.labels[label], &format.labels)?;
        let mut weights = [0.0; 3];
        for ((_, sign), weight) in self.labels().iter().zip(of) {
            let side = if *sign > 0.0 {
                0
            } else if *sign < 0.0 {
                2
            } else {
                1
            };
            weights[side] += weight;
        }
        Ok(weights)
    }

    /// Asks in one order; what comes back is by response.
    fn ask(
        &self,
        case: &Case,
        show: &Show,
        k: usize,
        script: &mut Script<'_>,
    ) -> Result<Told, Pause> {
        let request = sample(&self.request(case, show, script.seed())?, k);
        let quotes = Quotes::of(case.responses.iter().map(String::as_str));
        let told = script.read(&request, |reply| self.read(reply, &quotes))?;
        if show.order().first() == Some(&0) {
            return Ok(told);
        }
        let weights = told.weights.map(|[first, tie, second]| [second, tie, first]);
        Ok(Told { sign: -told.sign, weights, ..told })
    }

    /// Both orders, beginning with one that the seed draws.
    fn both(&self, case: &Case, k: usize, script: &mut Script<'_>) -> Result<[Told; 2], Pause> {
        let show = Show::seeded(script, 2, "position");
        let orders = [show.clone(), show.reversed()];
        let told = script.all(2, |i, script| self.ask(case, &orders[i], k, script))?;
        Ok([told[0], told[1]])
    }

    /// One sample: the verdict, and the probabilities behind it.
    fn once(
        &self,
        case: &Case,
        k: usize,
        script: &mut Script<'_>,
    ) -> Result<(Preference, Preference), Pause> {
        if self.order == Order::Single {
            let show = Show::seeded(script, 2, "position");
            let verdict = merge::by_sign(self.ask(case, &show, k, script)?.sign);
            return Ok((verdict, verdict));
        }
        if self.order == Order::UntilConsistent {
            let verdict = self.until_consistent(case, k, script)?;
            return Ok((verdict, verdict));
        }
        let [one, other] = self.both(case, k, script)?;
        let lost = || Unscored::failed("the reply was read without what its merge needs");
        let verdict = match self.merge {
            Merge::Agree => merge::agree(one.sign, other.sign),
            Merge::Sum => merge::sum(one.sign, other.sign),
            Merge::Perplexity => {
                let of = |told: Told| Some((told.sign, told.perplexity?));
                merge::perplexity(of(one).ok_or_else(lost)?, of(other).ok_or_else(lost)?)
            }
            Merge::Likelihood => {
                let (one, other) = one.weights.zip(other.weights).ok_or_else(lost)?;
                return Ok(merge::likelihood(one, other, self.tolerance).ok_or_else(lost)?);
            }
        };
        Ok((verdict, verdict))
    }

    fn until_consistent(
        &self,
        case: &Case,
        k: usize,
        script: &mut Script<'_>,
    ) -> Result<Preference, Pause> {
        for attempt in 0..self.attempts as usize {
            // Every attempt is a new sample: the same one would say the same again.
            let [one, other] = self.both(case, k * self.attempts as usize + attempt, script)?;
            if one.sign.total_cmp(&0.0) == other.sign.total_cmp(&0.0) {
                return Ok(merge::by_sign(one.sign));
            }
        }
        match self.fallback {
            Fallback::First => Ok(Preference::FIRST),
            Fallback::Random if script.stream(&format!("fallback {k}")).random_bool(0.5) => {
                Ok(Preference::FIRST)
            }
            Fallback::Random => Ok(Preference::SECOND),
            Fallback::Abstain => Err(Unscored::abstained(format!(
                "the two orders disagreed in all {} attempts",
                self.attempts
            ))
            .into()),
        }
    }

    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let samples = self.samples as usize;
        let told = script.all(samples, |k, script| self.once(case, k, script))?;
        let (verdicts, soft): (Vec<_>, Vec<_>) = told.into_iter().unzip();
        let lost = || Unscored::failed("no sample has a verdict");
        let mean = Preference::mean(&soft).ok_or_else(lost)?;
        if self.give == Give::Probabilities {
            return Ok(Judgement::verdict(mean));
        }
        let (verdict, share) = merge::majority(&verdicts).ok_or_else(lost)?;
        let told = Judgement::verdict(verdict);
        Ok(match (self.merge, samples) {
            (Merge::Likelihood, 1) => {
                told.sure(mean.first.max(mean.tie).max(mean.second).clamp(0.0, 1.0))
            }
            (_, 1) => told,
            _ => told.sure(share.clamp(0.0, 1.0)),
        })
    }
}

impl Judge for Pairwise {
    fn form(&self) -> Form {
        Form::Pair
    }

    fn next(
        &self,
        case: &Case,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Judgement>, Unscored> {
        converse(rounds, self.retries, seed, |script| self.talk(case, script))
    }

    fn reads(&self) -> Vec<String> {
        self.view(&Case::default()).reads()
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Pairwise: Judge,
    id: "judge.pairwise",
    papers: [
        "trustjudge-2025",
        "jekyll-hyde-2024",
        "sparse-feedback-2023",
        "pairwise-or-pointwise-2025",
        "compassjudger-2024",
        "moose-chem2-2025"
    ],
    status: Verified(Worked("the TrustJudge and Jekyll & Hyde numbers; decisions of JudgeBench's recorded runs")),
    laws: [],
    exempt: [],
    samples: [
        r#"{
            "case": {"prompt": "What is 2 + 2?", "responses": ["It is four.", "It is five."], "reference": "4"},
            "replies": [["Both are short.\n[[tie]]"]],
            "values": [0.5, 0.5]
        }"#,
        r#"{
            "case": {"prompt": "What is 2 + 2?", "responses": ["It is four.", "It is five."]},
            "replies": [["The first is right.\n[[A]]", "The second is right.\n[[B]]"]],
            "values": [0, 1]
        }"#
    ]
}

#[cfg(test)]
mod tests;
