//! A run that is killed goes on where it was and ends with the bytes of an uninterrupted one.

mod support;

use std::time::{Duration, Instant};

use support::{Folder, RECORDED, recorded};

/// A spec with state: running moments make every batch depend on all before it.
const STATEFUL: &str = "\
signals: {r: {use: verify.column, column: r}}
reward: [{use: shape.normalize, over: running}]
advantage: {use: advantage.grpo}
";

fn killed_and_resumed(spec: &str, output: &str) {
    let whole = Folder::new();
    whole.write("s.yaml", spec).write("r.jsonl", recorded(8_000, 8));
    whole.run(&format!("score s.yaml r.jsonl -o {output} --report o.html")).ok();
    for wait in [30, 200, 500] {
        let folder = Folder::new();
        folder.write("s.yaml", spec).write("r.jsonl", recorded(8_000, 8));
        let mut child = folder
            .command(&format!("score s.yaml r.jsonl -o {output} --report o.html"))
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        folder.run(&format!("score s.yaml r.jsonl -o {output} --report o.html")).ok();
        let bytes = |f: &Folder, name: &str| std::fs::read(f.0.join(name)).unwrap();
        assert!(bytes(&folder, output) == bytes(&whole, output), "killed after {wait} ms");
        assert!(
            bytes(&folder, "o.html") == bytes(&whole, "o.html"),
            "the report, killed after {wait} ms"
        );
        assert!(!folder.has(&format!("{output}.partial")));
        assert!(!folder.has(&format!("{output}.partial.journal")));
    }
}

#[test]
fn killed_at_any_moment() {
    killed_and_resumed(RECORDED, "o.jsonl");
}

#[test]
fn the_state_of_online_transforms_is_kept() {
    killed_and_resumed(STATEFUL, "o.jsonl.gz");
}

#[test]
fn another_spec_starts_anew() {
    let folder = Folder::new();
    folder.write("s.yaml", RECORDED).write("r.jsonl", recorded(8_000, 8));
    let mut child = folder
        .command("score s.yaml r.jsonl -o o.jsonl")
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !folder.has("o.jsonl.partial.journal")
        && start.elapsed() < Duration::from_secs(20)
        && child.try_wait().unwrap().is_none()
    {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    child.wait().unwrap();
    folder.write("s.yaml", "signals: {r: {use: verify.column, column: r}}\n");
    folder.run("score s.yaml r.jsonl -o o.jsonl").ok();
    assert_eq!(folder.rows("o.jsonl")[0]["advantage"], serde_json::Value::Null);
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_with_a_word_and_loses_nothing() {
    let folder = Folder::new();
    folder.write("s.yaml", RECORDED).write("r.jsonl", recorded(8_000, 8));
    let child = folder
        .command("score s.yaml r.jsonl -o o.jsonl")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(150));
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let ran = support::Ran::from(child.wait_with_output().unwrap());
    // A machine fast enough to be done before the signal has nothing to stop.
    if ran.code != Some(0) {
        ran.fails(130, &["stopped after", "run the same command again"]);
        assert!(!folder.has("o.jsonl"));
        folder.run("score s.yaml r.jsonl -o o.jsonl").ok();
    }
    assert_eq!(folder.read("o.jsonl").lines().count(), 64_000);
}
