//! Grammar: 1 if the completion is a sentence of a context-free grammar, 0 if not.
//!
//! # Formula
//!
//! ```text
//! score = 1 if start ⇒* text, else 0
//! ```
//!
//! The text is what the last `<tag>` encloses where `tag` is given, there or in the whole completion the last fenced block if
//! there is one, without the white space around it. The grammar is `grammar`, or the row's `column`, or the reference.
//!
//! | notation | meaning |
//! |---|---|
//! | `name ::= a b` | a rule: a, then b; the next rule begins with its name and `::=` |
//! | <code>a &#124; b</code>, `( a )` | either; a group |
//! | `"text"`, `[a-z_]`, `[^0-9]`, `.` | characters; escapes `\n \r \t \\ \" \[ \] \- \^ \x41 \u00e9 \U0001F600` |
//! | `a*`, `a+`, `a?`, `a{3}`, `a{2,}`, `a{2,5}` | repetitions |
//! | `# comment` | to the end of the line |
//!
//! # When to use it
//!
//! For formats that regular expressions cannot describe: nested expressions, programs of small languages, formal answers.
//! Grammars written for constrained decoding (GBNF) can be used as they are.
//!
//! # Departures
//!
//! Left recursion and ambiguity are allowed. Token references of llama.cpp (`<think>`, `<[1000]>`) are not read. A recognition ends
//! after `work` steps, without a score: unambiguous grammars take about 10 to 30 steps per character, ambiguous ones up to
//! the cube of the length.
//!
//! # Example
//!
//! ```yaml
//! use: verify.grammar
//! grammar: |
//!   root ::= term ("+" term)*
//!   term ::= [0-9]+ | "(" root ")"
//! ```
//!
//! ```
//! use guerdon_verify::verify::grammar::Grammar;
//! let sum = Grammar::compile("root ::= root \"+\" root | [0-9]+", "root").unwrap();
//! assert_eq!(sum.fault("1+22+3", 100_000), Ok(None));
//! assert_eq!(sum.fault("1+-3", 100_000), Ok(Some("no match beyond character 2".into())));
//! ```
//!
//! # References
//!
//! Earley, "An Efficient Context-Free Parsing Algorithm", Communications of the ACM, 1970; Aycock and Horspool, "Practical
//! Earley Parsing", 2002 (empty rules).

mod earley;
mod notation;

use std::sync::Arc;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kept::Kept;
use super::passage::{self, passage};
use super::records;
use earley::Found;
use notation::Flat;

/// Parameters of `verify.grammar`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InGrammar {
    /// The grammar of every row; empty for none. Default empty.
    pub grammar: String,
    /// Column with the row's grammar. Default none: `grammar`, else the reference.
    pub column: Option<String>,
    /// The rule that the whole text must match. Default `root`.
    pub start: String,
    /// Read the text inside the last pair of this tag; empty for the whole completion. Default empty.
    pub tag: String,
    /// Most steps of one recognition, 1000 to 1 billion; a step takes some 30 ns and 8 bytes. Default 1 million.
    pub work: usize,
}

impl Default for InGrammar {
    fn default() -> Self {
        Self {
            grammar: String::new(),
            column: None,
            start: "root".into(),
            tag: String::new(),
            work: 1_000_000,
        }
    }
}

impl Params for InGrammar {
    fn validate(&self) -> Result<(), ParamError> {
        passage::tag_name("tag", &self.tag)?;
        ParamError::in_range("work", self.work as f64, 1e3, 1e9)?;
        if let Some(column) = &self.column {
            records::named("column", column)?;
            if !self.grammar.is_empty() {
                return Err(ParamError::new("column", "give `grammar` or `column`, not both"));
            }
        }
        Ok(())
    }
}

/// A compiled grammar.
#[derive(Debug)]
pub struct Grammar {
    flat: Flat,
    start: u32,
}

impl Grammar {
    /// Reads a grammar; the error says what is wrong and where.
    pub fn compile(text: &str, start: &str) -> Result<Self, String> {
        notation::read(text, start).map(|(flat, start)| Self { flat, start })
    }

    /// Why `text` is no sentence, none where it is; an error where `work` steps do not suffice.
    pub fn fault(&self, text: &str, work: usize) -> Result<Option<String>, Unscored> {
        match earley::recognise(&self.flat, self.start, text, work) {
            Found::Match => Ok(None),
            Found::Fault(place) => Ok(Some(format!("no match beyond character {place}"))),
            Found::Unfinished => Ok(Some("the text ends too early".to_owned())),
            Found::Spent => Err(Unscored::budget(format!("{work} steps of a grammar"))),
        }
    }
}

/// The built signal: the grammar of all rows, or those of the last rows.
struct Judge {
    params: InGrammar,
    fixed: Option<Arc<Grammar>>,
    kept: Kept<Grammar>,
}

impl InGrammar {
    fn signal(self) -> Result<Judge, ParamError> {
        let fixed = if self.grammar.is_empty() {
            None
        } else {
            let compiled = Grammar::compile(&self.grammar, &self.start);
            Some(Arc::new(compiled.map_err(|why| ParamError::new("grammar", why))?))
        };
        Ok(Judge { params: self, fixed, kept: Kept::default() })
    }
}

impl Judge {
    fn grammar(&self, rollout: &Rollout) -> Result<Arc<Grammar>, Unscored> {
        if let Some(fixed) = &self.fixed {
            return Ok(Arc::clone(fixed));
        }
        let value = match &self.params.column {
            Some(column) => records::value(rollout, column)?,
            None => &rollout.reference,
        };
        let text = value.as_str().ok_or_else(|| Unscored::missing("there is no grammar"))?;
        let make = || Grammar::compile(text, &self.params.start).map_err(Unscored::invalid);
        self.kept.get(text, make)
    }
}

impl Signal for Judge {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let grammar = self.grammar(rollout)?;
        let text = match passage(rollout.text(), &self.params.tag) {
            Ok(text) => text,
            Err(why) => return Ok(Score::binary(false).because(why)),
        };
        Ok(match grammar.fault(text, self.params.work)? {
            None => Score::binary(true),
            Some(why) => Score::binary(false).because(why),
        })
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    InGrammar: BuiltSignal,
    id: "verify.grammar",
    papers: [],
    status: Stable,
    laws: [WhitespaceInvariant],
    exempt: [],
    samples: [
        r#"{"prompt": "Sum?", "completion": "(1+x)+22", "reference": "root ::= root \"+\" root | [0-9a-z]+ | \"(\" root \")\""}"#,
        r##"{"prompt": "List?", "completion": "So:\n```\n[a,b]\n```", "reference": "# lists\nroot ::= \"[\" (item (\",\" item)*)? \"]\"\nitem ::= [a-z]{1,3}"}"##,
    ],
}

#[cfg(test)]
mod tests {
    use super::Grammar;

    const JSON: &str = r#"
root   ::= ws value ws
value  ::= object | array | string | number | "true" | "false" | "null"
object ::= "{" ws (pair (ws "," ws pair)*)? ws "}"
pair   ::= string ws ":" ws value
array  ::= "[" ws (value (ws "," ws value)*)? ws "]"
string ::= "\"" ([^"\\\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4}))* "\""
number ::= "-"? ("0" | [1-9] [0-9]*) ("." [0-9]+)? ([eE] [-+]? [0-9]+)?
ws     ::= [ \t\n]*
"#;

    fn check(grammar: &str, good: &[&str], bad: &[&str]) {
        let compiled = Grammar::compile(grammar, "root").unwrap();
        let fault = |text: &&str| compiled.fault(text, 1_000_000).unwrap();
        good.iter().for_each(|text| assert_eq!(fault(text), None, "{grammar} {text:?}"));
        bad.iter().for_each(|text| assert!(fault(text).is_some(), "{grammar} {text:?}"));
    }

    #[test]
    fn json_as_a_grammar() {
        check(
            JSON,
            &["{}", "[1, -2.5e+3, \"a\\u00e9\\n\"]", "{\"a\": {\"b\": [true, null]}}", " 0 "],
            &["", "{", "[1,]", "01", "\"a", "{\"a\": 1,}", "[1] 2", "nul"],
        );
    }

    #[test]
    fn left_right_and_middle_recursion() {
        check("root ::= root \"a\" | \"a\"", &["a", "aaaa"], &["", "b", "ab"]);
        check("root ::= \"a\" root | \"a\"", &["a", "aaaa"], &["", "ba"]);
        check("root ::= \"(\" root \")\" root | \"\"", &["", "(())()"], &["(", ")("]);
        check("root ::= root root | \"a\" | \"\"", &["", "aaaaaaaa"], &["b"]);
        check("root ::= x\nx ::= y | \"z\"\ny ::= x", &["z"], &["", "zz"]);
    }

    #[test]
    fn repetitions() {
        check("root ::= \"ab\"{2}", &["abab"], &["ab", "ababab"]);
        check("root ::= [ab]{1,3} \"c\"", &["ac", "abbc"], &["c", "aaaac"]);
        check("root ::= (\"a\" | \"b\" \"c\")+ \"d\"?", &["abcd", "a"], &["", "abd"]);
        check("root ::= .{2,}", &["éé", "abc"], &["a"]);
        check("root ::= [^a-c] [\\]\\-] \"\\x41\"", &["d-A", "e]A"], &["a-A", "dxA"]);
        check("root ::= (\"\"*)* \"a\"", &["a"], &["", "aa"]);
    }

    #[test]
    fn grammars_that_are_refused() {
        let wrong = |text: &str, message: &str| {
            let why = Grammar::compile(text, "root").unwrap_err();
            assert!(why.contains(message), "{text}: {why}");
        };
        wrong("", "no rule `root`");
        wrong("root ::= x", "`x` is used");
        wrong("root ::= \"a\nroot ::= b", "not closed");
        wrong(
            "root ::= \"a\"\nroot ::= \"b\"",
            "line 2 of the grammar: the rule `root` is defined twice",
        );
        wrong("root ::= (\"a\"", "not closed");
        wrong("root ::= [z-a]", "empty");
        wrong("root ::= \"a\"{3,1}", "empty");
        wrong("root ::= \"\\q\"", "no escape");
        wrong("root ::= * \"a\"", "out of place");
        wrong("root = \"a\"", "`::=`");
        wrong("root ::= \"a\"{1000000000}", "symbols");
        wrong(&format!("root ::= {}\"a\"{}", "(".repeat(100), ")".repeat(100)), "deep");
        wrong("root ::= \"a\"{99}{99}{99}{99}", "symbols");
    }

    #[test]
    fn hostile_texts_end_by_the_budget_and_plain_ones_take_linear_time() {
        let ambiguous = Grammar::compile("root ::= root root root | \"a\" | \"\"", "root").unwrap();
        assert!(ambiguous.fault(&"a".repeat(100_000), 200_000).is_err());
        let json = Grammar::compile(JSON, "root").unwrap();
        let list = format!("[{}1]", "12, ".repeat(5000));
        assert_eq!(json.fault(&list, 3_000_000), Ok(None));
        assert_eq!(
            json.fault(&"[".repeat(20_000), 3_000_000).unwrap().as_deref(),
            Some("the text ends too early")
        );
    }
}
