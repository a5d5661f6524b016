//! Evaluation with hundreds of binary digits, which tells numbers apart that doubles cannot: it decides whether
//! `e^{\pi\sqrt{163}}` is an integer (it is not), at a cost of some ten microseconds for each function.

mod real;

use super::ast::{Binder, Const, Expr, Func};
use super::meter::{Meter, Outcome, Stop};
use super::numeric;
pub(crate) use real::{Field, Real};

/// Most terms of a finite sum.
const MOST_TERMS: i64 = 256;

/// A complex number; real while `im` is `None`.
#[derive(Debug, Clone)]
pub(crate) struct Complex {
    pub(crate) re: Real,
    pub(crate) im: Option<Real>,
}

/// What an evaluation needs.
pub(crate) struct Evaluator<'e> {
    pub(crate) field: &'e Field,
    pub(crate) point: numeric::Point<'e>,
    pub(crate) meter: &'e Meter,
}

/// Whether two values agree in all but the last digits, which rounding may have spoilt.
pub(crate) fn agree(field: &Field, a: &Complex, b: &Complex) -> bool {
    let zero = Real::zero();
    let part = |x: &Complex| x.im.clone().unwrap_or_else(Real::zero);
    let digits = i64::try_from(field.digits).unwrap_or(0);
    let size = [&a.re, &b.re, a.im.as_ref().unwrap_or(&zero), b.im.as_ref().unwrap_or(&zero)]
        .iter()
        .map(|x| x.magnitude())
        .max()
        .unwrap_or(0);
    let gap = field.sub(&a.re, &b.re).magnitude().max(field.sub(&part(a), &part(b)).magnitude());
    gap < size - digits + 56 || gap < 40 - digits
}

fn real(re: Real) -> Complex {
    Complex { re, im: None }
}

impl Evaluator<'_> {
    /// The value at the point; `Undefined` where there is none, or where a function has no precise version.
    pub(crate) fn value(&self, expr: &Expr) -> Outcome<Complex> {
        let words = self.field.digits / 64;
        self.meter.step(8 + words * 2)?;
        Ok(match expr {
            Expr::Num(q) | Expr::Dec(q) | Expr::Based(q, _) => real(self.field.rational(q)),
            Expr::Const(Const::Pi) => real(self.field.pi.clone()),
            Expr::Const(Const::E) => real(self.exponential(&Real::int(1))?),
            Expr::Const(Const::I) => Complex { re: Real::zero(), im: Some(Real::int(1)) },
            Expr::Sym(_) | Expr::App(..) | Expr::Text(_) => self.doubled(expr)?,
            Expr::Neg(x) => self.value(x)?.neg(),
            Expr::Sum(terms) => self.fold(terms, Real::zero(), Self::add)?,
            Expr::Prod(parts) => self.fold(parts, Real::int(1), Self::mul)?,
            Expr::Quot(p) => self.div(&self.value(&p.0)?, &self.value(&p.1)?)?,
            Expr::Pow(p) => self.pow(&self.value(&p.0)?, &self.value(&p.1)?)?,
            Expr::Percent(x) => self.div(&self.value(x)?, &real(Real::int(100)))?,
            Expr::Measure(x, unit) if &**unit == "deg" => {
                let degree = self.field.div(&self.field.pi, &Real::int(180));
                self.mul(&self.value(x)?, &real(degree))
            }
            Expr::Measure(x, _) => self.value(x)?,
            Expr::Ratio(parts, _) if parts.len() == 2 => {
                self.div(&self.value(&parts[0])?, &self.value(&parts[1])?)?
            }
            Expr::Call(function, args) => self.call(*function, args)?,
            Expr::Bound(Binder::Sum | Binder::Product, name, ends, body) => {
                self.bound(expr, name, ends, body)?
            }
            _ => return Err(Stop::Undefined),
        })
    }

    fn fold(
        &self,
        parts: &[Expr],
        first: Real,
        op: impl Fn(&Self, &Complex, &Complex) -> Complex,
    ) -> Outcome<Complex> {
        let mut total = real(first);
        for part in parts {
            total = op(self, &total, &self.value(part)?);
        }
        Ok(total)
    }

    /// Symbols and unknown functions have the value that doubles gave them.
    fn doubled(&self, expr: &Expr) -> Outcome<Complex> {
        let value = numeric::evaluate(expr, self.point, self.meter)?;
        Real::double(value.re).map(real).ok_or(Stop::Undefined)
    }

    fn bound(
        &self,
        whole: &Expr,
        name: &str,
        ends: &[Option<Expr>; 2],
        body: &Expr,
    ) -> Outcome<Complex> {
        let end = |at: usize| match &ends[at] {
            Some(x) => Ok(super::exact::evaluate(x, self.meter)?.to_i64()),
            None => Ok(None),
        };
        let (Some(low), Some(high)) = (end(0)?, end(1)?) else { return Err(Stop::Undefined) };
        if high.saturating_sub(low) >= MOST_TERMS {
            return Err(Stop::Undefined);
        }
        let sum = matches!(whole, Expr::Bound(Binder::Sum, ..));
        let mut total = real(Real::int(i64::from(!sum)));
        for k in low..=high {
            let binding = numeric::Binding::new(name, k as f64, self.point.bound);
            let point = numeric::Point { bound: Some(&binding), ..self.point };
            let term = Evaluator { field: self.field, point, meter: self.meter }.value(body)?;
            total = if sum { self.add(&total, &term) } else { self.mul(&total, &term) };
        }
        Ok(total)
    }

    // ---- arithmetic

    fn add(&self, a: &Complex, b: &Complex) -> Complex {
        let im = match (&a.im, &b.im) {
            (Some(x), Some(y)) => Some(self.field.add(x, y)),
            (x, y) => x.clone().or_else(|| y.clone()),
        };
        Complex { re: self.field.add(&a.re, &b.re), im }.tidy()
    }

    fn mul(&self, a: &Complex, b: &Complex) -> Complex {
        let f = self.field;
        let re = f.mul(&a.re, &b.re);
        match (&a.im, &b.im) {
            (None, None) => real(re),
            (Some(x), None) => Complex { re, im: Some(f.mul(x, &b.re)) },
            (None, Some(y)) => Complex { re, im: Some(f.mul(y, &a.re)) },
            (Some(x), Some(y)) => Complex {
                re: f.sub(&re, &f.mul(x, y)),
                im: Some(f.add(&f.mul(&a.re, y), &f.mul(x, &b.re))),
            },
        }
        .tidy()
    }

    fn div(&self, a: &Complex, b: &Complex) -> Outcome<Complex> {
        let f = self.field;
        let Some(y) = &b.im else {
            if b.re.is_zero() {
                return Err(Stop::Undefined);
            }
            return Ok(Complex {
                re: f.div(&a.re, &b.re),
                im: a.im.as_ref().map(|x| f.div(x, &b.re)),
            });
        };
        let norm = f.add(&f.mul(&b.re, &b.re), &f.mul(y, y));
        if norm.is_zero() {
            return Err(Stop::Undefined);
        }
        let conjugate = Complex { re: b.re.clone(), im: Some(y.neg()) };
        self.div(&self.mul(a, &conjugate), &real(norm))
    }

    fn charge(&self, functions: u64) -> Outcome<()> {
        let words = self.field.digits / 64 + 1;
        self.meter.step(functions * words * words * 60)
    }

    fn exponential(&self, x: &Real) -> Outcome<Real> {
        self.charge(1)?;
        self.field.exp(x).ok_or(Stop::Undefined)
    }

    fn exp(&self, x: &Complex) -> Outcome<Complex> {
        let size = self.exponential(&x.re)?;
        let Some(y) = &x.im else { return Ok(real(size)) };
        let (sin, cos) = self.sin_cos(y)?;
        Ok(Complex { re: self.field.mul(&size, &cos), im: Some(self.field.mul(&size, &sin)) }
            .tidy())
    }

    fn norm(&self, x: &Complex) -> Real {
        match &x.im {
            None => x.re.abs(),
            Some(y) => self
                .field
                .sqrt(&self.field.add(&self.field.mul(&x.re, &x.re), &self.field.mul(y, y))),
        }
    }

    fn ln(&self, x: &Complex) -> Outcome<Complex> {
        self.charge(5)?;
        let size = self.field.ln(&self.norm(x)).ok_or(Stop::Undefined)?;
        let zero = Real::zero();
        let angle = match &x.im {
            None if !x.re.is_negative() => return Ok(real(size)),
            None => self.field.atan2(&zero, &x.re),
            Some(y) => self.field.atan2(y, &x.re),
        };
        Ok(Complex { re: size, im: Some(angle) }.tidy())
    }

    fn sin_cos(&self, x: &Real) -> Outcome<(Real, Real)> {
        self.charge(2)?;
        self.field.sin_cos(x).ok_or(Stop::Undefined)
    }

    fn sqrt(&self, x: &Complex) -> Outcome<Complex> {
        match &x.im {
            None if x.re.is_negative() => {
                Ok(Complex { re: Real::zero(), im: Some(self.field.sqrt(&x.re.neg())) })
            }
            None => Ok(real(self.field.sqrt(&x.re))),
            Some(_) => self.exp(&self.mul(&self.ln(x)?, &real(Real::int(1).scaled(-1)))),
        }
    }

    fn pow(&self, base: &Complex, exponent: &Complex) -> Outcome<Complex> {
        if exponent.im.is_none()
            && let Some(n) = exponent.re.to_integer()
            && n.unsigned_abs() <= 4096
        {
            return self.integer_power(base, n);
        }
        if base.im.is_none() && base.re.is_zero() {
            let positive = !exponent.re.is_negative() && !exponent.re.is_zero();
            return if positive { Ok(real(Real::zero())) } else { Err(Stop::Undefined) };
        }
        self.exp(&self.mul(&self.ln(base)?, exponent))
    }

    fn integer_power(&self, base: &Complex, n: i64) -> Outcome<Complex> {
        self.charge(1)?;
        let (mut square, mut result, mut k) = (base.clone(), real(Real::int(1)), n.unsigned_abs());
        while k > 0 {
            if k & 1 == 1 {
                result = self.mul(&result, &square);
            }
            k >>= 1;
            if k > 0 {
                square = self.mul(&square, &square);
            }
        }
        if n < 0 { self.div(&real(Real::int(1)), &result) } else { Ok(result) }
    }

    // ---- functions

    fn call(&self, function: Func, args: &[Expr]) -> Outcome<Complex> {
        let arg = |at: usize| self.value(args.get(at).ok_or(Stop::Undefined)?);
        let one = real(Real::int(1));
        match function {
            Func::Root => self.root(&arg(0)?, &arg(1)?),
            Func::Log => self.div(&self.ln(&arg(1)?)?, &self.ln(&arg(0)?)?),
            Func::Ln => self.ln(&arg(0)?),
            Func::Exp => self.exp(&arg(0)?),
            Func::Abs => Ok(real(self.norm(&arg(0)?))),
            Func::Sin | Func::Cos | Func::Tan | Func::Cot | Func::Sec | Func::Csc => {
                let (sin, cos) = self.sin_cos(&only_real(arg(0)?)?)?;
                let (sin, cos) = (real(sin), real(cos));
                match function {
                    Func::Sin => Ok(sin),
                    Func::Cos => Ok(cos),
                    Func::Tan => self.div(&sin, &cos),
                    Func::Cot => self.div(&cos, &sin),
                    Func::Sec => self.div(&one, &cos),
                    _ => self.div(&one, &sin),
                }
            }
            Func::Sinh | Func::Cosh | Func::Tanh => {
                let x = arg(0)?;
                let (p, n) = (self.exp(&x)?, self.exp(&x.neg())?);
                let (difference, sum) = (self.add(&p, &n.neg()), self.add(&p, &n));
                let half = real(Real::int(1).scaled(-1));
                match function {
                    Func::Sinh => Ok(self.mul(&difference, &half)),
                    Func::Cosh => Ok(self.mul(&sum, &half)),
                    _ => self.div(&difference, &sum),
                }
            }
            Func::Asin | Func::Acos | Func::Atan => self.inverse(function, &only_real(arg(0)?)?),
            Func::Floor => only_real(arg(0)?)?.floored().map(real).ok_or(Stop::Undefined),
            Func::Re => Ok(real(arg(0)?.re)),
            Func::Im => Ok(real(arg(0)?.im.unwrap_or_else(Real::zero))),
            Func::Factorial | Func::Binomial | Func::Gcd | Func::Lcm | Func::Mod => {
                let exact =
                    super::exact::evaluate(&Expr::Call(function, args.to_vec()), self.meter)?;
                Ok(real(self.field.rational(&exact)))
            }
            _ => Err(Stop::Undefined),
        }
    }

    fn inverse(&self, function: Func, x: &Real) -> Outcome<Complex> {
        self.charge(2)?;
        let f = self.field;
        if function == Func::Atan {
            return Ok(real(f.atan(x)));
        }
        let rest = f.sub(&Real::int(1), &f.mul(x, x));
        if rest.is_negative() {
            return Err(Stop::Undefined);
        }
        let leg = f.sqrt(&rest);
        Ok(real(if function == Func::Asin { f.atan2(x, &leg) } else { f.atan2(&leg, x) }))
    }

    fn root(&self, index: &Complex, x: &Complex) -> Outcome<Complex> {
        let n = if index.im.is_none() { index.re.to_integer() } else { None };
        if n == Some(2) {
            return self.sqrt(x);
        }
        let odd = n.is_some_and(|n| n.rem_euclid(2) == 1);
        let inverse = self.div(&real(Real::int(1)), index)?;
        if odd && x.im.is_none() && x.re.is_negative() {
            return Ok(self.pow(&real(x.re.neg()), &inverse)?.neg());
        }
        self.pow(x, &inverse)
    }
}

fn only_real(x: Complex) -> Outcome<Real> {
    if x.im.is_none() { Ok(x.re) } else { Err(Stop::Undefined) }
}

impl Complex {
    fn neg(&self) -> Self {
        Self { re: self.re.neg(), im: self.im.as_ref().map(Real::neg) }
    }

    /// An imaginary part that is exactly zero is none.
    fn tidy(mut self) -> Self {
        if self.im.as_ref().is_some_and(Real::is_zero) {
            self.im = None;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Budget, parser};

    fn check(a: &str, b: &str, same: bool) {
        let meter = Meter::new(&Budget::default());
        let point = numeric::Point { seed: 1, signed: false, bound: None };
        let field = Field::new(320);
        let evaluator = Evaluator { field: &field, point, meter: &meter };
        let value = |src: &str| {
            let expr = parser::parse(src, crate::math::lexer::Notation::ALL, &meter).unwrap().expr;
            evaluator.value(&expr).unwrap()
        };
        assert_eq!(agree(&field, &value(a), &value(b)), same, "{a} {b}");
    }

    #[test]
    fn identities() {
        check("\\sqrt2+\\sqrt3", "\\sqrt{5+2\\sqrt6}", true);
        check("\\sin 18^\\circ", "\\frac{\\sqrt5-1}{4}", true);
        check("e^{i\\pi}", "-1", true);
        check("\\ln 8", "3\\ln 2", true);
        check("\\arctan 1", "\\frac{\\pi}{4}", true);
        check("\\sqrt[3]{-8}", "-2", true);
        check("\\arcsin 0.3+\\arccos 0.3", "\\frac{\\pi}{2}", true);
        check("\\cosh^2 x-\\sinh^2 x", "1", true);
        check("\\sum_{k=1}^{5}\\sqrt k", "3+\\sqrt2+\\sqrt3+\\sqrt5", true);
        check("x^{\\frac12}", "\\sqrt x", true);
        check("\\sqrt{-2}", "i\\sqrt2", true);
    }

    #[test]
    fn near_misses() {
        check("e^{\\pi\\sqrt{163}}", "262537412640768744", false);
        check("\\sqrt{10^{40}+1}", "10^{20}", false);
        check("\\sin 10^{-9}", "10^{-9}", false);
    }
}
