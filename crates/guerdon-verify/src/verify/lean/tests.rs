use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::Lean;
use guerdon_core::method::Signal as _;
use guerdon_core::{Rollout, UnscoredKind};
use guerdon_sandbox::{Config, Limits, Sandbox};

const STATEMENT: &str = "theorem t (n : Nat) : n + 0 = n := by sorry";

fn score(params: &Lean, completion: &str, statement: &str) -> Result<f64, UnscoredKind> {
    let outcome = params.clone().signal().unwrap().score(&Rollout::new("", completion, statement));
    outcome.map(|s| s.value()).map_err(|why| why.kind)
}

#[test]
fn what_needs_no_lean() {
    let params = Lean { lean: "/no/such/lean".into(), ..Lean::default() };
    assert_eq!(score(&params, "by sorry", STATEMENT), Ok(0.0));
    assert_eq!(score(&params, "", STATEMENT), Ok(0.0));
    assert_eq!(score(&params, "theorem t (n : Nat) : n = n := rfl", STATEMENT), Ok(0.0));
    for statement in ["no statement", "theorem", "theorem   := rfl", "theorem t := rfl"] {
        assert_eq!(score(&params, "by simp", statement), Err(UnscoredKind::Invalid), "{statement}");
    }
    assert_eq!(score(&params, "by simp", STATEMENT), Err(UnscoredKind::Failed));
    let why = params.signal().unwrap().score(&Rollout::new("", "by simp", STATEMENT)).unwrap_err();
    assert!(
        why.detail.contains("install Lean 4") && why.detail.contains("parameter `lean`"),
        "{why}"
    );
    let params = Lean { project: Some("/no/such/project".into()), ..Lean::default() };
    assert_eq!(score(&params, "by simp", STATEMENT), Err(UnscoredKind::Failed));
}

#[test]
fn fences_and_tags() {
    let params = Lean::default();
    let proof = |text: &str| params.proof(text).unwrap().trim().to_owned();
    assert_eq!(proof("So:\n```lean4\nby simp\n```\nthat is\n```text\nx\n```"), "by simp");
    assert_eq!(proof("```lean\nby omega\n```"), "by omega");
    assert_eq!(proof("by rfl"), "by rfl");
}

/// A program that answers as Lean does: what follows `-- says` in the file, and the exit code behind `-- code`.
fn stand_in() -> PathBuf {
    // Runs have a /tmp of their own, where they would not find it.
    let tests = std::env::current_exe().unwrap();
    let folder = tests.with_file_name(format!("guerdon-lean-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("lean");
    let script = "#!/bin/sh\nsed -n 's/^-- says //p' \"$1\"\ncode=$(sed -n 's/^-- code //p' \"$1\")\nexit ${code:-0}\n";
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
#[allow(clippy::print_stderr, reason = "a skip is reported")]
fn what_lean_says_decides() {
    if !Sandbox::probe(&Config::default()).isolated {
        eprintln!("skipped: this machine does not isolate");
        return;
    }
    let limits = Limits { wall_s: 5.0, ..Lean::default().limits };
    let params = Lean { lean: stand_in(), limits, ..Lean::default() };
    let check = |says: &str, expect: Result<f64, UnscoredKind>| {
        assert_eq!(score(&params, &format!("by simp\n{says}"), STATEMENT), expect, "{says}");
    };
    check("-- says 't' does not depend on any axioms", Ok(1.0));
    check("-- says 't' depends on axioms: [propext, Quot.sound]", Ok(1.0));
    check("-- says 't' depends on axioms: [propext, sorryAx]", Ok(0.0));
    check("-- says 't' depends on axioms: [Lean.ofReduceBool]", Ok(0.0));
    check("-- says 'u' does not depend on any axioms", Ok(0.0));
    check("", Ok(0.0));
    check("-- says error: unsolved goals\n-- code 1", Ok(0.0));
    let broken = "-- code 1\ntheorem t (n : Nat) : n + 0 = n := by sorry";
    assert_eq!(score(&params, "by simp", broken), Err(UnscoredKind::Invalid));
    std::fs::remove_dir_all(params.lean.parent().unwrap()).unwrap();
}
