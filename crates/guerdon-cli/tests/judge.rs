//! Judges, end to end: the command against a real server whose models are simulated.

mod support;

use std::time::Duration;

use guerdon_lab::serve_model::{Script, Server};
use serde_json::{Value, json};
use support::Folder;

fn serve(script: &str) -> Server {
    Server::start(Script::parse(script).unwrap()).unwrap()
}

/// A judge that is nearly always right about the marked qualities.
const SHARP: &str = "{seed: 1, models: {m: {judge: {sensitivity: 40, noise: 0}}}}";

fn spec(server: &Server, rest: &str) -> String {
    format!(
        "models: {{judge: {{url: \"{}\", model: m, backoff: 0.01, structured: off, price: {{input: 1, output: 2}}}}}}\n{rest}\n",
        server.url()
    )
}

/// Pairs whose better response is marked, now the first, now the second.
fn pairs(n: usize) -> String {
    (0..n)
        .map(|k| {
            let (good, bad) = (format!("good {k} ⟦q=2⟧"), format!("bad {k} ⟦q=-2⟧"));
            let first = k % 3 != 0;
            let (a, b) = if first { (good, bad) } else { (bad, good) };
            json!({"id": format!("p{k}"), "prompt": format!("question {k}"), "response_a": a, "response_b": b,
                "model_a": "x", "model_b": "y", "label": if first { "A>B" } else { "B>A" }})
            .to_string()
                + "\n"
        })
        .collect()
}

fn rollouts(groups: usize, each: usize) -> String {
    let row = |g: usize, k: usize| {
        json!({"prompt": format!("question {g}"), "completion": format!("answer {g}.{k} ⟦q={}⟧", k as f64 / 2.0 - 1.0), "group": g})
            .to_string()
            + "\n"
    };
    (0..groups).flat_map(|g| (0..each).map(move |k| row(g, k))).collect()
}

#[test]
fn pairs_are_judged_and_can_be_ranked() {
    let server = serve(SHARP);
    let folder = Folder::new();
    folder
        .write("s.yaml", spec(&server, "judge: {use: judge.pairwise, order: both}"))
        .write("p.jsonl", pairs(60));
    let ran = folder.run("judge s.yaml p.jsonl -o j.jsonl").ok();
    assert!(ran.out.contains("agreement  60 of 60"), "{}", ran.out);
    assert!(ran.out.contains("120 calls"), "{}", ran.out);
    let rows = folder.rows("j.jsonl");
    assert_eq!((&rows[0]["winner"], &rows[1]["winner"]), (&json!("model_b"), &json!("model_a")));
    assert!(rows[0]["words"].as_str().unwrap().contains("[["), "{}", rows[0]);
    let board = folder.run("rank j.jsonl").ok().out;
    assert!(board.find('x').unwrap() < board.find('y').unwrap(), "{board}");
    // What is known is not asked again.
    let again = folder.run("judge s.yaml p.jsonl -o again.jsonl").ok();
    assert!(again.out.contains("120 known"), "{}", again.out);
    assert_eq!(folder.read("j.jsonl"), folder.read("again.jsonl"));
    assert_eq!(server.stats().requests, 120);
    let stats = folder.run("cache stats").ok().out;
    assert!(stats.contains("judge → judge") && stats.contains("240"), "{stats}");
    assert!(folder.run("cache prune --model m").ok().out.contains("forgot 120"));
}

#[test]
fn judges_are_signals_like_any_other() {
    let server = serve(SHARP);
    let folder = Folder::new();
    let rest = "signals:\n  grade: {use: judge.pointwise}\n  wins: {use: judge.pairwise, order: single}\n  long: {use: verify.length}\n\
        reward: [{use: shape.combine, weights: {grade: 1, wins: 1}}]\nadvantage: {use: advantage.grpo}";
    folder.write("s.yaml", spec(&server, rest)).write("r.jsonl", rollouts(6, 4));
    let ran = folder.run("score s.yaml r.jsonl -o o.jsonl --report r.html --transcripts").ok();
    // 24 grades, and 6 pairs in each of 6 groups.
    assert!(ran.out.contains("60 calls"), "{}", ran.out);
    for group in folder.rows("o.jsonl").chunks(4) {
        let wins: Vec<f64> = group.iter().map(|r| r["signals"]["wins"].as_f64().unwrap()).collect();
        let grades: Vec<f64> =
            group.iter().map(|r| r["signals"]["grade"].as_f64().unwrap()).collect();
        assert_eq!(wins, [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0]);
        assert!(grades.is_sorted() && grades[0] < grades[3], "{grades:?}");
        assert!(group[0]["advantage"].as_f64() < group[3]["advantage"].as_f64());
    }
    let first = &folder.rows("o.jsonl")[0]["asked"];
    let prompt = first[0]["rounds"][0][0]["request"]["messages"][1]["content"].as_str().unwrap();
    assert!(prompt.contains("answer 0.0") && prompt.contains("Reply format"), "{prompt}");
    assert!(folder.read("r.html").contains("Score: "), "the judge's words are in the report");
}

#[test]
fn few_opponents_cost_few_calls() {
    let server = serve(SHARP);
    let folder = Folder::new();
    let rest = "signals: {wins: {use: judge.pairwise, order: single, opponents: 2}}";
    folder.write("s.yaml", spec(&server, rest)).write("r.jsonl", rollouts(2, 8));
    assert!(folder.run("score s.yaml r.jsonl").ok().out.contains("16 calls"));
}

#[test]
fn what_cannot_be_read_is_unscored_and_counted() {
    let server = serve("{models: {m: {scripted: {rules: [{when: '', reply: 'Both are nice.'}]}}}}");
    let folder = Folder::new();
    let rest = "signals: {grade: {use: judge.pointwise}}";
    folder.write("s.yaml", spec(&server, rest)).write("r.jsonl", rollouts(1, 3));
    let ran = folder.run("score s.yaml r.jsonl -o o.jsonl --output-format json").ok();
    let summary: Value = serde_json::from_str(&ran.out).unwrap();
    let row = &folder.rows("o.jsonl")[0];
    assert_eq!(row["signals"]["grade"], Value::Null);
    let reason = row["errors"]["grade"].as_str().unwrap();
    assert!(reason.starts_with("unreadable: ") && reason.contains("Both are nice."), "{reason}");
    // Each is asked twice.
    assert_eq!(summary["ledger"]["total"]["calls"], 6);
}

#[test]
fn a_killed_run_pays_for_nothing_twice() {
    let script = "{seed: 1, latency: {mean_ms: 30}, models: {m: {judge: {}}}}";
    let server = serve(script);
    let folder = Folder::new();
    let models =
        format!("models: {{judge: {{url: \"{}\", model: m, concurrency: 4}}}}\n", server.url());
    folder
        .write("s.yaml", models + "judge: {use: judge.pairwise, order: single}")
        .write("p.jsonl", pairs(200));
    for wait in [300, 500, 700] {
        let mut child = folder
            .command("judge s.yaml p.jsonl -o j.jsonl")
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let before = server.stats();
    assert!(before.requests > 4 && before.requests < 200, "{before:?}");
    folder.run("judge s.yaml p.jsonl -o j.jsonl").ok();
    assert_eq!(folder.rows("j.jsonl").len(), 200);
    let stats = server.stats();
    // At each kill at most the four calls in flight were lost; an answer on its way then was not received.
    assert!(stats.answered_again <= 12, "{stats:?}");
    assert_eq!(stats.distinct, 200);
}

#[test]
fn faults_of_the_server_cost_time_and_no_verdict() {
    let script = "{seed: 1, models: {m: {judge: {sensitivity: 40, noise: 0}}}, faults: [\
        {fault: drop, probability: 0.1}, {fault: busy, probability: 0.1, retry_after: 0}, {fault: error, probability: 0.1}, \
        {fault: malformed, probability: 0.05}, {fault: cut, probability: 0.05}, {fault: html, probability: 0.02}]}";
    let server = serve(script);
    let folder = Folder::new();
    folder
        .write("s.yaml", spec(&server, "judge: {use: judge.pairwise, order: single}"))
        .write("p.jsonl", pairs(100));
    let ran = folder.run("judge s.yaml p.jsonl -o j.jsonl").ok();
    assert!(ran.out.contains("agreement  100 of 100"), "{}", ran.out);
    assert!(ran.out.contains("repeated"), "{}", ran.out);
    assert!(server.stats().faults.values().sum::<u64>() > 10);
}

#[test]
fn limits_end_the_asking() {
    let server = serve(SHARP);
    let folder = Folder::new();
    folder
        .write(
            "s.yaml",
            spec(&server, "limits: {calls: 10}\njudge: {use: judge.pairwise, order: single}"),
        )
        .write("p.jsonl", pairs(30));
    let ran = folder.run("judge s.yaml p.jsonl -o j.jsonl").ok();
    assert!(
        ran.out.contains("agreement  10 of 30") && ran.out.contains("20 budget"),
        "{}",
        ran.out
    );
    assert_eq!(server.stats().requests, 10);
    // Pairs that were not judged are left out of the ratings, and that is said.
    let board = folder.run("rank j.jsonl").ok();
    let said = board.out + &board.err;
    assert!(said.contains("20 rows without an outcome"), "{said}");
}

#[test]
fn a_dry_run_asks_nobody() {
    let server = serve(SHARP);
    let folder = Folder::new();
    folder
        .write("s.yaml", spec(&server, "judge: {use: judge.pairwise, order: both}"))
        .write("p.jsonl", pairs(20));
    let ran = folder.run("judge s.yaml p.jsonl -o j.jsonl --dry-run").ok();
    assert!(ran.out.contains("40 calls, 0 more are in the cache"), "{}", ran.out);
    assert_eq!(
        (server.stats().requests, folder.has("j.jsonl"), folder.has(".guerdon")),
        (0, false, false)
    );
    // Entries that share a model and speak differently do not get into each other's way.
    let two = format!(
        "cache: off\nmodels:\n  judge: {{url: \"{0}\", model: m}}\n  reward: {{url: \"{0}\", model: m, api: classify}}\nsignals:\n  \
         a: {{use: judge.pointwise, model: judge}}\n  b: {{use: judge.reward_model, model: reward}}\n",
        server.url()
    );
    folder.write("two.yaml", two).write("r.jsonl", rollouts(1, 3));
    let ran = folder.run("score two.yaml r.jsonl --dry-run --output-format json").ok();
    let value: Value = serde_json::from_str(&ran.out).unwrap();
    let calls = |k: usize| value["lines"][k]["tally"]["calls"].as_u64();
    assert_eq!((calls(0), calls(1), server.stats().requests), (Some(3), Some(3), 0), "{value}");
    let who = folder.read("two.yaml").replace("model: judge}", "model: judge, profile: who}");
    let told = folder.write("who.yaml", who).run("check who.yaml").ok().out;
    assert!(told.contains("judge.pointwise (asks judge, reads who)"), "{told}");
    folder.run("judge s.yaml p.jsonl -o j.jsonl").ok();
    let ran = folder.run("judge s.yaml p.jsonl --dry-run").ok();
    assert!(ran.out.contains("0 calls, 40 more are in the cache"), "{}", ran.out);
}

#[test]
fn mistakes_about_models_are_found_before_anyone_is_asked() {
    let folder = Folder::new();
    let fails = |text: &str, expect: &str| {
        let ran = folder.write("s.yaml", text).run("check s.yaml");
        assert!(ran.err.contains(expect), "{expect:?} is not in:\n{}", ran.err);
    };
    let model = "models: {good: {url: 'http://127.0.0.1:1/v1', model: m}}\n";
    fails("judge: {use: judge.pairwise}", "the spec names none");
    fails(&format!("{model}judge: {{use: judge.pairwise, model: god}}"), "did you mean `good`?");
    fails(&format!("{model}judge: {{use: verify.math}}"), "here stands a method that asks a model");
    fails(
        &format!("{model}signals: {{a: {{use: verify.length, model: good}}}}"),
        "is for methods that ask a model",
    );
    fails(
        &format!("{model}judge: {{use: judge.pointwise, prompt: {{user: missing.j2}}}}"),
        "cannot read the template",
    );
    fails(
        "models: {good: {url: 'http://127.0.0.1:1/v1', model: m, key_env: sk-123456789012345678901234}}\njudge: judge.pairwise",
        "key_env",
    );
}

#[test]
fn prompts_can_be_read_and_replaced() {
    let server =
        serve("{models: {m: {scripted: {rules: [{when: 'Rate it', reply: 'Score: 3'}]}}}}");
    let folder = Folder::new();
    let built_in = folder.run("methods judge.pointwise --prompt").ok().out;
    assert!(built_in.contains("{{ reply_format }}"), "{built_in}");
    folder
        .write("s.yaml", spec(&server, "judge: {use: judge.pointwise, prompt: {user: own.j2}}"))
        .write("own.j2", "Rate it: {{ response }}\n{{ reply_format }}")
        .write("r.jsonl", rollouts(1, 2));
    assert!(folder.run("judge s.yaml r.jsonl -o o.jsonl").ok().out.contains("mean       3.000"));
}

/// The example of the book, at a free port.
#[test]
fn the_example_runs() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/judge"));
    let server = Server::start(Script::read(&root.join("models.yaml")).unwrap()).unwrap();
    let folder = Folder::new();
    let text = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    folder
        .write("judge.yaml", text("judge.yaml").replace("http://127.0.0.1:8399/v1", &server.url()))
        .write("pairs.jsonl", text("pairs.jsonl"));
    let ran = folder.run("judge judge.yaml pairs.jsonl -o judged.jsonl --output-format json").ok();
    let summary: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(summary["rows"], 12);
    assert!(summary["agreement"]["share"].as_f64().unwrap() > 0.6, "{summary}");
    let board = folder.run("rank judged.jsonl").ok().out;
    assert!(board.find("alder").unwrap() < board.find("birch").unwrap(), "{board}");
}

#[test]
fn reward_models_are_asked_in_every_contract() {
    let server = serve("{models: {m: {reward: {noise: 0}}}}");
    let root = server.url().replace("/v1", "");
    let folder = Folder::new();
    folder.write("r.jsonl", rollouts(2, 3));
    for (api, url) in [
        ("classify", server.url()),
        ("pooling", server.url()),
        ("embeddings", server.url()),
        ("openrlhf", format!("{root}/get_reward")),
    ] {
        let spec = format!(
            "cache: off\nmodels: {{m: {{url: \"{url}\", model: m, api: {api}}}}}\nsignals: {{r: {{use: judge.reward_model, take: first}}}}\n"
        );
        folder.write("s.yaml", spec).run("score s.yaml r.jsonl -o o.jsonl").ok();
        let values: Vec<f64> =
            folder.rows("o.jsonl").iter().map(|r| r["reward"].as_f64().unwrap()).collect();
        assert!(values[0] < values[1] && values[1] < values[2], "{api}: {values:?}");
    }
}
