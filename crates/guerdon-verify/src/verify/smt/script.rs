//! Scripts of SMT-LIB: reading them as lists, and putting parts of two of them together.

/// Longest script, in bytes.
const MAX_BYTES: usize = 1 << 18;

/// Deepest nesting.
const MAX_DEPTH: usize = 200;

/// A list or an atom; an atom is kept as it is written, quotes and bars included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Term {
    Atom(String),
    List(Vec<Term>),
}

impl Term {
    /// The list's parts; none for an atom.
    pub(super) fn parts(&self) -> &[Term] {
        match self {
            Self::List(parts) => parts,
            Self::Atom(_) => &[],
        }
    }

    pub(super) fn atom(&self) -> Option<&str> {
        match self {
            Self::Atom(text) => Some(text),
            Self::List(_) => None,
        }
    }

    /// The first atom of a list.
    pub(super) fn head(&self) -> Option<&str> {
        self.parts().first()?.atom()
    }

    pub(super) fn list(parts: impl IntoIterator<Item = Term>) -> Self {
        Self::List(parts.into_iter().collect())
    }

    pub(super) fn word(text: &str) -> Self {
        Self::Atom(text.to_owned())
    }

    /// The term as text: a reader of SMT-LIB sees these brackets and no others.
    pub(super) fn write(&self, out: &mut String) {
        match self {
            Self::Atom(text) => out.push_str(text),
            Self::List(parts) => {
                out.push('(');
                for (i, part) in parts.iter().enumerate() {
                    if i > 0 {
                        out.push(' ');
                    }
                    part.write(out);
                }
                out.push(')');
            }
        }
    }
}

/// The terms of a text, comments left out.
pub(super) fn read(text: &str) -> Result<Vec<Term>, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("longer than {MAX_BYTES} bytes"));
    }
    let mut open: Vec<Vec<Term>> = vec![Vec::new()];
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let length = match c {
            ';' => rest.find('\n').unwrap_or(rest.len()),
            '(' if open.len() > MAX_DEPTH => {
                return Err(format!("nested more than {MAX_DEPTH} deep"));
            }
            '(' => {
                open.push(Vec::new());
                1
            }
            ')' => {
                let list = open.pop().unwrap_or_default();
                let outer = open.last_mut().ok_or("a bracket closes that was not opened")?;
                outer.push(Term::List(list));
                1
            }
            _ => {
                let length = atom(rest, c)?;
                if let Some(list) = open.last_mut() {
                    list.push(Term::Atom(rest[..length].to_owned()));
                }
                length
            }
        };
        rest = rest[length..].trim_start();
    }
    match (open.pop(), open.is_empty()) {
        (Some(terms), true) => Ok(terms),
        _ => Err("a bracket is not closed".to_owned()),
    }
}

/// The length of an atom. A text in quotes doubles the quotes within it; bars enclose any other characters.
fn atom(rest: &str, first: char) -> Result<usize, String> {
    if first == '|' {
        let end = rest[1..].find('|').ok_or("a bar is not closed")?;
        return Ok(end + 2);
    }
    if first == '"' {
        let mut at = 1;
        loop {
            at += rest[at..].find('"').ok_or("a text is not closed")? + 1;
            if !rest[at..].starts_with('"') {
                return Ok(at);
            }
            at += 1;
        }
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | ';' | '"' | '|');
    Ok(rest.find(ends).unwrap_or(rest.len()))
}

/// Commands that say something about symbols and formulas. All others of a script are left out.
const KEPT: [&str; 11] = [
    "assert",
    "declare-const",
    "declare-datatype",
    "declare-datatypes",
    "declare-fun",
    "declare-sort",
    "define-const",
    "define-fun",
    "define-fun-rec",
    "define-sort",
    "set-logic",
];

/// The commands of a script that are kept.
pub(super) fn commands(text: &str) -> Result<Vec<Term>, String> {
    let all = read(text)?;
    Ok(all
        .into_iter()
        .filter(|term| term.head().is_some_and(|head| KEPT.contains(&head)))
        .collect())
}

/// The symbol that a command declares without defining it, its parameters and its sort.
pub(super) fn declared(command: &Term) -> Option<(&str, Vec<Term>, &Term)> {
    match command.parts() {
        [head, name, sort] if head.atom() == Some("declare-const") => {
            Some((name.atom()?, Vec::new(), sort))
        }
        [head, name, Term::List(sorts), sort] if head.atom() == Some("declare-fun") => {
            Some((name.atom()?, sorts.clone(), sort))
        }
        _ => None,
    }
}

/// Commands as a script that asks one question.
pub(super) fn question(commands: &[Term]) -> String {
    let mut out = String::new();
    for command in commands {
        command.write(&mut out);
        out.push('\n');
    }
    out.push_str("(check-sat)\n");
    out
}

/// The values that a model gives to symbols: `define-fun` commands, alone or in one list, or `(x 5)` or `(= x 5)` pairs.
pub(super) fn model(text: &str) -> Result<Vec<(String, Vec<Term>, Term)>, String> {
    let mut found = Vec::new();
    let mut waiting = read(text)?;
    // Solvers write their verdict before the model.
    waiting.retain(|term| term.atom() != Some("sat"));
    let is_list =
        |inner: &[Term]| inner.iter().all(|t| t.atom() == Some("model") || !t.parts().is_empty());
    waiting = match waiting.as_slice() {
        [Term::List(inner)] if is_list(inner) => inner.clone(),
        _ => waiting,
    };
    for term in waiting {
        match term.parts() {
            [head, name, Term::List(params), _, body] if head.atom() == Some("define-fun") => {
                found.push((
                    name.atom().unwrap_or_default().to_owned(),
                    params.clone(),
                    body.clone(),
                ));
            }
            [head, name, body] if head.atom() == Some("=") => {
                found.push((name.atom().unwrap_or_default().to_owned(), Vec::new(), body.clone()));
            }
            [name, body] if name.atom().is_some() => {
                found.push((name.atom().unwrap_or_default().to_owned(), Vec::new(), body.clone()));
            }
            _ if term.atom() == Some("model") => {}
            _ => return Err("holds something that is no value of a symbol".to_owned()),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{commands, model, question, read};

    fn round(text: &str) -> Option<String> {
        let mut out = String::new();
        read(text).ok()?.iter().for_each(|term| term.write(&mut out));
        Some(out)
    }

    #[test]
    fn terms_are_written_as_they_were_read() {
        let check =
            |text, expect: Option<&str>| assert_eq!(round(text).as_deref(), expect, "{text}");
        check("(assert (= x 5)) ; (exit)\n", Some("(assert (= x 5))"));
        check("(a \"b ) \"\" c\" |d ( e| #x0F)", Some("(a \"b ) \"\" c\" |d ( e| #x0F)"));
        for text in ["(", ")", "(a))", "\"a", "|a", "(\"a)"] {
            check(text, None);
        }
        check(&"(".repeat(100_000), None);
    }

    #[test]
    fn scripts_keep_what_they_declare_and_assert() {
        let kept =
            commands("(set-option :x 1)(declare-const x Int)(assert (> x 1))(check-sat)(exit)")
                .unwrap();
        assert_eq!(question(&kept), "(declare-const x Int)\n(assert (> x 1))\n(check-sat)\n");
    }

    #[test]
    fn models_in_their_forms() {
        let names = |text: &str| {
            model(text).map(|m| m.into_iter().map(|(name, ..)| name).collect::<Vec<_>>()).ok()
        };
        let both = Some(vec!["x".to_owned(), "y".to_owned()]);
        assert_eq!(names("(define-fun x () Int 5) (define-fun y () Int (- 1))"), both);
        assert_eq!(names("sat\n(\n (define-fun x () Int 5)\n (define-fun y () Int 1))"), both);
        assert_eq!(names("(model (define-fun x () Int 5) (define-fun y () Int 1))"), both);
        assert_eq!(names("((x 5) (y (- 1)))"), both);
        assert_eq!(names("(= x 5)\n(= y 1)"), both);
        assert_eq!(names("(exit) (check-sat)"), None);
    }
}
