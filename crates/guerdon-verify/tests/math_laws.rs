//! What holds for every answer: symmetry, the reference law, and that degenerate answers earn nothing.

use guerdon_verify::math::{
    Budget, Extract, Options, Preset, Units, Verdict, equivalent, extract, fuzz, prepare, verify,
};

/// `SplitMix64`: a seeded stream without a crate.
struct Stream(u64);

impl Stream {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }
}

const ANSWERS: [&str; 62] = [
    "42",
    "-7",
    "0",
    "3.14",
    "1e5",
    "\\frac{1}{2}",
    "0.5",
    "50\\%",
    "\\$10",
    "10 dollars",
    "5\\text{ cm}",
    "90^\\circ",
    "1\\frac{1}{4}",
    "0.\\overline{3}",
    "101_2",
    "1,000",
    "1,22",
    "x",
    "2x+1",
    "x^2-1",
    "(x-1)(x+1)",
    "\\sqrt{8}",
    "2\\sqrt2",
    "\\pi",
    "e^{i\\pi}",
    "3+4i",
    "\\sin^2 x+\\cos^2 x",
    "\\ln 4",
    "2\\ln 2",
    "10!",
    "\\binom52",
    "x=2",
    "y=2",
    "2x=4",
    "x+y=1",
    "x=1-y",
    "f(x)=x^2",
    "x<2",
    "2>x",
    "1<x<2",
    "x\\ne1",
    "(1,2)",
    "[1,2]",
    "(-\\infty,1)",
    "\\mathbb{R}",
    "\\emptyset",
    "\\{1,2\\}",
    "1,2",
    "2,1",
    "\\pm2",
    "1\\pm\\sqrt2",
    "x\\in[1,2]",
    "3:4",
    "12:00",
    "\\begin{pmatrix}1\\\\2\\end{pmatrix}",
    "\\text{Evelyn}",
    "A",
    "\\text{(A)}",
    "\\infty",
    "-\\infty",
    "four",
    "March 5, 2023",
];

#[test]
fn equality_is_symmetric_and_reflexive() {
    for preset in [Preset::Guerdon, Preset::MathVerify] {
        for units in [Units::Ignore, Units::Lenient, Units::Compare] {
            let options = Options { preset, units, ..Options::default() };
            for a in ANSWERS {
                assert_eq!(equivalent(a, a, &options), Verdict::Equal, "{a}");
                for b in ANSWERS {
                    // Math-Verify's relations and sets are not symmetric; the preset keeps that.
                    if preset == Preset::Guerdon {
                        assert_eq!(
                            equivalent(a, b, &options),
                            equivalent(b, a, &options),
                            "{a} {b}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_verdict_does_not_depend_on_the_seed() {
    for a in ANSWERS {
        for b in ANSWERS {
            let of = |seed| equivalent(a, b, &Options { seed, ..Options::default() });
            assert_eq!(of(0), of(12_345), "{a} {b}");
        }
    }
}

#[test]
fn every_reference_is_its_own_answer() {
    for answer in ANSWERS {
        let completion = format!("Let me think.\n\nSo the result is $\\boxed{{{answer}}}$.");
        assert_eq!(verify(answer, &completion, &Options::default()), Verdict::Equal, "{answer}");
    }
}

#[test]
fn white_space_and_dollars_change_nothing() {
    let options = Options::default();
    for a in ANSWERS {
        for b in ANSWERS {
            let padded = format!("  {b} ");
            assert_eq!(equivalent(a, b, &options), equivalent(a, &padded, &options), "{a} {b}");
        }
    }
}

/// Texts that are no answer to anything.
const DEGENERATE: [&str; 27] = [
    "",
    " ",
    "\n\n",
    ":",
    ".",
    ",",
    "...",
    "?",
    "$$",
    "\\boxed{}",
    "\\boxed{ }",
    "\\boxed{:}",
    "\\boxed{.}",
    "\\boxed{",
    "\\boxed{42",
    "Thought process:",
    "Let's solve this step by step",
    "Solution",
    "reward: 42",
    "score=42",
    "<answer></answer>",
    "<answer>42",
    "The answer is",
    "The final answer is:",
    "####",
    "\\(\\)",
    "\u{200b}",
];

#[test]
fn degenerate_answers_earn_nothing() {
    for preset in [Preset::Guerdon, Preset::MathVerify] {
        let options = Options { preset, ..Options::default() };
        for reference in
            ["42", "A", "\\text{Evelyn}", "x+1", "(1,2)", "x=42", "1, 2", "\\emptyset", "0"]
        {
            for text in DEGENERATE {
                assert_ne!(
                    verify(reference, text, &options),
                    Verdict::Equal,
                    "{reference:?} {text:?}"
                );
            }
        }
    }
}

#[test]
fn many_answers_are_none() {
    let check = |completion: &str| {
        for reference in ["1", "2", "3", "4"] {
            let verdict = verify(reference, completion, &Options::default());
            assert_ne!(verdict, Verdict::Equal, "{reference} {completion}");
        }
    };
    check("\\boxed{1, 2, 3, 4}");
    check("\\boxed{1} or \\boxed{2} or \\boxed{3} or \\boxed{4}");
    check("\\boxed{\\{1,2,3,4\\}}");
    check("The answer is 1, 2, 3, 4.");
    check("The answer is 1 or 2 or 3 or 4.");
    check("<answer>1, 2, 3, 4</answer>");
    check("\\boxed{1=2=3=4=x}");
}

#[test]
fn of_two_boxes_the_last_counts_and_never_both() {
    let options = Options::default();
    let completion = "First I get \\boxed{41}. Wait, no.\n\nIt is \\boxed{42}.";
    assert_eq!(verify("42", completion, &options), Verdict::Equal);
    assert_eq!(verify("41", completion, &options), Verdict::Different);
    let hedge = "It is \\boxed{41} or \\boxed{42}.";
    assert_eq!(verify("42", hedge, &options), Verdict::Different);
    assert_eq!(verify("41", hedge, &options), Verdict::Different);
    assert_eq!(verify("41, 42", hedge, &options), Verdict::Equal);
}

#[test]
fn look_alikes_are_not_the_thing() {
    let check = |a: &str, b: &str| {
        assert_eq!(equivalent(a, b, &Options::default()), Verdict::Different, "{a} {b}");
    };
    check("A", "\u{410}");
    check("42", "4\u{200b}3");
    check("x", "\u{445}");
    check("1", "l");
    check("0", "O");
}

#[test]
fn one_reference_serves_many_completions() {
    let prepared = prepare("\\frac{1}{9}", &Options::default());
    assert_eq!(prepared.verify("\\boxed{1/9}"), Verdict::Equal);
    assert_eq!(prepared.verify("\\boxed{0.1111111}"), Verdict::Equal);
    assert_eq!(prepared.verify("\\boxed{1/8}"), Verdict::Different);
    assert_eq!(prepared.verify("no"), Verdict::NoAnswer);
}

#[test]
fn references_without_an_answer_say_so() {
    for reference in ["", " ", ":", "\\boxed{}", "####"] {
        let verdict = verify(reference, "\\boxed{1}", &Options::default());
        assert!(matches!(verdict, Verdict::BadReference(_)), "{reference:?} {verdict:?}");
    }
}

#[test]
fn candidates_tell_where_they_stand() {
    let text = "The answer is 3, i.e. \\boxed{4}.";
    let found = extract(text, &Options::default());
    assert_eq!(found[0].from, Extract::Boxed);
    assert_eq!(found[0].text, "4");
    assert_eq!(&text[found[0].span.0..found[0].span.1], "\\boxed{4}");
}

#[test]
fn the_completion_may_restate_the_question() {
    let options = Options::default();
    assert_eq!(verify("25", "\\boxed{a + b = 25}", &options), Verdict::Equal);
    assert_eq!(verify("a + b = 25", "\\boxed{25}", &options), Verdict::Different);
    assert_eq!(verify("4", "\\boxed{2x = 4}", &options), Verdict::Different);
}

#[test]
fn a_small_budget_is_a_verdict() {
    let budget = Budget { steps: 20, ..Budget::default() };
    let options = Options { budget, ..Options::default() };
    assert_eq!(equivalent("(x+1)^2", "x^2+2x+1", &options), Verdict::Budget("steps"));
}

const PIECES: [&str; 60] = [
    "\\frac",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\\{",
    "\\}",
    "|",
    "^",
    "_",
    "+",
    "-",
    "*",
    "/",
    "=",
    "<",
    ">",
    ",",
    ";",
    ":",
    "!",
    "%",
    "'",
    "&",
    "\\\\",
    " ",
    "\n",
    "$",
    "\\$",
    "\\left",
    "\\right",
    "\\sqrt",
    "\\sin",
    "\\log",
    "\\pm",
    "\\cup",
    "\\infty",
    "\\text{",
    "\\begin{pmatrix}",
    "\\end{pmatrix}",
    "\\sum",
    "\\boxed{",
    "and",
    "or",
    "x",
    "y",
    "f",
    "1",
    "23",
    "0.5",
    "1,000",
    "\\overline{3}",
    "\\pi",
    "e",
    "i",
    "\u{221a}",
    "\u{b2}",
    "\u{1d4b3}",
];

/// Random formulas made of the tokens that the reader knows, and mutations of real ones.
#[test]
fn random_inputs_neither_panic_nor_break_symmetry() {
    let mut stream = Stream(2026);
    let rounds = if cfg!(debug_assertions) { 6_000 } else { 60_000 };
    for _ in 0..rounds {
        let mut text = String::new();
        for _ in 0..stream.below(14) {
            text.push_str(stream.pick(&PIECES));
        }
        text.push('\n');
        if stream.below(2) == 0 {
            text.push_str(stream.pick(&ANSWERS));
        }
        for _ in 0..stream.below(6) {
            text.push_str(stream.pick(&PIECES));
        }
        fuzz(text.as_bytes());
    }
    for _ in 0..rounds {
        let mut bytes = stream.pick(&ANSWERS).as_bytes().to_vec();
        for _ in 0..=stream.below(4) {
            let at = stream.below(bytes.len().max(1)).min(bytes.len());
            match stream.below(3) {
                0 if at < bytes.len() => bytes[at] = u8::try_from(stream.below(256)).unwrap(),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.insert(at, u8::try_from(stream.below(128)).unwrap()),
            }
        }
        bytes.push(b'\n');
        bytes.extend_from_slice(stream.pick(&ANSWERS).as_bytes());
        fuzz(&bytes);
    }
}
