//! The report in a real browser.

mod support;

use std::path::Path;
use std::process::Command;

use guerdon_lab::serve_model::{Script, Server};
use serde_json::json;
use support::{Folder, RECORDED, recorded};

/// The page's document after its script has run; `None` where there is no Chromium.
fn rendered(page: &Path) -> Option<String> {
    let browser = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success())
    });
    let Some(browser) = browser else {
        #[allow(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!("skipped: Chromium is not installed");
        }
        return None;
    };
    let profile = page.with_extension("profile");
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
        ])
        .args([
            "--disable-component-update",
            "--disable-sync",
            "--disable-quic",
            "--virtual-time-budget=5000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn every_part_is_drawn() {
    let folder = Folder::new();
    folder.write(
        "s.yaml",
        format!(
            "{}monitors: {{mean: {{max: 1}}}}\n",
            RECORDED.replace("signals: {", "signals: {n: verify.length, ")
        ),
    );
    let spec = folder
        .read("s.yaml")
        .replace("advantage:", "reward: {use: shape.combine, weights: {r: 1, n: 0.1}}\nadvantage:");
    folder.write("s.yaml", spec).write(
        "r.jsonl",
        recorded(40, 6) + "{\"group\": \"last\", \"completion\": \"x\", \"r\": null}\n",
    );
    folder.run("score s.yaml r.jsonl --report r.html").ok();
    for word in ["https:", " src=", " href=", "url(", "@import"] {
        assert!(!folder.read("r.html").contains(word), "the page loads something: {word}");
    }
    let Some(page) = rendered(&folder.0.join("r.html")) else { return };
    for part in [
        "<h2>Monitors</h2>",
        "<h2>Signals</h2>",
        "<h2>Reward</h2>",
        "<h2>Groups</h2>",
        "What each signal contributes",
        "How the signals agree",
        "Over the file",
        "Lowest rewards (6)",
        "Unscored by r (1)",
    ] {
        assert!(page.contains(part), "{part:?} is not in the page");
    }
}

#[test]
fn texts_of_models_stay_texts() {
    let attack = "</script><img src=x onerror=\"document.title='owned'\"><!-- <script>document.title='owned'</script>";
    let folder = Folder::new();
    folder.write("s.yaml", RECORDED);
    let row = |r: f64| {
        json!({"id": attack, "group": attack, "prompt": attack, "completion": attack, "r": r})
            .to_string()
            + "\n"
    };
    folder.write("r.jsonl", row(0.0) + &row(1.0));
    folder.run("score s.yaml r.jsonl --report r.html").ok();
    let Some(page) = rendered(&folder.0.join("r.html")) else { return };
    assert!(page.contains("&lt;img src=x"), "the text is shown");
    assert!(!page.contains("<img"), "and is no markup");
    assert!(page.contains("<title>s — Guerdon report</title>"), "and ran nothing");
}

#[test]
fn the_words_of_a_judge_stand_beside_the_responses() {
    let script = "{models: {m: {scripted: {rules: [{when: 'unsure', reply: 'I cannot say.'}, {when: '', reply: '<b>Fine</b>.\n[[A]]'}]}}}}";
    let server = Server::start(Script::parse(script).unwrap()).unwrap();
    let folder = Folder::new();
    folder.write("s.yaml", format!("models: {{m: {{url: \"{}\", model: m, structured: off}}}}\njudge: {{use: judge.pairwise, retries: 0}}\n", server.url()));
    let row = |id: &str, prompt: &str| {
        json!({"id": id, "prompt": prompt, "response_a": "<script>alert(1)</script>", "response_b": "B", "label": "A>B"}).to_string() + "\n"
    };
    folder.write("p.jsonl", row("p0", "a question") + &row("p1", "an unsure one"));
    folder.run("judge s.yaml p.jsonl --report j.html").ok();
    for word in ["https:", " src=", " href=", "url(", "@import"] {
        assert!(!folder.read("j.html").contains(word), "the page loads something: {word}");
    }
    let Some(page) = rendered(&folder.0.join("j.html")) else { return };
    let (_, drawn) = page.split_once("<h1>").unwrap();
    for part in [
        "Against the labels (1)",
        "Without a judgement (1)",
        "the judge's words",
        "&lt;b&gt;Fine&lt;/b&gt;",
        "&lt;script&gt;alert(1)",
        "the prompt, word for word",
    ] {
        assert!(drawn.contains(part), "{part:?} is not in the page");
    }
}
