//! Small trees from smaller ones.

use super::super::ast::{Expr, Func};
use super::{Fault, Parsed};

/// Each `!` adds a level to the tree, so that it counts against the depth.
pub(super) fn factorial(value: Expr) -> Parsed {
    let mut level = 0usize;
    let mut inner = &value;
    while let Expr::Call(Func::Factorial, args) = inner {
        level += 1;
        inner = &args[0];
    }
    if level > 8 {
        return Err(Fault::Budget("depth"));
    }
    Ok(Expr::Call(Func::Factorial, vec![value]))
}

pub(super) fn percent(value: Expr) -> Expr {
    match value {
        done @ Expr::Percent(_) => done,
        value => Expr::Percent(Box::new(value)),
    }
}

/// `-x`; the sign of a literal goes into the literal.
pub(super) fn negate(value: Expr) -> Expr {
    match value {
        Expr::Num(q) => Expr::Num(q.neg()),
        Expr::Dec(q) => Expr::Dec(q.neg()),
        Expr::Measure(x, unit) => Expr::Measure(Box::new(negate(*x)), unit),
        Expr::Percent(x) => Expr::Percent(Box::new(negate(*x))),
        other => Expr::Neg(Box::new(other)),
    }
}

/// `a b`, kept flat.
pub(super) fn multiply(a: Expr, b: Expr) -> Expr {
    match a {
        Expr::Prod(mut parts) => {
            parts.push(b);
            Expr::Prod(parts)
        }
        a => Expr::Prod(vec![a, b]),
    }
}

/// Two parts of an answer between which a stray mark stood.
pub(super) fn join(a: Expr, b: Expr) -> Parsed {
    match a {
        Expr::List(mut parts) => {
            parts.push(b);
            Ok(Expr::List(parts))
        }
        _ => Err(Fault::Syntax),
    }
}
