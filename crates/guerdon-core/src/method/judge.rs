//! Judges: protocols that ask a language model how good responses are.
//!
//! A judge is a [`Protocol`](super::Protocol) with a fixed sort of case and a fixed sort of result, so that the engine can
//! use any of them as a signal, as a comparator, or inside another judge.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::function::{read, write};
use super::{ErasedProtocol, Next, Reply};
use crate::{MethodError, Rollout, Text, Unscored};

/// How many responses a judge looks at in one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One.
    Single,
    /// Exactly two.
    Pair,
    /// Two or more.
    List,
}

impl Form {
    /// Whether a case with `n` responses can be judged.
    pub fn takes(self, n: usize) -> bool {
        match self {
            Self::Single => n == 1,
            Self::Pair => n == 2,
            Self::List => n >= 2,
        }
    }

    /// The form in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Single => "one response",
            Self::Pair => "two responses",
            Self::List => "two or more responses",
        }
    }
}

/// What is judged.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What was asked.
    #[serde(default)]
    pub prompt: Text,
    /// The responses, in the caller's order.
    pub responses: Vec<String>,
    /// The reference answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The steps of the only response, where it is cut into steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
    /// The other columns of the row (a rubric, a principle, a profile), by name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
}

impl Case {
    /// The case of rollouts of one prompt: the first gives the prompt, the reference and the fields.
    pub fn of<'a>(rollouts: impl IntoIterator<Item = &'a Rollout>) -> Self {
        let mut rollouts = rollouts.into_iter().peekable();
        let mut case = rollouts.peek().map_or_else(Self::default, |first| Self {
            prompt: first.prompt.clone(),
            responses: Vec::new(),
            reference: first.reference_text().map(std::borrow::Cow::into_owned),
            steps: first.steps.iter().map(|step| step.text.clone()).collect(),
            fields: first.columns.clone(),
        });
        case.responses = rollouts.map(|rollout| rollout.text().to_owned()).collect();
        case
    }

    /// The same case with other responses; steps belong to the old ones and are dropped.
    #[must_use]
    pub fn with_responses(&self, responses: Vec<String>) -> Self {
        Self { responses, steps: Vec::new(), ..self.clone() }
    }

    /// A field as text: strings as they are, all else as JSON; `None` where it is absent or null.
    pub fn text(&self, field: &str) -> Option<String> {
        match self.fields.get(field)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// A field as text, or the reason why there is none.
    pub fn need(&self, field: &str) -> Result<String, Unscored> {
        self.text(field).ok_or_else(|| {
            Unscored::missing(format!("the judge needs the column `{field}`, which the row lacks"))
        })
    }

    /// The reference, or the reason why there is none.
    pub fn need_reference(&self) -> Result<&str, Unscored> {
        self.reference.as_deref().ok_or_else(|| {
            Unscored::missing("the judge needs a reference answer, which the row lacks")
        })
    }
}

/// Which of two responses is better: probabilities that add up to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Preference {
    /// The first.
    pub first: f64,
    /// Neither.
    pub tie: f64,
    /// The second.
    pub second: f64,
}

impl Preference {
    /// The first is better.
    pub const FIRST: Self = Self { first: 1.0, tie: 0.0, second: 0.0 };
    /// Neither is better.
    pub const TIE: Self = Self { first: 0.0, tie: 1.0, second: 0.0 };
    /// The second is better.
    pub const SECOND: Self = Self { first: 0.0, tie: 0.0, second: 1.0 };

    /// From weights that are not negative; `None` where they do not add up to something positive and finite.
    pub fn from_weights(first: f64, tie: f64, second: f64) -> Option<Self> {
        let total = first + tie + second;
        let sound = first >= 0.0 && tie >= 0.0 && second >= 0.0 && total > 0.0 && total.is_finite();
        sound.then(|| Self { first: first / total, tie: tie / total, second: second / total })
    }

    /// The verdict of two values: the greater wins, equal is a tie.
    pub fn of_values(first: f64, second: f64) -> Self {
        // Adding 0 makes the two zeros one.
        match (first + 0.0).total_cmp(&(second + 0.0)) {
            std::cmp::Ordering::Greater => Self::FIRST,
            std::cmp::Ordering::Equal => Self::TIE,
            std::cmp::Ordering::Less => Self::SECOND,
        }
    }

    /// The same verdict on the swapped pair.
    #[must_use]
    pub fn swapped(self) -> Self {
        Self { first: self.second, tie: self.tie, second: self.first }
    }

    /// The mean of verdicts; `None` of none.
    pub fn mean(verdicts: &[Self]) -> Option<Self> {
        let sum = |get: fn(&Self) -> f64| verdicts.iter().map(get).sum();
        Self::from_weights(sum(|v| v.first), sum(|v| v.tie), sum(|v| v.second))
    }

    /// What the first gets, ties counted half.
    pub fn share(self) -> f64 {
        self.first + self.tie / 2.0
    }
}

/// A named part of a judgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// A criterion, a judge of a jury, a round of a debate.
    pub name: String,
    /// What it gave to each response, in the order of the case; `None` where it gave nothing.
    pub values: Vec<Option<f64>>,
}

/// What a judge says.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Judgement {
    /// One value per response, in the order of the case. Of a pair that was only compared: the share of the win.
    pub values: Vec<f64>,
    /// For two responses that were compared: which is better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preference: Option<Preference>,
    /// One value per step of the only response, where the judge gives them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<f64>,
    /// How sure the judge is, 0 to 1, where that can be told (agreement of samples or judges, probability of the verdict).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Why, in a few words of the method's or the judge's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub explanation: String,
    /// Named parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// What was made on the way (criteria, a rubric, a breakdown).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub made: Map<String, Value>,
}

impl Judgement {
    /// The value of the only response.
    pub fn score(value: f64) -> Self {
        Self::scores(vec![value])
    }

    /// A value for each response.
    pub fn scores(values: Vec<f64>) -> Self {
        Self { values, ..Self::default() }
    }

    /// The verdict on two responses.
    pub fn verdict(preference: Preference) -> Self {
        let share = preference.share();
        Self { values: vec![share, 1.0 - share], preference: Some(preference), ..Self::default() }
    }

    /// With an explanation.
    #[must_use]
    pub fn because(mut self, explanation: impl Into<String>) -> Self {
        self.explanation = explanation.into();
        self
    }

    /// With a confidence.
    #[must_use]
    pub fn sure(mut self, confidence: f64) -> Self {
        self.confidence = Some(confidence);
        self
    }

    /// With a named part.
    #[must_use]
    pub fn part(mut self, name: impl Into<String>, values: Vec<Option<f64>>) -> Self {
        self.parts.push(Part { name: name.into(), values });
        self
    }

    /// The preference between two responses: as given, else by the values.
    pub fn compared(&self) -> Option<Preference> {
        match (self.preference, self.values.as_slice()) {
            (Some(preference), _) => Some(preference),
            (None, [first, second]) => Some(Preference::of_values(*first, *second)),
            _ => None,
        }
    }
}

/// A protocol that judges: a pure function of the case and of all replies so far.
pub trait Judge: Send + Sync {
    /// How many responses it looks at.
    fn form(&self) -> Form;

    /// What to do after the rounds so far: `rounds[k]` holds the replies to the `k`-th set of requests.
    ///
    /// Total on arbitrary replies: a reply that cannot be read is an [`Unscored`], never a panic, a tie or a default.
    /// `seed` names the case's own random stream: orders and masks are drawn from it.
    fn next(
        &self,
        case: &Case,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Judgement>, Unscored>;

    /// The models of the spec that it asks by name, besides the default one.
    fn models(&self) -> Vec<String> {
        Vec::new()
    }

    /// The columns of the row that it reads, besides prompt, responses and reference.
    fn reads(&self) -> Vec<String> {
        Vec::new()
    }

    /// The least and the greatest value that it gives, where both are known.
    fn range(&self) -> Option<(f64, f64)> {
        None
    }
}

/// [`Judge::next`] on a case that may have the wrong number of responses.
pub fn ask(
    judge: &dyn Judge,
    case: &Case,
    rounds: &[Vec<Reply>],
    seed: u64,
) -> Result<Next<Judgement>, Unscored> {
    let (form, given) = (judge.form(), case.responses.len());
    if form.takes(given) {
        return judge.next(case, rounds, seed);
    }
    Err(Unscored::missing(format!("the judge looks at {}, the case has {given}", form.name())))
}

/// A judge over JSON.
impl ErasedProtocol for Box<dyn Judge> {
    fn next_json(
        &self,
        case: &Value,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Value>, Unscored> {
        let case: Case = read(case.clone()).map_err(|error: MethodError| Unscored::from(error))?;
        Ok(match ask(self.as_ref(), &case, rounds, seed)? {
            Next::Ask(requests) => Next::Ask(requests),
            Next::Done(judgement) => Next::Done(write(&judgement)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Case, Form, Judgement, Preference};
    use crate::Rollout;

    #[test]
    fn a_case_is_made_of_rollouts() {
        let case = Case::of(&[Rollout::new("q", "a", "r"), Rollout::new("q", "b", "r")]);
        assert_eq!(
            (case.responses, case.reference),
            (vec!["a".into(), "b".into()], Some("r".into()))
        );
        assert!(Form::Pair.takes(2) && !Form::Pair.takes(3) && Form::List.takes(3));
    }

    #[test]
    fn preferences_are_probabilities() {
        let mean = Preference::mean(&[Preference::FIRST, Preference::FIRST.swapped()]).unwrap();
        assert_eq!((mean.share(), mean.tie), (0.5, 0.0));
        assert_eq!(Preference::from_weights(0.0, 0.0, 0.0), None);
        assert_eq!(Preference::from_weights(f64::NAN, 1.0, 0.0), None);
        assert_eq!(Judgement::scores(vec![1.0, 2.0]).compared(), Some(Preference::SECOND));
        assert_eq!(Preference::of_values(-0.0, 0.0), Preference::TIE);
        assert_eq!(Judgement::verdict(Preference::TIE).values, [0.5, 0.5]);
    }
}
