//! Functions (typed input → typed output) and online methods (explicit, serialisable state).

use std::fmt;

use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Params;
use crate::{MethodError, ParamError};

/// A pure function with a typed input and output: statistics, ratings, mechanisms, diagnostics.
pub trait Function: Params {
    /// What goes in: a struct that refuses unknown keys.
    type Input: DeserializeOwned + JsonSchema;
    /// What comes out.
    type Output: Serialize + JsonSchema;

    /// Computes the output. Randomness, if any, comes from `seed` alone.
    fn call(&self, input: &Self::Input, seed: u64) -> Result<Self::Output, MethodError>;
}

/// Schemas of a function's input and output.
#[derive(Clone, Copy)]
pub struct FunctionInfo {
    /// Schema of the input.
    pub input: fn() -> Schema,
    /// Schema of the output.
    pub output: fn() -> Schema,
}

impl fmt::Debug for FunctionInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FunctionInfo")
    }
}

impl FunctionInfo {
    /// The schemas of `F`.
    pub const fn of<F: Function>() -> Self {
        Self {
            input: || schemars::schema_for!(F::Input),
            output: || schemars::schema_for!(F::Output),
        }
    }
}

/// A [`Function`] over JSON.
pub trait ErasedFunction: Send + Sync {
    /// Reads the input, computes, writes the output.
    fn call_json(&self, input: Value, seed: u64) -> Result<Value, MethodError>;
}

impl<F: Function> ErasedFunction for F {
    fn call_json(&self, input: Value, seed: u64) -> Result<Value, MethodError> {
        let input: F::Input = read(input)?;
        write(&self.call(&input, seed)?)
    }
}

/// A method with explicit state: bandits, online ratings, running normalisers, controllers.
pub trait Online: Params {
    /// Everything it remembers.
    type State: Serialize + DeserializeOwned;
    /// What it learns from.
    type Event: DeserializeOwned + JsonSchema;
    /// What it says.
    type Reading: Serialize + JsonSchema;

    /// The state before any event.
    fn init(&self) -> Self::State;

    /// Learns from one event.
    fn step(&self, state: &mut Self::State, event: &Self::Event) -> Result<(), MethodError>;

    /// What it says now. Randomness, if any, comes from `seed` alone.
    fn read(&self, state: &Self::State, seed: u64) -> Self::Reading;
}

/// Schemas of an online method.
#[derive(Clone, Copy)]
pub struct OnlineInfo {
    /// Schema of an event.
    pub event: fn() -> Schema,
    /// Schema of a reading.
    pub reading: fn() -> Schema,
}

impl fmt::Debug for OnlineInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnlineInfo")
    }
}

impl OnlineInfo {
    /// The schemas of `O`.
    pub const fn of<O: Online>() -> Self {
        Self {
            event: || schemars::schema_for!(O::Event),
            reading: || schemars::schema_for!(O::Reading),
        }
    }
}

/// An [`Online`] method over JSON. The state crosses as JSON: what can be saved is what there is.
pub trait ErasedOnline: Send + Sync {
    /// The state before any event.
    fn init_json(&self) -> Result<Value, MethodError>;
    /// The state after the events, in order.
    fn steps_json(&self, state: Value, events: Vec<Value>) -> Result<Value, MethodError>;
    /// What it says in this state.
    fn read_json(&self, state: Value, seed: u64) -> Result<Value, MethodError>;
}

impl<O: Online> ErasedOnline for O {
    fn init_json(&self) -> Result<Value, MethodError> {
        write(&self.init())
    }

    fn steps_json(&self, state: Value, events: Vec<Value>) -> Result<Value, MethodError> {
        let mut state: O::State = read(state)?;
        for event in events {
            self.step(&mut state, &read(event)?)?;
        }
        write(&state)
    }

    fn read_json(&self, state: Value, seed: u64) -> Result<Value, MethodError> {
        write(&self.read(&read(state)?, seed))
    }
}

pub(super) fn read<T: DeserializeOwned>(value: Value) -> Result<T, MethodError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        MethodError::Param(ParamError {
            path: if path == "." { Vec::new() } else { vec![path] },
            message: error.inner().to_string(),
            unknown_key: false,
        })
    })
}

pub(super) fn write<T: Serialize>(value: &T) -> Result<Value, MethodError> {
    serde_json::to_value(value)
        .map_err(|error| MethodError::domain(format!("the result cannot be written: {error}")))
}
