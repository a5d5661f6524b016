//! What a method file registers.

use schemars::Schema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    ErasedFunction, ErasedOnline, ErasedProtocol, Judge, Manual, Params, Selector, Signal,
    Transform,
};
use crate::ParamError;

/// A law: a common test that runs over every method of a kind. The list is in `laws`.
///
/// Laws that every method must obey are not claimed. These here are properties that some methods have: a method that
/// claims one is tested for it, a method that does not must be refuted by a sample or give a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Law {
    // Signals. The first three are mandatory where a signal has `maximal` samples.
    /// The reference answer earns the maximum.
    ReferenceMaximal,
    /// Degenerate answers (empty, punctuation, forged rewards) never earn the maximum.
    DegenerateEarnsNothing,
    /// An injected instruction appended to a wrong answer gains nothing.
    InjectionGainsNothing,
    /// White space around the completion changes nothing.
    WhitespaceInvariant,
    /// Upper and lower case of the completion change nothing.
    CaseInvariant,
    // Transforms.
    /// Adding a constant to every value changes nothing.
    ShiftInvariant,
    /// Multiplying every value by a positive constant changes nothing.
    ScaleInvariant,
    /// Within a group, a greater input never gets a smaller output.
    OrderPreserving,
    /// Every group of the output has mean zero.
    ZeroMean,
    /// A group whose inputs are all equal gets zeros.
    ConstantGroupZero,
    /// The order of the rollouts within a group does not matter (mandatory; exemptions give a reason).
    PermutationEquivariant,
    /// The result does not depend on the other groups.
    GroupLocal,
    // Selectors.
    /// Renaming the answers consistently changes nothing but the names.
    RelabelEquivariant,
    /// Raising the score of the winner keeps it the winner.
    MonotoneWinner,
    // Functions.
    /// The order of the input's observations does not matter.
    PermutationInvariant,
    /// Swapping the two sides mirrors or keeps the result.
    Symmetric,
}

impl Law {
    /// The law in snake case, as the tests name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReferenceMaximal => "reference_maximal",
            Self::DegenerateEarnsNothing => "degenerate_earns_nothing",
            Self::InjectionGainsNothing => "injection_gains_nothing",
            Self::WhitespaceInvariant => "whitespace_invariant",
            Self::CaseInvariant => "case_invariant",
            Self::ShiftInvariant => "shift_invariant",
            Self::ScaleInvariant => "scale_invariant",
            Self::OrderPreserving => "order_preserving",
            Self::ZeroMean => "zero_mean",
            Self::ConstantGroupZero => "constant_group_zero",
            Self::PermutationEquivariant => "permutation_equivariant",
            Self::GroupLocal => "group_local",
            Self::RelabelEquivariant => "relabel_equivariant",
            Self::MonotoneWinner => "monotone_winner",
            Self::PermutationInvariant => "permutation_invariant",
            Self::Symmetric => "symmetric",
        }
    }
}

/// How far a method can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Its numbers equal golden values, closed forms or worked examples: the evidence says which.
    Verified(Evidence),
    /// Complete and tested, not yet compared with an outside reference.
    Stable,
    /// May change.
    Preview,
}

/// What a verified method was compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// Output of a reference implementation (which one).
    Reference(&'static str),
    /// A closed form or an identity (which one).
    ClosedForm(&'static str),
    /// A worked example in the paper or the catalogue (which one).
    Worked(&'static str),
}

impl Status {
    /// The status in one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Verified(_) => "verified",
            Self::Stable => "stable",
            Self::Preview => "preview",
        }
    }

    /// What a verified method was compared with.
    pub fn evidence(self) -> Option<&'static str> {
        match self {
            Self::Verified(
                Evidence::Reference(w) | Evidence::ClosedForm(w) | Evidence::Worked(w),
            ) => Some(w),
            _ => None,
        }
    }
}

/// Reads parameters and builds the method from them.
pub type Build<T> = fn(Value) -> Result<Box<T>, ParamError>;

/// What sort of thing a method is, with the way to build it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Kind {
    /// Rollout → score.
    Signal(Build<dyn Signal>),
    /// Columns → column.
    Transform(Build<dyn Transform>),
    /// Candidates → the chosen one.
    Selector(Build<dyn Selector>),
    /// Typed input → typed output.
    Function(super::FunctionInfo, Build<dyn ErasedFunction>),
    /// State, event → state; state → reading.
    Online(super::OnlineInfo, Build<dyn ErasedOnline>),
    /// Case and replies → requests or result.
    Protocol(super::ProtocolInfo, Build<dyn ErasedProtocol>),
    /// Responses and replies → requests or judgement.
    Judge(Build<dyn Judge>),
}

impl Kind {
    /// The kind in one word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Signal(_) => "signal",
            Self::Transform(_) => "transform",
            Self::Selector(_) => "selector",
            Self::Function(..) => "function",
            Self::Online(..) => "online",
            Self::Protocol(..) => "protocol",
            Self::Judge(_) => "judge",
        }
    }
}

/// Schema and defaults of a method's parameters.
#[derive(Debug, Clone, Copy)]
pub struct ParamsInfo {
    /// The JSON schema, with the doc comments as descriptions.
    pub schema: fn() -> Schema,
    /// Checks parameters and fills in defaults: the parameters as the method understands them.
    pub check: fn(Value) -> Result<Value, ParamError>,
}

/// What a method file registers, by [`method!`](crate::method!).
#[derive(Debug, Clone, Copy)]
pub struct MethodDef {
    /// `family.name`.
    pub id: &'static str,
    /// Other ids that mean the same.
    pub aliases: &'static [&'static str],
    /// Citation keys of `catalogue/papers.toml`.
    pub papers: &'static [&'static str],
    /// How far it can be relied on.
    pub status: Status,
    /// What it is and how it is built.
    pub kind: Kind,
    /// Its parameters.
    pub params: ParamsInfo,
    /// The laws it claims.
    pub laws: &'static [Law],
    /// The laws it is exempt from, with the reason.
    pub exempt: &'static [(Law, &'static str)],
    /// Parameters (JSON) that the laws use where the defaults do not suffice.
    pub sample_params: &'static str,
    /// For signals: rollouts (JSON: `{"prompt", "completion", "reference", ...}`) that earn the maximum under
    /// `sample_params`. For functions, online methods and protocols: sample inputs (JSON). For judges: a case, the replies
    /// and the values that are read from them (`{"case", "replies": [[round 1], ..], "values"}`).
    pub samples: &'static [&'static str],
}

/// A registered method: what its file registers, its manual, and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Method {
    /// What its file registers.
    pub def: &'static MethodDef,
    /// The module comment of its file.
    pub doc: &'static str,
    /// Its file, below `crates/`.
    pub source: &'static str,
}

impl std::ops::Deref for Method {
    type Target = MethodDef;

    fn deref(&self) -> &MethodDef {
        self.def
    }
}

impl Method {
    /// The family: what stands before the dot of the id.
    pub fn family(&self) -> &'static str {
        self.def.id.split_once('.').map_or(self.def.id, |(family, _)| family)
    }

    /// The name: what stands behind the dot of the id.
    pub fn name(&self) -> &'static str {
        self.def.id.split_once('.').map_or("", |(_, name)| name)
    }

    /// The manual, cut into its headings.
    pub fn manual(&self) -> Manual {
        Manual::parse(self.doc)
    }
}

/// Reads and validates parameters. `Null` means none are given.
pub fn parse<P: Params>(params: Value) -> Result<P, ParamError> {
    let params = if params.is_null() { Value::Object(serde_json::Map::new()) } else { params };
    let parsed: P = read_value(params)?;
    parsed.validate()?;
    Ok(parsed)
}

/// Reads a plain struct; the error leads to the offending key or value.
pub fn read_value<T: DeserializeOwned>(value: Value) -> Result<T, ParamError> {
    serde_path_to_error::deserialize(value).map_err(|error| from_serde(&error))
}

/// Schema and check of the parameters `P`.
pub const fn params_info<P: Params>() -> ParamsInfo {
    ParamsInfo {
        schema: || schemars::schema_for!(P),
        check: |value| {
            let parsed = parse::<P>(value)?;
            serde_json::to_value(parsed).map_err(|error| ParamError {
                path: Vec::new(),
                message: error.to_string(),
                unknown_key: false,
            })
        },
    }
}

fn from_serde(error: &serde_path_to_error::Error<serde_json::Error>) -> ParamError {
    let mut path: Vec<String> = error
        .path()
        .iter()
        .filter_map(|segment| match segment {
            serde_path_to_error::Segment::Seq { index } => Some(index.to_string()),
            serde_path_to_error::Segment::Map { key } => Some(key.clone()),
            serde_path_to_error::Segment::Enum { .. } | serde_path_to_error::Segment::Unknown => {
                None
            }
        })
        .collect();
    let message = error.inner().to_string();
    match unknown_field(&message) {
        Some((field, known)) => {
            if path.last() != Some(&field) {
                path.push(field.clone());
            }
            let hint = match crate::nearest(&field, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "no key is known here".to_owned(),
                None => format!("known: {}", known.join(", ")),
            };
            ParamError {
                path,
                message: format!("unknown key `{field}`; {hint}"),
                unknown_key: true,
            }
        }
        None => ParamError { path, message, unknown_key: false },
    }
}

/// Reads serde's "unknown field `x`, expected one of `a`, `b`".
fn unknown_field(message: &str) -> Option<(String, Vec<String>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (field, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some((field.to_owned(), known))
}

/// Registers a method: defines `METHOD`, which the room's build script collects.
///
/// ```ignore
/// guerdon_core::method! {
///     Par: Transform,
///     id: "shape.par",
///     papers: ["par-2025"],
///     status: Verified(ClosedForm("sigmoid identity")),
///     laws: [OrderPreserving],
///     exempt: [],
/// }
/// ```
///
/// Optional, at the end: `aliases: [..]`, `sample_params: "{..}"`, `samples: [".."]`, in this order.
#[macro_export]
macro_rules! method {
    (
        $params:ty : $kind:ident,
        id: $id:literal,
        papers: [$($paper:literal),* $(,)?],
        status: $status:expr,
        laws: [$($law:ident),* $(,)?],
        exempt: [$($exempt:ident: $reason:literal),* $(,)?]
        $(, aliases: [$($alias:literal),* $(,)?])?
        $(, sample_params: $sample_params:literal)?
        $(, samples: [$($sample:literal),* $(,)?])?
        $(,)?
    ) => {
        /// What this file registers.
        pub const METHOD: $crate::MethodDef = {
            #[allow(unused_imports, reason = "which evidence is named differs from method to method")]
            use $crate::method::{Evidence::*, Status::*};
            $crate::MethodDef {
                id: $id,
                aliases: &[$($($alias),*)?],
                papers: &[$($paper),*],
                status: $status,
                kind: $crate::method!(@kind $kind $params),
                params: $crate::method::params_info::<$params>(),
                laws: &[$($crate::Law::$law),*],
                exempt: &[$(($crate::Law::$exempt, $reason)),*],
                sample_params: $crate::method!(@or_empty $($sample_params)?),
                samples: &[$($($sample),*)?],
            }
        };
    };
    (@or_empty) => { "{}" };
    (@or_empty $text:literal) => { $text };
    (@kind Signal $p:ty) => {
        $crate::method::Kind::Signal(|v| Ok(Box::new($crate::method::parse::<$p>(v)?)))
    };
    (@kind Transform $p:ty) => {
        $crate::method::Kind::Transform(|v| Ok(Box::new($crate::method::parse::<$p>(v)?)))
    };
    (@kind StatefulTransform $p:ty) => {
        $crate::method::Kind::Transform(|v| {
            Ok(Box::new(<$p>::transform($crate::method::parse::<$p>(v)?)))
        })
    };
    (@kind BuiltSignal $p:ty) => {
        $crate::method::Kind::Signal(|v| Ok(Box::new(<$p>::signal($crate::method::parse::<$p>(v)?)?)))
    };
    (@kind Selector $p:ty) => {
        $crate::method::Kind::Selector(|v| Ok(Box::new($crate::method::parse::<$p>(v)?)))
    };
    (@kind Function $p:ty) => {
        $crate::method::Kind::Function(
            $crate::method::FunctionInfo::of::<$p>(),
            |v| Ok(Box::new($crate::method::parse::<$p>(v)?)),
        )
    };
    (@kind Online $p:ty) => {
        $crate::method::Kind::Online(
            $crate::method::OnlineInfo::of::<$p>(),
            |v| Ok(Box::new($crate::method::parse::<$p>(v)?)),
        )
    };
    (@kind Judge $p:ty) => {
        $crate::method::Kind::Judge(|v| Ok(Box::new($crate::method::parse::<$p>(v)?)))
    };
    (@kind Protocol $p:ty) => {
        $crate::method::Kind::Protocol(
            $crate::method::ProtocolInfo::of::<$p>(),
            |v| Ok(Box::new($crate::method::parse::<$p>(v)?)),
        )
    };
}
