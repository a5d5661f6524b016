//! What the simulated models know of texts: quality, traits, origin.

use std::collections::HashMap;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use indexmap::IndexMap;
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounded::Finite;
use super::dice::Dice;
use guerdon_core::seed::fnv1a;

/// Numbers that describe a text, by name.
pub type Traits = IndexMap<String, Finite>;

/// What is known of one text. It is named by exactly one of `text`, `prefix` and `hash`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextEntry {
    /// The whole text; spaces at its ends do not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// How the text begins. The longest matching prefix counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The 64-bit FNV-1a hash of the text without spaces at its ends, as 16 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Quality q: 0 is the average text, 1 is one standard deviation better.
    pub quality: Finite,
    /// Further numbers: `style` (see the judge's `bias`), `angle` (for cycles), `correct` (1 or 0), or the name of a
    /// criterion with its own quality.
    #[serde(default, skip_serializing_if = "Traits::is_empty")]
    pub traits: Traits,
    /// Who wrote it (a family of models), for judges that favour a family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What a model sees of a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    /// Quality.
    pub(crate) quality: f64,
    /// Traits by name.
    pub(crate) traits: IndexMap<String, f64>,
    /// Who wrote it.
    pub(crate) by: Option<String>,
    /// Length in characters, without the marker.
    pub(crate) chars: usize,
    /// Whether it is formatted: headings, lists, bold.
    pub(crate) markdown: bool,
    /// How many words it has that claim certainty, at most 5.
    pub(crate) confident: usize,
    /// What names the text in random streams.
    pub(crate) key: u64,
}

/// A search for several texts at once, and the entries that they belong to.
type Finder = (AhoCorasick, Vec<usize>);

/// The texts of a script.
#[derive(Debug)]
pub(crate) struct World {
    dice: Dice,
    entries: Vec<TextEntry>,
    whole: HashMap<u64, usize>,
    /// Entries with a prefix, longest first.
    prefixes: Vec<usize>,
    /// Finds whole texts inside a prompt, and the entries of its patterns.
    inside: Option<Finder>,
}

static MARKER: LazyLock<Regex> = LazyLock::new(|| pattern("⟦([^⟧]{1,400})⟧"));
static MARKDOWN: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^(#{1,6} |[-*] |\d+\. )|\*\*"));
static CONFIDENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?-u:\b)(clearly|certainly|definitely|undoubtedly|obviously|without doubt|of course)(?-u:\b)",
    )
});

#[expect(clippy::expect_used, reason = "the patterns are constants that a test compiles")]
pub(crate) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

impl World {
    /// The world of a seed with these texts; the index of the first bad entry with what is wrong, otherwise.
    pub(crate) fn new(seed: u64, entries: Vec<TextEntry>) -> Result<Self, (usize, String)> {
        let mut whole = HashMap::new();
        let mut prefixes = Vec::new();
        for (i, entry) in entries.iter().enumerate() {
            match (&entry.text, &entry.prefix, &entry.hash) {
                (Some(text), None, None) => drop(whole.insert(fnv1a(text.trim()), i)),
                (None, Some(_), None) => prefixes.push(i),
                (None, None, Some(hash)) => {
                    let hash = u64::from_str_radix(hash, 16).map_err(|_| {
                        (i, format!("`{hash}` is not a hash of 16 hexadecimal digits"))
                    })?;
                    whole.insert(hash, i);
                }
                _ => {
                    return Err((
                        i,
                        "a text is named by one of `text`, `prefix` and `hash`".into(),
                    ));
                }
            }
        }
        let length = |i: &usize| entries[*i].prefix.as_ref().map_or(0, String::len);
        prefixes.sort_by_key(|i| std::cmp::Reverse(length(i)));
        let inside = finder(&entries)?;
        Ok(Self { dice: Dice::new(seed).on("world"), entries, whole, prefixes, inside })
    }

    /// What is to be seen of a candidate.
    pub(crate) fn see(&self, text: &str) -> Seen {
        let text = text.trim();
        let key = fnv1a(text);
        let prefix = || {
            let fits = |i: &&usize| {
                self.entries[**i].prefix.as_ref().is_some_and(|p| text.starts_with(p.as_str()))
            };
            self.prefixes.iter().find(fits).copied()
        };
        let entry = self.whole.get(&key).copied().or_else(prefix);
        self.seen(text, key, entry)
    }

    /// What is to be seen of a text in which a candidate may be wrapped: the last known one counts.
    pub(crate) fn see_inside(&self, text: &str) -> Seen {
        let known = self.whole.contains_key(&fnv1a(text.trim()));
        let found = self.inside.as_ref().filter(|_| !known);
        let last = found.and_then(|(finder, entries)| {
            finder
                .find_iter(text)
                .last()
                .map(|m| (entries[m.pattern().as_usize()], &text[m.range()]))
        });
        match last {
            Some((entry, inner)) => self.seen(inner, fnv1a(inner.trim()), Some(entry)),
            None => self.see(text),
        }
    }

    fn seen(&self, text: &str, key: u64, entry: Option<usize>) -> Seen {
        let mut seen = Seen {
            quality: self.dice.at(key).normal(),
            traits: IndexMap::new(),
            by: None,
            chars: MARKER.replace_all(text, "").trim().chars().count(),
            markdown: MARKDOWN.is_match(text),
            confident: CONFIDENT.find_iter(text).take(5).count(),
            key,
        };
        for marker in MARKER.captures_iter(text).take(16) {
            seen.mark(&marker[1]);
        }
        if let Some(entry) = entry.map(|i| &self.entries[i]) {
            seen.quality = entry.quality.get();
            seen.by = entry.by.clone().or(seen.by);
            seen.traits
                .extend(entry.traits.iter().map(|(name, value)| (name.clone(), value.get())));
        }
        seen
    }
}

impl Seen {
    /// Reads a marker: `q=0.83 style=1.2 by=orion`.
    fn mark(&mut self, marker: &str) {
        for pair in marker.split_whitespace() {
            let Some((name, value)) = pair.split_once('=') else { continue };
            match (name, value.parse().ok().and_then(|v| Finite::new(v).ok())) {
                ("by", _) => self.by = Some(value.to_owned()),
                ("q", Some(value)) => self.quality = value.get(),
                (name, Some(value)) => drop(self.traits.insert(name.to_owned(), value.get())),
                _ => {}
            }
        }
    }

    /// A trait, 0 where it is not known.
    pub(crate) fn trait_of(&self, name: &str) -> f64 {
        self.traits.get(name).copied().unwrap_or(0.0)
    }
}

/// Finds the whole texts of the entries inside longer ones.
fn finder(entries: &[TextEntry]) -> Result<Option<Finder>, (usize, String)> {
    let texts: Vec<(usize, &str)> = entries
        .iter()
        .enumerate()
        .filter_map(|(i, entry)| Some((i, entry.text.as_deref()?.trim())))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    if texts.is_empty() {
        return Ok(None);
    }
    let finder = AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(texts.iter().map(|(_, text)| *text))
        .map_err(|error| (0, format!("the texts are too many: {error}")))?;
    Ok(Some((finder, texts.into_iter().map(|(i, _)| i).collect())))
}

#[cfg(test)]
mod tests {
    use super::{TextEntry, World};
    use crate::serve_model::Finite;

    fn world() -> World {
        let quality = |q| Finite::new(q).unwrap();
        let entries = vec![
            TextEntry {
                text: Some("Paris.".into()),
                quality: quality(1.5),
                ..TextEntry::default()
            },
            TextEntry {
                prefix: Some("Lyon".into()),
                quality: quality(-1.0),
                ..TextEntry::default()
            },
            TextEntry {
                prefix: Some("Lyon and".into()),
                quality: quality(-2.0),
                ..TextEntry::default()
            },
        ];
        World::new(1, entries).unwrap()
    }

    #[test]
    fn the_table_comes_first_then_the_marker_then_chance() {
        let world = world();
        assert_eq!(world.see(" Paris.\n").quality, 1.5);
        assert_eq!(world.see("Lyon, I think").quality, -1.0);
        assert_eq!(world.see("Lyon and Nice ⟦q=3⟧").quality, -2.0);
        let marked = world.see("Nice ⟦q=0.5 style=1.2 by=orion⟧ it is");
        assert_eq!(
            (marked.quality, marked.trait_of("style"), marked.by.as_deref()),
            (0.5, 1.2, Some("orion"))
        );
        assert_eq!(world.see("Metz").quality, world.see("Metz").quality);
        assert_ne!(world.see("Metz").quality, world.see("Nancy").quality);
        assert_eq!(world.see_inside("User: capital? Assistant: Paris. <end>").quality, 1.5);
    }

    #[test]
    fn the_surface_is_seen_without_the_marker() {
        let seen = world().see("**Clearly** so. ⟦q=1⟧");
        assert_eq!((seen.chars, seen.markdown, seen.confident), (15, true, 1));
    }

    #[test]
    fn unmarked_texts_are_standard_normal() {
        let world = world();
        let values: Vec<f64> = (0..4000).map(|i| world.see(&format!("text {i}")).quality).collect();
        let (mean, variance) = (
            guerdon_stats::moments::mean(&values),
            guerdon_stats::moments::variance(&values, 1).unwrap(),
        );
        assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.08, "{mean} {variance}");
    }

    #[test]
    fn an_entry_has_one_name() {
        let both =
            TextEntry { text: Some("a".into()), prefix: Some("b".into()), ..TextEntry::default() };
        assert_eq!(World::new(1, vec![both]).unwrap_err().0, 0);
    }
}
