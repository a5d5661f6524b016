//! What would happen if any two met: the input of tournaments.

use guerdon_core::MethodError;
use guerdon_core::seed::Stream;
use rand::RngExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most contestants of a tournament.
const MOST: usize = 10_000;

/// What would happen if any two contestants met, prompt by prompt.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Duels {
    /// Names of the contestants.
    pub names: Vec<String>,
    /// `tables[prompt][i][j]`: the score of `i` when it meets `j` with `i` in the first slot; finite. What stands on the
    /// diagonal does not matter. When winners are drawn, it is the probability that `i` beats `j`.
    pub tables: Vec<Vec<Vec<f64>>>,
}

impl Duels {
    /// Checks sizes and values; probabilities must lie in 0 to 1.
    pub fn check(&self, probabilities: bool) -> Result<(), MethodError> {
        let n = self.names.len();
        if n > MOST {
            return Err(MethodError::Budget(format!(
                "a tournament has at most {MOST} contestants"
            )));
        }
        crate::comparisons::check_names(&self.names)?;
        for table in &self.tables {
            MethodError::same_length(("names", n), ("table", table.len()))?;
            for (i, row) in table.iter().enumerate() {
                MethodError::same_length(("names", n), ("row of a table", row.len()))?;
                let bad = row.iter().enumerate().find(|(j, x)| {
                    *j != i && (!x.is_finite() || (probabilities && !(0.0..=1.0).contains(*x)))
                });
                if let Some((j, x)) = bad {
                    let range =
                        if probabilities { "a probability between 0 and 1" } else { "finite" };
                    return Err(MethodError::domain(format!(
                        "the entry ({i}, {j}) of a table is {x}: it must be {range}"
                    )));
                }
            }
        }
        Ok(())
    }

    /// Scores of `i` (first slot) and `j` on a prompt: as they stand, or 1 and 0 for a winner drawn.
    pub fn meet(&self, prompt: usize, i: usize, j: usize, draw: Option<&mut Stream>) -> (f64, f64) {
        let table = &self.tables[prompt];
        match draw {
            None => (table[i][j], table[j][i]),
            Some(rng) => {
                let won = rng.random::<f64>() < table[i][j];
                if won { (1.0, 0.0) } else { (0.0, 1.0) }
            }
        }
    }
}
