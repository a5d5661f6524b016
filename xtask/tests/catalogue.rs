//! The bibliography is whole: 418 papers, each with what the catalogue needs to show it.

use std::collections::BTreeSet;

#[test]
fn every_paper_has_its_key_title_and_number() {
    // The parser refuses a key that stands there twice.
    let papers: toml::Table = include_str!("../../catalogue/papers.toml").parse().unwrap();
    assert_eq!(papers.len(), 418);
    let numbers: BTreeSet<i64> =
        papers.values().map(|paper| paper["number"].as_integer().unwrap()).collect();
    assert_eq!(numbers, (0..418).collect());
    for (key, paper) in &papers {
        for field in ["title", "name", "part"] {
            assert!(
                paper[field].as_str().is_some_and(|text| !text.is_empty()),
                "{key} has no {field}"
            );
        }
        let year = paper.get("year").map(|year| year.as_integer().unwrap().to_string());
        assert!(year.is_none_or(|year| key.ends_with(&year)), "{key} and its year");
        assert!(
            key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "{key}"
        );
    }
}
