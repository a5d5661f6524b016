//! Counting tokens with a `tokenizer.json`, as Hugging Face's libraries write it.

use std::path::Path;

use guerdon_core::{ParamError, Unscored};

/// Longest text that is tokenised, in bytes.
#[cfg(feature = "tokenizers")]
const LONGEST: usize = 1 << 21;

/// A tokenizer that was read from a file.
#[cfg(feature = "tokenizers")]
pub(super) struct Tokenizer(tokenizers::Tokenizer);

#[cfg(feature = "tokenizers")]
impl Tokenizer {
    /// Reads the file. Truncation and padding that it asks for are left out: they change the count.
    pub(super) fn read(path: &Path) -> Result<Self, ParamError> {
        let refused = |error: &dyn std::fmt::Display| {
            let message = format!("{} is no tokenizer.json: {error}", path.display());
            ParamError::new("tokenizer", message)
        };
        let mut own = tokenizers::Tokenizer::from_file(path).map_err(|error| refused(&error))?;
        own.with_truncation(None).map_err(|error| refused(&error))?;
        own.with_padding(None);
        Ok(Self(own))
    }

    /// Number of tokens, without those that frame a text.
    pub(super) fn count(&self, text: &str) -> Result<u64, Unscored> {
        if text.len() > LONGEST {
            return Err(Unscored::budget(format!("a text of more than {LONGEST} bytes")));
        }
        match self.0.encode_fast(text, false) {
            Ok(encoding) => Ok(encoding.len() as u64),
            Err(error) => Err(Unscored::failed(format!("the tokenizer: {error}"))),
        }
    }
}

/// A tokenizer in a build without them: there is none.
#[cfg(not(feature = "tokenizers"))]
pub(super) enum Tokenizer {}

#[cfg(not(feature = "tokenizers"))]
impl Tokenizer {
    /// Refused, with the remedy.
    pub(super) fn read(path: &Path) -> Result<Self, ParamError> {
        let message = format!(
            "{}: this build reads no tokenizers; build it with the feature `tokenizers`, or map `tokens` in the spec",
            path.display()
        );
        Err(ParamError::new("tokenizer", message))
    }

    /// Never called.
    pub(super) fn count(&self, _text: &str) -> Result<u64, Unscored> {
        match *self {}
    }
}

#[cfg(all(test, feature = "tokenizers"))]
mod tests {
    use super::Tokenizer;

    const WORDS: &str = r#"{"version": "1.0", "truncation": {"direction": "Right", "max_length": 2,
        "strategy": "LongestFirst", "stride": 0}, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"a": 0, "?": 1}, "unk_token": "?"}}"#;

    #[test]
    fn counts_beyond_the_truncation() {
        let path = std::env::temp_dir().join(format!("guerdon-words-{}.json", std::process::id()));
        std::fs::write(&path, WORDS).unwrap();
        let tokenizer = Tokenizer::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(tokenizer.count("a b, a: größer"), Ok(6));
        assert_eq!(tokenizer.count(""), Ok(0));
    }
}
