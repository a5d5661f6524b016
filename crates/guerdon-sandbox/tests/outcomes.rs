//! Honest code: right answers pass, wrong ones fail, and each failure is called by its name.

mod common;

use common::{asserts, calls, check, letters, quick, sandbox, stdio};
use guerdon_sandbox::{Limits, Scoring, Task, Tests};

/// Runs `task` and compares its outcomes, a letter each.
#[track_caller]
fn gives(task: &Task, expected: &str) {
    let Some(sandbox) = sandbox() else { return };
    let outcome = sandbox.run(task).expect("the task is valid");
    assert_eq!(letters(&outcome.tests), expected, "{:#?}\n{}", outcome.tests, task.source);
}

const ADD: &str = "def add(a, b):\n    return a + b\n";

#[test]
fn asserts_pass_and_fail_one_by_one() {
    gives(&asserts(ADD, &["assert add(1, 2) == 3", "assert add(1, 2) == 4"]), "PW");
    gives(&asserts("def add(a, b): return a / 0", &["assert add(1, 2) == 3"]), "E");
    gives(&asserts("def add(a, b: return", &["assert add(1, 2) == 3", "assert True"]), "EE");
    gives(&asserts("x = 1", &["assert add(1, 2) == 3"]), "E");
}

#[test]
fn check_functions() {
    let code =
        "def check(candidate):\n    for i in range(9):\n        assert candidate(i, i) == 2 * i\n";
    gives(&check(ADD, code, "add"), "P");
    gives(&check("def add(a, b): return 0", code, "add"), "W");
    gives(&check("def sub(a, b): return 0", code, "add"), "E");
}

#[test]
fn programs() {
    let sum = "print(sum(map(int, input().split())))";
    gives(&stdio("python", sum, &[("1 2\n", "3\n"), ("4 5", "9"), ("1 1", "3")]), "PPW");
    gives(&stdio("python", "import sys\nprint(3)\nsys.exit(1)", &[("", "3")]), "E");
    gives(&stdio("python", "import sys\nprint(3)\nsys.exit(0)", &[("", "3")]), "P");
    gives(&stdio("python", "if __name__ == '__main__':\n    print(3)", &[("", "3")]), "P");
    gives(
        &stdio(
            "python",
            "import threading\nthreading.Thread(target=lambda: print(3)).start()",
            &[("", "3")],
        ),
        "P",
    );
    gives(
        &stdio("python", "import atexit\natexit.register(print, 4)\nprint(3)", &[("", "3\n4")]),
        "P",
    );
}

#[test]
fn function_calls() {
    gives(&calls(ADD, "add", &[("[1, 2]", "3"), ("[1, 2]", "4"), ("[[1], [2]]", "[1, 2]")]), "PWP");
    let solution = "class Solution:\n    def twice(self, x):\n        return (x, x)";
    gives(
        &calls(
            solution,
            "twice",
            &[("[1]", "[1, 1]"), ("[{\"a\": 1}]", "[{\"a\": 1}, {\"a\": 1}]")],
        ),
        "PP",
    );
    gives(&calls("def f(x): return 1 // x", "f", &[("[0]", "0"), ("[1]", "1")]), "EP");
    gives(&calls("def g(x): return x", "f", &[("[0]", "0")]), "E");
    gives(
        &calls(
            "import os\ndef f(x):\n    if x: os._exit(0)\n    return 0",
            "f",
            &[("[1]", "0"), ("[0]", "0")],
        ),
        "EP",
    );
}

#[test]
fn limits_have_names() {
    let mut loops = asserts(
        "def f(x):\n    while x: pass\n    return x",
        &["assert f(0) == 0", "assert f(1) == 1", "assert f(0) == 0"],
    );
    loops.limits = Some(Limits { wall_s: 3.0, ..common::limits() });
    gives(&loops, "PTP");
    gives(&asserts("def f():\n    return len(bytearray(1 << 40))", &["assert f() == 1"]), "M");
    gives(&stdio("python", "x = bytearray(1 << 40)", &[("", "")]), "M");
    gives(&stdio("python", "while True: print('x' * 1000)", &[("", "")]), "O");
    gives(&quick(stdio("python", "while True: pass", &[("", "")])), "T");
    gives(&quick(stdio("python", "import time\ntime.sleep(100)", &[("", "")])), "T");
    gives(&asserts("def f(): return 'x' * (40 << 20)", &["assert f() == 1"]), "O");
    let spread =
        "import os, time\nfor _ in range(4): os.fork()\nx = bytearray(100 << 20)\ntime.sleep(9)";
    gives(&stdio("python", spread, &[("", "")]), "M");
    gives(&asserts("import ctypes\ndef f(): ctypes.string_at(0)", &["assert f() == 1"]), "K");
}

#[test]
fn values_of_many_types_cross() {
    let source = "\
from collections import Counter, namedtuple, deque, OrderedDict, defaultdict
from decimal import Decimal
from fractions import Fraction
import datetime
P = namedtuple('P', 'x y')
class Stack:
    def __init__(self): self.items = []
    def push(self, x): self.items.append(x)
    def pop(self):
        if not self.items: raise IndexError('empty')
        return self.items.pop()
    def __len__(self): return len(self.items)
class V:
    def __init__(self, x): self.x = x
    def __eq__(self, other): return self.x == other.x
    def __add__(self, other): return V(self.x + other.x)
def same(x): return x
def counter(s): return Counter(s)
def point(): return P(1, 2)
def gen(n):
    for i in range(n): yield i
def apply(f, xs): return [f(x) for x in xs]
def compose(f, g): return lambda x: f(g(x))
def raises(kind): raise {'v': ValueError, 'k': KeyError}[kind]('no')
def sum(a, b): return a * b
CONSTANT = 7
";
    let tests = [
        "assert same({1: (2, 3), 'a': {4}}) == {1: (2, 3), 'a': {4}}",
        "assert same(10**40) == 10**40 and same(-(1 << 63)) == -(1 << 63)",
        "import math\nassert math.isnan(same(float('nan'))) and same(float('inf')) == float('inf')",
        "assert same(1.1) == 1.1 and type(same(1.0)) is float and same(True) is True",
        "assert same(b'\\x00\\xff') == b'\\x00\\xff' and same(1j) == 1j and same(None) is None",
        "assert counter('aab') == {'a': 2, 'b': 1}",
        "assert point() == (1, 2)",
        "assert list(gen(3)) == [0, 1, 2] and 2 in gen(5)",
        "assert apply(lambda x: x * 2, [1, 2]) == [2, 4] and apply(str, [1]) == ['1']",
        "assert compose(lambda x: x + 1, lambda x: x * 2)(5) == 11",
        "s = Stack()\ns.push(1)\ns.push([2])\nassert len(s) == 2 and s.pop() == [2] and s.items == [1]",
        "try:\n    Stack().pop()\n    assert False\nexcept IndexError as e:\n    assert str(e) == 'empty'",
        "try:\n    raises('v')\n    assert False\nexcept ValueError:\n    pass",
        "assert V(1) + V(2) == V(3) and V(1) != V(2) and isinstance(V(1), V)",
        "from solution import CONSTANT, same as other\nassert CONSTANT == 7 and other(1) == 1",
        "assert same(range(3)) == range(3) and same('\\ud800') == '\\ud800'",
        "from fractions import Fraction\nassert same(Fraction(1, 3)) == Fraction(1, 3)",
        "from datetime import date\nassert same(date(2024, 1, 2)) == date(2024, 1, 2)",
        "assert abs(same(0.1) + 0.2 - 0.3) < 1e-9",
        "assert len({same(1), same(1)}) == 1",
    ];
    gives(&asserts(source, &tests), &"P".repeat(tests.len()));
    gives(&asserts(source, &["assert sum(3, 4) == 12", "assert sum(2, 2) == 4"]), "PP");
}

#[test]
fn a_builtin_stays_the_judges_own() {
    let source = "def f(x): return [3, 1]\ndef sorted(x): return [1]\ndef abs(x): return 0";
    gives(&asserts(source, &["assert sorted(f(1)) == sorted([7])"]), "W");
    gives(&asserts(source, &["assert abs(len(f(1)) - 9) < 1e-6"]), "W");
}

#[test]
fn scoring_decides_what_is_run() {
    let Some(sandbox) = sandbox() else { return };
    let mut task =
        asserts(ADD, &["assert add(1, 1) == 2", "assert add(1, 1) == 3", "assert add(1, 1) == 2"]);
    for (scoring, letters_expected, score) in [
        (Scoring::Partial, "PWP", 2.0 / 3.0),
        (Scoring::AllOrNothing, "PW-", 0.0),
        (Scoring::FirstK(1), "P--", 1.0),
        (Scoring::FirstK(2), "PW-", 0.5),
    ] {
        task.scoring = scoring;
        let outcome = sandbox.run(&task).expect("the task is valid");
        assert_eq!((letters(&outcome.tests).as_str(), outcome.score), (letters_expected, score));
    }
}

#[test]
fn invalid_tasks_are_errors_not_scores() {
    let Some(sandbox) = sandbox() else { return };
    let limits = Limits { memory_mb: 1, ..Limits::default() };
    let invalid = [
        (asserts(ADD, &[]), "no test"),
        (asserts(ADD, &["assert add(1, 2) == = 3"]), "SyntaxError"),
        (Task::new("cobol", "", stdio("", "", &[("", "")]).tests), "cobol"),
        (Task::new("cpp", "", asserts("", &["assert True"]).tests), "forged"),
        (Task { scoring: Scoring::FirstK(0), ..asserts(ADD, &["assert True"]) }, "first_k"),
        (Task { limits: Some(limits), ..asserts(ADD, &["assert True"]) }, "memory_mb"),
    ];
    for (task, word) in invalid {
        let error = sandbox.run(&task).expect_err(word);
        assert!(error.is_task() && error.to_string().contains(word), "{error}");
    }
}

#[test]
fn the_same_run_gives_the_same_text() {
    let Some(sandbox) = sandbox() else { return };
    let source = "import random\nprint(random.random(), list({'a', 'b', 'c', 'd'}), hash('x'))";
    let task = stdio("python", source, &[("", "")]);
    let first = sandbox.run(&task).expect("valid").tests;
    for _ in 0..5 {
        assert_eq!(sandbox.run(&task).expect("valid").tests, first);
    }
}

#[test]
fn a_task_is_yaml_shaped() {
    let text = r#"{"source": "x", "tests": {"kind": "check", "code": "c", "entry_point": "f"}, "scoring": {"first_k": 3}}"#;
    let task: Task = serde_json::from_str(text).expect("a task");
    assert_eq!((task.language.as_str(), task.scoring), ("python", Scoring::FirstK(3)));
    assert!(matches!(task.tests, Tests::Check { .. }));
    assert!(serde_json::from_str::<Task>(r#"{"sauce": "x"}"#).is_err());
    let schema = schemars::schema_for!(Task).to_value();
    assert!(schema["properties"]["source"]["description"].is_string());
}
