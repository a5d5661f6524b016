//! Evaluation in complex double precision at seeded random points: it refutes cheaply; what it cannot refute is
//! decided with many more digits in [`super::precise`].

use std::fmt::Write as _;

use super::ast::{Binder, Const, Expr, Func};
use super::meter::{Meter, Outcome, Stop};
use super::modular;

/// Most terms of a finite sum or product that are added up.
const MOST_TERMS: i64 = 4096;

/// A complex number in double precision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Complex {
    pub(crate) re: f64,
    pub(crate) im: f64,
}

/// Where expressions are evaluated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point<'a> {
    pub(crate) seed: u64,
    /// Symbols take negative values too.
    pub(crate) signed: bool,
    /// Values of bound variables, innermost last.
    pub(crate) bound: Option<&'a Binding<'a>>,
}

/// A bound variable and its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Binding<'a> {
    name: &'a str,
    value: f64,
    outer: Option<&'a Binding<'a>>,
}

/// The integer part, at the ends of the range where it does not fit.
#[expect(clippy::cast_possible_truncation, reason = "a cast from a double saturates")]
pub(crate) const fn integer(x: f64) -> i64 {
    x as i64
}

impl<'a> Binding<'a> {
    /// A variable with its value, inside the bindings `outer`.
    pub(crate) const fn new(name: &'a str, value: f64, outer: Option<&'a Self>) -> Self {
        Self { name, value, outer }
    }
}

pub(crate) const fn real(re: f64) -> Complex {
    Complex { re, im: 0.0 }
}

impl Complex {
    fn add(self, o: Self) -> Self {
        Self { re: self.re + o.re, im: self.im + o.im }
    }

    fn neg(self) -> Self {
        Self { re: -self.re, im: -self.im }
    }

    fn sub(self, o: Self) -> Self {
        self.add(o.neg())
    }

    fn mul(self, o: Self) -> Self {
        if self.im == 0.0 && o.im == 0.0 {
            return real(self.re * o.re);
        }
        Self { re: self.re * o.re - self.im * o.im, im: self.re * o.im + self.im * o.re }
    }

    fn div(self, o: Self) -> Self {
        if o.im == 0.0 {
            return Self { re: self.re / o.re, im: self.im / o.re };
        }
        let d = o.re * o.re + o.im * o.im;
        let n = self.mul(Self { re: o.re, im: -o.im });
        Self { re: n.re / d, im: n.im / d }
    }

    pub(crate) fn norm(self) -> f64 {
        if self.im == 0.0 { self.re.abs() } else { self.re.hypot(self.im) }
    }

    fn ln(self) -> Self {
        if self.im == 0.0 && self.re > 0.0 {
            return real(self.re.ln());
        }
        Self { re: self.norm().ln(), im: self.im.atan2(self.re) }
    }

    fn exp(self) -> Self {
        if self.im == 0.0 {
            return real(self.re.exp());
        }
        let r = self.re.exp();
        Self { re: r * self.im.cos(), im: r * self.im.sin() }
    }

    fn times_i(self) -> Self {
        Self { re: -self.im, im: self.re }
    }

    fn is_real(self) -> bool {
        self.im == 0.0
    }

    fn sqrt(self) -> Self {
        if self.im == 0.0 {
            return if self.re >= 0.0 {
                real(self.re.sqrt())
            } else {
                Self { re: 0.0, im: (-self.re).sqrt() }
            };
        }
        self.ln().mul(real(0.5)).exp()
    }

    fn pow(self, e: Self) -> Self {
        if e.is_real() && e.re.fract() == 0.0 && e.re.abs() <= 1024.0 {
            return self.powi(i32::try_from(integer(e.re)).unwrap_or(0));
        }
        if self.is_real() && e.is_real() && self.re > 0.0 {
            return real(self.re.powf(e.re));
        }
        if self.re == 0.0 && self.im == 0.0 {
            return if e.re > 0.0 { real(0.0) } else { real(f64::NAN) };
        }
        self.ln().mul(e).exp()
    }

    fn powi(self, n: i32) -> Self {
        if self.is_real() {
            return real(self.re.powi(n));
        }
        let (mut base, mut result, mut k) = (self, real(1.0), n.unsigned_abs());
        while k > 0 {
            if k & 1 == 1 {
                result = result.mul(base);
            }
            base = base.mul(base);
            k >>= 1;
        }
        if n < 0 { real(1.0).div(result) } else { result }
    }

    pub(crate) fn is_finite(self) -> bool {
        self.re.is_finite() && self.im.is_finite()
    }
}

/// The value of an expression at a point; `Undefined` where it has none in double precision.
pub(crate) fn evaluate(expr: &Expr, at: Point<'_>, meter: &Meter) -> Outcome<Complex> {
    let value = value(expr, at, meter)?;
    if value.is_finite() { Ok(value) } else { Err(Stop::Undefined) }
}

fn value(expr: &Expr, at: Point<'_>, meter: &Meter) -> Outcome<Complex> {
    meter.step(4)?;
    let go = |x: &Expr| value(x, at, meter);
    Ok(match expr {
        Expr::Num(q) | Expr::Dec(q) | Expr::Based(q, _) => real(q.to_f64()),
        Expr::Const(Const::Pi) => real(std::f64::consts::PI),
        Expr::Const(Const::E) => real(std::f64::consts::E),
        Expr::Const(Const::I) => Complex { re: 0.0, im: 1.0 },
        Expr::Const(Const::Infinity) => real(f64::INFINITY),
        Expr::Sym(name) => real(symbol(name, at)),
        Expr::Text(name) => real(random(&format!("\0text {name}"), at.seed, true)),
        Expr::Neg(x) => go(x)?.neg(),
        Expr::Sum(terms) => terms.iter().try_fold(real(0.0), |s, x| Ok(s.add(go(x)?)))?,
        Expr::Prod(parts) => parts.iter().try_fold(real(1.0), |s, x| Ok(s.mul(go(x)?)))?,
        Expr::Quot(p) => {
            let divisor = go(&p.1)?;
            if divisor.norm() == 0.0 {
                return Err(Stop::Undefined);
            }
            go(&p.0)?.div(divisor)
        }
        Expr::Pow(p) => go(&p.0)?.pow(go(&p.1)?),
        Expr::Percent(x) => go(x)?.div(real(100.0)),
        Expr::Measure(x, unit) if &**unit == "deg" => {
            go(x)?.mul(real(std::f64::consts::PI / 180.0))
        }
        Expr::Measure(x, _) => go(x)?,
        Expr::Ratio(parts, _) if parts.len() == 2 => go(&parts[0])?.div(go(&parts[1])?),
        Expr::App(name, args) => real(application(name, args, at, meter)?),
        Expr::Call(function, args) => call(*function, args, at, meter)?,
        Expr::Bound(binder, name, ends, body) => bound(*binder, name, ends, body, at, meter)?,
        _ => return Err(Stop::Undefined),
    })
}

fn symbol(name: &str, at: Point<'_>) -> f64 {
    let mut binding = at.bound;
    while let Some(b) = binding {
        if b.name == name {
            return b.value;
        }
        binding = b.outer;
    }
    random(name, at.seed, at.signed)
}

/// A value between 0.25 and 2.75 for a name, with a sign when `signed`.
fn random(name: &str, seed: u64, signed: bool) -> f64 {
    let bits = modular::point(name, seed, modular::PRIMES[0]);
    let unit = (bits & 0xffff_ffff) as f64 / f64::from(u32::MAX);
    let magnitude = 0.25 + 2.5 * unit;
    if signed && bits >> 40 & 1 == 1 { -magnitude } else { magnitude }
}

/// Adds a value to a key with eight digits, so that equal values agree in spite of rounding.
fn append(key: &mut String, value: Complex) {
    let _ = write!(key, " {:.8e} {:.8e}", value.re, value.im);
}

/// An unknown function: a value that depends on its name and the values of its arguments.
fn application(name: &str, args: &[Expr], at: Point<'_>, meter: &Meter) -> Outcome<f64> {
    let mut key = format!("\0app {name}");
    for arg in args {
        match value(arg, at, meter) {
            Ok(v) => append(&mut key, v),
            Err(Stop::Undefined) => key.extend([" ", &format!("{arg:?}")]),
            Err(stop) => return Err(stop),
        }
    }
    Ok(random(&key, at.seed, at.signed))
}

fn call(function: Func, args: &[Expr], at: Point<'_>, meter: &Meter) -> Outcome<Complex> {
    let arg = |i: usize| value(args.get(i).ok_or(Stop::Undefined)?, at, meter);
    let x = match function {
        Func::Abs if matches!(args.first(), Some(Expr::Matrix(_))) => real(0.0),
        Func::Log | Func::Root => arg(1)?,
        _ => arg(0)?,
    };
    let one = real(1.0);
    Ok(match function {
        Func::Sin => sine(x),
        Func::Cos => cosine(x),
        Func::Tan => sine(x).div(cosine(x)),
        Func::Cot => cosine(x).div(sine(x)),
        Func::Sec => one.div(cosine(x)),
        Func::Csc => one.div(sine(x)),
        Func::Asin => on_unit(x, f64::asin)?,
        Func::Acos => on_unit(x, f64::acos)?,
        Func::Atan => on_real(x, f64::atan)?,
        Func::Sinh => x.exp().sub(x.neg().exp()).mul(real(0.5)),
        Func::Cosh => x.exp().add(x.neg().exp()).mul(real(0.5)),
        Func::Tanh => {
            let (p, n) = (x.exp(), x.neg().exp());
            p.sub(n).div(p.add(n))
        }
        Func::Asinh => on_real(x, f64::asinh)?,
        Func::Acosh => on_real(x, f64::acosh)?,
        Func::Atanh => on_unit(x, f64::atanh)?,
        Func::Exp => x.exp(),
        Func::Ln => x.ln(),
        Func::Log => x.ln().div(arg(0)?.ln()),
        Func::Abs => match args.first() {
            Some(Expr::Matrix(rows)) => determinant(rows, at, meter)?,
            _ => real(x.norm()),
        },
        Func::Floor => on_real(x, |v| (v + 1e-12).floor())?,
        Func::Ceil => on_real(x, |v| (v - 1e-12).ceil())?,
        Func::Root => root(arg(0)?, x),
        Func::Factorial => on_real(x, factorial)?,
        Func::Binomial => {
            let k = arg(1)?;
            real(factorial(x.re) / factorial(k.re) / factorial(x.re - k.re))
        }
        Func::Min | Func::Max => {
            let mut best = x.re;
            for i in 1..args.len() {
                let v = arg(i)?.re;
                best = if function == Func::Min { best.min(v) } else { best.max(v) };
            }
            real(best)
        }
        Func::Mod => {
            let m = arg(1)?.re;
            on_real(x, |v| v.rem_euclid(m))?
        }
        Func::Re => real(x.re),
        Func::Im => real(x.im),
        Func::Arg => real(x.im.atan2(x.re)),
        Func::Gcd | Func::Lcm => {
            real(super::exact::evaluate(&Expr::Call(function, args.to_vec()), meter)?.to_f64())
        }
    })
}

fn root(index: Complex, x: Complex) -> Complex {
    let odd = index.is_real() && index.re.rem_euclid(2.0) == 1.0;
    if index.re == 2.0 && index.is_real() {
        return x.sqrt();
    }
    if odd && x.is_real() && x.re < 0.0 {
        return real(-(-x.re).powf(1.0 / index.re));
    }
    x.pow(real(1.0).div(index))
}

fn sine(x: Complex) -> Complex {
    if x.is_real() {
        return real(x.re.sin());
    }
    let (p, n) = (x.times_i().exp(), x.times_i().neg().exp());
    p.sub(n).div(Complex { re: 0.0, im: 2.0 })
}

fn cosine(x: Complex) -> Complex {
    if x.is_real() {
        return real(x.re.cos());
    }
    let (p, n) = (x.times_i().exp(), x.times_i().neg().exp());
    p.add(n).mul(real(0.5))
}

fn on_real(x: Complex, f: impl Fn(f64) -> f64) -> Outcome<Complex> {
    if x.is_real() { Ok(real(f(x.re))) } else { Err(Stop::Undefined) }
}

fn on_unit(x: Complex, f: impl Fn(f64) -> f64) -> Outcome<Complex> {
    if x.is_real() && x.re.abs() <= 1.0 { Ok(real(f(x.re))) } else { Err(Stop::Undefined) }
}

/// The gamma function at `x + 1`, by Lanczos' approximation.
fn factorial(x: f64) -> f64 {
    const G: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.0 {
        return if x.fract() == 0.0 {
            f64::NAN
        } else {
            let pi = std::f64::consts::PI;
            pi * x.abs() / (pi * x.abs()).sin() / factorial(-x)
        };
    }
    if x.fract() == 0.0 && x <= 170.0 {
        return (1..=integer(x)).fold(1.0, |f, k| f * k as f64);
    }
    let t = x + 7.5;
    let series = G.iter().enumerate().skip(1).fold(G[0], |s, (i, g)| s + g / (x + i as f64));
    (2.0 * std::f64::consts::PI).sqrt() * t.powf(x + 0.5) * (-t).exp() * series
}

fn determinant(rows: &[Vec<Expr>], at: Point<'_>, meter: &Meter) -> Outcome<Complex> {
    let n = rows.len();
    if rows.iter().any(|row| row.len() != n) {
        return Err(Stop::Undefined);
    }
    meter.step((n * n * n) as u64)?;
    let mut m: Vec<Vec<Complex>> = Vec::with_capacity(n);
    for row in rows {
        m.push(row.iter().map(|x| value(x, at, meter)).collect::<Outcome<_>>()?);
    }
    let mut det = real(1.0);
    for c in 0..n {
        let pivot = (c..n).max_by(|a, b| m[*a][c].norm().total_cmp(&m[*b][c].norm())).unwrap_or(c);
        if m[pivot][c].norm() == 0.0 {
            return Ok(real(0.0));
        }
        if pivot != c {
            m.swap(pivot, c);
            det = det.neg();
        }
        det = det.mul(m[c][c]);
        let (above, below) = m.split_at_mut(c + 1);
        let row = &above[c];
        for other in below {
            let factor = other[c].div(row[c]);
            for (x, y) in other[c..].iter_mut().zip(&row[c..]) {
                *x = x.sub(factor.mul(*y));
            }
        }
    }
    Ok(det)
}

/// Finite sums and products are added up; everything else that binds a variable is an unknown value that depends
/// on its parts, compared under a fixed value of the bound variable.
fn bound(
    binder: Binder,
    name: &str,
    ends: &[Option<Expr>; 2],
    body: &Expr,
    at: Point<'_>,
    meter: &Meter,
) -> Outcome<Complex> {
    if let (Binder::Sum | Binder::Product, [Some(low), Some(high)]) = (binder, ends)
        && let (Ok(low), Ok(high)) =
            (super::exact::evaluate(low, meter), super::exact::evaluate(high, meter))
        && let (Some(low), Some(high)) = (low.to_i64(), high.to_i64())
        && high.saturating_sub(low) < MOST_TERMS
    {
        let mut total = real(if binder == Binder::Sum { 0.0 } else { 1.0 });
        for k in low..=high {
            let term =
                value(body, with(at, &Binding { name, value: k as f64, outer: at.bound }), meter)?;
            total = if binder == Binder::Sum { total.add(term) } else { total.mul(term) };
        }
        return Ok(total);
    }
    let mut key = format!("\0bound {binder:?}");
    for end in ends {
        match end {
            Some(end) => match value(end, at, meter) {
                Ok(v) => append(&mut key, v),
                Err(Stop::Undefined) => key.extend([" ", &format!("{end:?}")]),
                Err(stop) => return Err(stop),
            },
            None => key.push_str(" none"),
        }
    }
    let fixed = Binding { name, value: 0.618_033_988_749_895, outer: at.bound };
    let inside = value(body, with(at, &fixed), meter)?;
    append(&mut key, inside);
    Ok(real(random(&key, at.seed, at.signed)))
}

fn with<'b>(at: Point<'_>, binding: &'b Binding<'b>) -> Point<'b> {
    Point { seed: at.seed, signed: at.signed, bound: Some(binding) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Budget, parser};

    fn at(src: &str) -> Complex {
        let meter = Meter::new(&Budget::default());
        let expr = parser::parse(src, crate::math::lexer::Notation::ALL, &meter).unwrap().expr;
        evaluate(&expr, Point { seed: 3, signed: false, bound: None }, &meter).unwrap()
    }

    fn check(a: &str, b: &str, same: bool) {
        let d = at(a).sub(at(b)).norm() / (1.0 + at(a).norm());
        assert_eq!(d < 1e-10, same, "{a} {b} {d}");
    }

    #[test]
    fn identities() {
        check("\\sin^2x+\\cos^2x", "1", true);
        check("\\ln 4", "2\\ln2", true);
        check("\\tan^2(y)+1", "\\sec^2(y)", true);
        check("x^x", "e^{x\\ln x}", true);
        check("e^{i\\pi}", "-1", true);
        check("\\sum_{k=1}^{10} k", "55", true);
        check("\\sin 30^\\circ", "1/2", true);
        check("\\begin{vmatrix}1&2\\\\3&4\\end{vmatrix}", "-2", true);
        check("f(x+1)", "f(1+x)", true);
        check("f(x)", "f(y)", false);
        check("5.5!", "287.88527781504", true);
    }
}
