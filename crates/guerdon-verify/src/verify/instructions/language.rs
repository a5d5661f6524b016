//! The language of a text, by its two-letter code.

use guerdon_core::Unscored;
use whatlang::Lang;

/// Two-letter codes of the benchmark's languages and of its commonest neighbours.
const CODES: [(&str, Lang); 36] = [
    ("en", Lang::Eng),
    ("de", Lang::Deu),
    ("es", Lang::Spa),
    ("fr", Lang::Fra),
    ("it", Lang::Ita),
    ("pt", Lang::Por),
    ("nl", Lang::Nld),
    ("sv", Lang::Swe),
    ("da", Lang::Dan),
    ("fi", Lang::Fin),
    ("ru", Lang::Rus),
    ("uk", Lang::Ukr),
    ("bg", Lang::Bul),
    ("pl", Lang::Pol),
    ("cs", Lang::Ces),
    ("el", Lang::Ell),
    ("tr", Lang::Tur),
    ("ar", Lang::Ara),
    ("fa", Lang::Pes),
    ("ur", Lang::Urd),
    ("he", Lang::Heb),
    ("hi", Lang::Hin),
    ("mr", Lang::Mar),
    ("ne", Lang::Nep),
    ("bn", Lang::Ben),
    ("pa", Lang::Pan),
    ("gu", Lang::Guj),
    ("ta", Lang::Tam),
    ("te", Lang::Tel),
    ("kn", Lang::Kan),
    ("ml", Lang::Mal),
    ("th", Lang::Tha),
    ("vi", Lang::Vie),
    ("ko", Lang::Kor),
    ("ja", Lang::Jpn),
    ("zh-cn", Lang::Cmn),
];

/// Whether `text` is in the language `code`; a text without letters is in every language, as in the reference.
pub(super) fn is(text: &str, code: &str) -> Result<bool, Unscored> {
    let Some((_, wanted)) = CODES.iter().find(|(own, _)| *own == code) else {
        return Err(Unscored::abstained(format!("the language {code:?} is not recognised here")));
    };
    if !text.contains(char::is_alphabetic) {
        return Ok(true);
    }
    Ok(whatlang::detect_lang(text) == Some(*wanted))
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
