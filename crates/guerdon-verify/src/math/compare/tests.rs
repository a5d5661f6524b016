use crate::math::{Options, Units, Verdict, equivalent};

fn with(options: &Options, a: &str, b: &str, expected: bool) {
    let expected = if expected { Verdict::Equal } else { Verdict::Different };
    assert_eq!(equivalent(a, b, options), expected, "{a:?} {b:?}");
    assert_eq!(equivalent(b, a, options), expected, "{b:?} {a:?}");
}

fn check(a: &str, b: &str, expected: bool) {
    with(&Options::default(), a, b, expected);
}

#[test]
fn numbers() {
    check("\\frac{1}{12}", "0.0833333333333333", true);
    check("\\frac13", "0.33333", false);
    check("3.14", "\\pi", false);
    check("\\pi", "3.141593", true);
    check("\\frac{1}{2^{99}}", "\\frac{1}{2^{98}}", false);
    check("10^{100}", "10^{100}+1", false);
    check("1.38e-23", "1.6e-23", false);
    check("\\frac{1}{\\sqrt2}", "\\frac{\\sqrt2}{2}", true);
    check("4t", "4", false);
    check("101_2", "5", true);
    check("101_2", "101", false);
    check("four", "4", true);
    check("3rd", "third", true);
}

#[test]
fn percent_money_units() {
    check("50\\%", "0.5", true);
    check("50\\%", "50", true);
    check("\\$10", "10", true);
    check("10 dollars", "\\$10", true);
    check("1\\text{ km}", "1000\\text{ m}", true);
    check("1\\text{ km}", "1\\text{ m}", false);
    check("10\\,\\mathrm{km/h}", "10", true);
    check("90^\\circ", "90", true);
    let compare = Options { units: Units::Compare, ..Options::default() };
    with(&compare, "10\\text{ m}", "10", false);
    with(&compare, "10\\text{ m}", "1000\\text{ cm}", true);
    let ignore = Options { units: Units::Ignore, ..Options::default() };
    with(&ignore, "10\\text{ m}", "10\\text{ km}", true);
}

#[test]
fn times_and_dates() {
    check("4:30 \\text{ p.m.}", "\\text{4:30 p.m.}", true);
    check("4:30 pm", "16:30", true);
    check("4:30 pm", "4:30 am", false);
    check("12:00", "1:00", false);
    check("March 5, 2023", "5 March 2023", true);
    check("7:32", "14:64", true);
}

#[test]
fn lists_tuples_sets() {
    check("1,2", "2,1", true);
    check("(1,2)", "(2,1)", false);
    check("(1,2)", "1,2", true);
    check("\\{1,2\\}", "\\{2,1,2\\}", true);
    check("(2,1)", "\\{1,2\\}", false);
    check("1\\pm\\sqrt2", "1+\\sqrt2,1-\\sqrt2", true);
    check("\\pm 2021", "2021", false);
    check("\\{1\\pm\\sqrt5,-2\\}", "\\{-2,1-\\sqrt5,1+\\sqrt5\\}", true);
    check("1,2,3,4", "3", false);
    check("a_3=2,a_{37}=19", "a_{37}=19,a_3=2", true);
    check("(x,y)=(5,8)", "(5,8)", true);
}

#[test]
fn relations() {
    check("x=2", "2", true);
    check("x=2", "y=2", false);
    check("x=2", "2x=4", false);
    check("x+y=1", "x=1-y", true);
    check("34x+45y-20z+100=0", "-34x-45y+20z-100=0", true);
    check("1<x<2", "2>x>1", true);
    check("x>1 and x<2", "1<x<2", true);
    check("x<1", "-x>-1", true);
    check("x>5", "x<5", false);
    check("-2\\le x\\le7", "x\\in[-2,7]", true);
    check("x\\ne1", "(-\\infty,1)\\cup(1,\\infty)", true);
    check("7=11a+c", "11a+c", false);
    check("2x={1,2}", "1,2", false);
    check("a+3z=0", "0", false);
    check("f(x)=x^2", "f(t)=t^2", true);
    check("k(x)=\\frac{x}{\\sqrt{x^2-4}}", "r=6\\sin\\theta", false);
    check("20\\cos 1=10.8", "30\\cos 2=-12.5", false);
    check("\\frac{x^2}{2}-\\frac{y^2}{2}=1", "\\{1\\}", false);
    check("x^2<4", "(-\\infty,4)", false);
    check("0<f(x)<1", "(0,1)", true);
}

#[test]
fn intervals() {
    check("[0,1)", "[0,1)", true);
    check("(0,9)", "[0,9)", false);
    check("(-\\infty,\\infty)", "\\mathbb{R}", true);
    check("[0,1]\\cup[1,2]", "[0,2]", true);
    check("(1,2)", "]1,2[", true);
    check("\\mathbb{R}\\setminus\\{1\\}", "x\\ne1", true);
}

#[test]
fn expressions() {
    check("(x+1)^2", "x^2+2x+1", true);
    check("\\tan^2(y)+1", "\\sec^2(y)", true);
    check("|x|", "\\sqrt{x^2}", true);
    check("x", "\\sqrt{x^2}", false);
    check("x+1", "y+1", false);
    check("\\ln x", "\\log x", false);
    check("x^x", "e^{x\\ln x}", true);
    check(
        "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}",
        "\\begin{bmatrix}1&2\\\\3&4\\end{bmatrix}",
        true,
    );
}

#[test]
fn near_misses_that_doubles_cannot_see() {
    check("e^{\\pi\\sqrt{163}}", "262537412640768744", false);
    check("10^{100}\\sqrt2", "(10^{100}+1)\\sqrt2", false);
    check("\\sqrt2+\\sqrt3", "\\sqrt{5+2\\sqrt6}", true);
    check("\\frac{\\sqrt2}{2^{300}}", "\\frac{\\sqrt2}{2^{301}}", false);
    check("1000000\\sqrt2-\\sqrt{2000000000000}", "0", true);
    check("\\sin 10^{-9}", "10^{-9}", false);
}
