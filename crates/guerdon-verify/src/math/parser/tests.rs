use super::*;
use crate::math::Budget;

fn read(src: &str) -> Parsed {
    let meter = Meter::new(&Budget::default());
    parse(src, crate::math::lexer::Notation::ALL, &meter).map(|r| r.expr)
}

/// Both texts are read the same way.
fn check(a: &str, b: &str) {
    assert_eq!(read(a), read(b), "{a} {b}");
    assert!(read(a).is_ok(), "{a}: {:?}", read(a));
}

#[test]
fn latex_and_plain_text() {
    check("\\frac{1}{2}", "\\dfrac12");
    check("x \\ge 5", "x >= 5");
    check("\\left(\\frac{1}{3}\\right)", "\\frac13");
    check("2\\cdot x", "2x");
    check("\\sqrt[3]{x}", "\\sqrt[3] x");
    check("sqrt(2)", "\\sqrt{2}");
    check("\\sin x", "sin x");
    check("|x|", "\\lvert x \\rvert");
    check("x^{2}", "x²");
    check("{5\\choose2}", "\\binom{5}{2}");
    check("1 1/2", "1\\frac12");
    check("12 \\mathrm{~min}", "12\\text{ min}");
    check("-1./3", "-1/3");
    check("\\mathbf{u}_{1}", "u_1");
    check("m_{\\max}=2", "m_{\\max }=2");
    check("\\operatorname{arcsin} x", "\\arcsin x");
}

#[test]
fn recovery() {
    check("\\frac{1}{2", "\\frac{1}{2}");
    check("(1,2", "(1,2)");
    check("5)", "5");
    check("42.", "42");
}

#[test]
fn depth_is_limited() {
    for open in ["{", "(", "\\sqrt{", "x^{", "\\frac{", "\\lvert ", "\\{", "-(", "f("] {
        let deep = open.repeat(10_000);
        assert!(matches!(read(&deep), Err(Fault::Budget(_))), "{open} {:?}", read(&deep));
    }
}

#[test]
fn nonsense_is_no_formula() {
    for text in ["", ":", ".", "=", "+", "\\frac", "^", "2 3", "\\left", ",,,"] {
        assert_eq!(read(text), Err(Fault::Syntax), "{text}");
    }
}
