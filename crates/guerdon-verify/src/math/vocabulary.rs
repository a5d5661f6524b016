//! The words, commands and symbols that the reader of answers knows.

use super::ast::{Func, NamedSet, Rel};
use super::units;

/// What a word does in a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WordKind {
    And,
    Or,
    Percent,
    Meridiem,
    Function,
    Constant,
    Unit,
    /// Reads like a word of a language.
    Plain,
}

/// What a word does; `None` for a run of letters that is a product.
pub(crate) fn word_kind(word: &str) -> Option<WordKind> {
    let kind = match word {
        "and" | "And" | "AND" | "et" | "und" | "y" if word.len() > 1 => WordKind::And,
        "or" | "Or" | "OR" | "ou" | "oder" => WordKind::Or,
        "percent" | "Percent" | "percentage" | "pct" | "percents" => WordKind::Percent,
        "am" | "pm" | "AM" | "PM" => WordKind::Meridiem,
        "pi" | "Pi" | "PI" | "infinity" | "inf" | "infty" | "oo" | "Infinity" => WordKind::Constant,
        _ if function(word).is_some() || matches!(word, "sqrt" | "cbrt" | "frac") => {
            WordKind::Function
        }
        _ if word.len() > 1 && units::is_unit(word) => WordKind::Unit,
        _ if reads_like_a_word(word) || super::words::number(word).is_some() => WordKind::Plain,
        _ => return None,
    };
    Some(kind)
}

pub(crate) fn is_word(word: &str) -> bool {
    word_kind(word).is_some()
}

/// Four letters or more with two vowels, not all capitals.
fn reads_like_a_word(word: &str) -> bool {
    let vowels = word.bytes().filter(|b| b"aeiouyAEIOUY".contains(b)).count();
    word.len() >= 4
        && vowels >= 2
        && word.bytes().any(|b| b.is_ascii_lowercase())
        && !"abcdefghijklmnopqrstuvwxyz".contains(word)
}

/// The function of a name.
pub(crate) fn function(name: &str) -> Option<Func> {
    Some(match name {
        "sin" => Func::Sin,
        "cos" => Func::Cos,
        "tan" | "tg" => Func::Tan,
        "cot" | "ctg" | "cotg" => Func::Cot,
        "sec" => Func::Sec,
        "csc" | "cosec" => Func::Csc,
        "arcsin" | "asin" => Func::Asin,
        "arccos" | "acos" => Func::Acos,
        "arctan" | "atan" | "arctg" => Func::Atan,
        "sinh" | "sh" => Func::Sinh,
        "cosh" | "ch" => Func::Cosh,
        "tanh" | "th" => Func::Tanh,
        "arcsinh" | "asinh" | "arsinh" => Func::Asinh,
        "arccosh" | "acosh" | "arcosh" => Func::Acosh,
        "arctanh" | "atanh" | "artanh" => Func::Atanh,
        "exp" => Func::Exp,
        "ln" => Func::Ln,
        "log" | "lg" => Func::Log,
        "abs" => Func::Abs,
        "floor" => Func::Floor,
        "ceil" => Func::Ceil,
        "gcd" => Func::Gcd,
        "lcm" => Func::Lcm,
        "min" => Func::Min,
        "max" => Func::Max,
        "Re" => Func::Re,
        "Im" => Func::Im,
        "arg" => Func::Arg,
        _ => return None,
    })
}

/// The length of a function name that a run of letters begins with: `sinx`, `sqrtx`, `pir`.
pub(crate) fn function_prefix(run: &str) -> usize {
    const NAMES: [&str; 13] = [
        "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "sqrt", "sin", "cos", "tan", "log",
        "ln", "pi",
    ];
    NAMES.iter().find(|name| run.starts_with(**name)).map_or(0, |name| name.len())
}

/// Commands whose name may be glued to the letters after it: `\quadx_2`, `\cdotx`.
const GLUED: [&str; 6] = ["quad", "cdot", "times", "pi", "infty", "left"];

/// The command at the start of a run of letters, and its length.
pub(crate) fn split_command(run: &str) -> (&str, usize) {
    if is_command(run) {
        return (run, run.len());
    }
    let glued = GLUED.iter().find(|name| run.len() == name.len() + 1 && run.starts_with(**name));
    glued.map_or((run, run.len()), |name| (&run[..name.len()], name.len()))
}

/// Whether the name is a command that the reader knows.
pub(crate) fn is_command(name: &str) -> bool {
    is_invisible(name)
        || is_text(name)
        || function(name).is_some()
        || relation(name).is_some()
        || greek(name).is_some()
        || matches!(
            name,
            "frac"
                | "dfrac"
                | "tfrac"
                | "cfrac"
                | "sqrt"
                | "binom"
                | "dbinom"
                | "tbinom"
                | "choose"
                | "cdot"
                | "times"
                | "div"
                | "pm"
                | "mp"
                | "begin"
                | "end"
                | "boxed"
                | "fbox"
                | "pi"
                | "infty"
                | "circ"
                | "degree"
                | "cup"
                | "cap"
                | "setminus"
                | "backslash"
                | "overline"
                | "underline"
                | "bar"
                | "hat"
                | "vec"
                | "overrightarrow"
                | "emptyset"
                | "varnothing"
                | "mathbb"
                | "lfloor"
                | "rfloor"
                | "lceil"
                | "rceil"
                | "lvert"
                | "rvert"
                | "langle"
                | "rangle"
                | "sum"
                | "prod"
                | "int"
                | "lim"
                | "mod"
                | "bmod"
                | "pmod"
                | "mid"
                | "ldots"
                | "dots"
                | "cdots"
                | "angle"
                | "triangle"
                | "over"
                | "prime"
                | "ast"
                | "lor"
                | "land"
                | "vee"
                | "wedge"
                | "dot"
        )
}

/// Commands that only change how a formula looks.
pub(crate) fn is_invisible(name: &str) -> bool {
    matches!(
        name,
        "left"
            | "right"
            | "big"
            | "Big"
            | "bigg"
            | "Bigg"
            | "bigl"
            | "bigr"
            | "Bigl"
            | "Bigr"
            | "biggl"
            | "biggr"
            | "Biggl"
            | "Biggr"
            | "quad"
            | "qquad"
            | "displaystyle"
            | "textstyle"
            | "scriptstyle"
            | "limits"
            | "nolimits"
            | "mathbf"
            | "boldsymbol"
            | "bm"
            | "mathit"
            | "mathsf"
            | "mathcal"
            | "mathscr"
            | "mathfrak"
            | "mathop"
            | "mathord"
            | "mathrel"
            | "mathbin"
            | "hspace"
            | "vspace"
            | "phantom"
            | "hphantom"
            | "vphantom"
            | "label"
            | "tag"
            | "nonumber"
            | "notag"
            | "hline"
            | "small"
            | "large"
            | "Large"
            | "normalsize"
            | "color"
            | "bf"
            | "rm"
            | "it"
            | "allowbreak"
            | "middle"
            | "enspace"
            | "thinspace"
            | "displaylimits"
            | "ensuremath"
            | "underbrace"
            | "overbrace"
            | "cancel"
    )
}

/// Commands whose argument is text.
pub(crate) fn is_text(name: &str) -> bool {
    matches!(
        name,
        "text"
            | "textbf"
            | "textit"
            | "textrm"
            | "textnormal"
            | "textsf"
            | "texttt"
            | "textsc"
            | "textup"
            | "mathrm"
            | "mbox"
            | "hbox"
            | "operatorname"
            | "unit"
            | "emph"
    )
}

/// The relation of a command.
pub(crate) fn relation(name: &str) -> Option<Rel> {
    Some(match name {
        "lt" => Rel::Lt,
        "gt" => Rel::Gt,
        "le" | "leq" | "leqslant" | "leqq" => Rel::Le,
        "ge" | "geq" | "geqslant" | "geqq" => Rel::Ge,
        "ne" | "neq" => Rel::Ne,
        "approx" | "approxeq" | "simeq" | "thickapprox" | "doteq" => Rel::Approx,
        "in" => Rel::In,
        "notin" => Rel::NotIn,
        "subset" | "subseteq" => Rel::Subset,
        "equiv" => Rel::Congruent,
        "parallel" => Rel::Other("parallel"),
        "perp" => Rel::Other("perp"),
        "sim" => Rel::Other("sim"),
        "cong" => Rel::Other("cong"),
        "to" | "rightarrow" | "longrightarrow" | "mapsto" => Rel::Other("to"),
        "Rightarrow" | "implies" | "Longrightarrow" => Rel::Other("implies"),
        "Leftrightarrow" | "iff" => Rel::Other("iff"),
        "propto" => Rel::Other("propto"),
        "ll" => Rel::Other("ll"),
        "gg" => Rel::Other("gg"),
        _ => return None,
    })
}

/// Greek letters, by the letter.
pub(crate) fn greek(name: &str) -> Option<char> {
    const GREEK: [(&str, char); 36] = [
        ("alpha", 'α'),
        ("beta", 'β'),
        ("gamma", 'γ'),
        ("delta", 'δ'),
        ("epsilon", 'ε'),
        ("varepsilon", 'ε'),
        ("zeta", 'ζ'),
        ("eta", 'η'),
        ("theta", 'θ'),
        ("vartheta", 'θ'),
        ("iota", 'ι'),
        ("kappa", 'κ'),
        ("lambda", 'λ'),
        ("mu", 'μ'),
        ("nu", 'ν'),
        ("xi", 'ξ'),
        ("rho", 'ρ'),
        ("varrho", 'ρ'),
        ("sigma", 'σ'),
        ("tau", 'τ'),
        ("upsilon", 'υ'),
        ("phi", 'φ'),
        ("varphi", 'φ'),
        ("chi", 'χ'),
        ("psi", 'ψ'),
        ("omega", 'ω'),
        ("Gamma", 'Γ'),
        ("Delta", 'Δ'),
        ("Theta", 'Θ'),
        ("Lambda", 'Λ'),
        ("Xi", 'Ξ'),
        ("Sigma", 'Σ'),
        ("Phi", 'Φ'),
        ("Psi", 'Ψ'),
        ("Omega", 'Ω'),
        ("ell", 'ℓ'),
    ];
    GREEK.iter().find(|(n, _)| *n == name).map(|(_, c)| *c)
}

/// The set of a blackboard letter.
pub(crate) fn named_set(letter: char) -> Option<NamedSet> {
    Some(match letter {
        'R' | 'ℝ' => NamedSet::Reals,
        'Z' | 'ℤ' => NamedSet::Integers,
        'N' | 'ℕ' => NamedSet::Naturals,
        'Q' | 'ℚ' => NamedSet::Rationals,
        'C' | 'ℂ' => NamedSet::Complexes,
        _ => return None,
    })
}

/// What a symbol of Unicode stands for: a command, ASCII punctuation, `""` for nothing; `None` for a letter.
pub(crate) fn symbol(c: char) -> Option<&'static str> {
    Some(match c {
        '−' | '–' | '‐' | '‑' | '—' | '﹣' | '－' => "-",
        '×' | '⋅' | '·' | '∙' | '•' | '∗' | '＊' => "*",
        '÷' | '∕' | '／' | '⁄' => "/",
        '：' | '∶' => ":",
        '，' | '、' => ",",
        '′' | '’' | 'ʹ' => "'",
        '（' => "(",
        '）' => ")",
        '｜' | '∣' => "|",
        '％' => "%",
        '＝' => "=",
        '＋' => "+",
        '±' => "pm",
        '∓' => "mp",
        '√' => "sqrt",
        '∛' => "cbrt",
        '∞' => "infty",
        'π' | '𝜋' | 'Π' => "pi",
        '≤' | '⩽' | '≦' => "le",
        '≥' | '⩾' | '≧' => "ge",
        '≠' => "ne",
        '≈' | '≃' | '≅' => "approx",
        '≡' => "equiv",
        '∈' => "in",
        '∉' => "notin",
        '⊂' | '⊆' => "subset",
        '∪' => "cup",
        '∩' => "cap",
        '∖' => "setminus",
        '∅' | 'Ø' => "emptyset",
        'ℝ' | 'ℤ' | 'ℕ' | 'ℚ' | 'ℂ' => return Some(blackboard(c)),
        '°' | 'º' => "degree",
        '∠' => "angle",
        '△' | '∆' => "triangle",
        '∑' => "sum",
        '∏' => "prod",
        '∫' => "int",
        '⌊' => "lfloor",
        '⌋' => "rfloor",
        '⌈' => "lceil",
        '⌉' => "rceil",
        '⟨' => "langle",
        '⟩' => "rangle",
        '→' | '↦' => "to",
        '⇒' => "implies",
        '⊥' => "perp",
        '∥' => "parallel",
        '∧' => "land",
        '∨' => "lor",
        '²' => "^2",
        '³' => "^3",
        '¹' => "^1",
        '½' => "1/2",
        '¼' => "1/4",
        '¾' => "3/4",
        '⅓' => "1/3",
        '⅔' => "2/3",
        '⅛' => "1/8",
        '⅜' => "3/8",
        '⅝' => "5/8",
        '⅞' => "7/8",
        '€' | '£' | '¥' | '₹' | '₽' | '₩' | '₪' | '₫' | '฿' => "$",
        '…' | '⋯' => "ldots",
        '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '。' | '“' | '”' => {
            ""
        }
        _ => return None,
    })
}

fn blackboard(c: char) -> &'static str {
    match c {
        'ℝ' => "R",
        'ℤ' => "Z",
        'ℕ' => "N",
        'ℚ' => "Q",
        _ => "C",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_letters_is_a_word_or_a_product() {
        let check =
            |run: &str, expected: Option<WordKind>| assert_eq!(word_kind(run), expected, "{run}");
        check("meters", Some(WordKind::Unit));
        check("papers", Some(WordKind::Plain));
        check("sin", Some(WordKind::Function));
        check("abc", None);
        check("ABCD", None);
        check("abcd", None);
    }

    #[test]
    fn glued_commands_are_split() {
        assert_eq!(split_command("quadx"), ("quad", 4));
        assert_eq!(split_command("frac"), ("frac", 4));
        assert_eq!(split_command("unknown"), ("unknown", 7));
    }
}
