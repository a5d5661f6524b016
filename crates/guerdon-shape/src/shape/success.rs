//! Which rollouts count as correct: the running reward or a signal, against a threshold.

use guerdon_core::{Column, MethodError, View};

/// Whether each row is correct: the column `name` (default: the running reward) is at least `threshold`.
///
/// A row without a value is neither right nor wrong.
pub fn correct(
    view: &View<'_>,
    name: Option<&str>,
    threshold: f64,
) -> Result<Vec<Option<bool>>, MethodError> {
    let column: &Column = match name {
        Some(name) => view.frame.column(name)?,
        None => view.current()?,
    };
    Ok(column.iter().map(|value| value.map(|v| v >= threshold)).collect())
}

/// The share of correct rows among those that are right or wrong; `None` when there are none.
pub fn accuracy(rows: impl IntoIterator<Item = bool>) -> Option<f64> {
    let (mut right, mut all) = (0.0, 0.0);
    for correct in rows {
        right += f64::from(u8::from(correct));
        all += 1.0;
    }
    (all > 0.0).then_some(right / all)
}
