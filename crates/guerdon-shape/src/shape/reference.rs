//! Reference rewards: what other completions of the same prompt earned.

use guerdon_core::{Column, MethodError, View};
use serde::{Deserialize, Deserializer};

/// Reads one name or a list of names.
pub fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a column name or a list of column names")]
    enum Names {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Names::deserialize(deserializer)? {
        Names::One(name) => vec![name],
        Names::Many(names) => names,
    })
}

/// The reference rewards that stand in columns.
#[derive(Debug)]
pub struct References<'a> {
    columns: Vec<&'a Column>,
    most: usize,
}

impl<'a> References<'a> {
    /// The columns `names`, of which each rollout takes at most `most` values.
    pub fn of(view: &View<'a>, names: &[String], most: usize) -> Result<Self, MethodError> {
        let columns = names.iter().map(|name| view.frame.column(name)).collect::<Result<_, _>>()?;
        Ok(Self { columns, most })
    }

    /// Puts the references of a row into `out`: a column that holds a list gives all its values, an unscored one none.
    pub fn of_row(&self, row: usize, out: &mut Vec<f64>) {
        out.clear();
        for column in &self.columns {
            let Some(value) = column.get(row) else { continue };
            match column.fine.as_ref().map_or(&[][..], |fine| fine.row(row)) {
                [] => out.push(value),
                list => out.extend_from_slice(list),
            }
        }
        out.truncate(self.most);
    }

    /// `f(reward, references)` for every scored row; a row without references stays unscored.
    pub fn map(
        &self,
        current: &Column,
        f: impl Fn(f64, &[f64]) -> Result<f64, MethodError>,
    ) -> Result<Column, MethodError> {
        let mut references = Vec::new();
        let mut out = Vec::with_capacity(current.len());
        for (row, reward) in current.iter().enumerate() {
            self.of_row(row, &mut references);
            out.push(match reward {
                Some(reward) if !references.is_empty() => Some(f(reward, &references)?),
                _ => None,
            });
        }
        Ok(Column::from_options(out))
    }
}

#[cfg(test)]
mod tests {
    use super::References;
    use guerdon_core::{Column, Fine, Frame, Groups, Level, View};

    #[test]
    fn lists_and_single_values_are_gathered() {
        let mut frame = Frame::new(Groups::one(2));
        let mut list = Column::full(vec![0.0, 0.0]);
        list.fine = Some(Fine::from_rows(Level::Step, [&[1.0, 2.0, 3.0][..], &[]]));
        frame.insert("list", list).unwrap();
        frame.insert("one", Column::from_options([Some(7.0), None])).unwrap();
        let view = View { frame: &frame, current: None, seed: 0 };
        let names = ["list".to_owned(), "one".to_owned()];
        let (mut own, references) = (Vec::new(), References::of(&view, &names, 9).unwrap());
        references.of_row(0, &mut own);
        assert_eq!(own, [1.0, 2.0, 3.0, 7.0]);
        references.of_row(1, &mut own);
        assert_eq!(own, [0.0]);
        References::of(&view, &names, 2).unwrap().of_row(0, &mut own);
        assert_eq!(own, [1.0, 2.0]);
    }
}
