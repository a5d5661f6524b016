//! Porter's stemmer with NLTK's extensions, which rouge-score uses.

use std::collections::HashMap;

/// Words with a stem of their own.
const IRREGULAR: [(&str, &str); 16] = [
    ("sky", "sky"),
    ("skies", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("news", "news"),
    ("innings", "inning"),
    ("inning", "inning"),
    ("outings", "outing"),
    ("outing", "outing"),
    ("cannings", "canning"),
    ("canning", "canning"),
    ("howe", "howe"),
    ("proceed", "proceed"),
    ("exceed", "exceed"),
    ("succeed", "succeed"),
];

const STEP_2: [(&str, &str); 22] = [
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
    ("fulli", "ful"),
    ("logi", "log"),
];

const STEP_3: [(&str, &str); 7] = [
    ("icate", "ic"),
    ("ative", ""),
    ("alize", "al"),
    ("iciti", "ic"),
    ("ical", "ic"),
    ("ful", ""),
    ("ness", ""),
];

const STEP_4: [&str; 19] = [
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou",
    "ism", "ate", "iti", "ous", "ive", "ize",
];

/// Most stems that are remembered.
const REMEMBERED: usize = 1 << 14;

/// Stems that were found before.
#[derive(Debug)]
pub(crate) struct Stems {
    known: HashMap<Box<str>, Box<str>, foldhash::fast::FixedState>,
}

impl Default for Stems {
    fn default() -> Self {
        Self { known: HashMap::with_hasher(foldhash::fast::FixedState::with_seed(0)) }
    }
}

impl Stems {
    /// The stem of a word of lower-case ASCII letters and digits.
    pub(crate) fn of(&mut self, word: &str) -> &[u8] {
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        if !self.known.contains_key(word) {
            self.known.insert(word.into(), stem(word).into());
        }
        self.known.get(word).map_or(&[], |stem| stem.as_bytes())
    }
}

/// The stem of a word of lower-case ASCII letters and digits.
pub(crate) fn stem(word: &str) -> String {
    if let Some((_, stem)) = IRREGULAR.iter().find(|(form, _)| *form == word) {
        return (*stem).to_owned();
    }
    if word.len() <= 2 {
        return word.to_owned();
    }
    let mut word = word.to_owned();
    step_1a(&mut word);
    step_1b(&mut word);
    step_1c(&mut word);
    step_2(&mut word);
    if let Some((suffix, with)) = STEP_3.iter().find(|(s, _)| word.ends_with(s)) {
        replace_if(&mut word, suffix, with, |stem| measure(stem) > 0);
    }
    if let Some(suffix) = STEP_4.iter().find(|s| word.ends_with(**s)) {
        let ion = *suffix == "ion";
        replace_if(&mut word, suffix, "", |stem| {
            measure(stem) > 1 && (!ion || stem.ends_with(['s', 't']))
        });
    }
    step_5(&mut word);
    word
}

/// Whether each letter is a consonant; a `y` is one at the start and behind a vowel.
fn consonants(word: &str) -> impl Iterator<Item = bool> + '_ {
    word.bytes().scan(false, |before, byte| {
        let consonant = match byte {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => !*before,
            _ => true,
        };
        *before = consonant;
        Some(consonant)
    })
}

/// How often a vowel is followed by a consonant.
fn measure(stem: &str) -> usize {
    let mut before = true;
    let turns = consonants(stem).filter(|&now| {
        let turned = now && !before;
        before = now;
        turned
    });
    turns.count()
}

fn has_vowel(stem: &str) -> bool {
    consonants(stem).any(|consonant| !consonant)
}

fn double_consonant(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.len() >= 2
        && bytes[bytes.len() - 1] == bytes[bytes.len() - 2]
        && consonants(word).last() == Some(true)
}

fn ends_cvc(word: &str) -> bool {
    let flags: Vec<bool> = consonants(word).collect();
    match flags.as_slice() {
        [.., true, false, true] => !word.ends_with(['w', 'x', 'y']),
        [false, true] => true,
        _ => false,
    }
}

/// Replaces the suffix if the stem before it passes; the word is known to end with it.
fn replace_if(word: &mut String, suffix: &str, with: &str, passes: impl Fn(&str) -> bool) {
    let at = word.len() - suffix.len();
    if passes(&word[..at]) {
        word.truncate(at);
        word.push_str(with);
    }
}

fn step_1a(word: &mut String) {
    if word.ends_with("ies") && word.len() == 4 || word.ends_with("sses") {
        word.truncate(word.len() - if word.ends_with("sses") { 2 } else { 1 });
    } else if word.ends_with("ies") {
        word.truncate(word.len() - 2);
    } else if word.ends_with('s') && !word.ends_with("ss") {
        word.pop();
    }
}

fn step_1b(word: &mut String) {
    if word.ends_with("ied") {
        word.truncate(word.len() - if word.len() == 4 { 1 } else { 2 });
        return;
    }
    if word.ends_with("eed") {
        replace_if(word, "eed", "ee", |stem| measure(stem) > 0);
        return;
    }
    let suffix = ["ed", "ing"].into_iter().find(|s| word.strip_suffix(s).is_some_and(has_vowel));
    let Some(suffix) = suffix else { return };
    word.truncate(word.len() - suffix.len());
    if ["at", "bl", "iz"].iter().any(|end| word.ends_with(end)) {
        word.push('e');
    } else if double_consonant(word) {
        if !word.ends_with(['l', 's', 'z']) {
            word.pop();
        }
    } else if measure(word) == 1 && ends_cvc(word) {
        word.push('e');
    }
}

fn step_1c(word: &mut String) {
    if word.ends_with('y') {
        replace_if(word, "y", "i", |stem| stem.len() > 1 && consonants(stem).last() == Some(true));
    }
}

fn step_2(word: &mut String) {
    // "alli" may uncover another suffix of this step, once: what is left ends with "al".
    if word.strip_suffix("alli").is_some_and(|stem| measure(stem) > 0) {
        word.truncate(word.len() - 2);
    }
    let Some((suffix, with)) = STEP_2.iter().find(|(s, _)| word.ends_with(s)) else { return };
    let log = *suffix == "logi";
    let with_l = word.len() - 3;
    if log && measure(&word[..with_l]) > 0 {
        word.pop();
    } else if !log {
        replace_if(word, suffix, with, |stem| measure(stem) > 0);
    }
}

fn step_5(word: &mut String) {
    if let Some(stem) = word.strip_suffix('e') {
        let m = measure(stem);
        if m > 1 || m == 1 && !ends_cvc(stem) {
            word.pop();
        }
    }
    if word.ends_with("ll") && measure(&word[..word.len() - 1]) > 1 {
        word.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::stem;

    fn check(word: &str, expect: &str) {
        assert_eq!(stem(word), expect, "{word}");
    }

    #[test]
    fn the_examples_of_the_paper() {
        check("caresses", "caress");
        check("ponies", "poni");
        check("ties", "tie");
        check("feed", "feed");
        check("agreed", "agre");
        check("plastered", "plaster");
        check("motoring", "motor");
        check("conflated", "conflat");
        check("hopping", "hop");
        check("falling", "fall");
        check("filing", "file");
        check("happy", "happi");
        check("enjoy", "enjoy");
        check("relational", "relat");
        check("vietnamization", "vietnam");
        check("controll", "control");
        check("adoption", "adopt");
        check("dying", "die");
        check("biology", "biolog");
    }
}
