//! Errors of methods: values with a place and a remedy.

use std::fmt;

/// A parameter that a method refuses.
///
/// `path` leads from the method's parameters to the offending value (`["weights", "correct"]`), so that whoever holds
/// the source text can point at its line and column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamError {
    /// Where: map keys and list indices, outermost first.
    pub path: Vec<String>,
    /// What is wrong, with the value and the remedy.
    pub message: String,
    /// The key is not known (rather than its value being wrong): the place to point at is the key.
    pub unknown_key: bool,
}

impl ParamError {
    /// The value of `field` is refused because of `message`.
    pub fn new(field: &str, message: impl Into<String>) -> Self {
        Self { path: vec![field.to_owned()], message: message.into(), unknown_key: false }
    }

    /// Checks that `value` lies in `low..=high`.
    pub fn in_range(field: &str, value: f64, low: f64, high: f64) -> Result<(), Self> {
        if value >= low && value <= high {
            return Ok(());
        }
        let range = match (low.is_finite(), high.is_finite()) {
            (true, true) => format!("between {low} and {high}"),
            (true, false) => format!("at least {low} and finite"),
            (false, true) => format!("at most {high} and finite"),
            (false, false) => "finite".to_owned(),
        };
        Err(Self::new(field, format!("`{field}` must be {range}, not {value}")))
    }

    /// Checks that `value` is finite and greater than zero.
    pub fn positive(field: &str, value: f64) -> Result<(), Self> {
        if value > 0.0 && value.is_finite() {
            return Ok(());
        }
        Err(Self::new(field, format!("`{field}` must be finite and greater than 0, not {value}")))
    }
}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() || self.message.contains(&format!("`{}`", self.path.join("."))) {
            return f.write_str(&self.message);
        }
        write!(f, "{}: {}", self.path.join("."), self.message)
    }
}

impl std::error::Error for ParamError {}

/// Why a method could not do its work on an input.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MethodError {
    /// A parameter is refused.
    #[error(transparent)]
    Param(#[from] ParamError),
    /// Inputs that belong together differ in length.
    #[error(
        "`{left}` has {left_len} values and `{right}` has {right_len}: they must be equally long"
    )]
    Length {
        /// Name of the first input.
        left: String,
        /// Its length.
        left_len: usize,
        /// Name of the second input.
        right: String,
        /// Its length.
        right_len: usize,
    },
    /// A column that the method reads is not there.
    #[error("there is no column `{name}`{}", hint(.near.as_deref(), .known))]
    MissingColumn {
        /// The name asked for.
        name: String,
        /// The nearest name that exists.
        near: Option<String>,
        /// The names that exist.
        known: Vec<String>,
    },
    /// An input value is outside the method's domain.
    #[error("{0}")]
    Domain(String),
    /// The work would exceed the method's budget.
    #[error("the budget is spent: {0}")]
    Budget(String),
}

impl MethodError {
    /// An input lies outside the method's domain; `message` names the value and the remedy.
    pub fn domain(message: impl Into<String>) -> Self {
        Self::Domain(message.into())
    }

    /// Checks that two inputs are equally long.
    pub fn same_length(left: (&str, usize), right: (&str, usize)) -> Result<(), Self> {
        if left.1 == right.1 {
            return Ok(());
        }
        Err(Self::Length {
            left: left.0.to_owned(),
            left_len: left.1,
            right: right.0.to_owned(),
            right_len: right.1,
        })
    }

    /// Checks that every value is finite; the error names the first that is not.
    pub fn all_finite(name: &str, values: &[f64]) -> Result<(), Self> {
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(()),
            Some(at) => Err(Self::Domain(format!(
                "`{name}` must be finite, but value {at} is {}",
                values[at]
            ))),
        }
    }
}

fn hint(near: Option<&str>, known: &[String]) -> String {
    match near {
        Some(near) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => String::new(),
        None => format!("; there are: {}", known.join(", ")),
    }
}

/// The known name that is closest to `name`, if any is close enough to be meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().max(name.len()) / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::{ParamError, nearest};

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["require", "order", "weights"];
        assert_eq!(nearest("requir", known), Some("require"));
        assert_eq!(nearest("wieghts", known), Some("weights"));
        assert_eq!(nearest("temperature", known), None);
    }

    #[test]
    fn ranges_are_named() {
        let error = ParamError::in_range("beta", -1.0, 0.0, f64::INFINITY).unwrap_err();
        assert_eq!(error.to_string(), "`beta` must be at least 0 and finite, not -1");
        assert!(ParamError::in_range("beta", f64::NAN, 0.0, 1.0).is_err());
    }
}
