//! Numbers that carry their range, so that a script's mistake is found where it is read.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident, $test:expr, $range:literal, $schema:tt) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl $name {
            /// The number, or what its range is.
            pub fn new(value: f64) -> Result<Self, String> {
                let inside: fn(f64) -> bool = $test;
                if inside(value) { Ok(Self(value)) } else { Err(format!("{value} is not {}", $range)) }
            }

            /// The number.
            pub fn get(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = String;

            fn try_from(value: f64) -> Result<Self, String> {
                Self::new(value)
            }
        }

        impl From<$name> for f64 {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }

            fn inline_schema() -> bool {
                true
            }
        }
    };
}

bounded!(
    /// A probability or a share: 0 to 1.
    Share,
    |x| (0.0..=1.0).contains(&x),
    "between 0 and 1",
    {"type": "number", "minimum": 0, "maximum": 1}
);
bounded!(
    /// A number of at least 0, at most a billion.
    Positive,
    |x| (0.0..=1e9).contains(&x),
    "between 0 and 1e9",
    {"type": "number", "minimum": 0, "maximum": 1e9}
);
bounded!(
    /// A number between minus and plus a million.
    Finite,
    |x| (-1e6..=1e6).contains(&x),
    "between -1e6 and 1e6",
    {"type": "number", "minimum": -1e6, "maximum": 1e6}
);

impl Share {
    /// Never.
    pub const ZERO: Self = Self(0.0);
    /// Always.
    pub const ONE: Self = Self(1.0);
    /// One half.
    pub const HALF: Self = Self(0.5);
}

impl Default for Share {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Positive {
    /// Zero.
    pub const ZERO: Self = Self(0.0);
    /// One.
    pub const ONE: Self = Self(1.0);
}

impl Default for Positive {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Finite {
    /// Zero.
    pub const ZERO: Self = Self(0.0);

    /// A constant.
    ///
    /// # Panics
    ///
    /// Out of range: in a constant, when the program is built.
    pub const fn constant(value: f64) -> Self {
        assert!(value >= -1e6 && value <= 1e6, "out of range");
        Self(value)
    }
}

impl Default for Finite {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Share {
    /// A constant.
    ///
    /// # Panics
    ///
    /// Out of range: in a constant, when the program is built.
    pub const fn constant(value: f64) -> Self {
        assert!(value >= 0.0 && value <= 1.0, "out of range");
        Self(value)
    }
}

impl Positive {
    /// A constant.
    ///
    /// # Panics
    ///
    /// Out of range: in a constant, when the program is built.
    pub const fn constant(value: f64) -> Self {
        assert!(value >= 0.0 && value <= 1e9, "out of range");
        Self(value)
    }
}

#[cfg(test)]
mod tests {
    use super::{Finite, Positive, Share};

    #[test]
    fn what_lies_outside_is_refused_in_words() {
        assert_eq!(Share::new(1.5), Err("1.5 is not between 0 and 1".into()));
        assert!(Share::new(f64::NAN).is_err() && Finite::new(f64::INFINITY).is_err());
        assert!(Positive::new(-1.0).is_err());
        assert_eq!(Finite::new(-2.5).map(Finite::get), Ok(-2.5));
    }
}
