//! Languages besides Python, each where its tools are installed.

mod common;

use common::{letters, quick, sandbox, start, stdio};
use guerdon_sandbox::{Config, Runner, Task};

const CPP: &str = "#include <bits/stdc++.h>\nint main() { long a, b; std::cin >> a >> b; std::cout << a + b << std::endl; }";
const RUST: &str = "use std::io::Read;\nfn main() { let mut s = String::new(); std::io::stdin().read_to_string(&mut s).unwrap(); println!(\"{}\", s.split_whitespace().map(|x| x.parse::<i64>().unwrap()).sum::<i64>()); }";
const JAVASCRIPT: &str = "const s = require('fs').readFileSync(0, 'utf8');\nconsole.log(s.split(/\\s+/).filter(x => x).map(Number).reduce((a, b) => a + b, 0));";
const BASH: &str = "read a b\necho $((a + b))";

#[track_caller]
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn gives(task: &Task, expected: &str) {
    let Some(sandbox) = sandbox() else { return };
    match sandbox.run(task) {
        Ok(outcome) => assert_eq!(letters(&outcome.tests), expected, "{:?}", outcome.tests),
        Err(e) if e.is_unavailable() => eprintln!("skipped: {e}"),
        Err(e) => panic!("{e}"),
    }
}

fn sums(language: &str, source: &str) {
    gives(&stdio(language, source, &[("1 2\n", "3\n"), ("4 5", "9"), ("1 1", "3")]), "PPW");
}

#[test]
fn cpp() {
    sums("cpp", CPP);
    gives(&stdio("cpp", "int main() { return 0 }", &[("", ""), ("", "")]), "CC");
    gives(
        &stdio(
            "cpp",
            "#include <stdexcept>\nint main() { throw std::runtime_error(\"x\"); }",
            &[("", "")],
        ),
        "K",
    );
    gives(&quick(stdio("cpp", "int main() { for (;;); }", &[("", "")])), "T");
    gives(
        &stdio(
            "cpp",
            "#include <vector>\nint main() { std::vector<char> v(1L << 40); }",
            &[("", "")],
        ),
        "M",
    );
    gives(
        &quick(stdio("cpp", "#include <unistd.h>\nint main() { for (;;) fork(); }", &[("", "")])),
        "T",
    );
    gives(&stdio("cpp", "#include <cstdlib>\nint main() { exit(0); }", &[("", "3")]), "W");
    gives(
        &stdio(
            "cpp",
            "#include <cstdio>\nint main() { for (;;) puts(\"xxxxxxxxxxxxxxxx\"); }",
            &[("", "")],
        ),
        "O",
    );
}

#[test]
fn a_compiler_bomb_is_ended() {
    let Some(_) = sandbox() else { return };
    let nested = "#include <cstdio>\ntemplate<int N> struct A { static const long v = A<N-1>::v + A<N-2>::v * A<N-1>::w; static const long w = 1; };\nint a[1u << 30] = {1};\nint main() { puts(\"\"); }";
    gives(&stdio("cpp", nested, &[("", "3")]), "C");
    gives(&stdio("cpp", "#include \"/dev/zero\"\nint main() {}", &[("", "3")]), "C");
}

#[test]
fn rust() {
    sums("rust", RUST);
    gives(&stdio("rust", "fn main() { let x: i32 = \"\"; }", &[("", "")]), "C");
    gives(&stdio("rust", "fn main() { panic!(\"x\"); }", &[("", "")]), "E");
}

#[test]
fn javascript() {
    sums("javascript", JAVASCRIPT);
    gives(&stdio("javascript", "throw new Error('x')", &[("", "")]), "E");
    gives(&stdio("javascript", "process.exit(0)", &[("", "1")]), "W");
    gives(&quick(stdio("javascript", "for (;;);", &[("", "")])), "T");
}

#[test]
fn bash() {
    sums("bash", BASH);
    gives(&stdio("bash", "exit 3", &[("", "")]), "E");
    gives(
        &stdio(
            "bash",
            "kill -9 -1; kill -9 1; ls /root /work /home 2>/dev/null; true",
            &[("", "x")],
        ),
        "W",
    );
}

#[test]
fn a_language_of_the_user() {
    let runner = Runner {
        file: "main.awk".into(),
        compile: Vec::new(),
        run: ["awk", "-f", "{file}"].map(str::to_owned).to_vec(),
        prefix: Vec::new(),
        address_space: true,
        memory_marks: Vec::new(),
    };
    let missing = Runner { run: vec!["no-such-tool".into()], ..runner.clone() };
    let runners = [("awk".to_owned(), runner), ("missing".to_owned(), missing)].into();
    let Some(sandbox) = start(Config { runners, ..common::config() }) else { return };
    let outcome = sandbox.run(&stdio("awk", "{ print $1 + $2 }", &[("1 2\n", "3\n")]));
    assert!(outcome.is_ok_and(|o| o.all_passed()));
    let error = sandbox.run(&stdio("missing", "", &[("", "")])).expect_err("no such tool");
    assert!(error.is_unavailable() && error.to_string().contains("no-such-tool"), "{error}");
}
