//! The language of a text, by its two-letter code.

use crate::text::language;
use guerdon_core::Unscored;

/// Whether `text` is in the language `code`; a text without letters is in every language, as in the reference.
pub(super) fn is(text: &str, code: &str) -> Result<bool, Unscored> {
    let Some(wanted) = language::of_code(code) else {
        return Err(Unscored::abstained(format!("the language {code:?} is not recognised here")));
    };
    if !text.contains(char::is_alphabetic) {
        return Ok(true);
    }
    Ok(language::detect(text) == Some(wanted))
}

#[cfg(test)]
mod tests {
    use super::is;

    #[test]
    fn languages_are_told_apart() {
        assert_eq!(is("Das ist ein schöner Tag und wir gehen in den Park.", "de"), Ok(true));
        assert_eq!(is("The quick brown fox jumps over the lazy dog.", "de"), Ok(false));
        assert_eq!(is("12 34", "de"), Ok(true));
        assert!(is("Habari", "sw").is_err());
    }
}
