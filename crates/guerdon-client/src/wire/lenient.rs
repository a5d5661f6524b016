//! Reading JSON as servers really write it, without building what is not asked for: a hostile body cannot take much more
//! memory than its own size.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Fault, Usage};

/// Parses a body.
pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        use serde_json::error::Category;
        match error.classify() {
            Category::Data => {
                Fault::Shape(format!("the reply has not the expected shape: {error}"))
            }
            Category::Io | Category::Syntax | Category::Eof => {
                Fault::Garbled(format!("the reply is not JSON: {error}"))
            }
        }
    })
}

/// Tokens as OpenAI reports them.
#[derive(Deserialize, Default, Clone, Copy)]
pub(super) struct UsageWire {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
}

impl UsageWire {
    pub(super) fn usage(self) -> Option<Usage> {
        /// No call takes more; a server that says so must not overflow sums.
        const MOST: u64 = 1 << 40;
        let input = self.prompt_tokens?.min(MOST);
        Some(Usage { input, output: self.completion_tokens.unwrap_or(0).min(MOST) })
    }
}

/// An error object in a body of success.
pub(super) struct ErrorWire {
    code: Option<u16>,
    message: String,
}

impl ErrorWire {
    pub(super) fn fault(self) -> Fault {
        Fault::Service(self.code, super::shorten(&self.message))
    }
}

impl<'de> Deserialize<'de> for ErrorWire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// What is longer is no message for people.
        const MOST_READ: usize = 64 << 10;
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let value = Some(raw.get()).filter(|text| text.len() <= MOST_READ);
        let value: Value = value.and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default();
        let code = value["code"].as_u64().and_then(|code| u16::try_from(code).ok());
        let message = value["message"].as_str().or(value.as_str()).map(str::to_owned);
        Ok(Self {
            code,
            message: message.unwrap_or_else(|| super::read_error(raw.get().as_bytes())),
        })
    }
}

/// Keeps the first element of a list.
pub(super) fn first<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct First<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for First<T> {
        type Value = Option<T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let first = list.next_element()?;
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(first)
        }
    }
    deserializer.deserialize_any(First(PhantomData))
}

/// Keeps the last element of a list.
pub(super) fn last<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Last<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Last<T> {
        type Value = Option<T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut last = None;
            while let Some(next) = list.next_element()? {
                last = Some(next);
            }
            Ok(last)
        }
    }
    deserializer.deserialize_any(Last(PhantomData))
}

/// Text, or a list of parts whose texts are joined, or null.
#[derive(Default)]
pub(super) struct Content(pub(super) Option<String>);

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts;
        #[derive(Deserialize)]
        struct Part {
            #[serde(default)]
            text: Option<String>,
        }
        impl<'de> Visitor<'de> for Parts {
            type Value = Content;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, a list of parts, or null")
            }
            fn visit_unit<E: Error>(self) -> Result<Content, E> {
                Ok(Content(None))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Content, E> {
                Ok(Content(Some(text.to_owned())))
            }
            fn visit_string<E: Error>(self, text: String) -> Result<Content, E> {
                Ok(Content(Some(text)))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content, A::Error> {
                let mut whole = String::new();
                while let Some(part) = list.next_element::<Part>()? {
                    whole.push_str(part.text.as_deref().unwrap_or_default());
                }
                Ok(Content(Some(whole)))
            }
        }
        deserializer.deserialize_any(Parts)
    }
}

/// The pairs of an object, in the order in which the server wrote them.
pub(super) struct Pairs<T>(pub(super) Vec<(String, T)>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<T>(PhantomData<T>);
        impl<'de, T: DeserializeOwned> Visitor<'de> for Object<T> {
            type Value = Pairs<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<T>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Object(PhantomData))
    }
}

/// A number, or lists of numbers within each other, flattened. The parser limits the depth.
#[derive(Default)]
pub(super) struct Numbers(pub(super) Vec<f64>);

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut numbers = Vec::new();
        serde::de::DeserializeSeed::deserialize(Into(&mut numbers), deserializer)?;
        Ok(Self(numbers))
    }
}

struct Into<'a>(&'a mut Vec<f64>);

impl<'de> serde::de::DeserializeSeed<'de> for Into<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Into<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a list of numbers")
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.0.push(value);
        Ok(())
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.visit_f64(f64::from(u8::from(value)))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Into(self.0))?.is_some() {}
        Ok(())
    }
}
