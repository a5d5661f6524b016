//! Values within rollouts: what becomes of them when a rollout's own value is shaped.

use guerdon_core::{Column, Fine};

/// Keeps the values per step of `before`, with the change of the rollout's value paid at the last one.
///
/// That is where trainers put an outcome reward; the sum over the steps changes as the rollout's value does.
pub fn settle(before: &Column, mut shaped: Column) -> Column {
    let Some(fine) = &before.fine else { return shaped };
    let rows: Vec<Vec<f64>> =
        (0..shaped.len()).map(|row| settled(before, &shaped, fine, row)).collect();
    if rows.iter().flatten().all(|v| v.is_finite()) {
        shaped.fine = Some(Fine::from_rows(fine.level, rows.iter().map(Vec::as_slice)));
    }
    shaped
}

fn settled(before: &Column, shaped: &Column, fine: &Fine, row: usize) -> Vec<f64> {
    let (Some(old), Some(new)) = (before.get(row), shaped.get(row)) else { return Vec::new() };
    let mut values = fine.row(row).to_vec();
    if let Some(last) = values.last_mut() {
        *last += new - old;
    }
    values
}

/// The values of `columns` (one per attempt, oldest first), or, without any, those within the rollout of `current`.
///
/// A column may hold a list, which counts as that many attempts. An attempt that was not made has no value, and ends
/// the list.
pub fn series(columns: &[&Column], current: Option<&Column>, row: usize) -> Vec<f64> {
    if columns.is_empty() {
        return current
            .and_then(|c| c.fine.as_ref())
            .map_or_else(Vec::new, |fine| fine.row(row).to_vec());
    }
    let attempts = columns.iter().map_while(|column| Some((*column, column.get(row)?)));
    attempts
        .flat_map(|(column, own)| {
            match column.fine.as_ref().map_or(&[][..], |fine| fine.row(row)) {
                [] => vec![own],
                list => list.to_vec(),
            }
        })
        .collect()
}

/// A column from rows of values per step and the value of the whole rollout.
pub fn column(level: guerdon_core::Level, rows: &[Option<(f64, Vec<f64>)>]) -> Column {
    let finite = |v: &Vec<f64>| v.iter().all(|x| x.is_finite());
    let kept = |row: &Option<(f64, Vec<f64>)>| row.as_ref().filter(|(_, v)| finite(v)).cloned();
    let rows: Vec<Option<(f64, Vec<f64>)>> = rows.iter().map(kept).collect();
    let mut column =
        Column::from_options(rows.iter().map(|row| row.as_ref().map(|(value, _)| *value)));
    let inner = (0..rows.len()).map(|i| match (&rows[i], column.get(i)) {
        (Some((_, values)), Some(_)) => values.as_slice(),
        _ => &[],
    });
    column.fine = Some(Fine::from_rows(level, inner));
    column
}

#[cfg(test)]
mod tests {
    use super::{column, series, settle};
    use guerdon_core::{Column, Fine, Level};

    #[test]
    fn a_change_is_paid_at_the_last_step() {
        let mut before = Column::from_options([Some(1.0), None]);
        before.fine = Some(Fine::from_rows(Level::Token, [&[0.0, 1.0][..], &[]]));
        let after = settle(&before, Column::from_options([Some(0.25), None]));
        assert_eq!(after.fine.unwrap(), Fine::from_rows(Level::Token, [&[0.0, 0.25][..], &[]]));
    }

    #[test]
    fn a_missing_attempt_ends_the_series() {
        let columns = [Some(0.0), None, Some(1.0)].map(|v| Column::from_options([v]));
        let columns: Vec<&Column> = columns.iter().collect();
        assert_eq!(series(&columns, None, 0), [0.0]);
    }

    #[test]
    fn a_list_is_a_series() {
        let mut list = Column::full(vec![0.5]);
        list.fine = Some(Fine::from_rows(Level::Step, [&[0.0, 0.0, 1.0][..]]));
        assert_eq!(series(&[&list], None, 0), [0.0, 0.0, 1.0]);
        assert_eq!(series(&[], Some(&list), 0), [0.0, 0.0, 1.0]);
    }

    #[test]
    fn rows_that_are_not_finite_are_unscored() {
        let own = column(Level::Step, &[Some((1.0, vec![1.0])), Some((1.0, vec![f64::NAN])), None]);
        assert_eq!(own.iter().collect::<Vec<_>>(), [Some(1.0), None, None]);
        assert_eq!(own.fine.unwrap().values, [1.0]);
    }
}
