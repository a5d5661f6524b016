//! Every method of every room, and the one way to call any of them with JSON.

use guerdon_core::method::{ErasedProtocol, Kind, Next, Reply};
use guerdon_core::{Method, MethodError, ParamError, Unscored, nearest};
use serde_json::{Value, json};

/// The registries of the rooms, in the order of the house.
const ROOMS: [&[Method]; 7] = [
    guerdon_verify::METHODS,
    guerdon_judge::METHODS,
    guerdon_shape::METHODS,
    guerdon_select::METHODS,
    guerdon_rank::METHODS,
    guerdon_model::METHODS,
    guerdon_stats::METHODS,
];

/// All registered methods, room by room.
pub fn methods() -> impl Iterator<Item = &'static Method> {
    ROOMS.iter().flat_map(|room| room.iter())
}

/// The method of that id or alias.
pub fn find(id: &str) -> Option<&'static Method> {
    methods().find(|m| m.id == id || m.aliases.contains(&id))
}

/// The id that is closest to `id`, if any is close enough to be meant.
pub fn nearest_method(id: &str) -> Option<&'static str> {
    nearest(id, methods().map(|m| m.id)).or_else(|| {
        methods()
            .find(|m| m.name() == id || id.ends_with(m.name()) && m.name().len() > 3)
            .map(|m| m.id)
    })
}

/// Why a call by id failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There is no such method.
    #[error("there is no method `{id}`{}", near.map_or_else(String::new, |n| format!("; did you mean `{n}`?")))]
    Unknown {
        /// The id asked for.
        id: String,
        /// The nearest id.
        near: Option<&'static str>,
    },
    /// The method cannot be called with plain values.
    #[error("`{id}` is a {kind}: {remedy}")]
    Kind {
        /// The id asked for.
        id: &'static str,
        /// What it is.
        kind: &'static str,
        /// What to do instead.
        remedy: &'static str,
    },
    /// A parameter is refused.
    #[error(transparent)]
    Param(#[from] ParamError),
    /// The method could not do its work.
    #[error(transparent)]
    Method(#[from] MethodError),
    /// The method declined.
    #[error(transparent)]
    Unscored(#[from] Unscored),
}

/// Calls a function or a selector by id: parameters and input as JSON, output as JSON.
pub fn call(id: &str, params: Value, input: Value, seed: u64) -> Result<Value, CallError> {
    let method = find(id)
        .ok_or_else(|| CallError::Unknown { id: id.to_owned(), near: nearest_method(id) })?;
    match method.kind {
        Kind::Function(_, build) => Ok(build(params)?.call_json(input, seed)?),
        Kind::Selector(build) => {
            let candidates = guerdon_core::method::read_value(input)?;
            let selection = build(params)?.select(&candidates, seed)?;
            serde_json::to_value(selection).map_err(|e| MethodError::domain(e.to_string()).into())
        }
        _ => Err(CallError::Kind {
            id: method.id,
            kind: method.kind.name(),
            remedy: "signals, judges and transforms run in a spec, or through their own functions",
        }),
    }
}

/// Takes a conversation one step on, by id: `{"ask": requests}` while it needs replies, `{"done": result}` in the end.
///
/// `rounds[k]` holds the replies to the `k`-th set of requests. Nothing is asked here: the caller does.
pub fn ask(
    id: &str,
    params: Value,
    case: &Value,
    rounds: &[Vec<Reply>],
    seed: u64,
) -> Result<Value, CallError> {
    let method = find(id)
        .ok_or_else(|| CallError::Unknown { id: id.to_owned(), near: nearest_method(id) })?;
    let protocol: Box<dyn ErasedProtocol> = match method.kind {
        Kind::Protocol(_, build) => build(params)?,
        Kind::Judge(build) => Box::new(build(params)?),
        _ => {
            return Err(CallError::Kind {
                id: method.id,
                kind: method.kind.name(),
                remedy: "it asks no model",
            });
        }
    };
    Ok(match protocol.next_json(case, rounds, seed)? {
        Next::Ask(requests) => json!({"ask": requests}),
        Next::Done(result) => json!({"done": result}),
    })
}

#[cfg(test)]
mod tests {
    use super::{find, methods, nearest_method};

    #[test]
    fn ids_and_aliases_are_unique() {
        let mut names: Vec<&str> =
            methods().flat_map(|m| m.aliases.iter().copied().chain([m.id])).collect();
        names.sort_unstable();
        let twice: Vec<_> = names.windows(2).filter(|w| w[0] == w[1]).map(|w| w[0]).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }

    #[test]
    fn methods_are_found_by_id_and_suggested_by_likeness() {
        assert!(find("shape.par").is_some());
        assert_eq!(nearest_method("shape.pra"), Some("shape.par"));
        assert_eq!(nearest_method("exact_match"), Some("verify.exact_match"));
    }
}
