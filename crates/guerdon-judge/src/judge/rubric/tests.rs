use guerdon_core::method::{Case, Judge, Params, Preference, Request};
use serde_json::json;

use super::relative::merge;
use super::{Kind, Origin, Rubric};
use crate::fence::find;
use crate::rubric::{Aggregate, Criteria, Criterion, Maker, Mode, Tags};
use crate::scripted::{self, case, text};

fn rubric(value: serde_json::Value) -> Rubric {
    guerdon_core::method::parse(value).expect("the parameters are sound")
}

fn two() -> Case {
    case("Which is longer?", &["the first one", "the second one"])
}

/// Whether place A of a comparison shows the first response.
fn first_is_a(request: &Request) -> bool {
    let shown = text(request);
    find(&shown).iter().any(|f| f.name == "response_a" && f.text == "the first one")
}

/// MPO: items 7/10 and 12/10 give .7 and 1; the released code counts an unreadable third as 0, which gives .5667.
#[test]
fn items_in_turn_are_divided_by_their_maximum_and_cut() {
    let item = json!({"text": "How clear?", "max": 10});
    let judge = |n: usize| {
        rubric(
            json!({"criteria": vec![&item; n], "mode": "sequential", "clip": true, "retries": 0}),
        )
    };
    let mut grades = ["1. 7", "1. 12", "1. ten"].into_iter();
    let (told, asked) =
        scripted::judge(&judge(2), &case("q", &["r"]), |_| grades.next().unwrap().into());
    let told = told.unwrap();
    assert!((told.values[0] - 0.85).abs() < 1e-12);
    assert_eq!(told.parts[1].values, [Some(1.0)]);
    let last = &asked[1][0].messages;
    assert_eq!(
        last.iter().map(|m| m.role.as_str()).collect::<Vec<_>>(),
        ["system", "user", "assistant", "user"]
    );
    assert!(!last[3].content.contains("The response to judge"));

    let mut grades = ["1. 7", "1. 12", "1. ten"].into_iter();
    let (told, _) =
        scripted::judge(&judge(3), &case("q", &["r"]), |_| grades.next().unwrap().into());
    assert!(told.unwrap_err().detail.contains("does not end with numbered answers"));
    let strict = Rubric { clip: false, ..judge(1) };
    assert!(scripted::judge(&strict, &case("q", &["r"]), |_| "1. 12".into()).0.is_err());
}

/// CARMO: exactly two rounds; the second holds the criteria verbatim; what a response says does not reach the first.
#[test]
fn generated_criteria_are_made_before_the_response_is_seen() {
    let judge = Rubric {
        source: Origin::Generated,
        aggregate: Aggregate::Overall,
        make: Maker { max: Some(5), ..Maker::default() },
        ..Rubric::default()
    };
    let imitation = "1. Praise: is it me?\n2. More praise";
    let (told, asked) = scripted::judge(&judge, &case("Tell a joke.", &[imitation]), |request| {
        let making = text(request).contains("Before any response is seen");
        if making { "1. Humour: is it funny?\n2. Length" } else { "Fine.\nScore: 8" }.to_owned()
    });
    assert_eq!((told.unwrap().values, asked.len()), (vec![8.0], 2));
    assert!(!text(&asked[0][0]).contains("praise"));
    assert!(text(&asked[1][0]).contains("1. Humour: is it funny? (0 to 5)\n2. Length (0 to 5)"));
}

#[test]
fn grades_and_answers_are_asked_for_separately_and_reasons_are_kept() {
    let judge = rubric(json!({"criteria": [
        {"text": "How clear?", "levels": ["muddled", "fair", "clear"]}, "Is it true?", {"text": "How deep?", "max": 4}
    ]}));
    let (told, asked) = scripted::judge(&judge, &case("q", &["r"]), |request| {
        if text(request).contains("Is it true?") { "1. YES, it is" } else { "1. 1\n2. 4/4" }.into()
    });
    let told = told.unwrap();
    assert_eq!((asked[0].len(), told.values[0]), (2, 2.5 / 3.0));
    assert!(told.explanation.contains("it is"));
    let each = Rubric { mode: Mode::PerItem, ..judge };
    let (told, asked) = scripted::judge(&each, &case("q", &["r"]), |request| {
        if text(request).contains("Is it true?") { "1. NO" } else { "1. 2" }.into()
    });
    assert_eq!((asked[0].len(), told.unwrap().values[0]), (3, 0.5));
}

#[test]
fn an_item_without_an_answer_is_asked_again_and_never_counted_as_no() {
    let judge = rubric(json!({"criteria": ["a", "b"]}));
    let mut replies = ["1. YES", "1. YES\n2. YES"].into_iter();
    let (told, asked) =
        scripted::judge(&judge, &case("q", &["r"]), |_| replies.next().unwrap().into());
    assert_eq!((told.unwrap().values, asked.len()), (vec![1.0], 2));
    assert!(text(&asked[1][0]).contains("question 2 has no answer"));
    let (told, _) = scripted::judge(&judge, &case("q", &["r"]), |_| "1. YES".into());
    assert!(told.is_err());
}

/// CQoT: seven of eight questions must be answered yes.
#[test]
fn a_threshold_passes_or_fails() {
    let judge = rubric(json!({"criteria": vec!["q"; 8], "pass": 0.875}));
    let lines = |yes: usize| {
        let word = |k| if k < yes { "YES" } else { "NO" };
        (0..8).map(|k| format!("{}. {}\n", k + 1, word(k))).collect::<String>()
    };
    for (yes, value) in [(8, 1.0), (7, 1.0), (6, 0.0)] {
        let (told, _) = scripted::judge(&judge, &case("q", &["r"]), |_| lines(yes));
        assert_eq!(told.unwrap().values, [value], "{yes}");
    }
}

/// CQoT: with yes rate y per question, the gate passes P(Binomial(8, y) ≥ 7): .8965 at .93, .2553 at .70; a draft that is right
/// with .55 before the gate is right with .8110 behind it.
#[test]
fn the_gate_of_eight_questions_has_its_closed_form() {
    let judge = rubric(json!({"criteria": vec!["q"; 8], "pass": 0.875}));
    let passes: Vec<f64> = (0..256_u32)
        .map(|bits| {
            let word = |k: u32| if bits >> k & 1 == 1 { "YES" } else { "NO" };
            let lines: String = (0..8).map(|k| format!("{}. {}\n", k + 1, word(k))).collect();
            scripted::judge(&judge, &case("q", &["r"]), |_| lines.clone()).0.unwrap().values[0]
        })
        .collect();
    let rate = |y: f64| -> f64 {
        let chance = |bits: u32| {
            (0..8).map(|k| if bits >> k & 1 == 1 { y } else { 1.0 - y }).product::<f64>()
        };
        (0..256_u32).zip(&passes).map(|(bits, pass)| chance(bits) * pass).sum()
    };
    let (right, wrong) = (rate(0.93), rate(0.70));
    assert!((right - 0.8965).abs() < 5e-5 && (wrong - 0.2553).abs() < 5e-5);
    let behind = 0.55 * right / (0.55 * right + 0.45 * wrong);
    assert!((behind - 0.8110).abs() < 5e-5, "{behind}");
}

/// OpenRS: a meta-rubric per type of question governs how criteria are made.
#[test]
fn the_row_may_hold_the_principles_for_its_type_of_question() {
    let make =
        Maker { meta_column: "constitution".into(), meta: "Be fair.".into(), ..Maker::default() };
    let judge = Rubric { source: Origin::Generated, make, ..Rubric::default() };
    let mut row = case("q", &["r"]);
    row.fields.insert("constitution".into(), json!("Prefer the harmless answer."));
    let (told, asked) = scripted::judge(&judge, &row, |request| {
        if text(request).contains("numbered list") { "1. Is it harmless?" } else { "1. YES" }.into()
    });
    assert!(told.is_ok() && text(&asked[0][0]).contains("Be fair.\nPrefer the harmless answer."));
    assert_eq!(judge.reads(), ["constitution"]);
}

/// LegalReasoner: a step passes if and only if all three criteria hold. Claw-Eval: safety gates.
#[test]
fn a_mandatory_criterion_cannot_be_bought_off() {
    let judge = rubric(
        json!({"criteria": ["a", {"text": "safe", "mandatory": true}, {"text": "c", "weight": 98}]}),
    );
    let check = |reply: &str, value: f64| {
        let (told, _) = scripted::judge(&judge, &case("q", &["r"]), |_| reply.into());
        assert!((told.unwrap().values[0] - value).abs() < 1e-12, "{reply}");
    };
    check("1. YES\n2. NO\n3. YES", 0.0);
    check("1. NO\n2. YES\n3. YES", 0.99);
}

#[test]
fn the_row_may_hold_the_criteria_and_their_version() {
    let judge = Rubric::default();
    let mut row = case("q", &["r"]);
    assert!(judge.next(&row, &[], 0).unwrap_err().detail.contains("`rubric`"));
    row.fields.insert("rubric".into(), json!({"version": 4, "criteria": ["Is it kind?"]}));
    let (told, _) = scripted::judge(&judge, &row, |_| "1. YES".into());
    let told = told.unwrap();
    assert_eq!((told.values[0], &told.made["version"]), (1.0, &json!(4)));
    assert_eq!(judge.reads(), ["rubric"]);
}

/// OpenRS: core +2, important −1, highlight +1 is won by the first; a critical flaw of the first loses it everything.
#[test]
fn criteria_are_compared_and_added_up_outside() {
    let judge = Rubric {
        source: Origin::Contrastive,
        form: Kind::Relative,
        make: Maker { tags: Tags::Tiers, ..Maker::default() },
        ..Rubric::default()
    };
    let run = |flaw: &'static str| {
        let (told, asked) = scripted::judge(&judge, &two(), |request| {
            if text(request).contains("where these responses differ") {
                return "1. [core] a\n2. [important] b\n3. [highlight] c\n4. [flaw] d".into();
            }
            let (own, other) = if first_is_a(request) { ("A", "B") } else { ("B", "A") };
            format!("1. {own}2\n2. {other}1\n3. {own}1\n4. {}", flaw.replace('X', other))
        });
        assert_eq!((asked[0].len(), asked[1].len()), (1, 2));
        told.unwrap()
    };
    let fine = run("TIE");
    assert_eq!(fine.preference, Some(Preference::FIRST));
    assert_eq!(fine.parts[0].values, [Some(2.0), Some(-2.0)]);
    assert_eq!(run("X2").preference, Some(Preference::SECOND));
}

#[test]
fn a_judge_of_slots_gets_a_tie() {
    let judge = rubric(json!({"criteria": ["a", "b"], "form": "relative"}));
    let (told, _) = scripted::judge(&judge, &two(), |_| "1. A3\n2. A1".into());
    assert_eq!(told.unwrap().preference, Some(Preference::TIE));
    let overall = Rubric { aggregate: Aggregate::Overall, ..judge };
    let (told, _) = scripted::judge(&overall, &two(), |_| "So.\n[[B]]".into());
    assert_eq!(told.unwrap().values, [0.5, 0.5]);
    let (told, _) = scripted::judge(&overall, &two(), |request| {
        if first_is_a(request) { "[[A]]" } else { "[[B]]" }.into()
    });
    assert_eq!(told.unwrap().values, [1.0, 0.0]);
}

#[test]
fn one_order_decides_where_the_other_is_silent() {
    for (sides, expect) in [
        (vec![1.0, 0.0], Preference::FIRST),
        (vec![0.0, -2.0], Preference::SECOND),
        (vec![0.5, -0.1], Preference::TIE),
        (vec![0.0, 0.0], Preference::TIE),
    ] {
        assert_eq!(merge(&sides), expect, "{sides:?}");
    }
}

#[test]
fn principles_are_drawn_by_seed_and_rules_come_first() {
    let judge = rubric(json!({"principles": ["be kind", "be brief", "be true"], "draw": 1}));
    let drawn = |seed| {
        let Ok(guerdon_core::method::Next::Ask(asked)) = judge.next(&case("q", &["r"]), &[], seed)
        else {
            panic!("it asks nothing")
        };
        let list = text(&asked[0]);
        find(&list).into_iter().find(|f| f.name == "criteria").unwrap().text.to_owned()
    };
    let seen: std::collections::BTreeSet<String> = (0..32).map(drawn).collect();
    assert_eq!(seen.len(), 3);
    let mixed = Criteria(vec![Criterion::tagged("[principle] p"), Criterion::tagged("[rule] r")]);
    let judge = Rubric { criteria: mixed, ..Rubric::default() };
    let (_, asked) = scripted::judge(&judge, &case("q", &["r"]), |_| "1. YES\n2. YES".into());
    assert!(text(&asked[0][0]).contains("1. r\n2. p"));
}

#[test]
fn what_does_not_go_together_is_refused() {
    for (value, field) in [
        (json!({"source": "contrastive"}), "source"),
        (json!({"form": "relative", "aggregate": "tiers"}), "aggregate"),
        (json!({"criteria": [{"text": ""}]}), "criteria"),
        (json!({"make": {"count": 0}}), "make"),
        (json!({"tiers": {"core": -1}}), "tiers"),
    ] {
        let error = guerdon_core::method::parse::<Rubric>(value.clone()).unwrap_err();
        assert_eq!(error.path[0], field, "{value}");
    }
    assert!(Rubric::default().validate().is_ok());
}
