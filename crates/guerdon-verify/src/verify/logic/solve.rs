//! Whether formulas can be true together: clauses, unit propagation, and a search that backtracks.

use super::{Formula, Op};

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Found {
    /// They can: where the atoms have these values.
    Model(Vec<bool>),
    /// They cannot.
    None,
    /// The budget is spent.
    Spent,
}

/// A variable from 1, negative where it is denied.
type Literal = i32;

struct Clauses {
    variables: i32,
    clauses: Vec<Vec<Literal>>,
}

impl Clauses {
    fn variable(&mut self) -> Literal {
        self.variables += 1;
        self.variables
    }

    /// A literal that is true exactly where the formula is.
    fn literal(&mut self, formula: &Formula<u32>) -> Literal {
        match formula {
            Formula::Atom(atom) => Literal::try_from(*atom).map_or(Literal::MAX, |a| a + 1),
            Formula::Not(inner) => -self.literal(inner),
            Formula::Truth(flag) => {
                let x = self.variable();
                self.clauses.push(vec![if *flag { x } else { -x }]);
                x
            }
            Formula::Pair(op, pair) => {
                let (a, b) = (self.literal(&pair.0), self.literal(&pair.1));
                let x = self.variable();
                match op {
                    Op::And => self.or_is(-x, -a, -b),
                    Op::Or => self.or_is(x, a, b),
                    Op::Implies => self.or_is(x, -a, b),
                    Op::Iff => self.same_is(x, a, b),
                    Op::Xor => self.same_is(-x, a, b),
                }
                x
            }
        }
    }

    /// x is a or b.
    fn or_is(&mut self, x: Literal, a: Literal, b: Literal) {
        self.clauses.extend([vec![-x, a, b], vec![x, -a], vec![x, -b]]);
    }

    /// x is whether a and b are the same.
    fn same_is(&mut self, x: Literal, a: Literal, b: Literal) {
        self.clauses.extend([vec![-x, -a, b], vec![-x, a, -b], vec![x, a, b], vec![x, -a, -b]]);
    }
}

fn index(literal: Literal) -> usize {
    2 * literal.unsigned_abs() as usize + usize::from(literal < 0)
}

/// A search: each clause is watched at its first two literals.
struct Search {
    clauses: Vec<Vec<Literal>>,
    watches: Vec<Vec<usize>>,
    /// For each literal whether it is known to be true.
    known: Vec<bool>,
    trail: Vec<Literal>,
    /// Where decisions stand in the trail.
    decisions: Vec<usize>,
    done: usize,
    steps: usize,
}

/// Looks for values of `atoms` atoms that make all formulas true, within `steps` looks at a clause.
pub(in super::super) fn satisfy(formulas: &[Formula<u32>], atoms: usize, steps: usize) -> Found {
    let size: usize = formulas.iter().map(Formula::size).sum();
    let (Ok(variables), true) = (i32::try_from(atoms), size <= steps && size < 1 << 24) else {
        return Found::Spent;
    };
    let mut built = Clauses { variables, clauses: Vec::new() };
    for formula in formulas {
        let literal = built.literal(formula);
        built.clauses.push(vec![literal]);
    }
    let count = 2 * (built.variables.unsigned_abs() as usize + 1);
    let mut search = Search {
        watches: vec![Vec::new(); count],
        known: vec![false; count],
        clauses: Vec::new(),
        trail: Vec::new(),
        decisions: Vec::new(),
        done: 0,
        steps,
    };
    let variables = built.variables;
    if !search.load(built.clauses) {
        return Found::None;
    }
    match search.run(variables) {
        Some(true) => Found::Model((1..=atoms).map(|a| search.known[2 * a]).collect()),
        Some(false) => Found::None,
        None => Found::Spent,
    }
}

impl Search {
    fn is_true(&self, literal: Literal) -> bool {
        self.known[index(literal)]
    }

    fn set(&mut self, literal: Literal) {
        self.known[index(literal)] = true;
        self.trail.push(literal);
    }

    /// Takes the clauses over; false where two of one literal contradict each other.
    fn load(&mut self, clauses: Vec<Vec<Literal>>) -> bool {
        for mut clause in clauses {
            clause.sort_unstable();
            clause.dedup();
            if clause.iter().any(|l| clause.binary_search(&-l).is_ok()) {
                continue;
            }
            match *clause {
                [one] if self.is_true(-one) => return false,
                [one] if self.is_true(one) => {}
                [one] => self.set(one),
                [a, b, ..] => {
                    self.watches[index(a)].push(self.clauses.len());
                    self.watches[index(b)].push(self.clauses.len());
                    self.clauses.push(clause);
                }
                [] => return false,
            }
        }
        true
    }

    /// Whether all clauses can be true; none where the steps are spent.
    fn run(&mut self, variables: i32) -> Option<bool> {
        let mut next = 1;
        loop {
            if self.propagate()? {
                while next <= variables && (self.is_true(next) || self.is_true(-next)) {
                    next += 1;
                }
                if next > variables {
                    return Some(true);
                }
                self.decisions.push(self.trail.len());
                self.set(-next);
            } else {
                let Some(at) = self.decisions.pop() else { return Some(false) };
                let decided = self.trail[at];
                for literal in self.trail.drain(at..) {
                    self.known[index(literal)] = false;
                    next = next.min(literal.abs());
                }
                self.done = at;
                self.set(-decided);
            }
        }
    }

    /// Draws all conclusions of single literals; false at a contradiction.
    fn propagate(&mut self) -> Option<bool> {
        while self.done < self.trail.len() {
            let denied = -self.trail[self.done];
            self.done += 1;
            let watching = std::mem::take(&mut self.watches[index(denied)]);
            let mut kept = Vec::with_capacity(watching.len());
            let mut held = true;
            for clause in watching {
                self.steps = self.steps.checked_sub(1)?;
                if !held || !self.moved(clause, denied) {
                    kept.push(clause);
                    held = held && self.unit(clause, denied);
                }
            }
            self.watches[index(denied)] = kept;
            if !held {
                return Some(false);
            }
        }
        Some(true)
    }

    /// Whether another literal of the clause could be watched in the place of `denied`.
    fn moved(&mut self, clause: usize, denied: Literal) -> bool {
        let literals = &self.clauses[clause];
        let at = usize::from(literals[1] == denied);
        let open = literals[2..].iter().position(|l| !self.known[index(-l)]);
        if self.known[index(literals[1 - at])] {
            return false;
        }
        let Some(open) = open else { return false };
        self.clauses[clause].swap(at, open + 2);
        let literal = self.clauses[clause][at];
        self.watches[index(literal)].push(clause);
        true
    }

    /// Sets the literal that is left of a clause; false where that one is denied.
    fn unit(&mut self, clause: usize, denied: Literal) -> bool {
        let literals = &self.clauses[clause];
        let last = literals[usize::from(literals[0] == denied)];
        if self.is_true(-last) {
            return false;
        }
        if !self.is_true(last) {
            self.set(last);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Formula, Op};
    use super::{Found, satisfy};

    /// So many pigeons in one hole fewer: each has a hole, and no hole has two.
    fn pigeons(count: u32) -> Vec<Formula<u32>> {
        let holes = count - 1;
        let sits = |pigeon: u32, hole: u32| Formula::Atom(pigeon * holes + hole);
        let any =
            |p| (1..holes).map(|h| sits(p, h)).fold(sits(p, 0), |a, b| Formula::pair(Op::Or, a, b));
        let mut all: Vec<_> = (0..count).map(any).collect();
        for hole in 0..holes {
            for p in 0..count {
                for q in 0..p {
                    all.push(Formula::not(Formula::pair(Op::And, sits(p, hole), sits(q, hole))));
                }
            }
        }
        all
    }

    #[test]
    fn hard_ones_end_by_the_budget() {
        assert_eq!(satisfy(&pigeons(5), 20, 1_000_000), Found::None);
        assert_eq!(satisfy(&pigeons(12), 132, 100_000), Found::Spent);
    }

    #[test]
    fn long_chains_are_decided_at_once() {
        let implies = |a| Formula::pair(Op::Implies, Formula::Atom(a), Formula::Atom(a + 1));
        let mut all: Vec<_> = (0..5000).map(implies).collect();
        all.push(Formula::Atom(0));
        assert!(
            matches!(satisfy(&all, 5001, 100_000), Found::Model(values) if values.iter().all(|v| *v))
        );
        all.push(Formula::not(Formula::Atom(5000)));
        assert_eq!(satisfy(&all, 5001, 100_000), Found::None);
    }
}
