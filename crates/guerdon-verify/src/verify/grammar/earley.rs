//! Whether a text is in the language of a grammar: Earley's recogniser, with a budget.

use std::collections::HashSet;

use super::notation::{Flat, Symbol};

/// A place in an alternative, and where in the text its rule began.
type Item = (u32, u32);

/// What a recognition found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The whole text matches.
    Match,
    /// No text that begins with more than so many characters of this one matches.
    Fault(usize),
    /// The text could go on; as it stands it does not match.
    Unfinished,
    /// The budget is spent.
    Spent,
}

struct Recogniser<'g> {
    grammar: &'g Flat,
    /// The items at each place of the text so far.
    sets: Vec<Vec<Item>>,
    seen: HashSet<Item, foldhash::fast::FixedState>,
    steps: usize,
}

/// Recognises `text` from the rule `start` within so many steps; a step looks at one item.
pub(super) fn recognise(grammar: &Flat, start: u32, text: &str, steps: usize) -> Found {
    let mut run = Recogniser { grammar, sets: vec![Vec::new()], seen: HashSet::default(), steps };
    let mut next: Vec<Item> = grammar.starts[start as usize].iter().map(|at| (*at, 0)).collect();
    for (place, c) in text.chars().map(Some).chain([None]).enumerate() {
        let Ok(place32) = u32::try_from(place) else { return Found::Spent };
        if !run.close(next, place32) {
            return Found::Spent;
        }
        let Some(c) = c else {
            let whole = |item: &&Item| {
                item.1 == 0 && grammar.symbols[item.0 as usize] == Symbol::End(start)
            };
            let found = run.sets[place].iter().any(|item| whole(&item));
            return if found { Found::Match } else { Found::Unfinished };
        };
        next = run.scan(place, c);
        if next.is_empty() {
            return Found::Fault(place);
        }
        run.sets.push(Vec::new());
    }
    Found::Unfinished
}

impl Recogniser<'_> {
    fn step(&mut self, count: usize) -> bool {
        self.steps = self.steps.saturating_sub(count);
        self.steps > 0
    }

    fn add(&mut self, place: usize, item: Item) {
        if self.seen.insert(item) {
            self.sets[place].push(item);
        }
    }

    /// Everything that follows at this place from `first`; false when the budget is spent.
    fn close(&mut self, first: Vec<Item>, place: u32) -> bool {
        let at = place as usize;
        self.seen.clear();
        first.into_iter().for_each(|item| self.add(at, item));
        let mut done = 0;
        while let Some(item) = self.sets[at].get(done).copied() {
            done += 1;
            if !self.step(1) {
                return false;
            }
            match self.grammar.symbols[item.0 as usize] {
                Symbol::Char(_) => {}
                Symbol::Rule(rule) => self.predict(at, item, rule, place),
                Symbol::End(rule) => {
                    if !self.complete(at, rule, item.1) {
                        return false;
                    }
                }
            }
        }
        true
    }

    fn predict(&mut self, at: usize, item: Item, rule: u32, place: u32) {
        let grammar = self.grammar;
        for start in &grammar.starts[rule as usize] {
            self.add(at, (*start, place));
        }
        // A rule that matches the empty text is already complete here.
        if grammar.nullable[rule as usize] {
            self.add(at, (item.0 + 1, item.1));
        }
    }

    /// Advances the items that wait for `rule` since `origin`. Rules that are empty here were advanced when predicted.
    fn complete(&mut self, at: usize, rule: u32, origin: u32) -> bool {
        let origin = origin as usize;
        if origin == at {
            return true;
        }
        let count = self.sets[origin].len();
        if !self.step(count / 8) {
            return false;
        }
        for i in 0..count {
            let waiting = self.sets[origin][i];
            if self.grammar.symbols[waiting.0 as usize] == Symbol::Rule(rule) {
                self.add(at, (waiting.0 + 1, waiting.1));
            }
        }
        true
    }

    fn scan(&self, place: usize, c: char) -> Vec<Item> {
        let fits = |item: &&Item| match self.grammar.symbols[item.0 as usize] {
            Symbol::Char(class) => self.grammar.classes[class as usize].holds(c),
            _ => false,
        };
        self.sets[place].iter().filter(fits).map(|item| (item.0 + 1, item.1)).collect()
    }
}
