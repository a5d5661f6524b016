//! Without isolation, when the user accepts that: the judge is as strict, the machine is not safe.

mod common;

use common::{asserts, calls, config, letters, quick, stdio};
use guerdon_sandbox::{Config, Sandbox};

fn unsafe_sandbox() -> Sandbox {
    let config =
        Config { bwrap: Some("/no/such/bwrap".into()), unsafe_no_sandbox: true, ..config() };
    Sandbox::new(config).expect("Python alone is enough")
}

#[test]
fn tests_are_judged_as_in_isolation() {
    let sandbox = unsafe_sandbox();
    assert!(!sandbox.is_isolated());
    let cases = [
        (asserts("def f(x): return x", &["assert f(1) == 1", "assert f(1) == 2"]), "PW"),
        (asserts("import os\nos._exit(0)", &["assert f(1) == 1"]), "E"),
        (quick(asserts("def f(x):\n    while True: pass", &["assert f(1) == 1"])), "T"),
        (calls("def f(x): return x", "f", &[("[1]", "1")]), "P"),
        (stdio("python", "print(input())", &[("a", "a"), ("b", "a")]), "PW"),
        (
            quick(stdio(
                "python",
                "import os, time\nos.fork()\nprint('a')\ntime.sleep(99)",
                &[("", "a")],
            )),
            "T",
        ),
        (stdio("bash", "read x; echo $x", &[("a", "a")]), "P"),
    ];
    for (task, expected) in &cases {
        let outcome = sandbox.run(task).expect("a valid task");
        assert_eq!(letters(&outcome.tests), *expected, "{:?}", outcome.tests);
    }
}
