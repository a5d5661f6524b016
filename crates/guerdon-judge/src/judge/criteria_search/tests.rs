use guerdon_core::method::Request;

use super::{Fate, Labelled, Search, SearchCase, Side, accuracy, vote};
use crate::fence::find;
use crate::scripted::{self, text};

/// Pairs whose better text is `n0`, `n1`, …; the other one is `-`.
fn case(n: usize) -> SearchCase {
    let pair = |k: usize| {
        let better = format!("n{k}");
        let first = k.is_multiple_of(2);
        let (first, second, winner) = if first {
            (better, "-".to_owned(), Side::First)
        } else {
            ("-".to_owned(), better, Side::Second)
        };
        Labelled { prompt: "".into(), first, second, winner }
    };
    SearchCase { task: "t".into(), pairs: (0..n).map(pair).collect(), knowledge: Vec::new() }
}

/// A worker that is right, wrong, unsure or unreadable on pair k as character k of the criterion says (`r`, `w`, `u`, `x`).
fn worker(request: &Request) -> Option<String> {
    let prompt = text(request);
    let fenced = find(&prompt);
    let named = |name: &str| fenced.iter().find(|f| f.name == name).map(|f| f.text);
    let (a, b) = (named("response_a")?, named("response_b")?);
    let (better, right, wrong) = if a == "-" { (b, "B", "A") } else { (a, "A", "B") };
    let k: usize = better[1..].parse().ok()?;
    Some(match named("criterion")?.chars().nth(k) {
        Some('r') => format!("[[{right}]]"),
        Some('w') => format!("[[{wrong}]]"),
        Some('u') => "[[UNSURE]]".to_owned(),
        _ => "hm".to_owned(),
    })
}

/// CritiQ: ten pairs, 6 right, 1 wrong, 1 unreadable, 2 unsure: 6/8.
#[test]
fn accuracies_are_those_of_the_reference() {
    let search = Search { rounds: 1, criteria: 1, ..Search::default() };
    let found = scripted::protocol(&search, &case(10), 3, |request| {
        worker(request).unwrap_or_else(|| "1. rrrrrrwxuu".into())
    });
    let tried = &found.unwrap().history[0];
    assert_eq!((tried.accuracy, tried.unsure, tried.unreadable), (0.75, 2, 1));
    assert_eq!((accuracy(0, 5, 0), accuracy(0, 5, 5)), (0.0, 0.0));
}

#[test]
fn votes_are_added_up() {
    let (a, b) = (Some(Side::First), Some(Side::Second));
    assert_eq!(vote(&[a, a, b, None]), a);
    assert_eq!((vote(&[a, b]), vote(&[None]), vote(&[])), (None, None, None));
}

#[test]
fn bands_keep_revise_and_replace() {
    let search = Search { criteria: 3, rounds: 3, ..Search::default() };
    let (mut proposed, mut revised) = (0, 0);
    let found = scripted::protocol(&search, &case(4), 3, |request| {
        if let Some(verdict) = worker(request) {
            return verdict;
        }
        if text(request).contains("came out wrong") {
            revised += 1;
            assert!(text(request).contains("rrrw"));
            return "1. rrrr, revised".into();
        }
        proposed += 1;
        if proposed == 1 { "1. rrrr\n2. rrrw\n3. wwww" } else { "1. rrww, then nothing better" }
            .into()
    });
    let found = found.unwrap();
    assert_eq!((proposed, revised), (3, 1));
    let fates: Vec<Fate> = found.history.iter().map(|tried| tried.fate).collect();
    assert_eq!(fates[..3], [Fate::Kept, Fate::Revised, Fate::Replaced]);
    assert_eq!(found.criteria.len(), 2);
    assert_eq!((found.vote_accuracy, found.undecided), (1.0, 0));
}

#[test]
fn what_lies_between_is_kept_at_the_end() {
    let search = Search { criteria: 1, rounds: 1, ..Search::default() };
    let found = scripted::protocol(&search, &case(4), 3, |request| {
        worker(request).unwrap_or_else(|| "1. rrrw".into())
    });
    assert_eq!(found.unwrap().criteria[0].fate, Fate::Kept);
}

#[test]
fn a_worker_that_never_answers_is_no_verdict_on_the_criteria() {
    let found = scripted::protocol(&Search::default(), &case(2), 3, |request| {
        worker(request).map_or_else(|| "1. xx".into(), |_| "hm".into())
    });
    assert!(found.is_err());
    assert!(scripted::protocol(&Search::default(), &case(0), 3, |_| "1. a".into()).is_err());
}
