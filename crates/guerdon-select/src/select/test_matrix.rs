//! Choosing code by generated tests when neither side is trusted: B4, CodeT, MBR-exec, MaxPass.
//!
//! # Formula
//!
//! ```text
//! groups: solutions with the same row of passes;  N_x solutions in the group, |y| tests passed
//! max_pass: |y|      mbr: N_x      codet: |y|·√N_x
//! b4: lnB(N_x + α, N − N_x + 1) + lnB(|y| + α, M − |y| + 1) + lnB(S1 + 1, n1 − S1 + 1) + lnB(S0 + 1, n0 − S0 + β0)
//! ```
//!
//! `S1` of `n1`, `S0` of `n0`: passes of the other solutions on the group's tests, and on the rest. `N` solutions, `M` tests.
//!
//! # When to use it
//!
//! With many sampled solutions and many generated tests. B4 holds up where right solutions are rare and tests unreliable; it
//! fails when wrong solutions pass a large share of bad tests.
//!
//! # Departures
//!
//! Multiplicities count in `codet` and `mbr` when given (CodeT's own protocol); B4 was published on unique solutions. Groups
//! that tie in score keep the order of their first solution.
//!
//! # Example
//!
//! ```yaml
//! use: select.test_matrix
//! rule: b4
//! ```
//!
//! ```
//! use guerdon_select::select::test_matrix::{TestMatrix, groups};
//! let row = |s: &str| s.bytes().map(|b| b == b'1').collect::<Vec<_>>();
//! let rows = ["110", "110", "101", "001"].map(row);
//! let best = &groups(&rows, &[], &[], &TestMatrix::default()).unwrap()[0];
//! assert!((best.score + 70.701).abs() < 1e-3 && best.members == [0, 1]);
//! ```
//!
//! # References
//!
//! Chen et al., "CodeT: Code Generation with Generated Tests", 2023; Chen et al., "B4: Towards Optimal Assessment of Plausible
//! Code Solutions with Plausible Tests", 2024.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use guerdon_stats::dist::ln_beta;

/// How groups are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Tests passed.
    MaxPass,
    /// Solutions that behave alike.
    Mbr,
    /// Tests passed times the root of solutions alike.
    Codet,
    /// Posterior of "these are the right solutions, those the valid tests".
    #[default]
    B4,
}

/// Parameters of `select.test_matrix`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TestMatrix {
    /// How groups are scored. Default `b4`.
    pub rule: Rule,
    /// Prior strength of solutions and tests in B4, greater than 0. Default 1000.
    pub alpha: f64,
    /// Prior strength against passing invalid tests in B4, greater than 0. Default 100000.
    pub beta0: f64,
}

impl Default for TestMatrix {
    fn default() -> Self {
        Self { rule: Rule::B4, alpha: 1e3, beta0: 1e5 }
    }
}

impl Params for TestMatrix {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("alpha", self.alpha, 1e-9, 1e12)?;
        ParamError::in_range("beta0", self.beta0, 1e-9, 1e12)
    }
}

/// Input of `select.test_matrix`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Per solution, whether it passes each test; null where it crashed: it is left out.
    pub passes: Vec<Option<Vec<bool>>>,
    /// How often each solution was sampled, at least 1; absent: once.
    #[serde(default)]
    pub multiplicity: Vec<u32>,
    /// How often each test was generated, at least 1; absent: once.
    #[serde(default)]
    pub test_multiplicity: Vec<u32>,
}

/// Solutions that behave alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// Indices of the solutions, ascending.
    pub members: Vec<usize>,
    /// The score of the group.
    pub score: f64,
}

/// Output of `select.test_matrix`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Index of the chosen solution: the first of the best group.
    pub index: usize,
    /// The groups, best first.
    pub groups: Vec<Group>,
}

/// Most cells of the matrix.
const LIMIT: usize = 50_000_000;

struct Matrix<'a> {
    rows: &'a [Vec<bool>],
    solutions: Vec<f64>,
    tests: Vec<f64>,
}

impl Matrix<'_> {
    fn b4(&self, members: &[usize], params: &TestMatrix) -> f64 {
        let row = &self.rows[members[0]];
        let (n, m) = (self.rows.len() as f64, row.len() as f64);
        let (size, passed) = (members.len() as f64, row.iter().filter(|p| **p).count() as f64);
        let (mut s1, mut s0) = (0.0, 0.0);
        for (_, other) in
            self.rows.iter().enumerate().filter(|(i, _)| members.binary_search(i).is_err())
        {
            for (p, on) in other.iter().zip(row) {
                let hit = f64::from(u8::from(*p));
                if *on { s1 += hit } else { s0 += hit }
            }
        }
        let (n1, n0) = ((n - size) * passed, (n - size) * (m - passed));
        ln_beta(size + params.alpha, n - size + 1.0)
            + ln_beta(passed + params.alpha, m - passed + 1.0)
            + ln_beta(s1 + 1.0, n1 - s1 + 1.0)
            + ln_beta(s0 + 1.0, n0 - s0 + params.beta0)
    }

    fn score(&self, members: &[usize], params: &TestMatrix) -> f64 {
        let size: f64 = members.iter().map(|&i| self.solutions[i]).sum();
        let row = &self.rows[members[0]];
        let passed: f64 = row.iter().zip(&self.tests).filter(|(p, _)| **p).map(|(_, w)| w).sum();
        match params.rule {
            Rule::MaxPass => passed,
            Rule::Mbr => size,
            Rule::Codet => passed * size.sqrt(),
            Rule::B4 => self.b4(members, params),
        }
    }
}

fn counts(name: &str, given: &[u32], n: usize) -> Result<Vec<f64>, MethodError> {
    if given.is_empty() {
        return Ok(vec![1.0; n]);
    }
    MethodError::same_length((name, given.len()), ("passes", n))?;
    if given.contains(&0) {
        return Err(MethodError::domain(format!("`{name}` must be at least 1")));
    }
    Ok(given.iter().map(|c| f64::from(*c)).collect())
}

/// The groups of solutions alike, best first. Empty multiplicities mean once each.
pub fn groups(
    rows: &[Vec<bool>],
    solutions: &[u32],
    tests: &[u32],
    params: &TestMatrix,
) -> Result<Vec<Group>, MethodError> {
    let width = rows.first().map_or(0, Vec::len);
    for row in rows {
        MethodError::same_length(("passes[0]", width), ("a row of passes", row.len()))?;
    }
    let mut classes: std::collections::BTreeMap<&[bool], Vec<usize>> =
        std::collections::BTreeMap::new();
    for (i, row) in rows.iter().enumerate() {
        classes.entry(row).or_default().push(i);
    }
    let work = if params.rule == Rule::B4 { classes.len() } else { 1 };
    if rows.len().saturating_mul(width).saturating_mul(work) > LIMIT * 20 {
        return Err(MethodError::Budget(format!(
            "{} solutions × {width} tests: too many",
            rows.len()
        )));
    }
    let matrix = Matrix {
        rows,
        solutions: counts("multiplicity", solutions, rows.len())?,
        tests: counts("test_multiplicity", tests, width)?,
    };
    let scored = classes
        .into_values()
        .map(|members| Group { score: matrix.score(&members, params), members });
    let mut groups: Vec<Group> = scored.collect();
    groups.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.members[0].cmp(&b.members[0])));
    Ok(groups)
}

impl Function for TestMatrix {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let alive: Vec<usize> =
            (0..input.passes.len()).filter(|&i| input.passes[i].is_some()).collect();
        let rows: Vec<Vec<bool>> = input.passes.iter().flatten().cloned().collect();
        let own = if input.multiplicity.is_empty() {
            Vec::new()
        } else {
            MethodError::same_length(
                ("multiplicity", input.multiplicity.len()),
                ("passes", input.passes.len()),
            )?;
            alive.iter().map(|&i| input.multiplicity[i]).collect()
        };
        let mut groups = groups(&rows, &own, &input.test_multiplicity, self)?;
        for group in &mut groups {
            for member in &mut group.members {
                *member = alive[*member];
            }
        }
        match groups.first() {
            Some(best) => Ok(Output { index: best.members[0], groups }),
            None => Err(MethodError::domain("there is no solution that ran")),
        }
    }
}

guerdon_core::method! {
    TestMatrix: Function,
    id: "select.test_matrix",
    papers: ["b4-2024"],
    status: Verified(Reference("CodeT and B4 scoring code on recorded HumanEval matrices, 114 and 146 tasks")),
    laws: [],
    exempt: [],
    aliases: ["select.by_tests"],
    samples: [
        r#"{"passes": [[true, true, false], [true, true, false], [true, false, true], null, [false, false, true]]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Input, Rule, TestMatrix, groups};
    use guerdon_core::method::Function as _;

    fn rows() -> Vec<Vec<bool>> {
        ["110", "110", "101", "001"]
            .iter()
            .map(|s| s.bytes().map(|b| b == b'1').collect())
            .collect()
    }

    #[test]
    fn worked_scores() {
        let scores = |rule| {
            let params = TestMatrix { rule, ..TestMatrix::default() };
            groups(&rows(), &[], &[], &params).unwrap().iter().map(|g| g.score).collect::<Vec<_>>()
        };
        for (got, expect) in scores(Rule::B4).iter().zip([-70.701, -78.457_082, -112.660_536]) {
            assert!((got - expect).abs() < 1e-3, "{got}");
        }
        for (got, expect) in scores(Rule::Codet).iter().zip([2.828_427, 2.0, 1.0]) {
            assert!((got - expect).abs() < 1e-6, "{got}");
        }
    }

    #[test]
    fn crashed_solutions_are_left_out() {
        let mut passes: Vec<_> = rows().into_iter().map(Some).collect();
        passes.insert(0, None);
        let input = Input { passes, multiplicity: vec![], test_multiplicity: vec![] };
        assert_eq!(TestMatrix::default().call(&input, 0).unwrap().index, 1);
        let none = Input { passes: vec![None], multiplicity: vec![], test_multiplicity: vec![] };
        assert!(TestMatrix::default().call(&none, 0).is_err());
    }
}
