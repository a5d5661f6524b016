//! Compares two responses inside a context that is given, inferred, or drawn from a profile, mixed over contexts.
//!
//! # Formula
//!
//! ```text
//! P(y1 ≻ y2 | x) = Σ_c p(c|x)·p_c        p_c = P(y1 ≻ y2 | x, c), the mean verdict of the samples inside c
//! |P − P̂| ≤ Σ_c p(c)·|p_c − p̂_c| + Σ_c |p(c) − p̂(c)|·p̂_c
//! ```
//!
//! | `source` | contexts |
//! |---|---|
//! | `given` | the column `context`: a text, or a list of texts or of objects with `context` and `probability` |
//! | `inferred` | what a model makes of the question: contexts with probabilities |
//! | `profile` | the same, with the column `profile` in view |
//!
//! # When to use it
//!
//! Where a preference hangs on what was left unsaid: the user, the goal, the criterion. Contexts are inferred from the
//! question alone, never from the responses, so that all pairs of a question share them. A wrong context misleads: the second
//! term of the bound is the price of inferring badly, the first that of judging badly inside the context. `mixture: false`
//! judges inside the most probable context only.
//!
//! # Departures
//!
//! The paper fits a model on contextual pairs; here one is asked.
//!
//! # Example
//!
//! ```yaml
//! use: judge.context
//! source: inferred
//! contexts: 3
//! samples: 2
//! ```
//!
//! ```
//! use guerdon_core::method::{Case, Judge, Next};
//! use guerdon_judge::judge::context::{Context, Source};
//!
//! let judge = Context { source: Source::Given, ..Context::default() };
//! let mut case = Case { responses: vec!["x".into(), "y".into()], ..Case::default() };
//! case.fields.insert("context".into(), "A child asks.".into());
//! let Ok(Next::Done(told)) = judge.next(&case, &[vec!["[[tie]]".into()]], 0) else { panic!() };
//! assert_eq!(told.values, [0.5, 0.5]);
//! ```
//!
//! # References
//!
//! Pitis et al., "Improving Context-Aware Preference Modeling for Language Models", 2024.

use guerdon_core::method::{
    Case, Form, Judge, Judgement, Next, Params, Preference, Reply, Request,
};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::contract::{Json, Label, Quotes, Read};
use crate::fence::Fences;
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::script::{Pause, Script, converse, sample};
use crate::show::{Show, fences};

const SYSTEM: &str = include_str!("../../prompts/judge.system.j2");
const INFER: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../prompts/context.infer.user.j2") };
const DECIDE: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../prompts/context.user.j2") };

/// The most contexts of a case.
const MOST: usize = 32;

/// Where the contexts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// From a column.
    Given,
    /// From the question, by a model.
    #[default]
    Inferred,
    /// From the question and a profile of the user, by a model.
    Profile,
}

/// Parameters of `judge.context`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Context {
    /// Where the contexts come from. Default: `inferred`.
    pub source: Source,
    /// The column of the given contexts. Default: `context`.
    pub context: String,
    /// The column of the profile. Default: `profile`.
    pub profile: String,
    /// The most contexts that are asked for. Range: 1 to 32. Default: 3.
    pub contexts: u32,
    /// Whether the verdicts of all contexts are mixed; else only the most probable counts. Default: true.
    pub mixture: bool,
    /// How many verdicts are asked for inside each context; the order of the responses alternates. Range: 1 to 32. Default: 1.
    pub samples: u32,
    /// Whether the judge may call a tie. Default: true.
    pub ties: bool,
    /// The model that infers the contexts. Default: the judge's own.
    pub inferrer: Option<String>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates of the inference in place of the built-in ones.
    pub infer_prompt: Prompt,
    /// Templates of the verdict.
    pub prompt: Prompt,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            source: Source::Inferred,
            context: "context".into(),
            profile: "profile".into(),
            contexts: 3,
            mixture: true,
            samples: 1,
            ties: true,
            inferrer: None,
            retries: 1,
            infer_prompt: Prompt::default(),
            prompt: Prompt::default(),
        }
    }
}

impl Params for Context {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("contexts", self.contexts.into(), 1.0, MOST as f64)?;
        ParamError::in_range("samples", self.samples.into(), 1.0, 32.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        self.infer_prompt.validate("infer_prompt")?;
        self.prompt.validate("prompt")
    }
}

/// A context, and how probable it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Weighted {
    /// Who asks, what for, what counts.
    pub context: String,
    /// How probable it is, 0 to 1.
    pub probability: f64,
}

/// What a model infers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Inferred {
    contexts: Vec<Weighted>,
}

/// Σ_c p(c)·p_c: the preference over contexts with these weights, which need not add up to 1; `None` where they add up to
/// nothing.
pub fn mixture(weights: &[f64], preferences: &[Preference]) -> Option<Preference> {
    let sum = |get: fn(&Preference) -> f64| -> f64 {
        weights.iter().zip(preferences).map(|(weight, preference)| weight * get(preference)).sum()
    };
    Preference::from_weights(sum(|p| p.first), sum(|p| p.tie), sum(|p| p.second))
}

/// The two parts of the bound on |P − P̂|: judging inside the contexts, and inferring them.
pub fn error_bound(
    (weights, shares): (&[f64], &[f64]),
    (own_weights, own_shares): (&[f64], &[f64]),
) -> (f64, f64) {
    let pairs = weights.iter().zip(shares).zip(own_weights.iter().zip(own_shares));
    pairs.fold((0.0, 0.0), |(inside, between), ((p, share), (own, own_share))| {
        (inside + p * (share - own_share).abs(), between + (p - own).abs() * own_share)
    })
}

/// Checks contexts: some, not too many, none empty, weights that are not negative and add up to something.
fn checked(contexts: Vec<Weighted>, most: usize) -> Result<Vec<Weighted>, String> {
    if contexts.is_empty() || contexts.len() > most {
        return Err(format!("{} contexts, 1 to {most} are wanted", contexts.len()));
    }
    if contexts.iter().any(|own| own.context.trim().is_empty()) {
        return Err("a context is empty".to_owned());
    }
    let total: f64 = contexts.iter().map(|own| own.probability).sum();
    if contexts.iter().any(|own| own.probability < 0.0) || !(total > 0.0 && total.is_finite()) {
        return Err("the probabilities of the contexts add up to nothing".to_owned());
    }
    let scaled = |own: Weighted| Weighted { probability: own.probability / total, ..own };
    Ok(contexts.into_iter().map(scaled).collect())
}

impl Context {
    fn given(&self, case: &Case) -> Result<Vec<Weighted>, Unscored> {
        let column = &self.context;
        let wrong = |why: String| Unscored::invalid(format!("the column `{column}`: {why}"));
        let plain = |context: String| Weighted { context, probability: 1.0 };
        let contexts = match case.fields.get(column) {
            Some(Value::Array(items)) => items
                .iter()
                .take(MOST + 1)
                .map(|item| match item {
                    Value::String(text) => Ok(plain(text.clone())),
                    other => {
                        serde_json::from_value(other.clone()).map_err(|e| wrong(e.to_string()))
                    }
                })
                .collect::<Result<_, _>>()?,
            _ => vec![plain(case.need(column)?)],
        };
        checked(contexts, MOST).map_err(wrong)
    }

    /// Asks for contexts. The request holds the question and the profile only: all pairs of a question share it.
    fn inferred(&self, case: &Case, script: &mut Script<'_>) -> Result<Vec<Weighted>, Pause> {
        let profile = match self.source {
            Source::Profile => Some(case.need(&self.profile)?),
            _ => None,
        };
        let asked = question(case);
        let texts = [asked.as_str(), profile.as_deref().unwrap_or_default()];
        let fences = Fences::new(&texts, 0);
        let fill = Fill::new(&fences)
            .text("question", &asked)
            .maybe("profile", profile.as_deref())
            .value("most", self.contexts);
        let format = Json::<Inferred>::new();
        let request = self.infer_prompt.request(INFER, fill, &format)?;
        let request = Request { model: self.inferrer.clone(), ..request };
        let quotes = Quotes::of(texts);
        script.read(&request, |reply| {
            let told = format.read(&reply.text, &quotes)?;
            checked(told.contexts, self.contexts as usize).map_err(Unscored::unreadable)
        })
    }

    fn format(&self) -> Label {
        let labels = ["A", "B"].into_iter().chain(self.ties.then_some("tie"));
        Label { labels: labels.map(str::to_owned).collect(), direct: false }
    }

    /// The mean verdict inside one context.
    fn inside(
        &self,
        case: &Case,
        context: &str,
        script: &mut Script<'_>,
    ) -> Result<Preference, Pause> {
        let (format, seed) = (self.format(), script.seed());
        let show = Show::seeded(script, 2, context);
        let fences = fences(case, &[context], seed);
        let quotes = Quotes::of(case.responses.iter().map(String::as_str).chain([context]));
        let told = script.all(self.samples as usize, |k, script| {
            let show = if k % 2 == 0 { show.clone() } else { show.reversed() };
            let fill = Fill::new(&fences)
                .text("question", &question(case))
                .maybe("reference", case.reference.as_deref())
                .text("context", context)
                .value("ties", self.ties);
            let fill = show.fill(fill, &fences, &case.responses);
            let request = sample(&self.prompt.request(DECIDE, fill, &format)?, k / 2);
            let verdict = script.read(&request, |reply| format.read(&reply.text, &quotes))?;
            let told = [Preference::FIRST, Preference::SECOND, Preference::TIE][verdict.min(2)];
            Ok(show.preference(told))
        })?;
        let none = || Unscored::failed("there are no verdicts").into();
        Preference::mean(&told).ok_or_else(none)
    }

    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let mut contexts = match self.source {
            Source::Given => self.given(case)?,
            Source::Inferred | Source::Profile => self.inferred(case, script)?,
        };
        if !self.mixture {
            contexts.sort_by(|a, b| b.probability.total_cmp(&a.probability));
            contexts.truncate(1);
        }
        let told = script
            .all(contexts.len(), |k, script| self.inside(case, &contexts[k].context, script))?;
        let weights: Vec<f64> = contexts.iter().map(|own| own.probability).collect();
        let none = || Unscored::failed("the contexts have no weight");
        let mut judgement = Judgement::verdict(mixture(&weights, &told).ok_or_else(none)?);
        for (own, inside) in contexts.iter().zip(&told) {
            let share = inside.share();
            judgement = judgement.part(&own.context, vec![Some(share), Some(1.0 - share)]);
        }
        judgement.made.insert("contexts".into(), json!(contexts));
        Ok(judgement)
    }
}

impl Judge for Context {
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

    fn models(&self) -> Vec<String> {
        self.inferrer.iter().cloned().collect()
    }

    fn reads(&self) -> Vec<String> {
        match self.source {
            Source::Given => vec![self.context.clone()],
            Source::Profile => vec![self.profile.clone()],
            Source::Inferred => Vec::new(),
        }
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Context: Judge,
    id: "judge.context",
    papers: ["context-aware-2024"],
    status: Verified(Worked("the mixture .620 against .685 and its error bound .070 + .115")),
    laws: [],
    exempt: [],
    samples: [r#"{
        "case": {"prompt": "Explain rainbows.", "responses": ["Light bends in drops.", "See Snell's law."]},
        "replies": [["{\"contexts\": [{\"context\": \"a child asks\", \"probability\": 0.7}, {\"context\": \"a physicist asks\", \"probability\": 0.3}]}"],
            ["Neither fits.\n[[tie]]"]],
        "values": [0.5, 0.5]
    }"#]
}

#[cfg(test)]
mod tests {
    use super::{Context, Source, error_bound, mixture};
    use crate::scripted::{case, judge, text};
    use guerdon_core::method::{Case, Preference, Request};
    use serde_json::json;

    fn share(p: f64) -> Preference {
        Preference { first: p, tie: 0.0, second: 1.0 - p }
    }

    #[test]
    fn the_worked_example() {
        let (weights, shares) = ([0.6, 0.4], [0.9, 0.2]);
        let (own_weights, own_shares) = ([0.7, 0.3], [0.85, 0.3]);
        let truth = mixture(&weights, &shares.map(share)).unwrap().first;
        let own = mixture(&own_weights, &own_shares.map(share)).unwrap().first;
        assert!((truth - 0.620).abs() < 1e-12 && (own - 0.685).abs() < 1e-12);
        let (inside, between) = error_bound((&weights, &shares), (&own_weights, &own_shares));
        assert!((inside - 0.070).abs() < 1e-12 && (between - 0.115).abs() < 1e-12);
        assert!((truth - own).abs() <= inside + between);
        assert_eq!(mixture(&[0.0], &[Preference::TIE]), None);
    }

    /// Prefers `kid` for children and `law` for others, wherever they stand.
    fn answer(request: &Request) -> String {
        let shown = text(request);
        if !shown.contains("Two responses") {
            return json!({"contexts": [
                {"context": "a child asks", "probability": 3},
                {"context": "a physicist asks", "probability": 1},
            ]})
            .to_string();
        }
        let wanted = if shown.contains("a child asks") { "kid" } else { "law" };
        let other = if wanted == "kid" { "law" } else { "kid" };
        let first = shown.find(wanted) < shown.find(other);
        if first { "[[A]]".into() } else { "[[B]]".into() }
    }

    fn values(own: &Context, case: &Case) -> Vec<f64> {
        judge(own, case, answer).0.unwrap().values
    }

    #[test]
    fn contexts_are_mixed_by_their_weights() {
        let own = Context { samples: 2, ..Context::default() };
        let pair = case("Explain rainbows.", &["kid", "law"]);
        assert_eq!(values(&own, &pair), [0.75, 0.25]);
        let best = Context { mixture: false, ..own.clone() };
        assert_eq!(values(&best, &pair), [1.0, 0.0]);
        let (told, asked) = judge(&own, &pair, answer);
        assert_eq!(asked.iter().map(Vec::len).collect::<Vec<_>>(), [1, 4]);
        let first = |request: &Request| text(request).find("kid") < text(request).find("law");
        assert_ne!(first(&asked[1][0]), first(&asked[1][1]), "both orders are asked");
        assert_eq!(told.unwrap().parts[1].values, [Some(0.0), Some(1.0)]);
        let (_, swapped) = judge(&own, &case("Explain rainbows.", &["law", "kid"]), answer);
        assert_eq!(asked[0], swapped[0], "contexts are inferred from the question alone");
    }

    #[test]
    fn the_context_reverses_the_preference() {
        let own = Context { source: Source::Given, ..Context::default() };
        let mut right = 0;
        for (context, expect) in [("a child asks", 1.0), ("a physicist asks", 0.0)] {
            let mut pair = case("q", &["kid", "law"]);
            pair.fields.insert("context".into(), context.into());
            right += u32::from(values(&own, &pair)[0] == expect);
            // One that does not look at the context says the same of both rows: right on one.
        }
        assert_eq!(right, 2);
        let mut list = case("q", &["kid", "law"]);
        list.fields.insert(
            "context".into(),
            json!(["a child asks", {"context": "a physicist asks", "probability": 3}]),
        );
        assert_eq!(values(&own, &list), [0.25, 0.75]);
    }

    #[test]
    fn contexts_that_cannot_be_used_are_refused() {
        let own = Context { source: Source::Given, ..Context::default() };
        for bad in
            [json!([]), json!([7]), json!([""]), json!([{"context": "x", "probability": -1}])]
        {
            let mut pair = case("q", &["kid", "law"]);
            pair.fields.insert("context".into(), bad.clone());
            assert!(judge(&own, &pair, answer).0.is_err(), "{bad}");
        }
        let profile = Context { source: Source::Profile, ..Context::default() };
        assert!(judge(&profile, &case("q", &["kid", "law"]), answer).0.is_err());
    }
}
