//! Judges inside a judge: built from their own entries, asked side by side.

use std::sync::OnceLock;

use guerdon_core::method::{Case, Form, Judge, Judgement, Kind, Next, Reply, Request, ask};
use guerdon_core::seed::fnv1a;
use guerdon_core::{ParamError, Unscored, nearest};
use serde_json::{Map, Value};

use crate::script::{Pause, Script};

/// Samples of jurors that ask the very same are so far apart, so that none is answered with the other's reply.
const COPY: u32 = 100_000;

/// One judge of a panel.
pub struct Member {
    /// The judge.
    pub judge: Box<dyn Judge>,
    /// The model of the spec that it asks; `None` for that of the panel.
    pub model: Option<String>,
    /// How many earlier members are the same in all.
    pub copy: u32,
}

/// Builds a judge from its method and its parameters.
pub fn build(method: &str, params: &Map<String, Value>) -> Result<Box<dyn Judge>, ParamError> {
    let judges = || crate::METHODS.iter().filter(|m| matches!(m.kind, Kind::Judge(_)));
    let found = judges().find(|m| m.id == method || m.aliases.contains(&method));
    if let Some(Kind::Judge(build)) = found.map(|m| m.kind) {
        return build(Value::Object(params.clone()));
    }
    let near = nearest(method, judges().map(|m| m.id));
    let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    Err(ParamError::new("use", format!("there is no judge `{method}`{hint}")))
}

impl Member {
    /// A member's conversation as a part of the panel's: the `place`-th member draws its own positions.
    pub fn talk(
        &self,
        case: &Case,
        place: usize,
        script: &mut Script<'_>,
    ) -> Result<Judgement, Pause> {
        script.follow(|rounds, seed| self.next(case, place, rounds, seed))
    }

    fn next(
        &self,
        case: &Case,
        place: usize,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Judgement>, Unscored> {
        let own = seed ^ fnv1a(&format!("member {place}"));
        Ok(match ask(self.judge.as_ref(), case, rounds, own)? {
            Next::Done(judgement) => Next::Done(judgement),
            Next::Ask(requests) => {
                Next::Ask(requests.into_iter().map(|request| self.sign(request)).collect())
            }
        })
    }

    /// The request in the member's name.
    fn sign(&self, request: Request) -> Request {
        Request {
            model: request.model.or_else(|| self.model.clone()),
            sample: request.sample.saturating_add(self.copy.saturating_mul(COPY)),
            ..request
        }
    }
}

/// The form that all members have, or the place of the first that has another.
pub fn form(members: &[Member]) -> Result<Option<Form>, usize> {
    let first = members.first().map(|member| member.judge.form());
    match members.iter().position(|member| Some(member.judge.form()) != first) {
        Some(other) => Err(other),
        None => Ok(first),
    }
}

/// The members of a method's parameters, built when they are first needed. Copies and comparisons of parameters ignore it.
#[derive(Default)]
pub struct Seats(OnceLock<Result<Vec<Member>, ParamError>>);

impl Seats {
    /// The members; `build` makes them the first time.
    pub fn members(
        &self,
        build: impl FnOnce() -> Result<Vec<Member>, ParamError>,
    ) -> Result<&[Member], ParamError> {
        self.0.get_or_init(build).as_deref().map_err(Clone::clone)
    }
}

impl Clone for Seats {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Seats {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl std::fmt::Debug for Seats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seats")
    }
}

#[cfg(test)]
mod tests {
    use super::build;
    use serde_json::Map;

    #[test]
    fn judges_are_found_by_name() {
        assert!(build("judge.pairwise", &Map::new()).is_ok());
        for (name, message) in
            [("judge.pairwse", "did you mean `judge.pairwise`"), ("x", "no judge")]
        {
            let Err(error) = build(name, &Map::new()) else { panic!("{name} is built") };
            assert!(error.message.contains(message), "{error}");
        }
        assert!(build("judge.verdict_parse", &Map::new()).is_err());
    }
}
