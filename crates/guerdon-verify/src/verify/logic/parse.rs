//! Reading formulas.

use super::{Formula, Op};

/// Most symbols of one formula: its tree is at most as deep.
const MAX_TOKENS: usize = 600;

/// Deepest nesting of brackets and negations.
const MAX_DEPTH: usize = 64;

/// A name, with arguments where it has some.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Atom {
    pub(in super::super) name: String,
    pub(in super::super) args: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Op(Op),
    Not,
    Open,
    Close,
    Comma,
}

/// The symbols, longer ones before those that they begin with.
const SYMBOLS: [(&str, Token); 32] = [
    ("<->", Token::Op(Op::Iff)),
    ("<=>", Token::Op(Op::Iff)),
    ("->", Token::Op(Op::Implies)),
    ("=>", Token::Op(Op::Implies)),
    ("&&", Token::Op(Op::And)),
    ("||", Token::Op(Op::Or)),
    ("/\\", Token::Op(Op::And)),
    ("\\/", Token::Op(Op::Or)),
    ("\\leftrightarrow", Token::Op(Op::Iff)),
    ("\\rightarrow", Token::Op(Op::Implies)),
    ("\\implies", Token::Op(Op::Implies)),
    ("\\iff", Token::Op(Op::Iff)),
    ("\\to", Token::Op(Op::Implies)),
    ("\\land", Token::Op(Op::And)),
    ("\\wedge", Token::Op(Op::And)),
    ("\\lor", Token::Op(Op::Or)),
    ("\\vee", Token::Op(Op::Or)),
    ("\\lnot", Token::Not),
    ("\\neg", Token::Not),
    ("&", Token::Op(Op::And)),
    ("|", Token::Op(Op::Or)),
    ("\u{2227}", Token::Op(Op::And)),
    ("\u{2228}", Token::Op(Op::Or)),
    ("\u{2295}", Token::Op(Op::Xor)),
    ("\u{2192}", Token::Op(Op::Implies)),
    ("\u{2194}", Token::Op(Op::Iff)),
    ("!", Token::Not),
    ("~", Token::Not),
    ("\u{ac}", Token::Not),
    ("(", Token::Open),
    (")", Token::Close),
    (",", Token::Comma),
];

fn word(text: &str) -> Token {
    match text.to_ascii_lowercase().as_str() {
        "not" => Token::Not,
        "and" => Token::Op(Op::And),
        "or" => Token::Op(Op::Or),
        "xor" => Token::Op(Op::Xor),
        "implies" => Token::Op(Op::Implies),
        "iff" => Token::Op(Op::Iff),
        _ => Token::Word(text.to_owned()),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let (mut found, mut rest) = (Vec::new(), text.trim_start());
    while let Some(c) = rest.chars().next() {
        if found.len() == MAX_TOKENS {
            return Err(format!("the formula has more than {MAX_TOKENS} symbols"));
        }
        let symbol = SYMBOLS.iter().find(|(mark, _)| rest.starts_with(mark));
        let length = if let Some((mark, token)) = symbol {
            found.push(token.clone());
            mark.len()
        } else {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            if end == 0 {
                return Err(format!("`{c}` is no part of a formula"));
            }
            found.push(word(&rest[..end]));
            end
        };
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

struct Reader {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
}

/// The formula that a text is, or what is wrong with it.
pub(in super::super) fn parse(text: &str) -> Result<Formula<Atom>, String> {
    let mut reader = Reader { tokens: tokens(text)?.into_iter().peekable() };
    let formula = reader.iff(0)?;
    match reader.tokens.next() {
        None => Ok(formula),
        Some(_) => Err("the formula ends before its text does".to_owned()),
    }
}

type Read = Result<Formula<Atom>, String>;

impl Reader {
    fn eat(&mut self, token: &Token) -> bool {
        self.tokens.next_if_eq(token).is_some()
    }

    fn iff(&mut self, depth: usize) -> Read {
        let mut formula = self.implies(depth)?;
        while self.eat(&Token::Op(Op::Iff)) {
            formula = Formula::pair(Op::Iff, formula, self.implies(depth)?);
        }
        Ok(formula)
    }

    fn implies(&mut self, depth: usize) -> Read {
        let mut parts = vec![self.or(depth)?];
        while self.eat(&Token::Op(Op::Implies)) {
            parts.push(self.or(depth)?);
        }
        let last = parts.pop().unwrap_or(Formula::Truth(true));
        Ok(parts.into_iter().rev().fold(last, |then, a| Formula::pair(Op::Implies, a, then)))
    }

    fn or(&mut self, depth: usize) -> Read {
        let mut formula = self.and(depth)?;
        loop {
            let op = if self.eat(&Token::Op(Op::Or)) {
                Op::Or
            } else if self.eat(&Token::Op(Op::Xor)) {
                Op::Xor
            } else {
                return Ok(formula);
            };
            formula = Formula::pair(op, formula, self.and(depth)?);
        }
    }

    fn and(&mut self, depth: usize) -> Read {
        let mut formula = self.single(depth)?;
        while self.eat(&Token::Op(Op::And)) {
            formula = Formula::pair(Op::And, formula, self.single(depth)?);
        }
        Ok(formula)
    }

    fn single(&mut self, depth: usize) -> Read {
        if depth == MAX_DEPTH {
            return Err(format!("the formula is nested more than {MAX_DEPTH} deep"));
        }
        match self.tokens.next() {
            Some(Token::Not) => Ok(Formula::not(self.single(depth + 1)?)),
            Some(Token::Open) => {
                let inner = self.iff(depth + 1)?;
                if self.eat(&Token::Close) {
                    Ok(inner)
                } else {
                    Err("a bracket is not closed".to_owned())
                }
            }
            Some(Token::Word(name)) => self.atom(name),
            Some(_) => Err("a connective stands where a formula should".to_owned()),
            None => Err("the formula ends too early".to_owned()),
        }
    }

    fn atom(&mut self, name: String) -> Read {
        if !self.eat(&Token::Open) {
            return Ok(match name.to_ascii_lowercase().as_str() {
                "true" => Formula::Truth(true),
                "false" => Formula::Truth(false),
                _ => Formula::Atom(Atom { name, args: Vec::new() }),
            });
        }
        let mut args = Vec::new();
        loop {
            match self.tokens.next() {
                Some(Token::Word(arg)) => args.push(arg),
                _ => return Err(format!("an argument of `{name}` is no name")),
            }
            if self.eat(&Token::Close) {
                return Ok(Formula::Atom(Atom { name, args }));
            }
            if !self.eat(&Token::Comma) {
                return Err(format!("the arguments of `{name}` are not closed"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Formula, Op};
    use super::{Atom, parse};

    fn shown(formula: &Formula<Atom>) -> String {
        match formula {
            Formula::Truth(flag) => flag.to_string(),
            Formula::Atom(Atom { name, args }) if args.is_empty() => name.clone(),
            Formula::Atom(Atom { name, args }) => format!("{name}[{}]", args.join(" ")),
            Formula::Not(inner) => format!("-{}", shown(inner)),
            Formula::Pair(op, pair) => {
                let op = match op {
                    Op::And => "&",
                    Op::Or => "|",
                    Op::Xor => "+",
                    Op::Implies => ">",
                    Op::Iff => "=",
                };
                format!("({}{op}{})", shown(&pair.0), shown(&pair.1))
            }
        }
    }

    fn check(text: &str, expect: Option<&str>) {
        assert_eq!(parse(text).ok().map(|f| shown(&f)).as_deref(), expect, "{text}");
    }

    #[test]
    fn precedence_and_notations() {
        check("a or b and not c", Some("(a|(b&-c))"));
        check("p -> q → r", Some("(p>(q>r))"));
        check("a <-> b => c", Some("(a=(b>c))"));
        check("\\neg (a \\lor b) \\to c /\\ d", Some("(-(a|b)>(c&d))"));
        check("likes(ann, X) & TRUE", Some("(likes[ann X]&true)"));
        check("a xor b | c", Some("((a+b)|c)"));
    }

    #[test]
    fn what_is_no_formula() {
        for text in ["", "a b", "a &", "(a", "a)", "& a", "p(", "p(a b)", "p()", "a + b", "a = b"] {
            check(text, None);
        }
        check(&"(".repeat(100), None);
        check(&"!".repeat(500), None);
        check(&"a&".repeat(10_000), None);
    }
}
