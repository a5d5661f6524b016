//! Evaluation of rational expressions at a random point of a prime field.
//!
//! Sums, products, quotients and integer powers of numbers and symbols are images under a ring homomorphism, so
//! unequal images prove that two expressions differ; equal images at two points of two fields of 61 bits make
//! them equal but for a probability of about (degree / 2^61)^2.

use super::ast::{Const, Expr, Func};
use super::meter::{Meter, Outcome, Stop};
use super::modular::{self, PRIMES, ROOTS};
use super::number::Rational;

/// A point: which of the two primes, and the seed of the values of symbols.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    pub(crate) prime: usize,
    pub(crate) seed: u64,
}

/// The image of an expression; `Undefined` when it is not a rational expression or has a pole here.
pub(crate) fn evaluate(expr: &Expr, at: Point, meter: &Meter) -> Outcome<u64> {
    meter.step(4)?;
    let p = PRIMES[at.prime];
    let go = |x: &Expr| evaluate(x, at, meter);
    match expr {
        Expr::Num(q) | Expr::Dec(q) | Expr::Based(q, _) => residue(q, p, meter),
        Expr::Sym(name) => Ok(modular::point(name, at.seed, p)),
        Expr::Const(Const::Pi) => Ok(modular::point("\0pi", at.seed, p)),
        Expr::Const(Const::E) => Ok(modular::point("\0e", at.seed, p)),
        Expr::Const(Const::I) => Ok(ROOTS[at.prime]),
        Expr::Neg(x) => Ok(modular::neg(go(x)?, p)),
        Expr::Sum(terms) => terms.iter().try_fold(0, |sum, x| Ok(modular::add(sum, go(x)?, p))),
        Expr::Prod(parts) => {
            parts.iter().try_fold(1, |product, x| Ok(modular::mul(product, go(x)?, p)))
        }
        Expr::Quot(pair) => modular::div(go(&pair.0)?, go(&pair.1)?, p).ok_or(Stop::Undefined),
        Expr::Pow(pair) => power(go(&pair.0)?, &pair.1, at, meter),
        Expr::Percent(x) => modular::div(go(x)?, 100, p).ok_or(Stop::Undefined),
        Expr::Call(Func::Re | Func::Im, _) => Err(Stop::Undefined),
        Expr::Call(..) => residue(&super::exact::evaluate(expr, meter)?, p, meter),
        _ => Err(Stop::Undefined),
    }
}

fn residue(q: &Rational, p: u64, meter: &Meter) -> Outcome<u64> {
    meter.step(q.bits() / 16)?;
    q.residue(p).ok_or(Stop::Undefined)
}

/// An integer power. By Fermat the exponent counts modulo `p - 1`, so that towers of powers cost nothing.
fn power(base: u64, exponent: &Expr, at: Point, meter: &Meter) -> Outcome<u64> {
    let p = PRIMES[at.prime];
    meter.step(64)?;
    let exact = match exponent {
        Expr::Num(q) => q.clone(),
        other => match super::exact::evaluate(other, meter) {
            Err(Stop::Budget(_)) if base != 0 => {
                let reduced = exponent_residue(other, p - 1, meter)?;
                return Ok(modular::pow(base, reduced, p));
            }
            other => other?,
        },
    };
    if !exact.is_integer() {
        return Err(Stop::Undefined);
    }
    if base == 0 {
        return if exact.is_negative() {
            Err(Stop::Undefined)
        } else {
            Ok(u64::from(exact.is_zero()))
        };
    }
    Ok(modular::pow(base, residue(&exact, p - 1, meter)?, p))
}

/// An integer expression of sums, products and powers modulo `m`, which is not prime.
fn exponent_residue(expr: &Expr, m: u64, meter: &Meter) -> Outcome<u64> {
    meter.step(16)?;
    match expr {
        Expr::Num(q) if q.is_integer() => residue(q, m, meter),
        Expr::Neg(x) => Ok(modular::neg(exponent_residue(x, m, meter)?, m)),
        Expr::Sum(terms) => terms
            .iter()
            .try_fold(0, |sum, x| Ok(modular::add(sum, exponent_residue(x, m, meter)?, m))),
        Expr::Prod(parts) => parts
            .iter()
            .try_fold(1, |product, x| Ok(modular::mul(product, exponent_residue(x, m, meter)?, m))),
        Expr::Pow(pair) => {
            let base = exponent_residue(&pair.0, m, meter)?;
            let exponent = super::exact::evaluate(&pair.1, meter)?;
            let exponent = exponent.to_i64().and_then(|e| u64::try_from(e).ok());
            Ok(modular::pow(base, exponent.ok_or(Stop::Budget("bits"))?, m))
        }
        _ => Err(Stop::Undefined),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Budget, parser};

    fn image(src: &str, prime: usize) -> Outcome<u64> {
        let meter = Meter::new(&Budget::default());
        let expr = parser::parse(src, crate::math::lexer::Notation::ALL, &meter).unwrap().expr;
        evaluate(&expr, Point { prime, seed: 7 }, &meter)
    }

    fn check(a: &str, b: &str, same: bool) {
        for prime in 0..2 {
            let (x, y) = (image(a, prime).unwrap(), image(b, prime).unwrap());
            assert_eq!(x == y, same, "{a} {b}");
        }
    }

    #[test]
    fn identities() {
        check("(x+y)^2", "x^2+2xy+y^2", true);
        check("(x+1)^{200}", "(1+x)^{100}(x+1)^{100}", true);
        check("\\frac{x^2-1}{x-1}", "x+1", true);
        check("\\frac{1}{i}", "-i", true);
        check("x+1", "y+1", false);
        check("10^{100}", "10^{100}+1", false);
        check("\\pi r^2", "\\pi r^3", false);
    }

    #[test]
    fn powers_that_nobody_could_write_down() {
        check("7^{7^{77}}", "7^{7^{77}}", true);
        check("7^{7^{77}}", "7^{7^{78}}", false);
        assert_eq!(image("7^{7^{7^{77}}}", 0), Err(Stop::Budget("bits")));
    }

    #[test]
    fn roots_are_not_rational() {
        assert_eq!(image("\\sqrt2", 0), Err(Stop::Undefined));
        assert_eq!(image("x^y", 0), Err(Stop::Undefined));
    }
}
