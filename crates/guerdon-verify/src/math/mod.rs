//! Mathematical answers: extraction, parsing and equivalence, bounded by construction.
//!
//! [`verify`] finds the answer in a completion and decides whether it says the same as a reference:
//!
//! ```
//! use guerdon_verify::math::{Options, Verdict, verify};
//!
//! let options = Options::default();
//! assert_eq!(verify("\\frac{1}{9}", "so the chance is $\\boxed{4/36}$.", &options), Verdict::Equal);
//! assert_eq!(verify("3 \\pm 2\\sqrt{2}", "\\boxed{3-\\sqrt{8}, 3+\\sqrt{8}}", &options), Verdict::Equal);
//! assert_eq!(verify("420", "I think it is 42.", &options), Verdict::Different);
//! ```
//!
//! # How equality is decided
//!
//! Texts that are the same apart from markup are equal. Otherwise both are parsed ([`Options::budget`] bounds the
//! work), their shapes decide how they are compared, and scalars pass through three layers:
//!
//! 1. exact rational arithmetic;
//! 2. images in two prime fields of 61 bits at seeded random points, which decide every rational expression;
//! 3. numbers, first in double precision at several points, which refutes, then with many digits, which confirms.
//!
//! # Rules of equality
//!
//! - A decimal equals an exact value from which it differs by rounding ([`Options::float_rounding`]).
//! - `50%` equals `0.5` and, unless [`Options::bare_percent`] is off, `50`.
//! - `x = 5` equals `5`; `a + b = 5` answers `5` when the completion says it ([`verify`] alone is asymmetric there).
//! - Lists are sets of solutions: the order counts in tuples only. `1, 2` equals `(1, 2)` in this order.
//! - `(1, 2)` is a pair and an open interval, as the other side needs it.
//! - Units: [`Units`]. Variables: [`Options::strict`].
//! - The last box counts. Boxes joined by a comma, "and" or "or" are one list, so that two different boxes never
//!   earn what each alone would.

mod answer;
mod ast;
mod calendar;
mod compare;
mod exact;
mod extract;
mod field;
mod lexer;
mod meter;
mod modular;
mod number;
mod numeric;
mod options;
mod parser;
mod precise;
mod presets;
mod units;
mod vocabulary;
mod words;

use answer::Answer;
use compare::Comparer;
pub use extract::Candidate;
use meter::{Meter, Stop};
pub use options::{Budget, Extract, Options, Preset, Units};

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The completion's answer is the reference's.
    Equal,
    /// It is another one.
    Different,
    /// The completion holds no answer.
    NoAnswer,
    /// The reference holds no answer; the text says what is wrong with it.
    BadReference(String),
    /// An allowance is spent: the name of the field of [`Budget`].
    Budget(&'static str),
}

impl Verdict {
    /// Whether the answer is right.
    pub fn is_equal(&self) -> bool {
        *self == Self::Equal
    }
}

/// A reference that was read once, to be compared with many completions.
#[derive(Debug, Clone)]
pub struct Prepared {
    answer: Result<Answer, Verdict>,
    /// The reference as it came, for presets that compare strings.
    reference: String,
    /// The whole reference without markup, when the answer is only a part of it.
    whole: Option<String>,
    options: Options,
}

/// Reads a reference: a bare answer (`\frac{1}{9}`, `420`), or a text that holds one (`#### 18`, `\boxed{..}`,
/// `$..$`).
pub fn prepare(reference: &str, options: &Options) -> Prepared {
    let options = options.clone();
    if reference.len() > options.budget.completion_bytes {
        let answer = Err(Verdict::Budget("completion_bytes"));
        return Prepared { answer, reference: String::new(), whole: None, options };
    }
    if !matches!(options.preset, Preset::Guerdon | Preset::MathVerify) {
        // The preset reads the reference itself.
        let answer = Err(Verdict::NoAnswer);
        return Prepared { answer, reference: reference.to_owned(), whole: None, options };
    }
    let bare = answer::in_reference(reference, &options);
    let part = bare.len() < reference.trim().len();
    let whole =
        (part && reference.len() <= options.budget.bytes).then(|| answer::plain(reference.trim()));
    Prepared { answer: read(&bare, &options), reference: String::new(), whole, options }
}

fn read(bare: &str, options: &Options) -> Result<Answer, Verdict> {
    if Answer::is_blank(bare) {
        let shown: String = bare.chars().take(60).collect();
        return Err(Verdict::BadReference(format!("the reference {shown:?} holds no answer")));
    }
    Answer::read(bare, options).map_err(Verdict::Budget)
}

impl Prepared {
    /// Whether the completion's answer is the reference's.
    pub fn verify(&self, completion: &str) -> Verdict {
        if completion.len() > self.options.budget.completion_bytes {
            return Verdict::Budget("completion_bytes");
        }
        if let Some(verdict) = presets::verify(&self.reference, completion, &self.options) {
            return verdict;
        }
        let reference = match &self.answer {
            Ok(answer) => answer,
            Err(verdict) => return verdict.clone(),
        };
        match extract::first(completion, &self.options) {
            Some(found) => self.judge(reference, &found),
            None => Verdict::NoAnswer,
        }
    }

    fn judge(&self, reference: &Answer, found: &Candidate<'_>) -> Verdict {
        let answer = match Answer::read(&found.text, &self.options) {
            Ok(answer) => answer,
            Err(what) => return Verdict::Budget(what),
        };
        if self.whole.as_deref() == Some(&*answer.plain) {
            return Verdict::Equal;
        }
        let verdict = compare(reference, &answer, &self.options, true);
        // A sentence after "the answer is" may wrap its answer in words.
        if found.from == Extract::FinalAnswer
            && verdict == Verdict::Different
            && is_sentence(&found.text)
        {
            let places = vec![Extract::LastLatex, Extract::LastExpression];
            let inner = extract::candidates(
                &found.text,
                &Options { extract: places, ..self.options.clone() },
            );
            if let Some(inner) = inner.first()
                && let Ok(answer) = Answer::read(&inner.text, &self.options)
            {
                return compare(reference, &answer, &self.options, true);
            }
        }
        verdict
    }
}

/// Whether the text wraps its answer in words: two words at least that are no units and no names of functions.
fn is_sentence(text: &str) -> bool {
    let plain = |word: &&str| {
        word.len() >= 2
            && word.bytes().all(|b| b.is_ascii_alphabetic())
            && vocabulary::word_kind(word).is_none_or(|kind| kind == vocabulary::WordKind::Plain)
    };
    text.split_ascii_whitespace().filter(plain).nth(1).is_some()
}

/// Whether the completion's answer is the reference's. See [`prepare`] for the reference and [`Options::extract`]
/// for the places where the completion is searched.
pub fn verify(reference: &str, completion: &str, options: &Options) -> Verdict {
    prepare(reference, options).verify(completion)
}

/// The candidate answers of a completion, in order of priority. [`verify`] judges the first.
pub fn extract<'a>(completion: &'a str, options: &Options) -> Vec<Candidate<'a>> {
    if completion.len() > options.budget.completion_bytes {
        return Vec::new();
    }
    extract::candidates(completion, options)
}

/// Whether two bare answers are equal. Symmetric.
pub fn equivalent(a: &str, b: &str, options: &Options) -> Verdict {
    if a.len().max(b.len()) > options.budget.completion_bytes {
        return Verdict::Budget("completion_bytes");
    }
    if let Some(verdict) = presets::equivalent(a, b, options) {
        return verdict;
    }
    let first = match read(a, options) {
        Ok(answer) => answer,
        Err(verdict) => return verdict,
    };
    if Answer::is_blank(b) {
        return Verdict::NoAnswer;
    }
    match Answer::read(b, options) {
        Ok(second) => compare(&first, &second, options, false),
        Err(what) => Verdict::Budget(what),
    }
}

fn compare(a: &Answer, b: &Answer, options: &Options, restated: bool) -> Verdict {
    if a.same_text(b) {
        return Verdict::Equal;
    }
    let meter = Meter::new(&options.budget);
    let comparer = Comparer::new(options, &meter, restated);
    let mut spent = None;
    for x in &a.readings {
        for y in &b.readings {
            match comparer.equal(x, y) {
                Ok(true) => return Verdict::Equal,
                Ok(false) | Err(Stop::Undefined) => {}
                Err(Stop::Budget(what)) => spent = Some(what),
            }
        }
    }
    if !options.strict && spent.is_none() && comparer.renamed(&a.readings, &b.readings) {
        return Verdict::Equal;
    }
    spent.map_or(Verdict::Different, Verdict::Budget)
}

/// The value of a constant in double precision.
fn constant(text: &str, options: &Options) -> Option<f64> {
    let answer = Answer::read(text, options).ok()?;
    let expr = answer.readings.first()?;
    let point = numeric::Point { seed: 0, signed: false, bound: None };
    let symbols =
        expr.any(&|x| matches!(x, ast::Expr::Sym(_) | ast::Expr::App(..) | ast::Expr::Text(_)));
    let value = numeric::evaluate(expr, point, &Meter::new(&options.budget)).ok()?;
    (!symbols && value.im == 0.0).then_some(value.re)
}

/// Whether two constants are equal as fractions; with `rounding` the second may be the first rounded, or cut off, to the
/// decimals that it is written with. False too where either is none, or the budget is spent.
pub(crate) fn same_constant(a: &str, b: &str, rounding: bool, budget: &Budget) -> bool {
    let meter = Meter::new(budget);
    let notation = lexer::Notation { group_commas: true, extended: true };
    let value = |text| {
        let reading = parser::parse(text, notation, &meter).ok()?;
        exact::evaluate(&reading.expr, &meter).ok()
    };
    let (Some(x), Some(y)) = (value(a), value(b)) else { return false };
    if x == y {
        return true;
    }
    let decimals = b.rsplit_once('.').map_or("", |(_, decimals)| decimals.trim());
    if !rounding || decimals.is_empty() || !decimals.bytes().all(|c| c.is_ascii_digit()) {
        return false;
    }
    let places = i64::try_from(decimals.len()).unwrap_or(i64::MAX);
    let near = || {
        let unit = number::Rational::int(10).pow(-places, &meter).ok()?;
        let difference = x.abs().sub(&y.abs(), &meter).ok()?;
        let half = unit.mul(&number::Rational::ratio(1, 2)?, &meter).ok()?;
        let cut_off = !difference.is_negative() && difference < unit;
        Some(x.is_negative() == y.is_negative() && (difference.abs() <= half || cut_off))
    };
    near().unwrap_or(false)
}

/// The body of a fuzz target: no input may panic, hang or break symmetry.
///
/// # Panics
///
/// When equality is not symmetric.
pub fn fuzz(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (a, b) = text.split_once('\n').unwrap_or((&text, ""));
    let options = Options::default();
    let _ = verify(a, b, &options);
    let (one, two) = (equivalent(a, b, &options), equivalent(b, a, &options));
    if !matches!(one, Verdict::BadReference(_) | Verdict::NoAnswer)
        && !matches!(two, Verdict::BadReference(_) | Verdict::NoAnswer)
    {
        assert_eq!(one.is_equal(), two.is_equal(), "equality is symmetric: {a:?} {b:?}");
    }
}
