use guerdon_core::method::{Case, Judge as _, Preference, Request};
use serde_json::json;

use super::{Example, Exemplar, Kind};
use crate::fence::find;
use crate::scripted::{self, case, text};

fn with(column: &str, value: serde_json::Value) -> Case {
    let mut row = case("q", &["ours"]);
    row.fields.insert(column.into(), value);
    row
}

fn ours_is_a(request: &Request) -> bool {
    let prompt = text(request);
    find(&prompt).iter().any(|f| f.name == "response_a" && f.text == "ours")
}

/// ExTrans: levels −1, 0, +1 averaged over both orders; a judge that always says "first" scores 0.
#[test]
fn a_judge_of_slots_scores_nothing() {
    let row = with("exemplar", json!("theirs"));
    let judge = Exemplar::default();
    let run = |model: &dyn Fn(&Request) -> &'static str| {
        let (told, asked) = scripted::judge(&judge, &row, |request| model(request).to_owned());
        assert_eq!(asked[0].len(), 2);
        told.unwrap().values[0]
    };
    assert_eq!(run(&|_| "[[A>B]]"), 0.0);
    assert_eq!(run(&|request| if ours_is_a(request) { "[[A>B]]" } else { "[[B>A]]" }), 1.0);
    assert_eq!(run(&|request| if ours_is_a(request) { "[[A=B]]" } else { "[[A>B]]" }), -0.5);
}

#[test]
fn five_levels_and_a_ladder_of_exemplars() {
    let judge = Exemplar { rewards: vec![-2.0, -1.0, 0.0, 1.0, 2.0], ..Exemplar::default() };
    let row = with("exemplar", json!(["weak", "strong"]));
    let (told, _) = scripted::judge(&judge, &row, |request| {
        let ours = if ours_is_a(request) { "A" } else { "B" };
        let other = if ours == "A" { "B" } else { "A" };
        if text(request).contains("weak") {
            format!("[[{ours}>>{other}]]")
        } else {
            format!("[[{other}>{ours}]]")
        }
    });
    assert_eq!(told.unwrap().values[0], 0.5);
    assert_eq!(judge.range(), Some((-2.0, 2.0)));
}

/// The absolute variant: (4 − 3)/5 = 0.2.
#[test]
fn a_difference_of_grades() {
    let judge = Exemplar { kind: Kind::Difference, ..Exemplar::default() };
    let (told, _) = scripted::judge(&judge, &with("exemplar", json!("theirs")), |request| {
        if text(request).contains("\ntheirs\n") { "Score: 3" } else { "Score: 4" }.into()
    });
    assert!((told.unwrap().values[0] - 0.2).abs() < 1e-12);
}

fn example(response: &str, label: f64, embedding: &[f64]) -> Example {
    Example {
        prompt: String::new(),
        responses: vec![response.to_owned()],
        label,
        embedding: embedding.to_vec(),
    }
}

#[test]
fn the_nearest_examples_are_shown_or_averaged() {
    let examples = vec![
        example("far", 1.0, &[9.0, 9.0]),
        example("near", 4.0, &[1.0, 2.0]),
        example("nearer", 3.0, &[1.0, 1.0]),
    ];
    let row = with("embedding", json!([1.0, 1.1]));
    let judge = Exemplar { kind: Kind::Grade, examples, k: 2, ..Exemplar::default() };
    let (told, asked) = scripted::judge(&judge, &row, |_| "Like the second.\nScore: 3".into());
    let asked = text(&asked[0][0]);
    assert_eq!(told.unwrap().values[0], 3.0);
    assert!(asked.contains("nearer") && !asked.contains("far") && asked.contains("Score: 4"));

    let neighbour = Exemplar { kind: Kind::Neighbour, ..judge };
    let (told, asked) = scripted::judge(&neighbour, &row, |_| String::new());
    assert_eq!((told.unwrap().values[0], asked.len()), (3.5, 0));
    let (told, _) = scripted::judge(&neighbour, &case("q", &["r"]), |_| String::new());
    assert!(told.unwrap_err().detail.contains("`embedding`"));
}

#[test]
fn verified_pairs_are_shown_beside_a_pair() {
    let verified = json!([{"responses": ["good one", "bad one"], "label": 1}]);
    let mut row = case("q", &["ours", "yours"]);
    row.fields.insert("exemplar".into(), verified);
    let judge = Exemplar { kind: Kind::Pair, ..Exemplar::default() };
    let (told, asked) = scripted::judge(&judge, &row, |request| {
        if ours_is_a(request) { "[[A>B]]" } else { "[[B>A]]" }.into()
    });
    assert_eq!(told.unwrap().preference, Some(Preference::FIRST));
    assert!(text(&asked[0][0]).contains("Verdict: A>B"));
    row.fields.insert("exemplar".into(), json!([{"responses": ["one"], "label": 1}]));
    assert!(scripted::judge(&judge, &row, |_| "[[A>B]]".into()).0.is_err());
}
