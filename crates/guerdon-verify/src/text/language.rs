//! Languages: their codes, their scripts, and how much of a text is in one.

use whatlang::{Lang, Script};

/// Two-letter codes of the languages that are told apart.
const CODES: [(&str, Lang); 70] = [
    ("eo", Lang::Epo),
    ("en", Lang::Eng),
    ("ru", Lang::Rus),
    ("zh", Lang::Cmn),
    ("es", Lang::Spa),
    ("pt", Lang::Por),
    ("it", Lang::Ita),
    ("bn", Lang::Ben),
    ("fr", Lang::Fra),
    ("de", Lang::Deu),
    ("uk", Lang::Ukr),
    ("ka", Lang::Kat),
    ("ar", Lang::Ara),
    ("hi", Lang::Hin),
    ("ja", Lang::Jpn),
    ("he", Lang::Heb),
    ("yi", Lang::Yid),
    ("pl", Lang::Pol),
    ("am", Lang::Amh),
    ("jv", Lang::Jav),
    ("ko", Lang::Kor),
    ("nb", Lang::Nob),
    ("da", Lang::Dan),
    ("sv", Lang::Swe),
    ("fi", Lang::Fin),
    ("tr", Lang::Tur),
    ("nl", Lang::Nld),
    ("hu", Lang::Hun),
    ("cs", Lang::Ces),
    ("el", Lang::Ell),
    ("bg", Lang::Bul),
    ("be", Lang::Bel),
    ("mr", Lang::Mar),
    ("kn", Lang::Kan),
    ("ro", Lang::Ron),
    ("sl", Lang::Slv),
    ("hr", Lang::Hrv),
    ("sr", Lang::Srp),
    ("mk", Lang::Mkd),
    ("lt", Lang::Lit),
    ("lv", Lang::Lav),
    ("et", Lang::Est),
    ("ta", Lang::Tam),
    ("vi", Lang::Vie),
    ("ur", Lang::Urd),
    ("th", Lang::Tha),
    ("gu", Lang::Guj),
    ("uz", Lang::Uzb),
    ("pa", Lang::Pan),
    ("az", Lang::Aze),
    ("id", Lang::Ind),
    ("te", Lang::Tel),
    ("fa", Lang::Pes),
    ("ml", Lang::Mal),
    ("or", Lang::Ori),
    ("my", Lang::Mya),
    ("ne", Lang::Nep),
    ("si", Lang::Sin),
    ("km", Lang::Khm),
    ("tk", Lang::Tuk),
    ("ak", Lang::Aka),
    ("zu", Lang::Zul),
    ("sn", Lang::Sna),
    ("af", Lang::Afr),
    ("la", Lang::Lat),
    ("sk", Lang::Slk),
    ("ca", Lang::Cat),
    ("tl", Lang::Tgl),
    ("hy", Lang::Hye),
    ("cy", Lang::Cym),
];

/// Letters below which a sentence is judged together with the next.
const ENOUGH: usize = 40;

/// The language of a code: two letters or three, with or without a region (`de`, `deu`, `de-AT`, `zh-cn`).
pub(crate) fn of_code(code: &str) -> Option<Lang> {
    let lower = code.trim().to_lowercase();
    let short = lower.split(['-', '_']).next().unwrap_or_default();
    let short = match short {
        "no" | "nn" => "nb",
        other => other,
    };
    let known = CODES.iter().find(|(own, _)| *own == short).map(|(_, lang)| *lang);
    known.or_else(|| Lang::from_code(short))
}

/// All two-letter codes.
pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
    CODES.iter().map(|(code, _)| *code)
}

/// The language of a text, the likeliest one however short it is. `None` without letters.
///
/// Trigrams tell seventy languages apart, but need some length; where they are not sure, a linear model of sixteen common
/// languages decides between those in Latin or Cyrillic letters, which is right far more often on single sentences.
pub(crate) fn detect(text: &str) -> Option<Lang> {
    if !text.contains(char::is_alphabetic) {
        return None;
    }
    let info = whatlang::detect(text)?;
    let modelled = matches!(info.script(), Script::Latin | Script::Cyrillic);
    Some(if modelled && !info.is_reliable() {
        common(whichlang::detect_language(text))
    } else {
        info.lang()
    })
}

fn common(lang: whichlang::Lang) -> Lang {
    use whichlang::Lang as Common;
    match lang {
        Common::Ara => Lang::Ara,
        Common::Cmn => Lang::Cmn,
        Common::Deu => Lang::Deu,
        Common::Eng => Lang::Eng,
        Common::Fra => Lang::Fra,
        Common::Hin => Lang::Hin,
        Common::Ita => Lang::Ita,
        Common::Jpn => Lang::Jpn,
        Common::Kor => Lang::Kor,
        Common::Nld => Lang::Nld,
        Common::Por => Lang::Por,
        Common::Rus => Lang::Rus,
        Common::Spa => Lang::Spa,
        Common::Swe => Lang::Swe,
        Common::Tur => Lang::Tur,
        Common::Vie => Lang::Vie,
    }
}

/// Whether a text with letters is in `lang`. Of a language that only the trigrams know their guess is taken, sure or not.
fn is_in(text: &str, lang: Lang) -> bool {
    detect(text) == Some(lang)
        || !whichlang::LANGUAGES.iter().any(|own| common(*own) == lang)
            && whatlang::detect_lang(text) == Some(lang)
}

/// Letters of `text` that are in `lang`, and letters at all.
///
/// Sentences are judged one by one, short ones together with the next. Within them letters of another script are in
/// another language; the others are in `lang` if the detector says so.
pub(crate) fn share(text: &str, lang: Lang) -> (usize, usize) {
    let scripts: Vec<Script> =
        Script::all().iter().copied().filter(|s| scripts_of(lang, *s)).collect();
    let own = |c: char| script(c).is_some_and(|s| scripts.contains(&s));
    let whole = Part::of(text, own);
    let (mut right, mut all) = (0, 0);
    for part in parts(text) {
        let part = Part::of(part, own);
        all += part.letters;
        if part.own > 0 && part.is_in(lang, whole.kana > 0) {
            right += part.own;
        }
    }
    (right, all)
}

fn scripts_of(lang: Lang, script: Script) -> bool {
    script.langs().contains(&lang)
        || lang == Lang::Jpn && script == Script::Mandarin
        || lang == Lang::Kor && script == Script::Mandarin
}

/// Letters of a part of a text: all, those of the language's scripts, kana; and the text of those scripts.
struct Part {
    letters: usize,
    own: usize,
    kana: usize,
    text: String,
}

impl Part {
    fn of(text: &str, own: impl Fn(char) -> bool) -> Self {
        let mut part =
            Self { letters: 0, own: 0, kana: 0, text: String::with_capacity(text.len()) };
        for c in text.chars() {
            if !c.is_alphabetic() {
                part.text.push(if c == '\'' || c == '’' { c } else { ' ' });
                continue;
            }
            part.letters += 1;
            part.kana +=
                usize::from(matches!(script(c), Some(Script::Hiragana | Script::Katakana)));
            if own(c) {
                part.own += 1;
                part.text.push(c);
            }
        }
        part
    }

    /// Whether the letters of the language's scripts are in `lang`.
    fn is_in(&self, lang: Lang, kana_elsewhere: bool) -> bool {
        let alone = |s: &Script| !s.langs().contains(&lang) || s.langs().len() == 1;
        match lang {
            Lang::Cmn => self.kana * 20 <= self.letters,
            Lang::Jpn => self.kana > 0 || kana_elsewhere,
            _ => Script::all().iter().all(alone) || is_in(&self.text, lang),
        }
    }
}

/// The sentences of a text, short ones joined with what follows, the last one with what stands before it.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut letters) = (0, 0);
    for (at, c) in text.char_indices() {
        letters += usize::from(c.is_alphabetic());
        let end = matches!(c, '\n' | '.' | '?' | '!' | ';' | '。' | '？' | '！' | '।' | '۔' | '؟');
        if end && letters >= ENOUGH {
            parts.push(start..at + c.len_utf8());
            (start, letters) = (at + c.len_utf8(), 0);
        }
    }
    if letters >= ENOUGH || parts.is_empty() {
        parts.push(start..text.len());
    } else if let Some(last) = parts.last_mut() {
        last.end = text.len();
    }
    parts.into_iter().map(|range| &text[range]).collect()
}

/// The script of a letter, by Unicode's blocks. Hiragana stands for both kana's extensions.
fn script(c: char) -> Option<Script> {
    Some(match u32::from(c) {
        0x41..=0x5a | 0x61..=0x7a | 0xc0..=0x24f | 0x1e00..=0x1eff | 0xff21..=0xff5a => {
            Script::Latin
        }
        0x370..=0x3ff | 0x1f00..=0x1fff => Script::Greek,
        0x400..=0x52f => Script::Cyrillic,
        0x530..=0x58f => Script::Armenian,
        0x590..=0x5ff => Script::Hebrew,
        0x600..=0x6ff | 0x750..=0x77f | 0x8a0..=0x8ff | 0xfb50..=0xfdff | 0xfe70..=0xfeff => {
            Script::Arabic
        }
        0x900..=0x97f => Script::Devanagari,
        0x980..=0x9ff => Script::Bengali,
        0xa00..=0xa7f => Script::Gurmukhi,
        0xa80..=0xaff => Script::Gujarati,
        0xb00..=0xb7f => Script::Oriya,
        0xb80..=0xbff => Script::Tamil,
        0xc00..=0xc7f => Script::Telugu,
        0xc80..=0xcff => Script::Kannada,
        0xd00..=0xd7f => Script::Malayalam,
        0xd80..=0xdff => Script::Sinhala,
        0xe00..=0xe7f => Script::Thai,
        0x1000..=0x109f => Script::Myanmar,
        0x10a0..=0x10ff => Script::Georgian,
        0x1100..=0x11ff | 0x3130..=0x318f | 0xac00..=0xd7af => Script::Hangul,
        0x1200..=0x139f => Script::Ethiopic,
        0x1780..=0x17ff => Script::Khmer,
        0x3040..=0x309f => Script::Hiragana,
        0x30a0..=0x30ff | 0xff66..=0xff9d => Script::Katakana,
        0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x2_0000..=0x2_fa1f => {
            Script::Mandarin
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{detect, of_code, share};
    use whatlang::Lang;

    #[test]
    fn codes_of_all_sorts() {
        for (code, lang) in [
            ("de", Lang::Deu),
            ("DEU", Lang::Deu),
            ("pt-BR", Lang::Por),
            ("zh-cn", Lang::Cmn),
            ("no", Lang::Nob),
        ] {
            assert_eq!(of_code(code), Some(lang), "{code}");
        }
        assert_eq!((of_code("sw"), of_code("")), (None, None));
        assert!(Lang::all().iter().all(|lang| of_code(lang.code()) == Some(*lang)));
    }

    fn check(text: &str, code: &str, expect: f64) {
        let (right, all) = share(text, of_code(code).unwrap());
        let share = right as f64 / all as f64;
        assert!((share - expect).abs() < 0.01, "{code} {text:?}: {share}");
    }

    #[test]
    fn shares() {
        let german = "Das ist ein schöner Tag, und wir gehen mit den Kindern in den Park. ";
        let english = "It is a beautiful day, and we take the children to the park with us. ";
        check(german, "de", 1.0);
        check(german, "en", 0.0);
        check(&format!("{german}{english}"), "de", 0.5);
        check("今天天气很好，我们去公园。", "zh", 1.0);
        check("今日はいい天気なので公園に行きます。", "zh", 0.0);
        check("今日はいい天気なので公園に行きます。", "ja", 1.0);
        check("Ответ: the answer", "ru", 5.0 / 14.0);
        check("오늘은 날씨가 좋아요", "ko", 1.0);
        check("Write a song about how to make a peanut butter and jelly sandwich.", "en", 1.0);
        check("Dzisiaj jest piękny dzień i idziemy do parku.", "pl", 1.0);
        assert_eq!((share("12 + 3", Lang::Eng), detect("12")), ((0, 0), None));
    }
}
