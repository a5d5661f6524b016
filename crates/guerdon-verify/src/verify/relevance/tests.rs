use super::{Against, Kind, Relevance};
use guerdon_core::Rollout;
use guerdon_core::method::Signal as _;
use serde_json::json;

fn check(params: &Relevance, completion: &str, query: &str, expect: f64) {
    let value = params.value(completion, query);
    assert!((value - expect).abs() < 1e-12, "{completion:?}: {value}, not {expect}");
}

#[test]
fn cosine_by_hand() {
    let tfidf = Relevance::default();
    check(&tfidf, "the cats purr", "Why do cats purr?", 1.0);
    check(&tfidf, "cat dog", "cats purr", 0.5);
    check(&tfidf, "", "cats purr", 0.0);
    check(&tfidf, "of the", "in a", 0.0);
    // cat twice: (1 + ln 2) of the completion's two words.
    let twice = 1.0 + 2.0_f64.ln();
    check(&tfidf, "cat cat dog", "cat", twice / (twice * twice + 1.0).sqrt());
}

#[test]
fn bm25_by_hand() {
    let bm25 = Relevance { kind: Kind::Bm25, average: 3.0, ..Relevance::default() };
    // Three words, as many as the average: tf / (tf + 1.2) for one of two words of the query.
    check(&bm25, "cat cat dog", "cat purr", 2.0 / 3.2 / 2.0);
    check(&Relevance { k1: 0.0, ..bm25.clone() }, "cat", "cat", 1.0);
    check(&bm25, "cat", "the", 0.0);
}

#[test]
fn rare_words_weigh_more() {
    let path = std::env::temp_dir().join(format!("guerdon-corpus-{}.txt", std::process::id()));
    std::fs::write(&path, "the cat\ncat dog\n\ncat\n").unwrap();
    let signal = Relevance { corpus: Some(path.clone()), ..Relevance::default() }.signal().unwrap();
    std::fs::remove_file(&path).unwrap();
    let (cat, dog) = ((1.0 + 0.5 / 3.5_f64).ln(), (1.0 + 2.5 / 1.5_f64).ln());
    let score = signal.score(&Rollout::new("cat dog", "dog", "")).unwrap().value();
    assert!((score - dog / cat.hypot(dog)).abs() < 1e-12);
    assert!(Relevance { corpus: Some("none".into()), ..Relevance::default() }.signal().is_err());
}

#[test]
fn against_the_reference_and_by_vectors() {
    let row = |reference| Rollout { reference, ..Rollout::new("cats", "a dog", "") };
    let score = |against, row: &Rollout| {
        let signal = Relevance { against, ..Relevance::default() }.signal().unwrap();
        signal.score(row).map(|s| s.value())
    };
    assert_eq!(score(Against::Auto, &row(json!(["dogs", "fish"]))), Ok(1.0));
    assert_eq!(score(Against::Auto, &row(json!(null))), Ok(0.0));
    assert!(score(Against::Reference, &row(json!(null))).is_err());
    let signal = Relevance { kind: Kind::Embedding, ..Relevance::default() }.signal().unwrap();
    for (own, expect) in [([3e300, 4e300], 0.6), ([-1.0, 0.0], 0.0), ([0.0, 0.0], 0.0)] {
        let mut row = Rollout::default();
        row.columns.insert("embedding".into(), json!(own));
        row.columns.insert("query_embedding".into(), json!([1, 0]));
        let value = signal.score(&row).unwrap().value();
        assert!((value - expect).abs() < 1e-12, "{value}, not {expect}");
    }
}
