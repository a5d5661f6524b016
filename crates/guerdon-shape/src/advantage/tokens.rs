//! Values per token (or step, or turn): reading them from columns, and returns over them.
//!
//! A token that carries no action of the policy (a tool's reply, a user's turn) has no entry in a mask-free list; where the
//! lists hold such tokens, a mask of the same shape says which count (1) and which do not (0).

use guerdon_core::{Dense, Fine, Level, MethodError, View};

/// The finer values of column `name`, for the rows of `dense`.
///
/// Close the frame up over that column as well, so that a rollout without the list is left out rather than an error.
pub fn column(view: &View<'_>, dense: &Dense<'_>, name: &str) -> Result<Fine, MethodError> {
    if dense.rows.is_empty() {
        return Ok(Fine::from_rows(Level::Token, []));
    }
    match &view.frame.column(name)?.fine {
        Some(fine) => Ok(fine.take(&dense.rows)),
        None => Err(MethodError::domain(format!(
            "column `{name}` must hold a list of numbers in each row"
        ))),
    }
}

/// A table of one value per row.
pub fn single(level: Level, values: &[f64]) -> Fine {
    Fine { level, offsets: (0..=values.len()).collect(), values: values.to_vec() }
}

/// The longest completion that is written out token by token from its length alone.
const MAX_TOKENS: f64 = 1e7;

/// A table of zeros with as many tokens per row as the column `name` says.
pub fn of_lengths(view: &View<'_>, dense: &Dense<'_>, name: &str) -> Result<Fine, MethodError> {
    let column = if dense.rows.is_empty() { None } else { Some(view.frame.column(name)?) };
    let mut fine = Fine::from_rows(Level::Token, []);
    for &row in &dense.rows {
        let length = column.and_then(|column| column.get(row)).unwrap_or(0.0);
        if !(0.0..=MAX_TOKENS).contains(&length) {
            return Err(MethodError::domain(format!(
                "a length must be between 0 and {MAX_TOKENS} tokens, not {length}"
            )));
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked above"
        )]
        fine.offsets.push(fine.offsets[fine.offsets.len() - 1] + length as usize);
    }
    fine.values = vec![0.0; fine.offsets[fine.offsets.len() - 1]];
    Ok(fine)
}

/// The rewards per token: those of the running column, or its value on the last token of rows shaped like `like`.
pub fn rewards(dense: &Dense<'_>, like: &Fine) -> Result<Fine, MethodError> {
    match &dense.fine {
        Some(own) => same_shape(own, like).map(|()| own.clone()),
        None => Ok(on_last(&dense.values, like)),
    }
}

/// `values` on the last token of each row shaped like `like`, 0 elsewhere. A row without tokens loses its value.
pub fn on_last(values: &[f64], like: &Fine) -> Fine {
    let mut fine = Fine {
        level: like.level,
        offsets: like.offsets.clone(),
        values: vec![0.0; like.values.len()],
    };
    for (i, value) in values.iter().enumerate() {
        if let Some(last) = fine.values[like.offsets[i]..like.offsets[i + 1]].last_mut() {
            *last = *value;
        }
    }
    fine
}

/// Checks that two ragged tables have the same rows and lengths.
pub fn same_shape(a: &Fine, b: &Fine) -> Result<(), MethodError> {
    if a.offsets == b.offsets {
        return Ok(());
    }
    let row = (0..a.rows().min(b.rows())).find(|&i| a.row(i).len() != b.row(i).len());
    let detail = row.map_or_else(
        || format!("{} rows and {} rows", a.rows(), b.rows()),
        |i| format!("row {i} has {} values and {}", a.row(i).len(), b.row(i).len()),
    );
    Err(MethodError::domain(format!("lists per {} must be equally long: {detail}", a.level)))
}

/// Discounted returns of one row, in place: `G_t = r_t + gamma · G_{t+1}`.
pub fn returns(rewards: &mut [f64], gamma: f64) {
    let mut ahead = 0.0;
    for reward in rewards.iter_mut().rev() {
        ahead = *reward + gamma * ahead;
        *reward = ahead;
    }
}

/// Discounted returns of every row, in place.
pub fn returns_of_rows(fine: &mut Fine, gamma: f64) {
    for i in 0..fine.rows() {
        returns(&mut fine.values[fine.offsets[i]..fine.offsets[i + 1]], gamma);
    }
}

/// `values`, with those rows given up whose finer values overflowed: a row that is not finite becomes unscored.
pub fn sound(mut values: Vec<f64>, fine: &Fine) -> Vec<f64> {
    for (i, value) in values.iter_mut().enumerate() {
        if !fine.row(i).iter().all(|v| v.is_finite()) {
            *value = f64::NAN;
        }
    }
    values
}

/// The mean of each row; 0 for a row without values.
pub fn row_means(fine: &Fine) -> Vec<f64> {
    let mean = |row: &[f64]| row.iter().sum::<f64>() / row.len().max(1) as f64;
    (0..fine.rows()).map(|i| mean(fine.row(i))).collect()
}

#[cfg(test)]
mod tests {
    use super::{on_last, returns, row_means, same_shape};
    use guerdon_core::{Fine, Level};

    #[test]
    fn returns_discount_what_lies_ahead() {
        let mut row = [1.0, 0.0, 1.0];
        returns(&mut row, 0.5);
        assert_eq!(row, [1.25, 0.5, 1.0]);
    }

    #[test]
    fn an_outcome_stands_on_the_last_token() {
        let like = Fine::from_rows(Level::Token, [&[0.0; 2][..], &[], &[0.0; 1]]);
        let placed = on_last(&[3.0, 4.0, 5.0], &like);
        assert_eq!(placed.values, [0.0, 3.0, 5.0]);
        assert_eq!(row_means(&placed), [1.5, 0.0, 5.0]);
    }

    #[test]
    fn a_different_shape_names_the_row() {
        let a = Fine::from_rows(Level::Token, [&[0.0; 2][..], &[0.0; 1]]);
        let b = Fine::from_rows(Level::Token, [&[0.0; 2][..], &[0.0; 3]]);
        let error = same_shape(&a, &b).unwrap_err().to_string();
        assert_eq!(error, "lists per token must be equally long: row 1 has 1 values and 3");
    }
}
