//! A calculator: exact on rational numbers, within a budget of work.
//!
//! `+ − * / ^ ( )`, decimals, thousands separators, `%` behind a number; whole exponents. The evaluation keeps two stacks
//! instead of recursing, and every number stays below [`BITS`] bits.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One as _, Pow as _, Signed as _, ToPrimitive as _, Zero as _};

/// The most bytes of an expression.
const LONGEST: usize = 1_000;
/// The most bits of a numerator or a denominator.
const BITS: u64 = 4_096;
/// Digits behind the point where a number does not end.
const DIGITS: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Open,
    Add,
    Sub,
    Mul,
    Div,
    Neg,
    Pow,
}

impl Op {
    fn binds(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Add | Self::Sub => 1,
            Self::Mul | Self::Div => 2,
            Self::Neg => 3,
            Self::Pow => 4,
        }
    }
}

/// The value of an expression as text: a whole number, a decimal that ends, or a fraction with its first digits.
pub(super) fn run(input: &str) -> Result<String, String> {
    if input.len() > LONGEST {
        return Err(format!("the expression is longer than {LONGEST} bytes"));
    }
    Ok(shown(&evaluate(input)?))
}

fn evaluate(input: &str) -> Result<BigRational, String> {
    let (mut values, mut ops): (Vec<BigRational>, Vec<Op>) = (Vec::new(), Vec::new());
    let mut rest = input.trim_start();
    // Whether a value is expected: at the beginning, after an operator, after `(`.
    let mut wants = true;
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        match (wants, c) {
            (true, '0'..='9' | '.') => {
                let (value, used) = number(rest)?;
                values.push(value);
                (wants, length) = (false, used);
            }
            (true, '(') => ops.push(Op::Open),
            (true, '-' | '−') => ops.push(Op::Neg),
            (true, '+') => {}
            (false, ')') => close(&mut values, &mut ops)?,
            (false, '%') => {
                let value = values.pop().unwrap_or_else(BigRational::zero);
                values.push(bounded(value / BigInt::from(100))?);
            }
            (false, _) => {
                let (op, used) = operator(rest)?;
                length = used;
                reduce(&mut values, &mut ops, |top| {
                    top.binds() > op.binds() || (top.binds() == op.binds() && op != Op::Pow)
                })?;
                ops.push(op);
                wants = true;
            }
            (true, _) => return Err(format!("a number is missing before {:?}", head(rest))),
        }
        rest = rest[length..].trim_start();
    }
    if wants {
        return Err("the expression ends where a number is missing".to_owned());
    }
    reduce(&mut values, &mut ops, |top| top != Op::Open)?;
    match (values.pop(), ops.is_empty()) {
        (Some(value), true) => Ok(value),
        _ => Err("a bracket is not closed".to_owned()),
    }
}

fn close(values: &mut Vec<BigRational>, ops: &mut Vec<Op>) -> Result<(), String> {
    reduce(values, ops, |top| top != Op::Open)?;
    ops.pop().map(drop).ok_or_else(|| "a bracket is closed that was not opened".to_owned())
}

fn operator(rest: &str) -> Result<(Op, usize), String> {
    let table = [
        ("**", Op::Pow),
        ("+", Op::Add),
        ("-", Op::Sub),
        ("−", Op::Sub),
        ("*", Op::Mul),
        ("×", Op::Mul),
        ("·", Op::Mul),
        ("/", Op::Div),
        ("÷", Op::Div),
        ("^", Op::Pow),
    ];
    let known = table.iter().find(|(sign, _)| rest.starts_with(sign));
    known.map(|(sign, op)| (*op, sign.len())).ok_or_else(|| {
        format!("{:?} is no operator: there are + - * / ^ % and brackets", head(rest))
    })
}

fn head(rest: &str) -> &str {
    &rest[..rest.floor_char_boundary(12)]
}

/// Applies the operators on top of the stack for as long as `stays` says.
fn reduce(
    values: &mut Vec<BigRational>,
    ops: &mut Vec<Op>,
    stays: impl Fn(Op) -> bool,
) -> Result<(), String> {
    while let Some(op) = ops.pop_if(|top| stays(*top)) {
        let second = values.pop().ok_or("a number is missing")?;
        let value = if op == Op::Neg {
            -second
        } else {
            apply(op, values.pop().ok_or("a number is missing")?, second)?
        };
        values.push(bounded(value)?);
    }
    Ok(())
}

fn apply(op: Op, a: BigRational, b: BigRational) -> Result<BigRational, String> {
    Ok(match op {
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mul => a * b,
        Op::Div if b.is_zero() => return Err("a division by zero".to_owned()),
        Op::Div => a / b,
        Op::Pow => return power(&a, &b),
        Op::Open | Op::Neg => return Err("a number is missing".to_owned()),
    })
}

fn power(base: &BigRational, exponent: &BigRational) -> Result<BigRational, String> {
    let exponent = Some(exponent).filter(|e| e.is_integer()).and_then(|e| e.to_integer().to_i32());
    let exponent = exponent.ok_or("an exponent must be a whole number that is not huge")?;
    if base.is_zero() && exponent < 0 {
        return Err("a division by zero".to_owned());
    }
    let bits = base.numer().bits().max(base.denom().bits());
    if bits > 1 && bits.saturating_mul(exponent.unsigned_abs().into()) > 2 * BITS {
        return Err(too_large());
    }
    Ok(base.pow(exponent))
}

fn too_large() -> String {
    format!("a number needs more than {BITS} bits")
}

fn bounded(value: BigRational) -> Result<BigRational, String> {
    let fits = value.numer().bits() <= BITS && value.denom().bits() <= BITS;
    fits.then_some(value).ok_or_else(too_large)
}

/// A number at the beginning of a text, and how many bytes it takes: `12`, `1,250.5`, `.5`.
fn number(text: &str) -> Result<(BigRational, usize), String> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let (mut digits, mut at, mut point) = (String::new(), 0, None);
    loop {
        match bytes.get(at) {
            Some(b'0'..=b'9') => digits.push(char::from(bytes[at])),
            Some(b'.') if point.is_none() => point = Some(digits.len()),
            // A separator of thousands: three digits follow, no fourth.
            Some(b',') if point.is_none() && (1..4).all(|k| digit(at + k)) && !digit(at + 4) => {}
            _ => break,
        }
        at += 1;
    }
    let whole: BigInt = digits.parse().map_err(|_| format!("{:?} is not a number", head(text)))?;
    let behind = point.map_or(0, |point| digits.len() - point);
    Ok((bounded(BigRational::new(whole, BigInt::from(10).pow(behind)))?, at))
}

fn shown(value: &BigRational) -> String {
    if value.is_integer() {
        return value.to_integer().to_string();
    }
    let ends = (1..=DIGITS).find(|digits| (value * ten(*digits)).is_integer());
    if let Some(digits) = ends {
        return decimal(value, digits);
    }
    let about = decimal(value, DIGITS);
    if value.numer().bits() + value.denom().bits() > 256 {
        return format!("about {about}");
    }
    format!("{}/{} ≈ {about}", value.numer(), value.denom())
}

fn ten(digits: usize) -> BigInt {
    BigInt::from(10).pow(digits)
}

/// The number, rounded to so many digits behind the point.
fn decimal(value: &BigRational, digits: usize) -> String {
    let scaled =
        (value.abs() * ten(digits) + BigRational::new(BigInt::one(), 2.into())).to_integer();
    let text = format!("{:0>width$}", scaled.to_string(), width = digits + 1);
    let (whole, part) = text.split_at(text.len() - digits);
    let sign = if value.is_negative() && !scaled.is_zero() { "-" } else { "" };
    format!("{sign}{whole}.{part}")
}

#[cfg(test)]
mod tests {
    use super::run;

    fn check(input: &str, expect: &str) {
        assert_eq!(run(input).as_deref(), Ok(expect), "{input}");
    }

    #[test]
    fn results_are_exact() {
        check("2 + 3 * 4", "14");
        check("(2 + 3) * 4", "20");
        check("0.1 + 0.2", "0.3");
        check("-2^2", "-4");
        check("2^3^2", "512");
        check("2 ** -1", "0.5");
        check("10 - 4 - 3", "3");
        check("1,250.50 × 2", "2501");
        check("15% * 80", "12");
        check("22/7", "22/7 ≈ 3.142857142857");
        check("2/3 - 1", "-1/3 ≈ -0.333333333333");
        check("--3", "3");
        check("12 ÷ (1 − 4)", "-4");
    }

    #[test]
    fn what_is_wrong_or_too_much_is_an_error() {
        for input in [
            "",
            "1 +",
            "(1",
            "1)",
            "1/0",
            "0^-1",
            "2 3",
            "x",
            "1..2",
            ".",
            "2^0.5",
            "9^9^9^9",
            "%5",
            "import os",
            "10^2000",
            "2^-99999999999",
            "((((",
            "1e5",
        ] {
            assert!(run(input).is_err(), "{input}: {:?}", run(input));
        }
        assert!(run(&"(".repeat(999)).is_err());
        assert!(run(&"9".repeat(1_001)).is_err());
        assert!(run(&"1+".repeat(499)).is_err());
        assert!(run(&format!("{}1", "1+".repeat(499))).is_ok());
    }
}
