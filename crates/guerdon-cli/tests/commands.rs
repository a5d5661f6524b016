//! The other commands.

mod support;

use guerdon::core::method::Kind;
use serde_json::Value;
use support::Folder;

#[test]
fn check_points_at_every_mistake() {
    let folder = Folder::new();
    folder.write(
        "bad.yaml",
        "signals:\n  a: {use: verify.formt}\n  b: {use: verify.format, requir: [x]}\n",
    );
    let ran = folder
        .run("check bad.yaml")
        .fails(1, &["did you mean `verify.format`?", "did you mean `require`?"]);
    let expect = " --> bad.yaml:3:27\n  |\n3 |   b: {use: verify.format, requir: [x]}\n  |                           ^^^^^^";
    assert!(ran.err.contains(expect), "{}", ran.err);
    let found: Value =
        serde_json::from_str(&folder.run("check bad.yaml --output-format json").out).unwrap();
    assert_eq!((&found[1]["line"], &found[1]["column"]), (&3.into(), &27.into()));
    folder.write("good.json", "{\"signals\": {\"a\": {\"use\": \"verify.length\"}}}");
    folder.run("check good.json").ok().says(&["good spec", "a: verify.length"]);
}

#[test]
fn the_schema_is_json_and_knows_every_signal() {
    let schema: Value = serde_json::from_str(&Folder::new().run("schema").ok().out).unwrap();
    let text = schema.to_string();
    for method in guerdon::methods() {
        let in_spec = matches!(
            method.kind,
            Kind::Signal(_) | Kind::Transform(_) | Kind::Judge(_) | Kind::Protocol(..)
        );
        assert_eq!(
            text.contains(&format!("\"const\":\"{}\"", method.id)),
            in_spec,
            "{}",
            method.id
        );
    }
    assert!(!text.contains("\"#/definitions"));
}

#[test]
fn methods_and_their_pages() {
    let folder = Folder::new();
    folder.run("methods").ok().says(&["shape.par", "verify.math", "advantage.grpo"]);
    folder.run("methods shape.par").ok().says(&[
        "# Formula",
        "# Parameters",
        "# Departures",
        "par-2025",
    ]);
    folder.run("methods shape").ok().says(&["shape.combine"]);
    folder.run("methods shape.pra").fails(2, &["did you mean `shape.par`?"]);
    let all: Value =
        serde_json::from_str(&folder.run("methods --output-format json").ok().out).unwrap();
    assert_eq!(all.as_array().unwrap().len(), guerdon::methods().count());
}

#[test]
fn papers_and_what_carries_them() {
    let papers: Value =
        serde_json::from_str(&Folder::new().run("papers --output-format json").ok().out).unwrap();
    let papers = papers.as_array().unwrap();
    assert_eq!(papers.len(), 418);
    let par = papers.iter().find(|p| p["key"] == "par-2025").unwrap();
    assert!(par["methods"].as_array().unwrap().contains(&"shape.par".into()));
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        Folder::new().run(&format!("completions {shell}")).ok().says(&["guerdon"]);
    }
}

#[test]
fn unknown_words_are_refused() {
    Folder::new().run("scroe").fails(2, &["score"]);
}
