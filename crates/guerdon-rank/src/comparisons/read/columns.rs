//! Which column holds what.

use guerdon_core::MethodError;

/// Which columns of a file hold what. What is not said is guessed from usual names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Columns {
    /// Column with the first contestant.
    pub first: Option<String>,
    /// Column with the second contestant.
    pub second: Option<String>,
    /// Column with the outcome.
    pub winner: Option<String>,
    /// Values (any case) that mean a win of the first; usual ones are known.
    pub first_wins: Vec<String>,
    /// Values that mean a win of the second.
    pub second_wins: Vec<String>,
    /// Values that mean a tie.
    pub tie: Vec<String>,
    /// Column with weights. Guessed only when it is called `weight`.
    pub weight: Option<String>,
    /// Column that says which rows belong together (prompt, annotator). Never guessed.
    pub cluster: Option<String>,
    /// Style properties: name, column for the first, column for the second.
    pub styles: Vec<(String, String, String)>,
    /// Rows with an unknown outcome are left out with a warning. Default: they are an error.
    pub skip_unknown: bool,
}

/// What the rows of a file are, with the indices of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A comparison per row.
    Rows(Places),
    /// A score per row.
    Scores(ScorePlaces),
}

/// Indices of the columns of a file of comparisons.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    /// First contestant.
    pub first: usize,
    /// Second contestant.
    pub second: usize,
    /// Outcome; `None` where the first always won (winner, loser).
    pub winner: Option<usize>,
    /// Weight.
    pub weight: Option<usize>,
    /// Cluster.
    pub cluster: Option<usize>,
    /// Style values of the first and the second.
    pub styles: Vec<(usize, usize)>,
}

impl Places {
    /// How many fields a row needs.
    pub(super) fn most(&self) -> usize {
        let styles = self.styles.iter().flat_map(|(a, b)| [*a, *b]);
        let one = [Some(self.first), Some(self.second), self.winner, self.weight, self.cluster];
        one.into_iter().flatten().chain(styles).max().unwrap_or(0) + 1
    }
}

/// Indices of the columns of a file of scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScorePlaces {
    /// Model.
    pub model: usize,
    /// Task.
    pub task: usize,
    /// Score.
    pub score: usize,
}

impl ScorePlaces {
    /// How many fields a row needs.
    pub(super) fn most(&self) -> usize {
        self.model.max(self.task).max(self.score) + 1
    }
}

/// Names that come in pairs, most telling first.
const PAIRS: [(&str, &str); 15] = [
    ("model_a", "model_b"),
    ("left", "right"),
    ("first", "second"),
    ("player_a", "player_b"),
    ("model_1", "model_2"),
    ("model1", "model2"),
    ("model_x", "model_y"),
    ("player_1", "player_2"),
    ("player1", "player2"),
    ("system_a", "system_b"),
    ("team_a", "team_b"),
    ("home", "away"),
    ("white", "black"),
    ("a", "b"),
    ("x", "y"),
];
const WINNERS: [&str; 8] =
    ["winner", "outcome", "result", "verdict", "preference", "label", "judgment", "judgement"];
const MODELS: [&str; 6] = ["model", "system", "model_id", "contestant", "player", "name"];
const TASKS: [&str; 10] = [
    "task",
    "question_id",
    "prompt_id",
    "benchmark",
    "item",
    "dataset",
    "prompt",
    "question",
    "task_id",
    "instance",
];
const SCORES: [&str; 5] = ["score", "value", "accuracy", "rating", "reward"];

struct Header<'a>(&'a [String]);

impl Header<'_> {
    fn usual(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|column| column.trim().eq_ignore_ascii_case(name))
    }

    fn any(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.usual(name))
    }

    fn named(&self, name: &str) -> Result<usize, MethodError> {
        let exact = self.0.iter().position(|column| column == name);
        exact.or_else(|| self.usual(name)).ok_or_else(|| MethodError::MissingColumn {
            name: name.to_owned(),
            near: guerdon_core::nearest(name, self.0.iter().map(String::as_str)).map(str::to_owned),
            known: self.0.to_vec(),
        })
    }

    fn list(&self) -> String {
        self.0.join(", ")
    }
}

impl Columns {
    /// What the rows under this header are.
    pub fn shape(&self, header: &[String]) -> Result<Shape, MethodError> {
        let header = Header(header);
        match self.pair(&header)? {
            Some((first, second)) => self.rows(&header, first, second).map(Shape::Rows),
            None => scores(&header).map(Shape::Scores).ok_or_else(|| {
                MethodError::domain(format!(
                    "which columns hold the two contestants? There are {}; name them with `first` and `second`",
                    header.list()
                ))
            }),
        }
    }

    fn pair(&self, header: &Header<'_>) -> Result<Option<(usize, usize)>, MethodError> {
        let guess = PAIRS.iter().find_map(|(a, b)| Some((header.usual(a)?, header.usual(b)?)));
        let pair = match (&self.first, &self.second) {
            (None, None) => guess,
            (Some(first), Some(second)) => Some((header.named(first)?, header.named(second)?)),
            (Some(first), None) => Some((
                header.named(first)?,
                guess.map_or_else(|| missing("second", header), |g| Ok(g.1))?,
            )),
            (None, Some(second)) => Some((
                guess.map_or_else(|| missing("first", header), |g| Ok(g.0))?,
                header.named(second)?,
            )),
        };
        Ok(pair.or_else(|| Some((header.usual("winner")?, header.usual("loser")?))))
    }

    fn rows(
        &self,
        header: &Header<'_>,
        first: usize,
        second: usize,
    ) -> Result<Places, MethodError> {
        let named =
            |name: &Option<String>| name.as_ref().map(|name| header.named(name)).transpose();
        let decided =
            header.usual("winner") == Some(first) && header.usual("loser") == Some(second);
        let winner = match named(&self.winner)? {
            Some(at) => Some(at),
            None if decided => None,
            None => Some(header.any(&WINNERS).ok_or_else(|| {
                MethodError::domain(format!(
                    "which column holds the winner? There are {}; name it with `winner`",
                    header.list()
                ))
            })?),
        };
        let weight = named(&self.weight)?.or_else(|| header.usual("weight"));
        let styles = self.styles.iter().map(|(_, a, b)| Ok((header.named(a)?, header.named(b)?)));
        let styles = styles.collect::<Result<Vec<_>, MethodError>>()?;
        Ok(Places { first, second, winner, weight, cluster: named(&self.cluster)?, styles })
    }
}

fn missing<T>(side: &str, header: &Header<'_>) -> Result<T, MethodError> {
    Err(MethodError::domain(format!(
        "which column holds the {side} contestant? There are {}; name it with `{side}`",
        header.list()
    )))
}

fn scores(header: &Header<'_>) -> Option<ScorePlaces> {
    Some(ScorePlaces {
        model: header.any(&MODELS)?,
        task: header.any(&TASKS)?,
        score: header.any(&SCORES)?,
    })
}
