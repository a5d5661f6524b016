//! JSON lines: the scalar fields of one object per line.

use std::fmt;
use std::io::{BufRead, Read as _};

use guerdon_core::MethodError;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Fields, at_line, io};

/// The longest line, in bytes.
const LONGEST: usize = 1 << 26;

pub(super) struct Lines<R> {
    from: R,
    line: u64,
    text: Vec<u8>,
    /// The line in `text` has not been handed out yet.
    held: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, line: 0, text: Vec::new(), held: false }
    }

    /// Brings the next line that is not blank; gives whether there was one.
    fn next(&mut self) -> Result<bool, MethodError> {
        if std::mem::take(&mut self.held) {
            return Ok(true);
        }
        loop {
            self.text.clear();
            self.line += 1;
            let got = self
                .from
                .by_ref()
                .take(LONGEST as u64)
                .read_until(b'\n', &mut self.text)
                .map_err(|error| io(&error))?;
            if got == 0 {
                return Ok(false);
            }
            if got == LONGEST {
                return Err(at_line(self.line, "it is longer than 64 MB"));
            }
            if !self.text.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    /// The keys of the first object.
    pub(super) fn keys(&mut self) -> Result<Option<Vec<String>>, MethodError> {
        if !self.next()? {
            return Ok(None);
        }
        let mut keys = Vec::new();
        self.object(&mut |key, _| keys.push(key.to_owned()))?;
        self.held = true;
        Ok(Some(keys))
    }

    /// Calls `row` with every object: `field(k)` is the value of `keys[k]` as text.
    pub(super) fn each(
        &mut self,
        keys: &[String],
        mut row: impl FnMut(u64, &Values<'_>) -> Result<(), MethodError>,
    ) -> Result<(), MethodError> {
        let mut values = Values { keys, texts: vec![Scalar::Absent; keys.len()] };
        while self.next()? {
            values.texts.iter_mut().for_each(|text| *text = Scalar::Absent);
            self.object(&mut |key, value| {
                if let Some(at) = keys.iter().position(|known| known == key) {
                    values.texts[at] = value;
                }
            })?;
            row(self.line, &values)?;
        }
        Ok(())
    }

    fn object(&self, take: &mut dyn FnMut(&str, Scalar)) -> Result<(), MethodError> {
        let mut deserializer = serde_json::Deserializer::from_slice(&self.text);
        let read = deserializer.deserialize_map(Object(take)).and_then(|()| deserializer.end());
        read.map_err(|error| at_line(self.line, format!("it is not a JSON object: {error}")))
    }
}

/// The values of one object, by the index of their key.
pub(super) struct Values<'a> {
    keys: &'a [String],
    texts: Vec<Scalar>,
}

impl Fields for Values<'_> {
    fn field(&self, at: usize) -> Result<&[u8], String> {
        match &self.texts[at] {
            Scalar::Text(text) => Ok(text.as_bytes()),
            _ => Err(format!("`{}` is missing or not a plain value", self.keys[at])),
        }
    }

    fn is_null(&self, at: usize) -> bool {
        matches!(self.texts[at], Scalar::Null)
    }
}

/// Hands every key of an object to `take`, with its value as text where it is a plain one.
struct Object<'f>(&'f mut dyn FnMut(&str, Scalar));

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            (self.0)(&key, map.next_value()?);
        }
        Ok(())
    }
}

/// A value of an object.
#[derive(Clone)]
enum Scalar {
    /// A plain value as text.
    Text(String),
    /// Null.
    Null,
    /// A list, an object, or nothing at all.
    Absent,
}

impl<'de> serde::Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Absent)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Absent)
    }
}
