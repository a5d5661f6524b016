//! Laws of functions.

use rand::seq::SliceRandom as _;
use serde_json::Value;

use super::every::{built, told};
use super::json::{EXTRA, close, differ, lost_number, mutations};
use super::verdict::{Duty, Finding, Pass, Says, Tally, Test, Verdict, judge};
use super::{bounded, samples};
use crate::method::{Build, ErasedFunction, FunctionInfo, Kind};
use crate::{Law, Method};

/// The laws that a function may claim or be exempt from.
pub(super) const LAWS: &[Law] = &[Law::PermutationInvariant, Law::Symmetric];

const SEED: u64 = 7;

/// Keys that name the two sides of an input.
const SIDES: [(&str, &str); 10] = [
    ("a", "b"),
    ("x", "y"),
    ("p", "q"),
    ("first", "second"),
    ("left", "right"),
    ("before", "after"),
    ("actual", "predicted"),
    ("predicted", "reference"),
    ("rater_a", "rater_b"),
    ("treated", "control"),
];

pub(super) fn laws(method: Method) -> Vec<Test> {
    let Kind::Function(info, build) = method.kind else { return Vec::new() };
    let case = Case { method, info, build };
    vec![
        Test::new("samples_run", move || case.samples_run()),
        Test::new("deterministic", move || case.deterministic()),
        Test::new("total", move || case.total()),
        Test::new("extra_key_refused", move || case.extra_key_refused()),
        Test::new("permutation_invariant", move || {
            judge(method, Law::PermutationInvariant, Duty::Claimed, || case.find(permuted))
        }),
        Test::new("symmetric", move || {
            judge(method, Law::Symmetric, Duty::Claimed, || case.find(swapped))
        }),
    ]
}

#[derive(Clone, Copy)]
struct Case {
    method: Method,
    info: FunctionInfo,
    build: Build<dyn ErasedFunction>,
}

impl Case {
    fn ready(self) -> Result<(Box<dyn ErasedFunction>, Vec<Value>), String> {
        let inputs = samples::values(self.method)?;
        if inputs.is_empty() {
            return Err("a function needs at least one sample input (JSON) in `samples`".to_owned());
        }
        Ok((built(self.method, self.build)?, inputs))
    }

    fn samples_run(self) -> Verdict {
        let (function, inputs) = self.ready()?;
        let schema = (self.info.output)().to_value();
        let mut tally = Tally::default();
        for (k, input) in inputs.into_iter().enumerate() {
            let broken = match bounded::no_panic(|| function.call_json(input, SEED))? {
                Ok(output) => {
                    lost_number(&schema, &output).map(|place| not_finite(&place, &output))
                }
                Err(error) => Some(told(&error)),
            };
            tally.add(&k.to_string(), broken);
        }
        tally.verdict()
    }

    fn deterministic(self) -> Verdict {
        let ((first, inputs), (second, _)) = (self.ready()?, self.ready()?);
        for (k, input) in inputs.into_iter().enumerate() {
            let (a, b) = (first.call_json(input.clone(), SEED), second.call_json(input, SEED));
            if a != b {
                return Err(format!(
                    "two calls with the same seed differ on sample {k}:\n  {a:?}\n  {b:?}"
                ));
            }
        }
        Ok(Pass::Held)
    }

    fn total(self) -> Verdict {
        let (_, inputs) = self.ready()?;
        let schema = (self.info.output)().to_value();
        for (k, input) in inputs.iter().enumerate() {
            let changed = mutations(input)
                .into_iter()
                .map(|(name, v)| (format!("sample {k} with {name}"), v))
                .collect();
            let function = built(self.method, self.build)?;
            for (name, _, output) in
                bounded::each(changed, move |v: &Value| function.call_json(v.clone(), SEED))?
            {
                if let Some(place) = output.as_ref().ok().and_then(|o| lost_number(&schema, o)) {
                    return Err(format!(
                        "{} on {name}",
                        not_finite(&place, output.as_ref().unwrap_or(&Value::Null))
                    ));
                }
            }
        }
        Ok(Pass::Held)
    }

    fn extra_key_refused(self) -> Verdict {
        let (function, inputs) = self.ready()?;
        for mut input in inputs {
            let Some(fields) = input.as_object_mut() else { continue };
            fields.insert(EXTRA.to_owned(), Value::Bool(true));
            if function.call_json(input, SEED).is_ok() {
                return Err("an unknown key in the input is accepted: put `#[serde(deny_unknown_fields)]` on it".to_owned());
            }
        }
        Ok(Pass::Held)
    }

    fn find(self, law: fn(&dyn ErasedFunction, &Value, &Value) -> Says) -> Result<Finding, String> {
        let (function, inputs) = self.ready()?;
        let mut tally = Tally::default();
        for (k, input) in inputs.iter().enumerate() {
            let output = function
                .call_json(input.clone(), SEED)
                .map_err(|error| format!("sample {k}: {}", told(&error)))?;
            tally.add(&k.to_string(), law(function.as_ref(), input, &output));
        }
        Ok(tally.finding())
    }
}

fn not_finite(place: &str, output: &Value) -> String {
    format!(
        "{place} of the output is not finite (it became null): make it an `Option` or an error\n  {output}"
    )
}

/// Top-level lists of equal length, all shuffled alike.
fn permuted(function: &dyn ErasedFunction, input: &Value, before: &Value) -> Says {
    let Some(fields) = input.as_object() else { return Says::Nothing };
    if fields.values().all(|value| value.as_array().is_none_or(|list| list.len() < 2)) {
        return Says::Nothing;
    }
    for round in 0..4 {
        let mut shuffled = fields.clone();
        for list in shuffled.values_mut().filter_map(Value::as_array_mut) {
            if round == 0 {
                list.reverse();
            } else {
                // The same stream for the same length: lists that belong together stay together.
                list.shuffle(&mut crate::seed::stream(round, "permutation"));
            }
        }
        let shuffled = Value::Object(shuffled);
        let broken = match function.call_json(shuffled.clone(), SEED) {
            Ok(after) => differ(before, &after, &close),
            Err(error) => Some(told(&error)),
        };
        if let Some(how) = broken {
            return Says::Breaks(format!("{how}\n  on the shuffled input {shuffled}"));
        }
    }
    Says::Obeys
}

/// The two sides of the input change places: every number of the output must stay, change its sign, or become 1 minus itself.
fn swapped(function: &dyn ErasedFunction, input: &Value, before: &Value) -> Says {
    let Some(fields) = input.as_object() else { return Says::Nothing };
    let sides = SIDES.into_iter().find(|(a, b)| fields.contains_key(*a) && fields.contains_key(*b));
    let Some((a, b)) = sides.filter(|(a, b)| fields[*a] != fields[*b]) else {
        return Says::Nothing;
    };
    let mut turned = fields.clone();
    turned.insert(a.to_owned(), fields[b].clone());
    turned.insert(b.to_owned(), fields[a].clone());
    let mirrored = |x: f64, y: f64| close(x, y) || close(x, -y) || close(x, 1.0 - y);
    match function.call_json(Value::Object(turned), SEED) {
        Ok(after) => differ(before, &after, &mirrored)
            .map(|how| format!("after swapping `{a}` and `{b}`: {how}"))
            .into(),
        Err(error) => Says::Breaks(told(&error)),
    }
}
