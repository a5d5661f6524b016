//! Puzzles: who says what, read from several notations, and the one assignment that fits.

use regex::Regex;
use serde_json::Value;

use super::super::logic::{Atom, Formula, Found, Op, parse, satisfy};

/// Most people of a puzzle.
const MAX_PEOPLE: usize = 100;

/// Deepest nesting of a statement in brackets.
const MAX_DEPTH: usize = 64;

/// Looks at clauses of one search.
const STEPS: usize = 1_000_000;

/// A puzzle: people, and what those that speak say about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Puzzle {
    /// The names.
    pub names: Vec<String>,
    /// Who speaks, and what.
    said: Vec<(u32, Formula<u32>)>,
}

/// What a puzzle has to say about its people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Solution {
    /// The only assignment: for each person whether they tell the truth.
    One(Vec<bool>),
    /// No assignment fits.
    None,
    /// More than one fits.
    Several,
    /// The budget is spent.
    Spent,
}

/// Reads statements: an object or list of `Name: formula`, or nested lists of the K&K data set, whose people are numbers.
pub fn read(statements: &Value, names: &[String], roles: [&str; 2]) -> Result<Puzzle, String> {
    let mut puzzle = Puzzle { names: names.to_vec(), said: Vec::new() };
    if let Value::Object(map) = statements {
        let all: Vec<_> = map.iter().map(|(name, text)| (name.as_str(), text)).collect();
        puzzle.formulas(&all, roles)?;
    } else {
        let items = match statements {
            Value::String(text) => list(text)?,
            Value::Array(items) => items.clone(),
            _ => return Err("expected an object, a list or a text".to_owned()),
        };
        if items.iter().all(Value::is_array) {
            puzzle.nested(&items)?;
        } else {
            let all = items.iter().map(|item| named(item)).collect::<Result<Vec<_>, _>>()?;
            let texts: Vec<Value> = all.iter().map(|(_, text)| (*text).into()).collect();
            let all: Vec<_> =
                all.iter().zip(&texts).map(|((name, _), text)| (*name, text)).collect();
            puzzle.formulas(&all, roles)?;
        }
    }
    if puzzle.said.is_empty() {
        return Err("nobody says anything".to_owned());
    }
    if puzzle.names.len() > MAX_PEOPLE {
        return Err(format!("more than {MAX_PEOPLE} people"));
    }
    Ok(puzzle)
}

/// `Name: formula`.
fn named(item: &Value) -> Result<(&str, &str), String> {
    let text = item.as_str().ok_or("a statement is a text, `Name: formula`")?;
    let (name, formula) =
        text.split_once(':').ok_or_else(|| format!("{text:?} is no `Name: formula`"))?;
    Ok((name.trim(), formula))
}

/// Lines of `Name: formula`, or nested tuples as Python writes them.
fn list(text: &str) -> Result<Vec<Value>, String> {
    if text.len() > 1 << 16 {
        return Err("the statements are longer than 65536 bytes".to_owned());
    }
    if !text.trim_start().starts_with(['(', '[']) {
        let lines = text.split(['\n', ';']).map(str::trim).filter(|line| !line.is_empty());
        return Ok(lines.map(Value::from).collect());
    }
    let plain = text.replace('(', "[").replace(')', "]").replace('\'', "\"");
    let mut out = String::with_capacity(plain.len());
    for part in plain.split_inclusive(']') {
        // A tuple of one has a comma behind it.
        let inner = part.strip_suffix(']').map(|inner| inner.trim_end().trim_end_matches(','));
        match inner {
            Some(inner) => out.extend([inner, "]"]),
            None => out.push_str(part),
        }
    }
    serde_json::from_str(&out).map_err(|error| format!("the nested statements: {error}"))
}

impl Puzzle {
    /// The number of a person; a name that was not there is added.
    fn person(&mut self, name: &str) -> u32 {
        let at = self.names.iter().position(|known| known.eq_ignore_ascii_case(name));
        let at = at.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    fn formulas(&mut self, said: &[(&str, &Value)], roles: [&str; 2]) -> Result<(), String> {
        for (name, _) in said {
            self.person(name);
        }
        let [truthful, liar] = roles.map(regex::escape);
        let phrase = Regex::new(&format!(r"(?i)\b(\w+) is an? ({truthful}|{liar})\b"));
        let phrase = phrase.map_err(|error| error.to_string())?;
        for (name, text) in said {
            let text = text.as_str().ok_or_else(|| format!("what {name} says is no text"))?;
            let text = phrase.replace_all(text, "$2($1)");
            let formula = parse(&text).map_err(|why| format!("what {name} says: {why}"))?;
            let formula = formula.try_map(&mut |atom| self.claim(atom, roles))?;
            let speaker = self.person(name);
            self.said.push((speaker, formula));
        }
        Ok(())
    }

    /// `ann` and `knight(ann)` say that Ann tells the truth, `knave(ann)` that she does not.
    fn claim(&mut self, atom: &Atom, roles: [&str; 2]) -> Result<Formula<u32>, String> {
        let is = |role: &str| atom.name.eq_ignore_ascii_case(role);
        match atom.args.as_slice() {
            [] => Ok(Formula::Atom(self.person(&atom.name))),
            [who] if is(roles[0]) => Ok(Formula::Atom(self.person(who))),
            [who] if is(roles[1]) => Ok(Formula::not(Formula::Atom(self.person(who)))),
            _ => Err(format!("`{}` with arguments is no role of a person", atom.name)),
        }
    }

    fn nested(&mut self, items: &[Value]) -> Result<(), String> {
        while self.names.len() < items.len() {
            self.names.push(self.names.len().to_string());
        }
        for (speaker, item) in items.iter().enumerate() {
            let formula = self.tuple(item, 0)?;
            self.said.push((u32::try_from(speaker).unwrap_or(u32::MAX), formula));
        }
        Ok(())
    }

    /// A tuple of the K&K data set: an operator and its operands.
    fn tuple(&self, item: &Value, depth: usize) -> Result<Formula<u32>, String> {
        let parts = item.as_array().map(Vec::as_slice).unwrap_or_default();
        let (Some(op), true) = (parts.first().and_then(Value::as_str), depth < MAX_DEPTH) else {
            return Err(format!("a statement is a list that begins with its operator, not {item}"));
        };
        let person = || {
            let number = parts.get(1).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
            let number = number.filter(|n| (*n as usize) < self.names.len() && parts.len() == 2);
            number.map(Formula::Atom).ok_or_else(|| format!("`{op}` needs the number of a person"))
        };
        let connective = match op {
            "telling-truth" => return person(),
            "lying" => return person().map(Formula::not),
            "not" => None,
            "and" => Some(Op::And),
            "or" => Some(Op::Or),
            "->" => Some(Op::Implies),
            "<=>" => Some(Op::Iff),
            other => return Err(format!("the operator `{other}` is not known")),
        };
        let operands = parts[1..].iter().map(|part| self.tuple(part, depth + 1));
        let operands = operands.collect::<Result<Vec<_>, _>>()?;
        let count = operands.len();
        let joined = match connective {
            None => operands.into_iter().next().filter(|_| count == 1).map(Formula::not),
            Some(Op::And | Op::Or) => connective
                .and_then(|op| operands.into_iter().reduce(|a, b| Formula::pair(op, a, b))),
            Some(op) if count == 2 => operands.into_iter().reduce(|a, b| Formula::pair(op, a, b)),
            Some(_) => None,
        };
        joined.ok_or_else(|| format!("`{op}` has {count} operands"))
    }

    /// Finds out who tells the truth: a statement is true exactly where its speaker does.
    pub fn solve(&self) -> Solution {
        let mut rules: Vec<_> = self
            .said
            .iter()
            .map(|(who, what)| Formula::pair(Op::Iff, Formula::Atom(*who), what.clone()))
            .collect();
        let first = match satisfy(&rules, self.names.len(), STEPS) {
            Found::Model(values) => values,
            Found::None => return Solution::None,
            Found::Spent => return Solution::Spent,
        };
        // Another assignment differs in at least one person.
        let differs = first.iter().zip(0..).map(|(value, k)| {
            if *value { Formula::not(Formula::Atom(k)) } else { Formula::Atom(k) }
        });
        rules.push(differs.fold(Formula::Truth(false), |a, b| Formula::pair(Op::Or, a, b)));
        match satisfy(&rules, self.names.len(), STEPS) {
            Found::None => Solution::One(first),
            Found::Model(_) => Solution::Several,
            Found::Spent => Solution::Spent,
        }
    }
}
