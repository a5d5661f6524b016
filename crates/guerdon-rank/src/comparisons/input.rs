//! Comparisons as JSON: the input of the methods of this room.

use guerdon_core::MethodError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Comparisons, Outcome, Style};

/// Comparisons as columns: one entry per comparison in `first`, `second`, `outcome` and the optional columns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Games {
    /// Name of the first contestant of each comparison.
    pub first: Vec<String>,
    /// Name of the second contestant of each comparison.
    pub second: Vec<String>,
    /// Who won each comparison.
    pub outcome: Vec<Outcome>,
    /// How often each comparison counts: finite, at least 0. Default: once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Vec<f64>>,
    /// The prompt or the annotator of each comparison: rows of one cluster are not independent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Vec<u32>>,
    /// Properties of the two completions of each comparison, for style-controlled ratings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub styles: Vec<StyleColumn>,
}

/// A property of the two completions of each comparison.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StyleColumn {
    /// Name of the property.
    pub name: String,
    /// Its value in each first completion.
    pub first: Vec<f64>,
    /// Its value in each second completion.
    pub second: Vec<f64>,
}

impl TryFrom<Games> for Comparisons {
    type Error = MethodError;

    fn try_from(games: Games) -> Result<Self, MethodError> {
        let met: Vec<bool> = games.first.iter().zip(&games.second).map(|(a, b)| a != b).collect();
        let rows = games.outcome.len();
        let mut all = Self::from_names(&games.first, &games.second, games.outcome)?;
        let kept =
            |name: &str, len: usize| MethodError::same_length(("outcome", rows), (name, len));
        if let Some(mut weight) = games.weight {
            kept("weight", weight.len())?;
            super::retain(&mut weight, &met);
            all = all.with_weights(weight)?;
        }
        if let Some(mut cluster) = games.cluster {
            kept("cluster", cluster.len())?;
            super::retain(&mut cluster, &met);
            all = all.with_clusters(cluster)?;
        }
        for StyleColumn { name, mut first, mut second } in games.styles {
            kept(&name, first.len())?;
            kept(&name, second.len())?;
            super::retain(&mut first, &met);
            super::retain(&mut second, &met);
            all = all.with_style(Style { name, first, second })?;
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparisons, Games};

    #[test]
    fn columns_follow_the_rows_that_stay() {
        let json = r#"{"first": ["a", "a", "b"], "second": ["b", "a", "a"], "outcome": ["first", "tie", "second"],
            "weight": [1, 2, 3], "cluster": [7, 8, 9]}"#;
        let all: Comparisons = serde_json::from_str(json).unwrap();
        assert_eq!(all.weight(), Some([1.0, 3.0].as_slice()));
        assert_eq!(all.cluster(), Some([7, 9].as_slice()));
    }

    #[test]
    fn columns_of_other_lengths_are_refused() {
        let games = Games { first: vec!["a".into()], second: vec!["b".into()], ..Games::default() };
        assert!(Comparisons::try_from(games).is_err());
    }
}
