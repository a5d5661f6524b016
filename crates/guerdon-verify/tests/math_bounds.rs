//! No input costs more than its allowance, whatever it contains.

use std::time::{Duration, Instant};

use guerdon_verify::math::{Options, Verdict, equivalent, verify};

/// The promise is 50 ms in an optimised build; a debug build gets more.
const LIMIT: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1500 } else { 50 });

/// Time that this thread has spent on a processor, where the system tells.
fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn numbered(n: usize, part: impl Fn(usize) -> String) -> String {
    (0..n).map(part).collect::<Vec<_>>().concat()
}

/// Inputs of up to 64 KB made to hurt.
fn hostile() -> Vec<(&'static str, String)> {
    let n = 1 << 16;
    let fill = |unit: &str| unit.repeat(n / unit.len());
    let mut inputs = vec![
        ("digits", fill("9")),
        ("decimal digits", format!("0.{}", fill("1"))),
        ("tower", fill("9^")),
        ("braced tower", format!("{}9{}", "9^{".repeat(10_000), "}".repeat(10_000))),
        ("factorials", format!("9{}", fill("!"))),
        ("huge factorial", "99999999999999!".into()),
        ("huge exponent", "2^{99999999999999999999999999}".into()),
        ("huge float exponent", "1e999999999".into()),
        ("big factors", fill("2^{16000}*")),
        ("big terms", fill("2^{16000}+")),
        ("big quotients", fill("1/(2^{8000}+1)+")),
        ("harmonic", numbered(9000, |k| format!("1/{}+", k + 1))),
        ("primes under", numbered(3000, |k| format!("+1/{}", k * k + 1))),
        ("braces", fill("{")),
        ("closed braces", format!("{}1{}", "{".repeat(10_000), "}".repeat(10_000))),
        ("parentheses", fill("(")),
        ("brackets", fill("[")),
        ("bars", fill("|")),
        ("sets", fill("\\{")),
        ("fractions", fill("\\frac{1}{")),
        ("fractions without braces", fill("\\frac")),
        ("roots", fill("\\sqrt{")),
        ("signs", fill("-")),
        ("plus minus", fill("\\pm")),
        ("products", fill("xy")),
        ("sum", fill("x+")),
        ("symbols", numbered(9000, |k| format!("x_{{{k}}}+"))),
        ("list", fill("1,")),
        ("list of tuples", fill("(1,2),")),
        ("set", format!("\\{{{}1\\}}", numbered(10_000, |k| format!("{k},")))),
        ("union", fill("(1,2)\\cup")),
        ("intervals", numbered(4000, |k| format!("[{k},{k}.5]\\cup "))),
        ("inequalities", fill("x<1,")),
        ("chain", fill("x<")),
        ("relations", fill("x=")),
        ("matrix", format!("\\begin{{pmatrix}}{}\\end{{pmatrix}}", fill("1&"))),
        ("environments", fill("\\begin{pmatrix}")),
        ("texts", fill("\\text{")),
        ("nested texts", fill("\\text{1\\text{")),
        ("words", fill("meters ")),
        ("commas", fill(",")),
        ("dollars", fill("$")),
        ("formulas", fill("$1$,")),
        ("boxes", fill("\\boxed{1}, ")),
        ("open boxes", fill("\\boxed{")),
        ("answers", fill("answer is ")),
        ("ratios", fill("1:")),
        ("binomial", "\\binom{99999999}{4999999}".into()),
        ("sums", "\\sum_{i=1}^{4000}\\sum_{j=1}^{4000}\\sum_{k=1}^{4000} ijk".into()),
        ("gcd", format!("\\gcd({})", fill("2^{16000},"))),
        ("logarithm", "\\log_{2}(2^{16000}+1)".into()),
        ("modulus", "2^{16000} \\mod (2^{8000}+1)".into()),
        ("root of a long number", format!("\\sqrt{{{}}}", "7".repeat(4000))),
        ("functions", fill("\\sin ")),
        ("applications", fill("f(")),
        ("unicode", fill("√")),
        ("nulls", fill("\0")),
        ("accents", fill("e\u{301}")),
        ("backslashes", fill("\\")),
        ("repeating decimals", fill("0.(142857)+")),
        ("percents", format!("5{}", fill("%"))),
        ("subscripts", fill("x_")),
        ("primes", format!("f{}", fill("'"))),
        ("bases", format!("{}_2", "1".repeat(60_000))),
        ("half", fill("½")),
        ("powers of sums", "(x+y+z)^{99999999}".into()),
        ("nested powers of sums", format!("{}x{}", "(1+".repeat(60), ")^{99}".repeat(60))),
        ("escaped", fill("\\\\frac")),
    ];
    let megabyte = "9".repeat(1 << 20);
    inputs.push(("a megabyte of digits", megabyte));
    inputs.push(("a megabyte of braces", "{".repeat(1 << 20)));
    inputs.push(("a megabyte of boxes", "\\boxed{".repeat(1 << 17)));
    inputs
}

#[test]
fn hostile_inputs_end_in_time() {
    let options = Options::default();
    let mut slow = Vec::new();
    for (name, text) in hostile() {
        let boxed = format!("\\boxed{{{text}}}");
        let variants: [(&str, &str); 6] = [
            ("42", &text),
            (&text, "42"),
            ("x+\\sqrt{2}", &boxed),
            (&boxed, &boxed),
            ("\\sin x", &text),
            ("1,2,3", &boxed),
        ];
        for (at, (reference, completion)) in variants.into_iter().enumerate() {
            let (start, busy) = (Instant::now(), processor_time());
            let _ = verify(reference, completion, &options);
            let _ = equivalent(&text, &format!("{text}+1"), &options);
            // Waiting for the processor is not the engine's time. Two comparisons were made, each with its allowance.
            let spent = processor_time()
                .zip(busy)
                .map_or(start.elapsed(), |(after, before)| after.saturating_sub(before));
            let took = spent / 2;
            if took > LIMIT {
                slow.push(format!("{name} {at}: {took:?}"));
            }
        }
    }
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}

#[test]
fn what_is_refused_says_why() {
    let check = |a: &str, b: &str, expected: Verdict| {
        assert_eq!(equivalent(a, b, &Options::default()), expected);
    };
    // A tower of four is compared in prime fields without being computed; one of five is refused.
    check("9^{9^{9^9}}", "1", Verdict::Different);
    check("9^{9^{9^{9^9}}}", "1", Verdict::Budget("bits"));
    check("99999999999!", "1", Verdict::Budget("bits"));
    check(&"9".repeat(1 << 20), "1", Verdict::Budget("bytes"));
    check(&format!("{}1", "{".repeat(10_000)), "1", Verdict::Budget("depth"));
    check(&"x+".repeat(8000), "1", Verdict::Budget("nodes"));
}
