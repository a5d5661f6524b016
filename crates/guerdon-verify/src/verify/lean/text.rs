//! The text side of Lean: tokens, what a proof may not hold, and how statement and proof become one file.

/// Longest completion and statement, in bytes.
const MAX_BYTES: usize = 1 << 18;

/// Words that leave a hole, add an assumption, trust compiled code, or reach out of the proof.
const REFUSED: [&str; 39] = [
    "sorry",
    "admit",
    "sorryAx",
    "axiom",
    "opaque",
    "unsafe",
    "native_decide",
    "native",
    "implemented_by",
    "extern",
    "csimp",
    "ofReduceBool",
    "reduceBool",
    "trustCompiler",
    "macro",
    "macro_rules",
    "syntax",
    "elab",
    "elab_rules",
    "notation",
    "notation3",
    "infix",
    "infixl",
    "infixr",
    "prefix",
    "postfix",
    "declare_syntax_cat",
    "run_cmd",
    "run_tac",
    "run_meta",
    "run_elab",
    "initialize",
    "builtin_initialize",
    "register_option",
    "dbg_trace",
    "stop",
    "unseal",
    "deriving",
    "import",
];

/// Options that a proof may set.
const OPTIONS: [&str; 3] = ["maxHeartbeats", "maxRecDepth", "synthInstance.maxHeartbeats"];

/// A word, number, text or mark, and where it begins.
pub(super) type Token<'a> = (&'a str, usize);

fn in_word(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(c, '_' | '\'' | '!' | '?' | '.')
        || ('\u{2080}'..='\u{209c}').contains(&c)
}

/// The tokens of Lean source, without comments.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("longer than {MAX_BYTES} bytes"));
    }
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/-") {
            comment(rest)?
        } else if c == '"' {
            let end = string(rest)?;
            found.push((&rest[..end], at));
            end
        } else if c.is_whitespace() {
            c.len_utf8()
        } else {
            let end = if c.is_alphanumeric() || c == '_' {
                rest.find(|c| !in_word(c)).unwrap_or(rest.len())
            } else {
                c.len_utf8()
            };
            found.push((&rest[..end], at));
            end
        };
        at += length;
    }
    Ok(found)
}

/// The length of a comment, comments within it included.
fn comment(text: &str) -> Result<usize, String> {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/-") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("-/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Ok(at);
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    Err("a comment is not closed".to_owned())
}

fn string(text: &str) -> Result<usize, String> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == '"' && !escaped {
            return Ok(at + 1);
        }
        escaped = c == '\\' && !escaped;
    }
    Err("a text is not closed".to_owned())
}

/// Why a proof is refused before it is run.
pub(super) fn refusal(tokens: &[Token<'_>], also: &[String]) -> Option<String> {
    for (i, (word, _)) in tokens.iter().enumerate() {
        let mut parts = word.split('.');
        let refused = |part: &str| REFUSED.contains(&part) || also.iter().any(|more| more == part);
        if let Some(part) = parts.find(|part| refused(part)) {
            return Some(format!("`{part}` is refused"));
        }
        let next = tokens.get(i + 1).copied();
        let touches = next.is_some_and(|(_, at)| at == tokens[i].1 + word.len());
        if *word == "#" && touches && next.is_some_and(|(n, _)| n.starts_with(char::is_alphabetic))
        {
            return Some(format!("the command `#{}` is refused", next.map_or("", |(n, _)| n)));
        }
        if *word == "set_option" && !next.is_some_and(|(n, _)| OPTIONS.contains(&n)) {
            return Some(format!("the option `{}` is refused", next.map_or("", |(n, _)| n)));
        }
        if *word == "guerdon_reference" {
            return Some("`guerdon_reference` is refused".to_owned());
        }
    }
    None
}

/// A statement: what stands before its name, the name, and what stands behind up to the proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// Imports and other commands before it.
    pub(super) before: String,
    pub(super) name: String,
    /// Binders and type, with their colon.
    pub(super) signature: String,
}

impl Statement {
    /// Reads a reference: a theorem, with or without `:= sorry` or the like behind it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let at = tokens.iter().rposition(|(word, _)| matches!(*word, "theorem" | "lemma"));
        let at = at.ok_or("holds no theorem")?;
        let (name, start) = *tokens.get(at + 1).ok_or("the theorem has no name")?;
        let end = proof(&tokens[at..]).map_or(text.len(), |k| tokens[at + k].1);
        // Without a name the proof's own mark stands in its place.
        let signature = text.get(start + name.len()..end).unwrap_or_default().trim();
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') || !signature.contains(':') {
            return Err("the theorem has no name or no type".to_owned());
        }
        let before = text[..tokens[at].1].trim().to_owned();
        Ok(Self { before, name: name.to_owned(), signature: signature.to_owned() })
    }

    fn words(&self) -> Vec<String> {
        tokens(&self.signature)
            .unwrap_or_default()
            .iter()
            .map(|(word, _)| (*word).to_owned())
            .collect()
    }

    /// The completion's own theorem of this name, if it has one: whether it says the same, token for token.
    fn restated(&self, tokens: &[Token<'_>]) -> Option<bool> {
        let at = tokens
            .windows(2)
            .rposition(|pair| matches!(pair[0].0, "theorem" | "lemma") && pair[1].0 == self.name)?;
        let end = proof(&tokens[at..]).map_or(tokens.len(), |k| at + k);
        let own = tokens[(at + 2).min(end)..end].iter().map(|(word, _)| *word);
        Some(own.eq(self.words().iter().map(String::as_str)))
    }

    /// The statement alone, to see whether it can be read at all.
    pub(super) fn control(&self, header: &str) -> String {
        let Self { before, signature, .. } = self;
        format!("{header}\n{before}\ntheorem guerdon_reference {signature} := sorry\n")
    }

    /// The file to check: the statement under a name of its own, the proof, and two questions: whether what was proved has the
    /// type of the statement, and which axioms it rests on. An error says why the proof is refused.
    pub(super) fn compose(
        &self,
        header: &str,
        proof: &str,
        also: &[String],
    ) -> Result<String, String> {
        let body = without_imports(proof);
        let tokens = tokens(&body)?;
        if let Some(why) = refusal(&tokens, also) {
            return Err(why);
        }
        if tokens.is_empty() {
            return Err("there is no proof".to_owned());
        }
        let Self { name, signature, .. } = self;
        let proved = match self.restated(&tokens) {
            Some(true) => body,
            Some(false) => return Err("the statement was changed".to_owned()),
            None if tokens
                .iter()
                .any(|(word, _)| matches!(*word, "theorem" | "lemma" | "example")) =>
            {
                return Err(format!("does not prove `{name}`"));
            }
            None => format!("theorem {name} {signature} := {}", term(&body)),
        };
        Ok(format!(
            "{}{proved}\n\nexample : type_of% @guerdon_reference := @_root_.{name}\n#print axioms _root_.{name}\n",
            self.control(header)
        ))
    }
}

/// Where the proof of a theorem begins: at the first `:=` outside brackets, or at a `|` of a definition by cases.
fn proof(tokens: &[Token<'_>]) -> Option<usize> {
    let mut depth = 0_i32;
    for (i, (word, at)) in tokens.iter().enumerate() {
        match *word {
            "(" | "[" | "{" | "\u{27e8}" | "\u{2983}" => depth += 1,
            ")" | "]" | "}" | "\u{27e9}" | "\u{2984}" => depth -= 1,
            ":" if depth == 0
                && tokens.get(i + 1).is_some_and(|(n, a)| *n == "=" && *a == at + 1) =>
            {
                return Some(i);
            }
            _ => {}
        }
    }
    None
}

/// Proofs repeat the imports that the header already has.
fn without_imports(text: &str) -> String {
    let kept = text.lines().filter(|line| !line.starts_with("import "));
    kept.map(|line| format!("{line}\n")).collect::<String>().trim_end().to_owned()
}

/// A proof as a term: what begins neither with `by` nor with `:=` is a list of tactics.
fn term(body: &str) -> String {
    let bare = body.trim_start();
    if let Some(rest) = bare.strip_prefix(":=") {
        return rest.trim_start().to_owned();
    }
    let is_by = bare.strip_prefix("by").is_some_and(|rest| rest.starts_with(char::is_whitespace));
    if is_by {
        return bare.to_owned();
    }
    let indented: Vec<String> = body.lines().map(|line| format!("  {line}")).collect();
    format!("by\n{}", indented.join("\n"))
}

/// The axioms that the last line of Lean's output names; none where it names no theorem.
pub(super) fn axioms(output: &str, name: &str) -> Option<Vec<String>> {
    let (free, bound) = (
        format!("'{name}' does not depend on any axioms"),
        format!("'{name}' depends on axioms: ["),
    );
    let text = output.trim_end();
    if text.lines().next_back()?.trim_end().ends_with(&free) {
        return Some(Vec::new());
    }
    let list = text[text.rfind(&bound)? + bound.len()..].strip_suffix(']')?;
    if list.contains([']', '\'']) {
        return None;
    }
    Some(list.split(',').map(|axiom| axiom.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::{Statement, axioms, refusal, tokens};

    const STATEMENT: &str =
        "theorem add_zero' (n : Nat) (h : n = n := rfl) : n + 0 = n := by\n  sorry";

    fn compose(proof: &str) -> Result<String, String> {
        Statement::read(STATEMENT).unwrap().compose("import Std", proof, &[])
    }

    #[test]
    fn statements_are_cut_before_their_proof() {
        let read = Statement::read(STATEMENT).unwrap();
        assert_eq!(
            (read.name.as_str(), read.signature.as_str()),
            ("add_zero'", "(n : Nat) (h : n = n := rfl) : n + 0 = n")
        );
        let read =
            Statement::read("import Mathlib\nopen Nat\n/-- a := b -/ lemma x : 1 = 1").unwrap();
        assert_eq!(
            (read.signature.as_str(), read.before.starts_with("import Mathlib")),
            (": 1 = 1", true)
        );
        for text in
            ["", "def x := 1", "theorem", "theorem x", "theorem (n) : 1 = 1", "theorem x : /- a"]
        {
            assert!(Statement::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_whole_file() {
        let expect = "import Std\n\ntheorem guerdon_reference (n : Nat) (h : n = n := rfl) : n + 0 = n := sorry\n\
            theorem add_zero' (n : Nat) (h : n = n := rfl) : n + 0 = n := by simp\n\n\
            example : type_of% @guerdon_reference := @_root_.add_zero'\n#print axioms _root_.add_zero'\n";
        assert_eq!(compose("by simp").as_deref(), Ok(expect));
        assert_eq!(compose(":= by simp").as_deref(), Ok(expect));
        assert!(compose("intro x\nsimp").unwrap().contains(":= by\n  intro x\n  simp\n"));
    }

    #[test]
    fn proofs_that_state_the_theorem_again() {
        let own = "import Mathlib\nlemma a : 1 = 1 := rfl\ntheorem add_zero' (n:Nat) -- n\n  (h : n = n := rfl) : n + 0 = n := by simp";
        let file = compose(own).unwrap();
        assert!(file.contains("lemma a") && !file.contains("import Mathlib"), "{file}");
        let changed = own.replace("n + 0", "n * 1");
        assert_eq!(compose(&changed).unwrap_err(), "the statement was changed");
        assert_eq!(
            compose("theorem other : 1 = 1 := rfl").unwrap_err(),
            "does not prove `add_zero'`"
        );
        let twice = format!("{own}\n{}", changed.replace("import Mathlib\n", ""));
        assert!(compose(&twice).is_err());
    }

    #[test]
    fn what_is_refused() {
        for proof in [
            "by sorry",
            "by admit",
            "by exact sorryAx _",
            "by native_decide",
            "by decide +native",
            "axiom f : False",
            "by\n  run_tac x",
            "#eval 1",
            "by simp\n#exit",
            "macro \"x\" : tactic => `(tactic| rfl)",
            "elab \"x\"",
            "unsafe def f := 1",
            "@[implemented_by g] def f := 1",
            "opaque f : Nat",
            "set_option debug.skipKernelTC true in x",
            "by exact Lean.ofReduceBool _ _ rfl",
            "exact guerdon_reference",
            "by simp /- open",
            "by exact \"open",
            "",
            "-- only words",
            "initialize x : Nat",
            "open Lean Elab in\nrun_cmd x",
        ] {
            assert!(compose(proof).is_err(), "{proof}");
        }
        for proof in [
            "by simp -- sorry",
            "by exact h.symm ▸ rfl",
            "set_option maxHeartbeats 400000 in\nsimp",
            "by omega",
            "by simp [sorryish]",
        ] {
            assert!(compose(proof).is_ok(), "{proof}: {:?}", compose(proof));
        }
        assert!(refusal(&tokens("by decide").unwrap(), &["decide".to_owned()]).is_some());
    }

    #[test]
    fn what_lean_says_of_axioms() {
        let list = |text: &str| axioms(text, "x").map(|a| a.join(" "));
        assert_eq!(
            list("warning: declaration uses 'sorry'\n'x' does not depend on any axioms\n")
                .as_deref(),
            Some("")
        );
        assert_eq!(
            list("'x' depends on axioms: [propext,\n Quot.sound]").as_deref(),
            Some("propext Quot.sound")
        );
        assert_eq!(list("'x' depends on axioms: [sorryAx]").as_deref(), Some("sorryAx"));
        assert_eq!(list("'y' does not depend on any axioms"), None);
        assert_eq!(list("'x' does not depend on any axioms\nmore"), None);
        assert_eq!(list(""), None);
    }

    #[test]
    fn hostile_texts() {
        assert!(tokens(&"/-".repeat(50_000)).is_err());
        assert!(tokens(&"x".repeat(1 << 19)).is_err());
        assert_eq!(tokens("é→∀α₁ \u{0}").unwrap().len(), 5);
    }
}
