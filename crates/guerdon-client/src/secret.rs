//! An endpoint's key: read from the environment, sent in one header, and struck out of everything else.

use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use memchr::memmem::Finder;

pub(crate) struct Secret {
    header: HeaderValue,
    /// None for placeholders such as `EMPTY`, which local servers are given: they are no secret, and words of replies.
    finder: Option<Finder<'static>>,
}

/// Real keys are longer than any placeholder.
const SHORTEST_KEY: usize = 16;

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// Reads the variable; the error names it and never its value.
    pub(crate) fn from_env(variable: &str) -> Result<Self, String> {
        let value = std::env::var(variable).map_err(|_| {
            format!("the environment variable `{variable}` is not set: put the key into it")
        })?;
        let value = value.trim();
        if value.is_empty() {
            return Err(format!(
                "the environment variable `{variable}` is empty: put the key into it"
            ));
        }
        let mut header = HeaderValue::try_from(format!("Bearer {value}"))
            .map_err(|_| format!("the value of `{variable}` holds characters that no key has"))?;
        header.set_sensitive(true);
        let real = value.len() >= SHORTEST_KEY;
        let finder = real.then(|| Finder::new(value.as_bytes()).into_owned());
        Ok(Self { header, finder })
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    /// `bytes` with every occurrence of the key struck out.
    pub(crate) fn scrub(&self, bytes: Bytes) -> Bytes {
        match &self.finder {
            Some(finder) if finder.find(&bytes).is_some() => strike(finder, &bytes).into(),
            _ => bytes,
        }
    }
}

fn strike(finder: &Finder<'_>, bytes: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = finder.find(rest) {
        clean.extend_from_slice(&rest[..at]);
        clean.resize(clean.len() + finder.needle().len(), b'*');
        rest = &rest[at + finder.needle().len()..];
    }
    clean.extend_from_slice(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::{Finder, Secret, strike};

    #[test]
    fn keys_are_struck_out() {
        let strike =
            |text: &str| String::from_utf8(strike(&Finder::new("abab"), text.as_bytes())).unwrap();
        assert_eq!(strike("abab, xababab"), "****, x****ab");
        assert_eq!(strike("aba"), "aba");
    }

    #[test]
    fn a_variable_without_a_key_is_named() {
        let error = Secret::from_env("GUERDON_TEST_NO_SUCH_VARIABLE").unwrap_err();
        assert!(error.contains("GUERDON_TEST_NO_SUCH_VARIABLE"), "{error}");
    }
}
