//! Knights and knaves: 1 if the completion says of every person rightly who tells the truth and who lies, 0 if not.
//!
//! # Formula
//!
//! ```text
//! solution = the only b with  b_i ⇔ S_i(b)  for every person i who says S_i
//! score    = 1 if the answer is the solution, else 0;   with partial: share of the people that it is right about
//! ```
//!
//! The answer stands in the last `<tag>`: `Ann is a knight, and Bob is a knave`, in any of the usual forms (`Ann: knight`, `Ann and
//! Bob are knaves`, `Ann is not a knight`). It must give each person one role. Without a `tag` the whole completion is read
//! and the last word on each person counts.
//!
//! The solution is worked out from `statements` where that column is named: an object or a list of `Name: formula`, with
//! `ann` or `knight(ann)` or `Ann is a knight` for "Ann tells the truth", or the nested tuples of the K&K data set. Otherwise
//! the reference gives it: a text like an answer, an object of names with roles or booleans, or a list of booleans in the order
//! of the column `names`.
//!
//! # When to use it
//!
//! For puzzles of this kind; `statements` makes them verifiable without a reference, and finds puzzles that have no
//! solution or several: those get no score.
//!
//! # Departures
//!
//! Logic-RL's grader searches for each name its next role and gives 2 for right, −1.5 for wrong and −2 for unreadable answers
//! besides a format score; here it is 1 and 0 (`shape.affine` gives other values). At most 100 people.
//!
//! # Example
//!
//! ```yaml
//! use: verify.knights
//! statements: statements
//! ```
//!
//! ```
//! use guerdon_verify::verify::knights::{Solution, read};
//! let said = serde_json::json!({"A": "B is a knave", "B": "A and B"});
//! let puzzle = read(&said, &[], ["knight", "knave"]).unwrap();
//! assert_eq!(puzzle.solve(), Solution::One(vec![true, false]));
//! ```
//!
//! # References
//!
//! Xie et al., "On Memorization of Large Language Models in Logical Reasoning", 2024; Xie et al., "Logic-RL: Unleashing LLM
//! Reasoning with Rule-Based Reinforcement Learning", 2025.

mod puzzle;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::column::lookup;
use super::{passage, records};
pub use puzzle::{Puzzle, Solution, read};

/// Parameters of `verify.knights`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Knights {
    /// Column with what each person says. Default none: the reference gives the solution.
    pub statements: Option<String>,
    /// Column with the names, for statements and references that do not hold them. Default `names`; rows need not have it.
    pub names: String,
    /// The word for those who tell the truth. Default `knight`.
    pub truthful: String,
    /// The word for those who lie. Default `knave`.
    pub liar: String,
    /// The tag that encloses the answer; empty for the whole completion. Default `answer`.
    pub tag: String,
    /// Score the share of the people that the answer is right about. Default false.
    pub partial: bool,
}

impl Default for Knights {
    fn default() -> Self {
        Self {
            statements: None,
            names: "names".into(),
            truthful: "knight".into(),
            liar: "knave".into(),
            tag: "answer".into(),
            partial: false,
        }
    }
}

impl Params for Knights {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("names", &self.names)?;
        self.statements.as_ref().map_or(Ok(()), |column| records::named("statements", column))?;
        passage::tag_name("tag", &self.tag)?;
        for (field, word) in [("truthful", &self.truthful), ("liar", &self.liar)] {
            if word.is_empty() || !word.chars().all(char::is_alphanumeric) {
                return Err(ParamError::new(
                    field,
                    format!("`{field}` must be one word, not {word:?}"),
                ));
            }
        }
        if self.truthful.eq_ignore_ascii_case(&self.liar) {
            return Err(ParamError::new("liar", "`liar` must be another word than `truthful`"));
        }
        Ok(())
    }
}

/// What a text says of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Said {
    #[default]
    Nothing,
    /// Tells the truth, or lies.
    Role(bool),
    /// Both.
    Both,
}

/// Reads from left to right who gets which role.
struct Listener<'a> {
    names: Vec<Vec<String>>,
    roles: [&'a str; 2],
    said: Vec<Said>,
    /// The people that the next role is for.
    waiting: Vec<usize>,
    /// The people that got the last one.
    served: Vec<usize>,
    phrase: Phrase,
    last_counts: bool,
}

/// What the words since the last name or role have said.
#[derive(Clone, Copy, Default)]
struct Phrase {
    /// The next name joins those that wait.
    joined: bool,
    /// A "not" stands before the next role.
    denied: bool,
    /// An "or" stands before the next role.
    alternative: bool,
}

/// The words of a text in lower case, and the marks that matter.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    for c in text.chars() {
        if c.is_alphanumeric() || c == '\'' || c == '\u{2019}' {
            word.extend(c.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if matches!(c, ',' | '&' | '.' | ';' | '/') {
            words.push(c.to_string());
        }
    }
    words.push(word);
    words
}

impl Listener<'_> {
    fn role(&self, word: &str) -> Option<bool> {
        let is = |role: &str| {
            word.strip_suffix('s').unwrap_or(word) == role.strip_suffix('s').unwrap_or(role)
        };
        if is(self.roles[0]) { Some(true) } else { is(self.roles[1]).then_some(false) }
    }

    fn assign(&mut self, role: bool) {
        let role = role != self.phrase.denied;
        // "a knight or a knave" says nothing.
        if self.waiting.is_empty() && self.phrase.alternative {
            for person in std::mem::take(&mut self.served) {
                self.said[person] = Said::Both;
            }
        }
        for person in &self.waiting {
            let said = &mut self.said[*person];
            *said = match *said {
                Said::Role(other) if other != role && !self.last_counts => Said::Both,
                Said::Both if !self.last_counts => Said::Both,
                _ => Said::Role(role),
            };
        }
        if !self.waiting.is_empty() {
            self.served = std::mem::take(&mut self.waiting);
        }
        self.phrase = Phrase { joined: self.phrase.joined, ..Phrase::default() };
    }

    fn listen(&mut self, words: &[String]) {
        let mut at = 0;
        while at < words.len() {
            let word = words[at].as_str();
            let person = self.names.iter().position(|name| words[at..].starts_with(name));
            if let Some(person) = person {
                if !self.phrase.joined {
                    self.waiting.clear();
                }
                self.waiting.push(person);
                (self.phrase.joined, self.phrase.denied) = (true, false);
                at += self.names[person].len();
                continue;
            }
            match word {
                "and" | "," | "&" => {}
                "." | ";" => {
                    self.waiting.clear();
                    self.served.clear();
                    self.phrase = Phrase::default();
                }
                "or" | "/" => self.phrase.alternative = true,
                _ if word == "not" || word.ends_with("n't") || word.ends_with("n\u{2019}t") => {
                    self.phrase.denied = !self.phrase.denied;
                    self.phrase.joined = false;
                }
                _ => {
                    self.phrase.joined = false;
                    if let Some(role) = self.role(word) {
                        self.assign(role);
                    }
                }
            }
            at += 1;
        }
    }
}

impl Knights {
    fn roles(&self) -> [&str; 2] {
        [&self.truthful, &self.liar]
    }

    /// What `text` says of each of `names`; with `last_counts` a later role takes the place of an earlier one.
    fn said(&self, text: &str, names: &[String], last_counts: bool) -> Vec<Said> {
        let split = |name: &String| words(name).into_iter().filter(|w| !w.is_empty()).collect();
        let roles = self.roles().map(str::to_lowercase);
        let mut listener = Listener {
            names: names.iter().map(split).collect(),
            roles: [&roles[0], &roles[1]],
            said: vec![Said::Nothing; names.len()],
            waiting: Vec::new(),
            served: Vec::new(),
            phrase: Phrase::default(),
            last_counts,
        };
        // An empty name would be found everywhere.
        for name in &mut listener.names {
            if name.is_empty() {
                name.push("\0".to_owned());
            }
        }
        listener.listen(&words(text));
        listener.said
    }

    /// For each person whether the answer in `text` is right about them, or why there is none.
    pub fn right(
        &self,
        text: &str,
        names: &[String],
        solution: &[bool],
    ) -> Result<Vec<bool>, String> {
        let answer = if self.tag.is_empty() {
            text
        } else {
            let tag = &self.tag;
            passage::tagged(text, tag).ok_or_else(|| format!("there is no <{tag}>…</{tag}>"))?
        };
        if answer.len() > 1 << 16 {
            return Err("the answer is longer than 65536 bytes".to_owned());
        }
        let said = self.said(answer, names, self.tag.is_empty());
        Ok(said.iter().zip(solution).map(|(said, right)| *said == Said::Role(*right)).collect())
    }

    fn names(&self, rollout: &Rollout) -> Vec<String> {
        let list = lookup(rollout, &self.names).and_then(Value::as_array);
        let names = list.into_iter().flatten().filter_map(Value::as_str);
        names.take(1000).map(str::to_owned).collect()
    }

    fn solution(&self, rollout: &Rollout) -> Result<(Vec<String>, Vec<bool>), Unscored> {
        let names = self.names(rollout);
        let Some(column) = &self.statements else { return self.of_reference(rollout, names) };
        let invalid = |why: String| Unscored::invalid(format!("column `{column}`: {why}"));
        let puzzle =
            read(records::value(rollout, column)?, &names, self.roles()).map_err(invalid)?;
        match puzzle.solve() {
            Solution::One(solution) => Ok((puzzle.names, solution)),
            Solution::None => Err(invalid("the statements contradict each other".into())),
            Solution::Several => Err(invalid("the statements have several solutions".into())),
            Solution::Spent => Err(Unscored::budget("the search for the solution of a puzzle")),
        }
    }

    fn of_reference(
        &self,
        rollout: &Rollout,
        names: Vec<String>,
    ) -> Result<(Vec<String>, Vec<bool>), Unscored> {
        let invalid = || Unscored::invalid("the reference gives no role to each person");
        let role = |value: &Value| match value {
            Value::Bool(flag) => Some(*flag),
            Value::String(word) if word.eq_ignore_ascii_case(&self.truthful) => Some(true),
            Value::String(word) if word.eq_ignore_ascii_case(&self.liar) => Some(false),
            _ => None,
        };
        let (names, roles): (Vec<String>, Option<Vec<bool>>) = match &rollout.reference {
            Value::Null => {
                return Err(Unscored::missing(
                    "there is no reference: map it in the spec, or name the column `statements`",
                ));
            }
            Value::Object(map) => (map.keys().cloned().collect(), map.values().map(role).collect()),
            Value::Array(list) if list.len() == names.len() => {
                (names, list.iter().map(role).collect())
            }
            Value::String(text) if text.len() <= 1 << 16 => {
                let names = if names.is_empty() { self.named_in(text) } else { names };
                let said = self.said(text, &names, false);
                let role =
                    |said: &Said| if let Said::Role(role) = said { Some(*role) } else { None };
                (names, said.iter().map(role).collect())
            }
            _ => return Err(invalid()),
        };
        let roles = roles.filter(|roles| !roles.is_empty()).ok_or_else(invalid)?;
        Ok((names, roles))
    }

    /// The names of a reference: the word before "is", ":" or a role, where it begins with a capital.
    fn named_in(&self, text: &str) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let roles = self.roles();
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            let is_role = roles.iter().any(|role| word.eq_ignore_ascii_case(role));
            let other = ["A", "An", "And", "Is"].contains(&word) && !text.starts_with(word);
            let known = names.iter().any(|name| name == word);
            if word.starts_with(char::is_uppercase) && !is_role && !other && !known {
                names.push(word.to_owned());
            }
        }
        names
    }
}

impl Signal for Knights {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let (names, solution) = self.solution(rollout)?;
        let right = match self.right(rollout.text(), &names, &solution) {
            Ok(right) => right,
            Err(why) => return Ok(Score::binary(false).because(why)),
        };
        let count = right.iter().filter(|r| **r).count();
        let wrong = right.iter().zip(&names).find(|(right, _)| !**right).map(|(_, name)| name);
        let score = if self.partial {
            Score::new(count as f64 / names.len().max(1) as f64)?
        } else {
            Score::binary(count == names.len())
        };
        Ok(match wrong {
            Some(name) => score.because(format!("not right about {name}")),
            None => score,
        })
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Knights: Signal,
    id: "verify.knights",
    papers: [],
    status: Verified(Worked("A: B is a knave. B: we are both knights. A is a knight, B a knave")),
    laws: [WhitespaceInvariant],
    exempt: [
        CaseInvariant: "Names and roles have no case here; the answer tag is written in lower case.",
    ],
    samples: [
        r#"{"prompt": "Who is what?", "completion": "So <answer>(1) Zoey is a knave (2) Oliver is a knight</answer>", "reference": "Zoey is a knave, and Oliver is a knight"}"#,
        r#"{"prompt": "Who is what?", "completion": "<answer>Ann and Bob are knights.</answer>", "reference": {"Ann": "knight", "Bob": true}}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Knights, Solution, read};
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::{Value, json};

    fn solution(statements: &Value, expect: &Solution) {
        let puzzle = read(statements, &[], ["knight", "knave"]).unwrap();
        assert_eq!(puzzle.solve(), *expect, "{statements}");
    }

    #[test]
    fn puzzles_in_their_notations() {
        let one = Solution::One(vec![true, false]);
        solution(&json!({"A": "knave(B)", "B": "A & B"}), &one);
        solution(&json!(["A: B is a knave", "B: knight(A) and knight(B)"]), &one);
        solution(&json!("A: not B\nB: A and B"), &one);
        solution(&json!([["lying", 1], ["and", ["telling-truth", 0], ["telling-truth", 1]]]), &one);
        solution(
            &json!("(('lying', 1), ('and', ('telling-truth', 0), ('telling-truth', 1),),)"),
            &one,
        );
        solution(&json!({"A": "not A"}), &Solution::None);
        solution(&json!({"A": "B", "B": "A"}), &Solution::Several);
    }

    #[test]
    fn what_is_no_puzzle() {
        for bad in [
            json!(1),
            json!([]),
            json!({"A": 1}),
            json!({"A": "B &"}),
            json!("(('lying', 7))"),
            json!("((("),
            json!([["->", ["lying", 0]]]),
            json!({"A": "likes(B, C)"}),
            json!(["no colon"]),
        ] {
            assert!(read(&bad, &[], ["knight", "knave"]).is_err(), "{bad}");
        }
    }

    fn check(answer: &str, expect: bool) {
        let names = ["Ann", "Bob", "Cy"].map(str::to_owned);
        let params = Knights { tag: String::new(), ..Knights::default() };
        let tagged = Knights::default();
        let in_tag = format!("<answer>{answer}</answer>");
        for (params, text) in [(params, answer), (tagged, in_tag.as_str())] {
            let right = params.right(text, &names, &[true, false, false]).unwrap();
            assert_eq!(right.iter().all(|r| *r), expect, "{text}");
        }
    }

    #[test]
    fn answers_in_their_forms() {
        check("Ann is a knight, Bob is a knave, and Cy is a knave.", true);
        check("(1) Ann: Knight\n(2) Bob: Knave\n(3) Cy: Knave", true);
        check("Ann is a knight. Bob and Cy are knaves.", true);
        check("Ann is not a knave; Bob isn't a knight, Cy, too, is a knave", true);
        check("**ann** = KNIGHT, **bob** = KNAVE, **cy** = KNAVE", true);
        check("Ann is a knight. Bob is a knave.", false);
        check("Ann, Bob and Cy are knights.", false);
        check("Ann is a knight, Bob is a knight or a knave, Cy is a knave", false);
        check("Ann is a knight/knave, Bob is a knave/knight, Cy is a knave", false);
        check("Ann says that Bob is a knight", false);
        check("", false);
    }

    #[test]
    fn contradictions_within_an_answer() {
        let names = ["Ann".to_owned()];
        let params = Knights::default();
        let right = |text: &str, params: &Knights| params.right(text, &names, &[true]).unwrap()[0];
        assert!(!right("<answer>Ann is a knave. Ann is a knight.</answer>", &params));
        let whole = Knights { tag: String::new(), ..params };
        assert!(right("Suppose Ann is a knave. No: Ann is a knight.", &whole));
    }

    #[test]
    fn references_and_columns() {
        let mut rollout = Rollout::new("", "<answer>Ann is a knight, Bob is a knave</answer>", "");
        let score =
            |rollout: &Rollout, params: &Knights| params.score(rollout).map(|s| s.value()).ok();
        for reference in [
            json!("Ann is a knight, and Bob is a knave."),
            json!({"Ann": true, "Bob": "knave"}),
            json!([true, false]),
        ] {
            rollout.reference = reference;
            rollout.columns.insert("names".into(), json!(["Ann", "Bob"]));
            assert_eq!(score(&rollout, &Knights::default()), Some(1.0));
        }
        rollout.reference = json!([true, true]);
        assert_eq!(score(&rollout, &Knights { partial: true, ..Knights::default() }), Some(0.5));
        rollout
            .columns
            .insert("said".into(), json!({"Ann": "Bob is a knave", "Bob": "Ann and Bob"}));
        let params = Knights { statements: Some("said".into()), ..Knights::default() };
        assert_eq!(score(&rollout, &params), Some(1.0));
    }
}
