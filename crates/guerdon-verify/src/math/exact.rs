//! Exact evaluation of rational constants.

use num_bigint::BigInt;
use num_integer::Integer as _;

use super::ast::{Expr, Func};
use super::meter::{Meter, Outcome, Stop};
use super::number::Rational;
use super::numeric;

/// Longest product of a binomial coefficient that is computed.
const MOST_BINOMIAL_FACTORS: i64 = 4096;

/// The value of an expression that is a rational number; `Undefined` for everything else.
pub(crate) fn evaluate(expr: &Expr, meter: &Meter) -> Outcome<Rational> {
    meter.step(2)?;
    match expr {
        Expr::Num(q) | Expr::Dec(q) | Expr::Based(q, _) => Ok(q.clone()),
        Expr::Neg(x) => Ok(evaluate(x, meter)?.neg()),
        Expr::Sum(terms) => terms
            .iter()
            .try_fold(Rational::ZERO, |sum, term| sum.add(&evaluate(term, meter)?, meter)),
        Expr::Prod(factors) => factors.iter().try_fold(Rational::ONE, |product, factor| {
            product.mul(&evaluate(factor, meter)?, meter)
        }),
        Expr::Quot(p) => evaluate(&p.0, meter)?.div(&evaluate(&p.1, meter)?, meter),
        Expr::Pow(p) => power(&evaluate(&p.0, meter)?, &evaluate(&p.1, meter)?, meter),
        Expr::Percent(x) => evaluate(x, meter)?.div(&Rational::int(100), meter),
        Expr::Ratio(parts, _) if parts.len() == 2 => {
            evaluate(&parts[0], meter)?.div(&evaluate(&parts[1], meter)?, meter)
        }
        Expr::Call(function, args) => call(*function, args, meter),
        _ => Err(Stop::Undefined),
    }
}

fn power(base: &Rational, exponent: &Rational, meter: &Meter) -> Outcome<Rational> {
    if exponent.is_integer() {
        if let Some(e) = exponent.to_i64() {
            return base.pow(e, meter);
        }
        let trivial = base.is_zero() || base.abs().is_one();
        return if trivial { power_of_unit(base, exponent) } else { Err(Stop::Budget("bits")) };
    }
    if base.is_negative() {
        // The principal value is complex.
        return Err(Stop::Undefined);
    }
    let Rational::Small(n, d) = exponent else { return Err(Stop::Undefined) };
    let index = u32::try_from(*d).map_err(|_| Stop::Undefined)?;
    base.root(index, meter)?.ok_or(Stop::Undefined)?.pow(*n, meter)
}

fn power_of_unit(base: &Rational, exponent: &Rational) -> Outcome<Rational> {
    if base.is_zero() {
        return if exponent.is_negative() { Err(Stop::Undefined) } else { Ok(Rational::ZERO) };
    }
    Ok(if base.is_one() || exponent.numer().is_even() { Rational::ONE } else { Rational::int(-1) })
}

fn call(function: Func, args: &[Expr], meter: &Meter) -> Outcome<Rational> {
    let arg = |at: usize| evaluate(args.get(at).ok_or(Stop::Undefined)?, meter);
    match function {
        Func::Abs => Ok(arg(0)?.abs()),
        Func::Floor => Ok(arg(0)?.floor()),
        Func::Ceil => Ok(arg(0)?.neg().floor().neg()),
        Func::Root => {
            let index = arg(0)?.to_i64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
            arg(1)?.root(index.ok_or(Stop::Undefined)?, meter)?.ok_or(Stop::Undefined)
        }
        Func::Factorial => match arg(0)? {
            Rational::Small(n, 1) => Rational::factorial(n, meter),
            Rational::Small(..) => Err(Stop::Undefined),
            Rational::Big(_) => Err(Stop::Budget("bits")),
        },
        Func::Binomial => binomial(&arg(0)?, &arg(1)?, meter),
        Func::Gcd => fold(args, meter, num_integer::Integer::gcd),
        Func::Lcm => fold(args, meter, num_integer::Integer::lcm),
        Func::Min => extreme(args, meter, |a, b| a < b),
        Func::Max => extreme(args, meter, |a, b| a > b),
        Func::Mod => modulo(&arg(0)?, &arg(1)?, meter),
        Func::Re => arg(0),
        Func::Im => arg(0).map(|_| Rational::ZERO),
        Func::Log => logarithm(&arg(0)?, &arg(1)?, meter),
        _ => Err(Stop::Undefined),
    }
}

fn binomial(n: &Rational, k: &Rational, meter: &Meter) -> Outcome<Rational> {
    let (n, k) = (n.to_i64().ok_or(Stop::Undefined)?, k.to_i64().ok_or(Stop::Undefined)?);
    if k < 0 || (n >= 0 && k > n) {
        return Ok(Rational::ZERO);
    }
    let k = if n >= 0 { k.min(n - k) } else { k };
    if k > MOST_BINOMIAL_FACTORS {
        return Err(Stop::Budget("bits"));
    }
    let mut value = Rational::ONE;
    for i in 0..k {
        let factor = Rational::int(n.checked_sub(i).ok_or(Stop::Undefined)?);
        value = value.mul(&factor, meter)?.div(&Rational::int(i + 1), meter)?;
    }
    Ok(value)
}

fn fold(args: &[Expr], meter: &Meter, f: impl Fn(&BigInt, &BigInt) -> BigInt) -> Outcome<Rational> {
    let mut result: Option<BigInt> = None;
    for arg in args {
        let value = evaluate(arg, meter)?;
        if !value.is_integer() {
            return Err(Stop::Undefined);
        }
        let words = value.bits() / 64 + 1;
        meter.step(words * words)?;
        let value = value.numer();
        result = Some(result.map_or_else(|| value.clone(), |r| f(&r, &value)));
    }
    let result = result.ok_or(Stop::Undefined)?;
    meter.bits(result.bits())?;
    Ok(Rational::from_bigint(result))
}

fn extreme(
    args: &[Expr],
    meter: &Meter,
    better: impl Fn(&Rational, &Rational) -> bool,
) -> Outcome<Rational> {
    let mut best = evaluate(args.first().ok_or(Stop::Undefined)?, meter)?;
    for arg in &args[1..] {
        let value = evaluate(arg, meter)?;
        if better(&value, &best) {
            best = value;
        }
    }
    Ok(best)
}

fn modulo(a: &Rational, m: &Rational, meter: &Meter) -> Outcome<Rational> {
    if m.is_zero() {
        return Err(Stop::Undefined);
    }
    let quotient = a.div(m, meter)?.floor();
    a.sub(&quotient.mul(m, meter)?, meter)
}

/// `log_b(x)` when it is an integer or the inverse of one.
fn logarithm(base: &Rational, x: &Rational, meter: &Meter) -> Outcome<Rational> {
    if base.is_one() || base <= &Rational::ZERO || x <= &Rational::ZERO {
        return Err(Stop::Undefined);
    }
    let guess = x.to_f64().ln() / base.to_f64().ln();
    if !guess.is_finite() || guess.abs() > 100_000.0 || guess == 0.0 {
        return if x.is_one() { Ok(Rational::ZERO) } else { Err(Stop::Undefined) };
    }
    let rounded = numeric::integer(guess.round());
    if rounded != 0 && base.pow(rounded, meter)? == *x {
        return Ok(Rational::int(rounded));
    }
    let inverse = numeric::integer((1.0 / guess).round());
    if inverse != 0 && inverse.abs() < 10_000 && x.pow(inverse, meter)? == *base {
        return Rational::ratio(1, i128::from(inverse)).ok_or(Stop::Undefined);
    }
    Err(Stop::Undefined)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Budget, parser};

    fn check(src: &str, expected: &str) {
        let meter = Meter::new(&Budget::default());
        let read = |s| parser::parse(s, crate::math::lexer::Notation::ALL, &meter).unwrap().expr;
        let value = evaluate(&read(src), &meter);
        assert_eq!(value, evaluate(&read(expected), &meter), "{src}");
        assert!(value.is_ok(), "{src}");
    }

    fn refuses(src: &str, expected: &Stop) {
        let meter = Meter::new(&Budget::default());
        let expr = parser::parse(src, crate::math::lexer::Notation::ALL, &meter).unwrap().expr;
        assert_eq!(evaluate(&expr, &meter).as_ref(), Err(expected), "{src}");
    }

    #[test]
    fn constants() {
        check("1+1/2", "3/2");
        check("1\\frac{1}{10}", "11/10");
        check("2^{-3}", "1/8");
        check("\\sqrt{\\frac{4}{9}}", "2/3");
        check("27^{2/3}", "9");
        check("10!", "3628800");
        check("{5\\choose2}", "10");
        check("\\log_2 8", "3");
        check("\\log_8 2", "1/3");
        check("7 \\mod 5", "2");
        check("\\gcd(12, 18)", "6");
        check("|-3|", "3");
        check("\\lfloor -2.5 \\rfloor", "-3");
        check("101_2", "5");
    }

    #[test]
    fn what_is_not_rational_or_too_long() {
        refuses("\\sqrt2", &Stop::Undefined);
        refuses("1/0", &Stop::Undefined);
        refuses("9^{9^{9^9}}", &Stop::Budget("bits"));
        refuses("(10^9)!", &Stop::Budget("bits"));
    }
}
