//! A model that turns texts into vectors: texts with common words lie close to each other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::serve_model::dice::Dice;

/// An embedding model: the normalised sum of a random direction for each word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Embedder {
    /// Length of the vectors, at most 4096. Default: 64.
    pub dimensions: u16,
}

impl Default for Embedder {
    fn default() -> Self {
        Self { dimensions: 64 }
    }
}

impl Embedder {
    pub(crate) fn check(self) -> Result<(), (String, String)> {
        if (1..=4096).contains(&self.dimensions) {
            return Ok(());
        }
        Err(("dimensions".into(), format!("{} is not between 1 and 4096", self.dimensions)))
    }

    /// A vector of length 1, or of zeros for a text without words.
    pub(crate) fn embed(self, text: &str, own: Dice) -> Vec<f64> {
        let mut sum = vec![0.0; usize::from(self.dimensions)];
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            let word = own.on(&word.to_lowercase());
            for (i, x) in sum.iter_mut().enumerate() {
                *x += word.at(i as u64).uniform() - 0.5;
            }
        }
        let norm = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm > 0.0 {
            sum.iter_mut().for_each(|x| *x /= norm);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::{Dice, Embedder};

    #[test]
    fn common_words_bring_texts_together() {
        let embed = |text| Embedder::default().embed(text, Dice::new(1));
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let (a, b, c) = (embed("the red house"), embed("The red barn"), embed("nine small fish"));
        assert!((close(&a, &a) - 1.0).abs() < 1e-9);
        assert!(close(&a, &b) > 0.4 && close(&a, &c) < 0.4);
        assert!(embed("...").iter().all(|x| *x == 0.0));
    }
}
