//! Reading grammars: rules, literals, classes, groups, alternatives, repetitions.

use std::collections::BTreeMap;

/// Longest grammar, in bytes.
const MAX_BYTES: usize = 1 << 18;

/// Deepest nesting of groups.
const MAX_DEPTH: usize = 64;

/// Most symbols of all rules together, repetitions written out.
const MAX_SYMBOLS: usize = 1 << 18;

/// A set of characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Class {
    ranges: Vec<(char, char)>,
    negated: bool,
}

impl Class {
    pub(super) fn holds(&self, c: char) -> bool {
        self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != self.negated
    }
}

/// A symbol of a rule, flat: every alternative ends with the number of its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    /// A character of the class of this number.
    Char(u32),
    /// A rule.
    Rule(u32),
    /// The end of an alternative of this rule.
    End(u32),
}

/// A grammar in flat form.
#[derive(Debug, Default)]
pub(super) struct Flat {
    pub(super) symbols: Vec<Symbol>,
    pub(super) classes: Vec<Class>,
    /// For each rule the places where its alternatives begin.
    pub(super) starts: Vec<Vec<u32>>,
    /// For each rule whether it matches the empty text.
    pub(super) nullable: Vec<bool>,
}

/// An alternative of a rule that is being read.
type Sequence = Vec<Symbol>;

struct Reader {
    text: Vec<char>,
    at: usize,
    names: BTreeMap<String, u32>,
    /// The alternatives of each rule; empty for one that is only named so far.
    rules: Vec<Vec<Sequence>>,
    classes: Vec<Class>,
    symbols: usize,
}

/// Reads a grammar and finds the rule `start`, or says what is wrong and where.
pub(super) fn read(text: &str, start: &str) -> Result<(Flat, u32), String> {
    if text.len() > MAX_BYTES {
        return Err(format!("the grammar is longer than {MAX_BYTES} bytes"));
    }
    let (names, rules, classes) = Default::default();
    let mut reader =
        Reader { text: text.chars().collect(), at: 0, names, rules, classes, symbols: 0 };
    reader.grammar().map_err(|why| {
        let line = 1 + reader.text[..reader.at].iter().filter(|c| **c == '\n').count();
        format!("line {line} of the grammar: {why}")
    })?;
    let undefined = reader.names.iter().find(|(_, id)| reader.rules[**id as usize].is_empty());
    if let Some((name, _)) = undefined {
        return Err(format!("the rule `{name}` is used and not defined"));
    }
    let first = reader.names.get(start).copied();
    let first = first.ok_or_else(|| format!("the grammar has no rule `{start}`"))?;
    Ok((flat(&reader.rules, reader.classes), first))
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, c: char) -> bool {
        let there = self.peek() == Some(c);
        self.at += usize::from(there);
        there
    }

    /// Skips white space, line ends included, and comments.
    fn space(&mut self) {
        while let Some(c) = self.peek() {
            if c == '#' {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.at += 1;
                }
            } else if c.is_whitespace() {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    fn name(&mut self) -> Option<String> {
        let name: String =
            self.text[self.at..].iter().copied().take_while(|c| is_name(*c)).collect();
        self.at += name.len();
        (!name.is_empty()).then_some(name)
    }

    /// Whether a rule begins here: a name and `::=`.
    fn is_head(&self) -> bool {
        let rest = self.text[self.at..].iter().skip_while(|c| is_name(**c));
        let rest = rest.skip_while(|c| **c == ' ' || **c == '\t');
        rest.take(3).eq([':', ':', '='].iter())
    }

    fn id(&mut self, name: &str) -> u32 {
        let next = u32::try_from(self.rules.len()).unwrap_or(u32::MAX);
        let id = *self.names.entry(name.to_owned()).or_insert(next);
        if id == next {
            self.rules.push(Vec::new());
        }
        id
    }

    /// A new rule without a name.
    fn unnamed(&mut self, alternatives: Vec<Sequence>) -> Result<Symbol, String> {
        self.symbols += alternatives.iter().map(|a| 1 + a.len()).sum::<usize>();
        if self.symbols > MAX_SYMBOLS {
            return Err(format!("more than {MAX_SYMBOLS} symbols, repetitions written out"));
        }
        self.rules.push(alternatives);
        Ok(Symbol::Rule(u32::try_from(self.rules.len() - 1).unwrap_or(u32::MAX)))
    }

    fn class(&mut self, class: Class) -> Symbol {
        let known = self.classes.iter().rev().take(64).position(|c| *c == class);
        let at = known.map_or(self.classes.len(), |back| self.classes.len() - 1 - back);
        if at == self.classes.len() {
            self.classes.push(class);
        }
        Symbol::Char(u32::try_from(at).unwrap_or(u32::MAX))
    }

    fn grammar(&mut self) -> Result<(), String> {
        self.space();
        while self.at < self.text.len() {
            let name = self
                .name()
                .filter(|_| !self.text.is_empty())
                .ok_or("a rule begins with its name")?;
            self.space();
            if !(self.eat(':') && self.eat(':') && self.eat('=')) {
                return Err(format!("`::=` is missing after `{name}`"));
            }
            let alternatives = self.alternatives(0)?;
            let id = self.id(&name) as usize;
            if !self.rules[id].is_empty() {
                return Err(format!("the rule `{name}` is defined twice"));
            }
            self.symbols += alternatives.iter().map(|a| 1 + a.len()).sum::<usize>();
            self.rules[id] = alternatives;
            self.space();
        }
        Ok(())
    }

    fn alternatives(&mut self, depth: usize) -> Result<Vec<Sequence>, String> {
        if depth > MAX_DEPTH {
            return Err(format!("groups are nested more than {MAX_DEPTH} deep"));
        }
        let mut found = vec![self.sequence(depth)?];
        while self.eat('|') {
            found.push(self.sequence(depth)?);
        }
        Ok(found)
    }

    fn sequence(&mut self, depth: usize) -> Result<Sequence, String> {
        let mut sequence = Sequence::new();
        loop {
            self.space();
            match self.peek() {
                None | Some('|' | ')') => return Ok(sequence),
                Some(c) if is_name(c) && self.is_head() => return Ok(sequence),
                Some(_) => {}
            }
            let part = self.part(depth)?;
            let part = self.repeated(part)?;
            sequence.extend(part);
            if sequence.len() > MAX_SYMBOLS {
                return Err(format!("more than {MAX_SYMBOLS} symbols"));
            }
        }
    }

    /// A literal, a class, a group or the name of a rule.
    fn part(&mut self, depth: usize) -> Result<Sequence, String> {
        let c = self.peek().ok_or("the grammar ends here")?;
        if is_name(c) {
            let name = self.name().unwrap_or_default();
            return Ok(vec![Symbol::Rule(self.id(&name))]);
        }
        self.at += 1;
        match c {
            '"' => self.literal(),
            '[' => self.set(),
            '.' => Ok(vec![self.class(Class { ranges: Vec::new(), negated: true })]),
            '(' => {
                let alternatives = self.alternatives(depth + 1)?;
                if !self.eat(')') {
                    return Err("a group is not closed".to_owned());
                }
                Ok(vec![self.unnamed(alternatives)?])
            }
            other => Err(format!("`{other}` is out of place")),
        }
    }

    fn literal(&mut self) -> Result<Sequence, String> {
        let mut sequence = Sequence::new();
        loop {
            let c = match self.peek().ok_or("a literal is not closed")? {
                '"' => {
                    self.at += 1;
                    return Ok(sequence);
                }
                _ => self.character()?,
            };
            let symbol = self.class(Class { ranges: vec![(c, c)], negated: false });
            sequence.push(symbol);
        }
    }

    fn set(&mut self) -> Result<Sequence, String> {
        let mut class = Class { ranges: Vec::new(), negated: self.eat('^') };
        loop {
            if self.eat(']') {
                return Ok(vec![self.class(class)]);
            }
            let low = self.character()?;
            let mut high = low;
            if self.peek() == Some('-') && self.text.get(self.at + 1).is_some_and(|c| *c != ']') {
                self.at += 1;
                high = self.character()?;
            }
            if low > high {
                return Err(format!("the range {low}-{high} is empty"));
            }
            class.ranges.push((low, high));
        }
    }

    /// One character of a literal or class, escapes read.
    fn character(&mut self) -> Result<char, String> {
        let c = self.peek().ok_or("the grammar ends within a literal or class")?;
        self.at += 1;
        if c != '\\' {
            return Ok(c);
        }
        let escaped = self.peek().ok_or("the grammar ends with a backslash")?;
        self.at += 1;
        let digits = match escaped {
            'n' => return Ok('\n'),
            'r' => return Ok('\r'),
            't' => return Ok('\t'),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            '\\' | '"' | '[' | ']' | '-' | '^' => return Ok(escaped),
            other => return Err(format!("`\\{other}` is no escape")),
        };
        let code: String = self.text[self.at..].iter().take(digits).collect();
        self.at += code.chars().count();
        let value = u32::from_str_radix(&code, 16).ok().filter(|_| code.len() == digits);
        value.and_then(char::from_u32).ok_or_else(|| format!("`\\{escaped}{code}` is no character"))
    }

    /// Applies `*`, `+`, `?` and `{m,n}` to what stands before.
    fn repeated(&mut self, part: Sequence) -> Result<Sequence, String> {
        let mut part = part;
        loop {
            let (least, most) = match self.peek() {
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('?') => (0, Some(1)),
                Some('{') => self.bounds()?,
                _ => return Ok(part),
            };
            self.at += 1;
            part = self.times(&part, least, most)?;
        }
    }

    /// The numbers in braces; the closing one is left.
    fn bounds(&mut self) -> Result<(usize, Option<usize>), String> {
        let end = self.text[self.at..].iter().take(32).position(|c| *c == '}');
        let end = self.at + end.ok_or("a repetition is not closed")?;
        let inner: String = self.text[self.at + 1..end].iter().collect();
        self.at = end;
        let number = |text: &str| {
            text.trim().parse::<usize>().map_err(|_| format!("`{{{inner}}}` is no repetition"))
        };
        let (least, most) = match inner.split_once(',') {
            None => (number(&inner)?, Some(number(&inner)?)),
            Some((least, "")) => (number(least)?, None),
            Some((least, most)) => (number(least)?, Some(number(most)?)),
        };
        if most.is_some_and(|most| most < least) {
            return Err(format!("`{{{inner}}}` is empty"));
        }
        Ok((least, most))
    }

    fn times(
        &mut self,
        part: &Sequence,
        least: usize,
        most: Option<usize>,
    ) -> Result<Sequence, String> {
        let size = part.len().max(1);
        if least.max(most.unwrap_or(0)).saturating_mul(size) > MAX_SYMBOLS {
            return Err(format!("more than {MAX_SYMBOLS} symbols, repetitions written out"));
        }
        let mut sequence = part.repeat(least);
        match most {
            // Left recursion: a long repetition takes time linear in its length.
            None => {
                let own = Symbol::Rule(u32::try_from(self.rules.len()).unwrap_or(u32::MAX));
                let again: Sequence = [own].into_iter().chain(part.iter().copied()).collect();
                sequence.push(self.unnamed(vec![Sequence::new(), again])?);
            }
            Some(most) if most > least => {
                let mut rest: Option<Symbol> = None;
                for _ in least..most {
                    let once: Sequence = part.iter().copied().chain(rest).collect();
                    rest = Some(self.unnamed(vec![Sequence::new(), once])?);
                }
                sequence.extend(rest);
            }
            Some(_) => {}
        }
        Ok(sequence)
    }
}

fn flat(rules: &[Vec<Sequence>], classes: Vec<Class>) -> Flat {
    let mut flat = Flat { classes, nullable: vec![false; rules.len()], ..Flat::default() };
    for (id, alternatives) in rules.iter().enumerate() {
        let end = Symbol::End(u32::try_from(id).unwrap_or(u32::MAX));
        let mut starts = Vec::new();
        for sequence in alternatives {
            starts.push(u32::try_from(flat.symbols.len()).unwrap_or(u32::MAX));
            flat.symbols.extend(sequence);
            flat.symbols.push(end);
        }
        flat.starts.push(starts);
    }
    nullable(rules, &mut flat.nullable);
    flat
}

/// Finds the rules that match the empty text: a rule does where all of an alternative does. Each rule is looked at again
/// only when one that it waits for was found.
fn nullable(rules: &[Vec<Sequence>], found: &mut [bool]) {
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); rules.len()];
    for (id, alternatives) in rules.iter().enumerate() {
        for symbol in alternatives.iter().flatten() {
            if let Symbol::Rule(used) = symbol {
                users[*used as usize].push(id);
            }
        }
    }
    let mut waiting: Vec<usize> = (0..rules.len()).collect();
    while let Some(id) = waiting.pop() {
        let empty = |symbol: &Symbol| matches!(symbol, Symbol::Rule(r) if found[*r as usize]);
        if !found[id] && rules[id].iter().any(|sequence| sequence.iter().all(empty)) {
            found[id] = true;
            waiting.extend(&users[id]);
        }
    }
}
