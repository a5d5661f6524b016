//! Propositional logic: formulas, their notation, and whether they can be true together.
//!
//! | meaning | notations |
//! |---|---|
//! | not a | `not a`, `!a`, `~a`, `¬a`, `\neg a` |
//! | a and b | `a and b`, `a & b`, `a && b`, `a ∧ b`, `a /\ b` |
//! | a or b | `a or b`, `a \| b`, `a \|\| b`, `a ∨ b`, `a \/ b` |
//! | either | `a xor b`, `a ⊕ b` |
//! | if a then b | `a implies b`, `a -> b`, `a => b`, `a → b` |
//! | a if and only if b | `a iff b`, `a <-> b`, `a <=> b`, `a ↔ b` |
//!
//! `not` binds strongest, then `and`, `or` with `xor`, `implies` (to the right), `iff`.

mod parse;
mod solve;

pub(super) use parse::{Atom, parse};
pub(super) use solve::{Found, satisfy};

/// A connective of two formulas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    And,
    Or,
    Xor,
    Implies,
    Iff,
}

/// A formula over atoms of type `A`. Its depth is bounded by its parser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Formula<A> {
    Truth(bool),
    Atom(A),
    Not(Box<Formula<A>>),
    Pair(Op, Box<(Formula<A>, Formula<A>)>),
}

impl<A> Formula<A> {
    pub(super) fn not(inner: Self) -> Self {
        Self::Not(Box::new(inner))
    }

    pub(super) fn pair(op: Op, a: Self, b: Self) -> Self {
        Self::Pair(op, Box::new((a, b)))
    }

    /// The formula with every atom replaced; the first error ends it.
    pub(super) fn try_map<B, E>(
        &self,
        atom: &mut dyn FnMut(&A) -> Result<Formula<B>, E>,
    ) -> Result<Formula<B>, E> {
        Ok(match self {
            Self::Truth(flag) => Formula::Truth(*flag),
            Self::Atom(a) => atom(a)?,
            Self::Not(inner) => Formula::not(inner.try_map(atom)?),
            Self::Pair(op, pair) => {
                Formula::pair(*op, pair.0.try_map(atom)?, pair.1.try_map(atom)?)
            }
        })
    }

    /// The number of atoms, connectives and constants.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Truth(_) | Self::Atom(_) => 1,
            Self::Not(inner) => 1 + inner.size(),
            Self::Pair(_, pair) => 1 + pair.0.size() + pair.1.size(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Formula, Found, Op, satisfy};

    /// Whether a formula is true where the atom of number k is `values[k]`: the truth table's row.
    fn holds(formula: &Formula<u32>, values: [bool; 4]) -> bool {
        match formula {
            Formula::Truth(flag) => *flag,
            Formula::Atom(atom) => values[*atom as usize],
            Formula::Not(inner) => !holds(inner, values),
            Formula::Pair(op, pair) => {
                let (a, b) = (holds(&pair.0, values), holds(&pair.1, values));
                match op {
                    Op::And => a && b,
                    Op::Or => a || b,
                    Op::Xor => a != b,
                    Op::Implies => !a || b,
                    Op::Iff => a == b,
                }
            }
        }
    }

    /// All formulas of exactly `size` symbols over four atoms.
    fn formulas(size: usize, smaller: &[Vec<Formula<u32>>]) -> Vec<Formula<u32>> {
        if size == 1 {
            return (0..4).map(Formula::Atom).collect();
        }
        let mut all: Vec<_> = smaller[size - 1].iter().cloned().map(Formula::not).collect();
        for left in 1..size - 1 {
            for a in &smaller[left] {
                for b in &smaller[size - 1 - left] {
                    for op in [Op::And, Op::Or, Op::Implies, Op::Iff] {
                        all.push(Formula::pair(op, a.clone(), b.clone()));
                    }
                }
            }
        }
        all
    }

    #[test]
    fn the_solver_agrees_with_truth_tables() {
        let mut sizes = vec![Vec::new()];
        for size in 1..=5 {
            let next = formulas(size, &sizes);
            sizes.push(next);
        }
        let assignments = || (0..16_u32).map(|bits| [0, 1, 2, 3].map(|k| bits >> k & 1 == 1));
        for formula in sizes.iter().flatten() {
            for (formula, negated) in
                [(formula.clone(), false), (Formula::not(formula.clone()), true)]
            {
                let expect = assignments().any(|values| holds(&formula, values));
                match satisfy(std::slice::from_ref(&formula), 4, 10_000) {
                    Found::Model(values) => {
                        assert!(
                            expect && holds(&formula, values.try_into().unwrap()),
                            "{formula:?}"
                        );
                    }
                    Found::None => assert!(!expect, "{formula:?} {negated}"),
                    Found::Spent => panic!("{formula:?}"),
                }
            }
        }
        assert_eq!(sizes.iter().map(Vec::len).sum::<usize>(), 2708);
    }
}
