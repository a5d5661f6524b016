//! Which examples are near.

use guerdon_core::Unscored;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far two embeddings are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Distance {
    /// Σ |x − y| / (|x| + |y|), where 0/0 is 0.
    #[default]
    Canberra,
    /// √Σ (x − y)².
    Euclidean,
    /// 1 − cosine; 1 where one of them is zero.
    Cosine,
}

impl Distance {
    /// The distance of two vectors, equally long and finite; at least 0.
    pub fn between(self, x: &[f64], y: &[f64]) -> f64 {
        let pairs = || x.iter().zip(y);
        match self {
            Self::Canberra => pairs().map(|(x, y)| part(*x, *y)).sum(),
            Self::Euclidean => pairs().fold(0.0, |sum: f64, (x, y)| sum.hypot(x - y)),
            Self::Cosine => {
                let norm = |v: &[f64]| v.iter().fold(0.0, |sum: f64, x| sum.hypot(*x));
                let (a, b) = (norm(x), norm(y));
                if a == 0.0 || b == 0.0 {
                    return 1.0;
                }
                let cosine: f64 = pairs().map(|(x, y)| (x / a) * (y / b)).sum();
                (1.0 - cosine).max(0.0)
            }
        }
    }

    /// The places of the `k` vectors nearest to `x`, nearest first; of equally near ones the first.
    pub fn nearest(self, x: &[f64], all: &[&[f64]], k: usize) -> Result<Vec<usize>, Unscored> {
        let sound = |v: &[f64]| v.len() == x.len() && v.iter().all(|x| x.is_finite());
        if x.is_empty() || !sound(x) || !all.iter().all(|v| sound(v)) {
            return Err(Unscored::invalid(
                "the embeddings of the row and of all examples must be equally long and finite",
            ));
        }
        let mut places: Vec<(f64, usize)> =
            all.iter().enumerate().map(|(place, v)| (self.between(x, v), place)).collect();
        places.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        Ok(places.into_iter().take(k).map(|(_, place)| place).collect())
    }
}

fn part(x: f64, y: f64) -> f64 {
    let most = x.abs().max(y.abs());
    // Scaled first, so that nothing overflows.
    if most == 0.0 { 0.0 } else { (x / most - y / most).abs() / (x.abs() / most + y.abs() / most) }
}

#[cfg(test)]
mod tests {
    use super::Distance;

    /// Canberra of (1, 2) and (2, 4) is 2/3; 0/0 counts 0.
    #[test]
    fn distances() {
        let canberra = Distance::Canberra;
        assert!((canberra.between(&[1.0, 2.0], &[2.0, 4.0]) - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(canberra.between(&[0.0, 1.0], &[0.0, -1.0]), 1.0);
        assert_eq!(canberra.between(&[1e308], &[-1e308]), 1.0);
        assert_eq!(Distance::Euclidean.between(&[0.0, 0.0], &[3.0, 4.0]), 5.0);
        assert!(Distance::Cosine.between(&[1.0, 0.0], &[2.0, 0.0]).abs() < 1e-12);
        assert_eq!(Distance::Cosine.between(&[0.0], &[1.0]), 1.0);
    }

    #[test]
    fn nearest_first_and_ties_in_order() {
        let all: [&[f64]; 3] = [&[3.0], &[1.0], &[1.0]];
        assert_eq!(Distance::Euclidean.nearest(&[1.0], &all, 2), Ok(vec![1, 2]));
        assert!(Distance::Euclidean.nearest(&[1.0, 2.0], &all, 2).is_err());
        assert!(Distance::Euclidean.nearest(&[f64::NAN], &all, 2).is_err());
    }
}
