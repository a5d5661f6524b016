//! Functions by name: powers and bases of the name, arguments with and without parentheses.

use super::super::ast::{Binder, Expr, Func};
use super::super::lexer::Kind;
use super::super::number::Rational;
use super::primary::call;
use super::{Fault, Parsed, Parser};

impl Parser<'_, '_> {
    /// A function whose name is the current token: `\sin^2 x`, `\log_2 8`, `max(1, 2)`.
    pub(super) fn function(&mut self, function: Func) -> Parsed {
        self.pos += 1;
        let (mut power, mut base) = (None, None);
        for _ in 0..2 {
            if self.eat_mark(b'^') {
                power = Some(self.exponent()?);
            } else if self.eat_mark(b'_') {
                base = Some(self.nested(Self::script)?);
            } else if self.is_command("^2") {
                self.pos += 1;
                power = Some(Expr::int(2));
            }
        }
        let arguments = self.arguments()?;
        let inverse = power == Some(Expr::int(-1));
        let applied = apply(function, base, arguments, inverse)?;
        Ok(match power {
            Some(power) if !inverse || inverse_of(function).is_none() => Expr::pow(applied, power),
            _ => applied,
        })
    }

    fn exponent(&mut self) -> Parsed {
        self.nested(|p| if p.at_sign() { p.factor() } else { p.script() })
    }

    /// Arguments in parentheses or braces, or the product that follows.
    pub(super) fn arguments(&mut self) -> Result<Vec<Expr>, Fault> {
        if self.is_mark(b'(') || self.is_mark(b'[') {
            let inner = self.nested(|p| p.parenthesis(p.is_mark(b'(')))?;
            return Ok(match inner {
                Expr::Tuple(parts) => parts,
                Expr::Interval(ends, ..) => vec![ends.0, ends.1],
                one => vec![one],
            });
        }
        self.nested(Self::bare_argument).map(|x| vec![x])
    }

    /// `\sin 2x`: factors up to the next sign, operator or function.
    fn bare_argument(&mut self) -> Parsed {
        if !self.starts_signed_factor() {
            return Err(Fault::Syntax);
        }
        let mut value = self.factor()?;
        while self.starts_factor() && !self.stops_argument() {
            self.meter.node(1)?;
            value = super::multiply(value, self.power()?);
        }
        Ok(value)
    }

    fn stops_argument(&self) -> bool {
        match self.peek() {
            Some(Kind::Mark(b'(' | b'[' | b'|') | Kind::Text(_) | Kind::SetOpen) => true,
            Some(Kind::Word(w)) => {
                super::vocabulary::function(w).is_some() || super::is_unit_token(&Kind::Word(w))
            }
            Some(Kind::Command(c)) => super::vocabulary::function(c).is_some() || *c == "$",
            _ => false,
        }
    }

    /// `\sqrt[n]{x}`, `sqrt(x)`, `\sqrt2`; the current token is the sign.
    pub(super) fn root(&mut self, mut degree: i64) -> Parsed {
        self.pos += 1;
        let mut index = None;
        if self.is_mark(b'[') {
            self.pos += 1;
            let inner = self.sum()?;
            self.eat_mark(b']');
            match inner {
                Expr::Num(Rational::Small(n @ 1..=64, 1)) => degree = n,
                other => index = Some(other),
            }
        }
        let radicand = self.script()?;
        let index = index.unwrap_or_else(|| Expr::int(degree));
        Ok(Expr::Call(Func::Root, vec![index, radicand]))
    }

    /// `\sum_{k=1}^{n} body`, `\int_0^1 f dx`, `\lim_{x \to 0} f`.
    pub(super) fn binder(&mut self, binder: Binder) -> Parsed {
        self.pos += 1;
        let (mut variable, mut low, mut high) = (None, None, None);
        for _ in 0..2 {
            if self.eat_mark(b'_') {
                let script = self.nested(Self::bounds)?;
                match script {
                    Expr::Relation(subject, mut rest) if rest.len() == 1 => {
                        variable = symbol_name(&subject);
                        low = rest.pop().map(|(_, value)| value);
                    }
                    other => low = Some(other),
                }
            } else if self.eat_mark(b'^') {
                high = Some(self.exponent()?);
            }
        }
        let body = self.product()?;
        let (body, differential) =
            if binder == Binder::Integral { split_differential(body) } else { (body, None) };
        let variable = variable.or(differential).unwrap_or_else(|| "_".into());
        Ok(Expr::Bound(binder, variable, Box::new([low, high]), Box::new(body)))
    }

    /// The subscript of an operator; a relation may stand in it.
    fn bounds(&mut self) -> Parsed {
        if self.eat_mark(b'{') {
            let inner = self.relation()?;
            self.eat_mark(b'}');
            return Ok(inner);
        }
        self.script()
    }
}

fn symbol_name(expr: &Expr) -> Option<Box<str>> {
    match expr {
        Expr::Sym(name) => Some(name.clone()),
        Expr::Const(super::super::ast::Const::I) => Some("i".into()),
        _ => None,
    }
}

/// The integrand without a closing `dx`, and the variable.
fn split_differential(body: Expr) -> (Expr, Option<Box<str>>) {
    if let Expr::Prod(mut parts) = body {
        if let [.., Expr::Sym(d), Expr::Sym(variable)] = &parts[..]
            && &**d == "d"
        {
            let variable = variable.clone();
            parts.truncate(parts.len() - 2);
            let rest = if parts.is_empty() { Expr::int(1) } else { Expr::Prod(parts) };
            return (rest, Some(variable));
        }
        return (Expr::Prod(parts), None);
    }
    (body, None)
}

fn apply(function: Func, base: Option<Expr>, mut args: Vec<Expr>, inverse: bool) -> Parsed {
    let many = matches!(function, Func::Gcd | Func::Lcm | Func::Min | Func::Max);
    if args.is_empty() {
        return Err(Fault::Syntax);
    }
    if many {
        return Ok(Expr::Call(function, args));
    }
    if function == Func::Log {
        let default = || Expr::int(10);
        return match (base, args.len()) {
            (Some(base), 1) => Ok(Expr::Call(Func::Log, vec![base, args.remove(0)])),
            (None, 2) => {
                let base = args.remove(1);
                Ok(Expr::Call(Func::Log, vec![base, args.remove(0)]))
            }
            (None, 1) => Ok(Expr::Call(Func::Log, vec![default(), args.remove(0)])),
            _ => Err(Fault::Syntax),
        };
    }
    let argument = args.pop().filter(|_| args.is_empty()).ok_or(Fault::Syntax)?;
    match inverse_of(function) {
        Some(inverse_function) if inverse => Ok(call(inverse_function, argument)),
        _ => Ok(call(function, argument)),
    }
}

/// What `f^{-1}` names.
fn inverse_of(function: Func) -> Option<Func> {
    Some(match function {
        Func::Sin => Func::Asin,
        Func::Cos => Func::Acos,
        Func::Tan => Func::Atan,
        Func::Sinh => Func::Asinh,
        Func::Cosh => Func::Acosh,
        Func::Tanh => Func::Atanh,
        _ => return None,
    })
}
