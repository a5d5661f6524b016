use std::path::PathBuf;

use super::{Mode, Smt, compose_model, difference, term};
use guerdon_core::method::Signal as _;
use guerdon_core::{Rollout, UnscoredKind};
use guerdon_sandbox::{Config, Sandbox};
use serde_json::json;

const SCRIPT: &str = "(declare-const x Int)(declare-fun y () Int)(declare-fun f (Int) Int)\
    (assert (and (> x 2) (= (+ x y) 7) (= (f x) y)))(check-sat)";

#[test]
fn models_take_the_place_of_declarations() {
    let check = |answer: &str, expect: Result<&str, &str>| {
        let got = compose_model(SCRIPT, answer);
        match expect {
            Ok(part) => assert!(got.as_ref().is_ok_and(|g| g.contains(part)), "{answer}: {got:?}"),
            Err(why) => assert!(got.as_ref().is_err_and(|g| g.contains(why)), "{answer}: {got:?}"),
        }
    };
    check(
        "((x 3) (y 4))",
        Ok("(define-fun x () Int 3)\n(define-fun y () Int 4)\n(declare-fun f (Int) Int)"),
    );
    check("(define-fun x () Real 3)(= y 4)", Ok("(define-fun x () Int 3)"));
    check(
        "(= x 3)(= y 4)(define-fun f ((a Bool)) Int (- 7 a))",
        Ok("(define-fun f ((a Int)) Int (- 7 a))"),
    );
    check("((x 3))", Err("`y` has no value"));
    check("((x 3) (x 4) (y 4))", Err("two values"));
    check("((x 3) (y 4) (z 5))", Err("not declared"));
    check("(= x 3)(= y 4)(define-fun f () Int 4)", Err("other arguments"));
    check("", Err("no value"));
    check("((x 3) (y 4))) (reset", Err("bracket"));
}

#[test]
fn formulas_are_one_term() {
    let question =
        difference(&[], &term("(> x 1)").unwrap(), &term("(assert (< 1 x)) ; (exit)").unwrap());
    assert_eq!(question, "(assert (not (= (> x 1) (< 1 x))))\n(check-sat)\n");
    assert!(term("true)) (reset) (check-sat").is_err());
    assert!(term("true true").is_err());
}

/// Z3 where there is one: `GUERDON_Z3`, or on PATH.
fn solver() -> Option<PathBuf> {
    let isolated = || Sandbox::probe(&Config::default()).isolated;
    let named = std::env::var_os("GUERDON_Z3").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        named.or_else(|| std::env::split_paths(&path).map(|f| f.join("z3")).find(|p| p.is_file()));
    found.filter(|_| isolated())
}

fn score(
    params: &Smt,
    completion: &str,
    reference: &str,
    script: &str,
) -> Result<f64, UnscoredKind> {
    let mut rollout = Rollout::new("", completion, reference);
    rollout.columns.insert("script".into(), json!(script));
    let outcome = params.clone().signal().unwrap().score(&rollout);
    outcome.map(|s| s.value()).map_err(|why| why.kind)
}

#[test]
#[allow(clippy::print_stderr, reason = "a skip is reported")]
fn with_the_solver() {
    let Some(z3) = solver() else {
        eprintln!("skipped: no z3 here, or no isolation");
        return;
    };
    let model = Smt { mode: Mode::Model, z3, seconds: 2.0, ..Smt::default() };
    let check = |completion: &str, expect: f64| {
        assert_eq!(score(&model, completion, "", SCRIPT), Ok(expect), "{completion}");
    };
    check("So <answer>((x 3) (y 4))</answer>", 1.0);
    check("```smt2\n(define-fun x () Int 8)\n(define-fun y () Int (- 1))\n```", 1.0);
    check("((x 2) (y 5))", 0.0);
    check("((x true) (y 5))", 0.0);
    check("((x (exit)) (y 5))", 0.0);
    let equivalent = Smt { mode: Mode::Equivalent, ..model.clone() };
    let check = |completion: &str, expect: f64| {
        let script = "(declare-const a Bool)(declare-const b Bool)";
        assert_eq!(score(&equivalent, completion, "(=> a b)", script), Ok(expect), "{completion}");
    };
    check("(or (not a) b)", 1.0);
    check("<answer>(assert (=> (not b) (not a)))</answer>", 1.0);
    check("(or a b)", 0.0);
    check("(or a c)", 0.0);
    let verdict = Smt { mode: Mode::Verdict, ..model.clone() };
    let check = |completion: &str, script: &str, expect| {
        assert_eq!(score(&verdict, completion, "", script), expect, "{completion}");
    };
    check("<answer>SAT</answer>", SCRIPT, Ok(1.0));
    check("<answer>unsat</answer>", SCRIPT, Ok(0.0));
    check("sat", "(assert (x))", Err(UnscoredKind::Invalid));
    let hard = "(declare-const a Int)(declare-const b Int)(declare-const c Int)\
        (assert (and (> a 1) (> b 1) (> c 1) (= (+ (* a a a) (* b b b)) (* c c c))))";
    let got = score(&verdict, "unsat", "", hard);
    assert!(matches!(got, Err(UnscoredKind::Timeout | UnscoredKind::Abstained)), "{got:?}");
}

#[test]
fn without_the_solver_there_is_a_remedy() {
    let params = Smt { mode: Mode::Model, z3: "/no/such/z3".into(), ..Smt::default() };
    let mut rollout = Rollout::new("", "((x 3) (y 4))", "");
    rollout.columns.insert("script".into(), json!(SCRIPT));
    let why = params.signal().unwrap().score(&rollout).unwrap_err();
    assert_eq!(why.kind, UnscoredKind::Failed);
    assert!(why.detail.contains("install Z3") && why.detail.contains("parameter `z3`"), "{why}");
}
