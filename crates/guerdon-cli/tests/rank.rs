//! `guerdon rank` as a user meets it.

mod support;

use serde_json::Value;
use support::Folder;

const VOTES: &str = "model_a,model_b,winner\na,b,model_a\na,b,model_a\na,b,model_b\nb,c,model_a\nb,c,tie\na,c,model_a\nc,a,model_a\n";

fn ratings(text: &str) -> Vec<(String, f64)> {
    let board: Value = serde_json::from_str(text).unwrap();
    let rows = board["ratings"].as_array().unwrap();
    rows.iter()
        .map(|r| (r["name"].as_str().unwrap().to_owned(), r["strength"].as_f64().unwrap()))
        .collect()
}

#[test]
fn strengths_have_mean_zero_and_the_elo_scale() {
    let folder = Folder::new();
    folder.write("v.csv", VOTES);
    let text = folder.run("rank v.csv --output-format json").ok().out;
    let mean: f64 = ratings(&text).iter().map(|(_, s)| s).sum::<f64>() / 3.0;
    assert!(mean.abs() < 1e-9);
    let board: Value = serde_json::from_str(&text).unwrap();
    for row in board["ratings"].as_array().unwrap() {
        let expect = 1000.0 + 400.0 * row["strength"].as_f64().unwrap() / std::f64::consts::LN_10;
        assert!((row["rating"].as_f64().unwrap() - expect).abs() < 1e-6);
        assert!(row["low"].as_f64().unwrap() <= row["rating"].as_f64().unwrap());
    }
}

#[test]
fn every_format_gives_the_same_ratings() {
    let folder = Folder::new();
    let lines: String = VOTES
        .lines()
        .skip(1)
        .map(|l| {
            let cells: Vec<&str> = l.split(',').collect();
            format!(
                "{{\"model_a\":\"{}\",\"model_b\":\"{}\",\"winner\":\"{}\"}}\n",
                cells[0], cells[1], cells[2]
            )
        })
        .collect();
    folder.write("v.csv", VOTES).write("v.jsonl", &lines);
    folder
        .write("all.yaml", "signals: {n: {use: verify.column, column: n}}")
        .write("rows.jsonl", &lines);
    folder.run("score all.yaml rows.jsonl -o v.parquet --keep").ok();
    let expect = ratings(&folder.run("rank v.csv --output-format json").ok().out);
    for name in ["v.jsonl", "v.parquet"] {
        assert_eq!(
            ratings(&folder.run(&format!("rank {name} --output-format json")).ok().out),
            expect,
            "{name}"
        );
    }
}

#[test]
fn several_methods_a_page_and_what_changed() {
    let folder = Folder::new();
    folder.write("v.csv", VOTES);
    let before = folder.run("rank v.csv --output-format json").ok().out;
    folder.write("before.json", before);
    folder.run("rank v.csv -m bradley_terry -m elo -m win_rate --report page.html --before before.json").ok().says(&["a", "b", "c"]);
    let page = folder.read("page.html");
    assert!(page.contains("<html") && !page.contains(" src=\"http"));
}

#[test]
fn columns_and_values_of_ones_own() {
    let folder = Folder::new();
    folder.write("v.csv", "left;right;who\nx;y;L\ny;x;R\nx;y;=\n");
    let ran = folder.run("rank v.csv --first left --second right --winner who --first-wins L --second-wins R --tie = --output-format json").ok();
    assert!(ratings(&ran.out)[0].1 > 0.0);
}

#[test]
fn what_cannot_be_rated_is_told() {
    let folder = Folder::new();
    folder
        .write("bad.csv", "model_a,model_b,winner\na,b,maybe\n")
        .write("empty.csv", "")
        .write("v.csv", VOTES);
    folder.run("rank bad.csv").fails(2, &["bad.csv", "maybe"]);
    folder.run("rank empty.csv").fails(2, &["empty.csv"]);
    folder.run("rank none.csv").fails(2, &["none.csv"]);
    folder.run("rank v.csv -m bradly_terry").fails(2, &["bradley_terry"]);
    folder.run("rank v.csv -m bradley_terry:{\"tis\":1}").fails(2, &["tis"]);
}
