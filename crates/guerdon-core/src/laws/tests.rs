//! The laws put to the test: a good toy of each kind obeys all of them, and each vice is caught by the law it breaks.

use super::toys::{Loose, Toy};
use super::verdict::Pass;
use crate::method::{
    Evidence, Function, FunctionInfo, Kind, OnlineInfo, ProtocolInfo, params_info, parse,
};
use crate::{Law, Method, MethodDef, Status};

const DOC: &str = "A toy.\n\n# Formula\n\nx\n\n# When to use it\n\nNever.\n\n# Departures\n\nNone.\n\n# Example\n\n```yaml\n\
                   toy: [{use: toy.toy, vice: none}]\n```\n\n# References\n\nNone.\n";

const TOY: MethodDef = MethodDef {
    id: "toy.toy",
    aliases: &[],
    papers: &["par-2025"],
    status: Status::Stable,
    kind: Kind::Signal(|v| Ok(Box::new(parse::<Toy>(v)?))),
    params: params_info::<Toy>(),
    laws: &[Law::WhitespaceInvariant],
    exempt: &[],
    sample_params: "{}",
    samples: &[r#"{"prompt": "Capital of France?", "completion": "Paris", "reference": "Paris"}"#],
};

const TRANSFORM: MethodDef = MethodDef {
    kind: Kind::Transform(|v| Ok(Box::new(parse::<Toy>(v)?))),
    laws: &[
        Law::ShiftInvariant,
        Law::OrderPreserving,
        Law::ZeroMean,
        Law::ConstantGroupZero,
        Law::GroupLocal,
    ],
    samples: &[],
    ..TOY
};

const SELECTOR: MethodDef = MethodDef {
    kind: Kind::Selector(|v| Ok(Box::new(parse::<Toy>(v)?))),
    laws: &[Law::RelabelEquivariant, Law::MonotoneWinner],
    samples: &[],
    ..TOY
};

const FUNCTION: MethodDef = MethodDef {
    kind: Kind::Function(FunctionInfo::of::<Toy>(), |v| Ok(Box::new(parse::<Toy>(v)?))),
    laws: &[Law::PermutationInvariant],
    samples: &[r#"{"values": [1, 2, 4], "first": 1, "second": 3}"#],
    ..TOY
};

const ONLINE: MethodDef = MethodDef {
    kind: Kind::Online(OnlineInfo::of::<Toy>(), |v| Ok(Box::new(parse::<Toy>(v)?))),
    laws: &[],
    samples: &["1.0", "2.5"],
    ..TOY
};

const PROTOCOL: MethodDef = MethodDef {
    kind: Kind::Protocol(ProtocolInfo::of::<Toy>(), |v| Ok(Box::new(parse::<Toy>(v)?))),
    laws: &[],
    samples: &[r#"{"question": "Is it so"}"#],
    ..TOY
};

const JUDGE: MethodDef = MethodDef {
    kind: Kind::Judge(|v| Ok(Box::new(parse::<Toy>(v)?))),
    laws: &[],
    samples: &[
        r#"{"case": {"responses": ["x", "y"]}, "replies": [["Good.\n[[B]]"]], "values": [1, 0]}"#,
    ],
    ..TOY
};

fn method(def: MethodDef) -> Method {
    Method { def: Box::leak(Box::new(def)), doc: DOC, source: "guerdon-core/src/toy/toy.rs" }
}

/// The laws that `method` breaks, with the messages.
fn broken(method: Method) -> Vec<(&'static str, String)> {
    let tests = super::tests(&[method]);
    tests.iter().filter_map(|(_, test)| Some((test.name, test.run().err()?))).collect()
}

#[track_caller]
fn check(method: Method, law: &str, says: &str) {
    let (name, test) = super::tests(&[method])
        .into_iter()
        .find(|(_, test)| test.name == law)
        .expect("a known law");
    let message = test.run().expect_err(&name);
    assert!(message.contains(says), "{name} should say {says:?}, but says:\n{message}");
}

#[track_caller]
fn vice(def: MethodDef, vice: &str, law: &str, says: &str) {
    let sample_params = Box::leak(format!(r#"{{"vice": "{vice}"}}"#).into_boxed_str());
    check(method(MethodDef { sample_params, ..def }), law, says);
}

#[test]
fn good_toys_obey_every_law() {
    for def in [TOY, TRANSFORM, SELECTOR, ONLINE, PROTOCOL] {
        assert_eq!(broken(method(def)), [], "{}", def.kind.name());
    }
    let symmetric = MethodDef { laws: &[Law::PermutationInvariant], ..FUNCTION };
    assert_eq!(broken(method(symmetric)), []);
}

#[test]
fn every_method() {
    let doc =
        |from, to| Method { doc: Box::leak(DOC.replace(from, to).into_boxed_str()), ..method(TOY) };
    check(doc("A toy.", "A toy"), "documented", "ends with a period");
    check(doc("# Departures", "# Departure"), "documented", "the headings must be");
    check(doc("Never.", ""), "documented", "`# When to use it` is empty");
    check(doc("vice: none", "vise: none"), "example_builds", "did you mean `vice`?");
    check(doc("use: toy.toy", "use: toy.boy"), "example_builds", "no entry with `use: toy.toy`");
    check(doc("}]", ""), "example_builds", "not YAML");
    check(method(MethodDef { id: "Toy.toy", ..TOY }), "named", "lower-case letters");
    check(method(MethodDef { id: "toy.other", ..TOY }), "named", "must live in `src/toy/other.rs`");
    check(method(MethodDef { aliases: &["toy.toy"], ..TOY }), "named", "more than one method");
    check(method(MethodDef { papers: &["par-2052"], ..TOY }), "cited", "did you mean `par-2025`?");
    check(method(MethodDef { sample_params: "{", ..TOY }), "parameters_round_trip", "not JSON");
}

#[test]
fn parameters() {
    let info = FunctionInfo::of::<Loose>();
    let kind = Kind::Function(info, |v| Ok(Box::new(parse::<Loose>(v)?)));
    let loose = method(MethodDef { kind, params: params_info::<Loose>(), ..FUNCTION });
    check(loose, "parameters_described", "`undocumented` has no doc comment");
    check(loose, "unknown_key_refused", "deny_unknown_fields");
    check(loose, "extra_key_refused", "deny_unknown_fields");
    assert!(Loose::default().call(&serde_json::from_str(r#"{"values": []}"#).unwrap(), 0).is_ok());
}

#[test]
fn claims() {
    let unproven = Status::Verified(Evidence::ClosedForm(" "));
    check(method(MethodDef { status: unproven, ..TOY }), "status_has_evidence", "compared with");
    check(
        method(MethodDef { laws: &[Law::ZeroMean], ..TOY }),
        "claims_are_sound",
        "not a law of a signal",
    );
    let both = MethodDef { exempt: &[(Law::WhitespaceInvariant, "It only seems so.")], ..TOY };
    check(method(both), "claims_are_sound", "both claimed and exempt");
    check(
        method(MethodDef { exempt: &[(Law::CaseInvariant, "because")], ..TOY }),
        "claims_are_sound",
        "in a sentence",
    );
    check(method(MethodDef { laws: &[], ..TOY }), "whitespace_invariant", "Claim it in `laws`");
    check(
        method(MethodDef { laws: &[Law::CaseInvariant], ..TOY }),
        "case_invariant",
        "\"PARIS\" scores 0",
    );
    let needless =
        MethodDef { exempt: &[(Law::InjectionGainsNothing, "It reads no text.")], ..TOY };
    check(method(needless), "injection_gains_nothing", "the exemption is not needed");
}

#[test]
fn a_needed_exemption_is_shown_with_its_reason() {
    let stingy = MethodDef {
        sample_params: r#"{"vice": "stingy"}"#,
        exempt: &[(Law::ReferenceMaximal, "The toy is stingy.")],
        ..TOY
    };
    let tests = super::tests(&[method(stingy)]);
    let (_, test) = tests.iter().find(|(name, _)| name == "toy.toy::reference_maximal").unwrap();
    assert_eq!(test.run(), Ok(Pass::Exempt("The toy is stingy.".to_owned())));
}

#[test]
fn signals() {
    vice(TOY, "panics", "total", "a NUL among letters");
    vice(TOY, "hangs", "total", "does not end within");
    vice(TOY, "wavers", "deterministic", "two runs differ");
    vice(TOY, "exceeds", "within_range", "the value 2 is outside");
    vice(TOY, "stingy", "reference_maximal", "it earns 0.5 of 1");
    vice(TOY, "generous", "degenerate_earns_nothing", "the empty answer earns the maximum");
    vice(TOY, "gullible", "injection_gains_nothing", "a score lifts a wrong answer");
    vice(TOY, "two_faced", "group_equals_single", "alone");
    vice(TOY, "counts", "permutation_equivariant", "in another order");
}

#[test]
fn transforms() {
    vice(TRANSFORM, "panics", "total", "no rows!");
    vice(TRANSFORM, "drops", "total", "23 rows give 11 values");
    vice(TRANSFORM, "wavers", "deterministic", "row 0");
    vice(TRANSFORM, "poisons", "unscored_rows_inert", "removing the unscored rows");
    vice(TRANSFORM, "counts", "permutation_equivariant", "row ");
    vice(TRANSFORM, "refuses", "works_on_enough_tables", "not today");
    vice(TRANSFORM, "forgets", "save_restore_is_uninterrupted", "saved and restored");
    vice(TRANSFORM, "keeps", "shift_invariant", "after x → 1·x + 3.5");
    let scaled = MethodDef { laws: &[Law::ScaleInvariant], ..TRANSFORM };
    vice(scaled, "keeps", "scale_invariant", "after x → 2·x + 0");
    vice(TRANSFORM, "keeps", "zero_mean", "has mean");
    vice(TRANSFORM, "keeps", "constant_group_zero", "all values of");
    vice(TRANSFORM, "mixes", "group_local", "`group 0` alone");
    vice(TRANSFORM, "counts", "order_preserving", " > ");
}

#[test]
fn selectors() {
    vice(SELECTOR, "panics", "total", "sound candidates");
    vice(SELECTOR, "overreaches", "valid_index", "candidate 1 of 1 is chosen");
    vice(SELECTOR, "overreaches", "one_candidate_is_chosen", "1 of one");
    vice(SELECTOR, "presumes", "nothing_to_choose_abstains", "nothing to choose");
    vice(SELECTOR, "wavers", "deterministic", "two runs");
    vice(SELECTOR, "alphabetical", "relabel_equivariant", "other names");
    vice(SELECTOR, "perverse", "monotone_winner", "raised by");
}

#[test]
fn functions() {
    vice(FUNCTION, "panics", "total", "index out of bounds");
    vice(FUNCTION, "smuggles", "samples_run", "not finite");
    vice(FUNCTION, "wavers", "deterministic", "two calls");
    vice(FUNCTION, "first", "permutation_invariant", "shuffled input");
    let symmetric = MethodDef { laws: &[Law::PermutationInvariant, Law::Symmetric], ..FUNCTION };
    vice(symmetric, "first_side", "symmetric", "after swapping `first` and `second`");
    check(method(MethodDef { samples: &[], ..FUNCTION }), "samples_run", "at least one sample");
}

#[test]
fn online_methods() {
    vice(ONLINE, "panics", "total", "negative!");
    vice(ONLINE, "smuggles", "samples_run", "not finite");
    vice(ONLINE, "wavers", "deterministic", "two runs differ");
    vice(ONLINE, "forgets", "save_restore_is_uninterrupted", "saved and restored after 1 events");
}

#[test]
fn protocols() {
    vice(PROTOCOL, "panics", "total_on_replies", "both!");
    vice(PROTOCOL, "endless", "total_on_replies", "goes on asking");
    vice(PROTOCOL, "mute", "samples_ask", "empty set of calls");
    vice(PROTOCOL, "credulous", "unreadable_replies_are_unscored", "instead of `Unscored`");
    vice(PROTOCOL, "splits", "prompt_keeps_its_structure", "look-alikes in `/question`");
}

#[test]
fn judges() {
    vice(JUDGE, "fixed", "positions_balance", "stands first in 64 of 64");
    vice(JUDGE, "patient", "truncated_replies_are_unscored", "cut off");
    vice(JUDGE, "gullible", "quoted_verdicts_are_not_read", "only quotes a candidate");
    vice(JUDGE, "lopsided", "verdicts_are_sound", "1 values for 2 responses");
    let unlike = MethodDef {
        samples: &[
            r#"{"case": {"responses": ["x", "y"]}, "replies": [["\n[[A]]"]], "values": [1, 0]}"#,
        ],
        ..JUDGE
    };
    check(method(unlike), "samples_are_read", "is read as");
}
