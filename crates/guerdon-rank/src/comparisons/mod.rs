//! Who met whom and who won.

pub mod counts;
pub mod input;
pub mod names;
pub mod read;
pub mod scores;

use guerdon_core::MethodError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use input::Games;
use names::Names;

/// How one comparison ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The first contestant won.
    First,
    /// The second contestant won.
    Second,
    /// Neither won.
    Tie,
}

impl Outcome {
    /// The same comparison seen from the other side.
    #[must_use]
    pub fn swapped(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
            Self::Tie => Self::Tie,
        }
    }

    /// Points of the first contestant: 1, 0 or ½.
    pub fn points(self) -> f64 {
        match self {
            Self::First => 1.0,
            Self::Second => 0.0,
            Self::Tie => 0.5,
        }
    }
}

/// A property of the two completions of each row (length, number of lists), for style-controlled ratings.
#[derive(Debug, Clone, PartialEq)]
pub struct Style {
    /// Name of the property.
    pub name: String,
    /// Its value in the first completion of each row.
    pub first: Vec<f64>,
    /// Its value in the second completion of each row.
    pub second: Vec<f64>,
}

/// Comparisons: one row each, contestants by index into [`Comparisons::names`].
///
/// Every value is valid: indices lie within the names, no contestant meets itself, weights are finite and not negative.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(try_from = "Games")]
pub struct Comparisons {
    names: Vec<String>,
    first: Vec<u32>,
    second: Vec<u32>,
    outcome: Vec<Outcome>,
    weight: Option<Vec<f64>>,
    cluster: Option<Vec<u32>>,
    styles: Vec<Style>,
    warnings: Vec<String>,
}

impl JsonSchema for Comparisons {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Games::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Games::json_schema(generator)
    }
}

impl Comparisons {
    /// Comparisons from columns. `first` and `second` index `names`; all three columns are equally long.
    ///
    /// Rows in which a contestant meets itself say nothing: they are left out, with a warning. An index outside `names`,
    /// a repeated name and columns of different length are errors.
    pub fn new(
        names: Vec<String>,
        first: Vec<u32>,
        second: Vec<u32>,
        outcome: Vec<Outcome>,
    ) -> Result<Self, MethodError> {
        MethodError::same_length(("first", first.len()), ("second", second.len()))?;
        MethodError::same_length(("first", first.len()), ("outcome", outcome.len()))?;
        check_names(&names)?;
        let outside = |side: &[u32]| side.iter().position(|&i| i as usize >= names.len());
        if let Some(row) = outside(&first).or_else(|| outside(&second)) {
            return Err(MethodError::domain(format!(
                "row {row} names a contestant that is not among the {} names: indices start at 0",
                names.len()
            )));
        }
        let warnings = names::look_alikes(&names);
        let mut all = Self { names, first, second, outcome, warnings, ..Self::default() };
        all.drop_self_matches();
        Ok(all)
    }

    /// Comparisons from columns of names. Contestants are numbered in the order in which they appear, row by row.
    pub fn from_names<S: AsRef<str>>(
        first: &[S],
        second: &[S],
        outcome: Vec<Outcome>,
    ) -> Result<Self, MethodError> {
        MethodError::same_length(("first", first.len()), ("second", second.len()))?;
        let mut names = Names::default();
        let mut ids = (Vec::with_capacity(first.len()), Vec::with_capacity(first.len()));
        for (a, b) in first.iter().zip(second) {
            ids.0.push(names.id(a.as_ref())?);
            ids.1.push(names.id(b.as_ref())?);
        }
        Self::new(names.into_vec(), ids.0, ids.1, outcome)
    }

    /// Adds a weight per row: how often the comparison counts. Finite, at least 0. Call it before other columns are added
    /// and with one value per row as given to [`Comparisons::new`] (rows already left out must be left out here too).
    pub fn with_weights(mut self, weight: Vec<f64>) -> Result<Self, MethodError> {
        MethodError::same_length(("rows", self.len()), ("weight", weight.len()))?;
        if let Some(row) = weight.iter().position(|w| !w.is_finite() || *w < 0.0) {
            return Err(MethodError::domain(format!(
                "the weight of row {row} is {}: weights must be finite and at least 0",
                weight[row]
            )));
        }
        self.weight = Some(weight);
        Ok(self)
    }

    /// Adds a cluster per row (prompt, annotator): rows of one cluster are not independent of each other.
    pub fn with_clusters(mut self, cluster: Vec<u32>) -> Result<Self, MethodError> {
        MethodError::same_length(("rows", self.len()), ("cluster", cluster.len()))?;
        self.cluster = Some(cluster);
        Ok(self)
    }

    /// Adds a style property of the two completions of each row; finite values.
    pub fn with_style(mut self, style: Style) -> Result<Self, MethodError> {
        MethodError::same_length(("rows", self.len()), (&style.name, style.first.len()))?;
        MethodError::same_length(("rows", self.len()), (&style.name, style.second.len()))?;
        MethodError::all_finite(&style.name, &style.first)?;
        MethodError::all_finite(&style.name, &style.second)?;
        self.styles.push(style);
        Ok(self)
    }

    fn drop_self_matches(&mut self) {
        let keep: Vec<bool> = self.first.iter().zip(&self.second).map(|(a, b)| a != b).collect();
        let dropped = keep.iter().filter(|k| !**k).count();
        if dropped == 0 {
            return;
        }
        retain(&mut self.first, &keep);
        retain(&mut self.second, &keep);
        retain(&mut self.outcome, &keep);
        self.warnings
            .push(format!("{dropped} rows in which a contestant meets itself were left out"));
    }

    /// The contestants' names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of comparisons.
    pub fn len(&self) -> usize {
        self.first.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The first contestant of each row.
    pub fn first(&self) -> &[u32] {
        &self.first
    }

    /// The second contestant of each row.
    pub fn second(&self) -> &[u32] {
        &self.second
    }

    /// The outcome of each row.
    pub fn outcome(&self) -> &[Outcome] {
        &self.outcome
    }

    /// The weight of each row, where rows are weighted.
    pub fn weight(&self) -> Option<&[f64]> {
        self.weight.as_deref()
    }

    /// The cluster of each row, where rows are clustered.
    pub fn cluster(&self) -> Option<&[u32]> {
        self.cluster.as_deref()
    }

    /// The style properties.
    pub fn styles(&self) -> &[Style] {
        &self.styles
    }

    /// What was noticed while reading: rows left out, names that look alike.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Adds something that was noticed while reading.
    pub fn warn(&mut self, message: impl Into<String>) {
        self.warnings.push(message.into());
    }

    /// The rows as `(first, second, outcome, weight)`, in order.
    pub fn rows(&self) -> impl Iterator<Item = (usize, usize, Outcome, f64)> + '_ {
        (0..self.len()).map(|k| {
            let weight = self.weight.as_ref().map_or(1.0, |w| w[k]);
            (self.first[k] as usize, self.second[k] as usize, self.outcome[k], weight)
        })
    }

    /// The comparisons added up per pair.
    pub fn counts(&self) -> Counts {
        Counts::of(self)
    }
}

use counts::Counts;

fn retain<T>(values: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    values.retain(|_| *keep.next().unwrap_or(&true));
}

pub(crate) fn check_names(names: &[String]) -> Result<(), MethodError> {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    if let Some((name, _)) = sorted.iter().zip(sorted.iter().skip(1)).find(|(x, y)| x == y) {
        return Err(MethodError::domain(format!("the name `{name}` is listed twice")));
    }
    u32::try_from(names.len())
        .map_err(|_| MethodError::Budget("more than 2^32 contestants".into()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Comparisons, Outcome, Style};

    fn two(first: Vec<u32>, second: Vec<u32>) -> Result<Comparisons, guerdon_core::MethodError> {
        let outcome = vec![Outcome::First; first.len()];
        Comparisons::new(vec!["a".into(), "b".into()], first, second, outcome)
    }

    #[test]
    fn self_matches_are_left_out_with_a_warning() {
        let all = two(vec![0, 1, 0], vec![1, 1, 0]).unwrap();
        assert_eq!(all.len(), 1);
        assert!(all.warnings()[0].starts_with("2 rows"));
    }

    #[test]
    fn bad_columns_are_refused() {
        let check = |result: Result<Comparisons, guerdon_core::MethodError>, says: &str| {
            let message = result.unwrap_err().to_string();
            assert!(message.contains(says), "{message}");
        };
        check(two(vec![0], vec![2]), "row 0 names a contestant");
        check(two(vec![0], vec![]), "equally long");
        check(
            Comparisons::new(vec!["a".into(), "a".into()], vec![], vec![], vec![]),
            "listed twice",
        );
        let one = || two(vec![0], vec![1]).unwrap();
        check(one().with_weights(vec![-1.0]), "at least 0");
        check(one().with_weights(vec![f64::NAN]), "NaN");
        check(one().with_weights(vec![]), "equally long");
        check(
            one().with_style(Style {
                name: "length".into(),
                first: vec![f64::NAN],
                second: vec![0.0],
            }),
            "finite",
        );
    }

    #[test]
    fn names_are_numbered_as_they_appear() {
        let all = Comparisons::from_names(&["x", "y"], &["y", "z"], vec![Outcome::Tie; 2]).unwrap();
        assert_eq!(all.names(), ["x", "y", "z"]);
        assert_eq!(all.second(), [1, 2]);
    }
}
