//! An endpoint's key: read from the environment, sent in one header, and struck out of everything else.

use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use memchr::memmem::Finder;

pub(crate) struct Secret {
    header: HeaderValue,
    finder: Finder<'static>,
}

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
        Ok(Self { header, finder: Finder::new(value.as_bytes()).into_owned() })
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    /// `bytes` with every occurrence of the key struck out.
    pub(crate) fn scrub(&self, bytes: Bytes) -> Bytes {
        if self.finder.find(&bytes).is_none() {
            return bytes;
        }
        let mut clean = bytes.to_vec();
        let length = self.finder.needle().len();
        while let Some(at) = self.finder.find(&clean) {
            clean[at..at + length].fill(b'*');
            if self.finder.needle().iter().all(|byte| *byte == b'*') {
                break;
            }
        }
        clean.into()
    }
}
