//! Recorded benchmark data: solutions pass, mutated and cheating ones fail.
//!
//! A seeded sample by default; everything with `GUERDON_SANDBOX_ALL=1`. The data is not part of
//! the repository; without it the tests skip.

#![allow(clippy::print_stderr, reason = "skips and counts are reported")]

mod common;

use std::path::PathBuf;

use common::{asserts, calls, check, letters, sandbox};
use guerdon_sandbox::{CallCase, Compare, Limits, StdioCase, Task, Tests};
use serde_json::Value;

fn rows(name: &str) -> Vec<Value> {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/code");
    let path = PathBuf::from(dir).join(format!("code_eval_{name}.jsonl"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no {}", path.display());
        return Vec::new();
    };
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

fn is_full() -> bool {
    std::env::var_os("GUERDON_SANDBOX_ALL").is_some()
}

/// `count` of `items`, chosen by a fixed seed, in their order; all of them in a full run.
fn sample<T>(items: Vec<T>, count: usize) -> Vec<T> {
    if is_full() || items.len() <= count {
        return items;
    }
    let mut state = 0x9E37_79B9_u64;
    let mut keyed: Vec<(u64, usize, T)> = items
        .into_iter()
        .enumerate()
        .map(|(i, item)| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
            (state >> 33, i, item)
        })
        .collect();
    keyed.sort_by_key(|(key, ..)| *key);
    keyed.truncate(count);
    keyed.sort_by_key(|(_, i, _)| *i);
    keyed.into_iter().map(|(.., item)| item).collect()
}

fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_else(|| panic!("no {key} in {row}")).to_owned()
}

fn json_in(row: &Value, key: &str) -> Value {
    serde_json::from_str(&text(row, key)).expect("JSON in a text")
}

/// `name` answers, but each answer is changed into another of its type.
fn mutated(source: &str, name: &str) -> String {
    format!(
        "{source}
_honest = {name}
def {name}(*args):
    r = _honest(*args)
    if isinstance(r, bool): return not r
    if isinstance(r, (int, float, complex)): return r + 1
    if isinstance(r, str): return r + 'x'
    if isinstance(r, bytes): return r + b'x'
    if isinstance(r, list): return r + [None]
    if isinstance(r, tuple): return r + (None,)
    if isinstance(r, dict): return {{**r, 'no such key': 0}}
    if isinstance(r, set): return r ^ {{'no such member'}}
    return 0 if r is None else None
"
    )
}

/// Runs the tasks; `expected` says whether all tests of each pass, or none of them.
#[track_caller]
fn run(what: &str, tasks: &[Task], expected: bool) {
    let Some(sandbox) = sandbox() else { return };
    let mut tests = 0;
    for (task, outcome) in tasks.iter().zip(sandbox.run_many(tasks)) {
        let outcome = outcome.expect("a valid task");
        tests += outcome.tests.len();
        let wanted = if expected { outcome.tests.len() } else { 0 };
        let said = letters(&outcome.tests);
        assert_eq!(
            outcome.passed(),
            wanted,
            "{what}: {said}\n{}\n{:?}",
            task.source,
            outcome.tests
        );
    }
    eprintln!("{what}: {} tasks, {tests} tests", tasks.len());
}

fn mbpp(row: &Value, source: &str) -> Task {
    let list: Vec<String> = serde_json::from_value(row["test_list"].clone()).expect("texts");
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    let mut task = asserts(source, &list);
    if let Tests::Asserts { setup, .. } = &mut task.tests {
        *setup = text(&row["labels"], "test_setup_code");
    }
    task
}

#[test]
fn mbpp_solutions() {
    let rows = sample(rows("mbpp"), 8);
    let solution = |row: &Value| text(row, "canonical_solution");
    let honest: Vec<_> = rows.iter().map(|row| mbpp(row, &solution(row))).collect();
    run("mbpp, canonical", &honest, true);
    let wrong: Vec<_> =
        rows.iter().map(|row| mbpp(row, &mutated(&solution(row), &called(row)))).collect();
    run("mbpp, mutated", &wrong, false);
    let cheats: Vec<_> = rows.iter().map(|row| mbpp(row, "import os\nos._exit(0)")).collect();
    run("mbpp, exit", &cheats, false);
}

/// The function that the first assert of a row calls.
fn called(row: &Value) -> String {
    let first = row["test_list"][0].as_str().expect("an assert");
    let call = first.trim_start_matches("assert").trim_start();
    call.split('(').next().expect("a call").to_owned()
}

#[test]
fn cruxeval_solutions() {
    let rows = sample(rows("cruxeval"), 8);
    let task = |row: &Value, source: String| {
        let (input, output) = (text(row, "input"), text(row, "output"));
        asserts(&source, &[&format!("assert f({input}) == {output}")])
    };
    let honest: Vec<_> = rows.iter().map(|row| task(row, text(row, "code"))).collect();
    run("cruxeval, canonical", &honest, true);
    let wrong: Vec<_> =
        rows.iter().map(|row| task(row, mutated(&text(row, "code"), "f"))).collect();
    run("cruxeval, mutated", &wrong, false);
}

const CLOSE: &str = "def has_close_elements(numbers, threshold):
    s = sorted(numbers)
    return any(b - a < threshold for a, b in zip(s, s[1:]))
";
const GROUPS: &str = "def separate_paren_groups(text):
    out, depth, start = [], 0, 0
    text = text.replace(' ', '')
    for i, c in enumerate(text):
        depth += 1 if c == '(' else -1
        if depth == 0:
            out.append(text[start:i + 1])
            start = i + 1
    return out
";

/// The recorded "canonical" solutions of this file are traps that exit with 0.
#[test]
fn humaneval_traps_and_solutions() {
    let rows: Vec<_> = rows("humanevalds_v1_en")
        .into_iter()
        .filter(|row| json_in(row, "labels")["programming_language"] == "python")
        .collect();
    let names = ["has_close_elements", "separate_paren_groups"];
    let task = |row: &Value, name: &str, source: String| {
        check(&source, &text(&json_in(row, "test"), "code"), name)
    };
    let each = |f: &dyn Fn(usize) -> String| -> Vec<Task> {
        rows.iter().enumerate().map(|(i, row)| task(row, names[i], f(i))).collect()
    };
    run("humaneval, traps", &each(&|i| text(&rows[i], "canonical_solution")), false);
    run("humaneval, solutions", &each(&|i| [CLOSE, GROUPS][i].to_owned()), true);
    run("humaneval, mutated", &each(&|i| mutated([CLOSE, GROUPS][i], names[i])), false);
}

#[test]
fn palmath_solutions() {
    let rows = sample(rows("palmath"), 8);
    let task = |row: &Value, source: String| {
        let answer = text(&json_in(row, "canonical_solution"), "answer");
        calls(&source, "solution", &[("[]", &format!("{answer:?}"))])
    };
    let source = |row: &Value| text(&json_in(row, "canonical_solution"), "code");
    let honest: Vec<_> = rows.iter().map(|row| task(row, source(row))).collect();
    run("palmath, canonical", &honest, true);
    let wrong: Vec<_> =
        rows.iter().map(|row| task(row, mutated(&source(row), "solution"))).collect();
    run("palmath, mutated", &wrong, false);
}

fn contest_cases(row: &Value) -> Vec<StdioCase> {
    let cases = json_in(row, "test");
    let case = |case: &Value| StdioCase {
        stdin: text(&case["input"], "stdin"),
        stdout: text(&case["output"], "stdout"),
    };
    cases.as_array().expect("a list").iter().map(case).collect()
}

fn contest(source: String, cases: Vec<StdioCase>) -> Task {
    let limits = Limits { total_wall_s: 600.0, ..common::limits() };
    // The recorded answers differ from the programs' in leading white space.
    let tests = Tests::Stdio { cases, compare: Compare::Words, float_tolerance: None };
    Task { limits: Some(limits), ..Task::python(source, tests) }
}

/// A program that knows every answer; `change` is applied to what it prints.
fn oracle(cases: &[StdioCase], change: &str) -> String {
    let table: Value = cases
        .iter()
        .map(|c| (c.stdin.clone(), Value::from(c.stdout.clone())))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let table = serde_json::to_string(&table.to_string()).expect("text");
    format!(
        "import sys, json\nanswer = json.loads({table})[sys.stdin.read()]\nsys.stdout.write({change})\n"
    )
}

#[test]
fn contests_by_an_oracle() {
    let rows = sample(rows("code_contests"), 10);
    let tasks = |change: &str| -> Vec<Task> {
        rows.iter()
            .map(|row| {
                let mut seen = std::collections::BTreeSet::new();
                let mut cases = contest_cases(row);
                cases.retain(|c| !c.stdout.trim().is_empty() && seen.insert(c.stdin.clone()));
                let cases = sample(cases, 4);
                contest(oracle(&cases, change), cases)
            })
            .collect()
    };
    run("contests, oracle", &tasks("answer"), true);
    run("contests, oracle and a word more", &tasks("answer.rstrip() + ' x'"), false);
    run("contests, oracle but the last character", &tasks("answer.rstrip()[:-1]"), false);
}

/// Solutions of our own to six of the problems, by the problem's place in the file.
const SOLUTIONS: &[(usize, &str)] = &[
    (
        2,
        "from collections import deque
s = input().strip()
where = {}
for i, c in enumerate(s): where.setdefault(c, []).append(i)
dist = {0: 0}
queue = deque([0])
while queue:
    i = queue.popleft()
    for j in [i - 1, i + 1] + where.pop(s[i], []):
        if 0 <= j < len(s) and j not in dist:
            dist[j] = dist[i] + 1
            queue.append(j)
print(dist[len(s) - 1])
",
    ),
    (
        3,
        "from collections import Counter
n = int(input())
a = Counter(input().strip() for _ in range(n))
b = Counter(input().strip() for _ in range(n))
print(sum((a - b).values()))
",
    ),
    (
        9,
        "import sys
data = list(map(int, sys.stdin.read().split()))
n, k = data[:2]
parent = list(range(n + 1))
def find(x):
    while parent[x] != x:
        parent[x] = parent[parent[x]]
        x = parent[x]
    return x
for i in range(n - 1):
    u, v, c = data[2 + 3 * i:5 + 3 * i]
    if c == 0: parent[find(u)] = find(v)
size = {}
for x in range(1, n + 1): size[find(x)] = size.get(find(x), 0) + 1
m = 10 ** 9 + 7
print((pow(n, k, m) - sum(pow(s, k, m) for s in size.values())) % m)
",
    ),
    (
        12,
        "from collections import Counter
n, size = map(int, input().split())
counts = [c for _, c in sorted(Counter(input().split()).items(), key=lambda p: int(p[0]))]
bits = min(8 * size // n, 30)
keep = min(1 << bits, len(counts))
window = best = sum(counts[:keep])
for i in range(keep, len(counts)):
    window += counts[i] - counts[i - keep]
    best = max(best, window)
print(n - best)
",
    ),
    (
        14,
        "for _ in range(int(input())):
    n, r = map(int, input().split())
    xs = sorted(set(map(int, input().split())), reverse=True)
    shots = 0
    for x in xs:
        if x - shots * r <= 0: break
        shots += 1
    print(shots)
",
    ),
    (
        17,
        "n, m = input().strip(), input().strip()
d = sorted(n)
if d[0] == '0' and len(d) > 1:
    i = next((i for i, c in enumerate(d) if c != '0'), 0)
    d[0], d[i] = d[i], d[0]
print('OK' if ''.join(d) == m else 'WRONG_ANSWER')
",
    ),
];

#[test]
fn contests_by_solutions() {
    let rows = rows("code_contests");
    if rows.is_empty() {
        return;
    }
    let tasks = |change: &dyn Fn(&str) -> String| -> Vec<Task> {
        SOLUTIONS
            .iter()
            .map(|(i, source)| contest(change(source), sample(contest_cases(&rows[*i]), 6)))
            .collect()
    };
    run("contests, solutions", &tasks(&str::to_owned), true);
    run("contests, exit", &tasks(&|_| "import sys; sys.exit(0)".to_owned()), false);
    let wrong = |source: &str| format!("{source}print(0)\n");
    run("contests, solutions and a line more", &tasks(&wrong), false);
}

/// The archive of the row, unpacked outside the sandbox without unpickling it.
fn live_cases(row: &Value) -> Value {
    let script = "import sys, zlib, base64
data = zlib.decompress(base64.b64decode(sys.argv[1]))
sys.stdout.buffer.write(data[data.index(b'{\"inputs\"'):data.rindex(b'}') + 1])";
    let output = std::process::Command::new("python3")
        .args(["-c", script, &text(row, "test")])
        .output()
        .expect("python3");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

const LIVE: [&str; 3] = [
    "for _ in range(int(input())):\n    s = input().strip()\n    print('YES' if sum(a != b for a, b in zip(s, 'abc')) in (0, 2) else 'NO')\n",
    "class Solution:\n    def countSeniors(self, details):\n        return sum(int(d[11:13]) > 60 for d in details)\n",
    "n, s = int(input()), input().strip()\nt, a = s.count('T'), s.count('A')\nprint('T' if t > a or (t == a and s[-1] == 'A') else 'A')\n",
];

fn live_task(row: &Value, source: &str) -> Task {
    let data = live_cases(row);
    let pairs = data["inputs"]
        .as_array()
        .expect("a list")
        .iter()
        .zip(data["outputs"].as_array().expect("a list"));
    let of = |v: &Value| v.as_str().expect("text").to_owned();
    let tests = match data["fn_name"].as_str() {
        Some(function) => Tests::Calls {
            function: function.to_owned(),
            cases: pairs
                .map(|(input, output)| CallCase {
                    args: of(input)
                        .lines()
                        .map(|l| serde_json::from_str(l).expect("JSON"))
                        .collect(),
                    expected: serde_json::from_str(&of(output)).expect("JSON"),
                })
                .collect(),
            float_tolerance: None,
        },
        None => Tests::Stdio {
            cases: pairs.map(|(i, o)| StdioCase { stdin: of(i), stdout: of(o) }).collect(),
            compare: Compare::Lines,
            float_tolerance: None,
        },
    };
    Task::python(source, tests)
}

#[test]
fn live_code_bench_traps_and_solutions() {
    let rows = rows("live_code_bench_v1");
    if rows.is_empty() {
        return;
    }
    let honest: Vec<_> = rows.iter().zip(LIVE).map(|(row, s)| live_task(row, s)).collect();
    run("live code bench, solutions", &honest, true);
    let traps: Vec<_> =
        rows.iter().map(|row| live_task(row, &text(row, "canonical_solution"))).collect();
    run("live code bench, traps", &traps, false);
}
