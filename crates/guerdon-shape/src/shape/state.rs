//! State that is saved with a run and put back.

use guerdon_core::MethodError;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a saved state; the error says what is wrong with it.
pub fn read<T: DeserializeOwned>(state: &Value) -> Result<T, MethodError> {
    T::deserialize(state)
        .map_err(|error| MethodError::domain(format!("the saved state cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_broken_state_is_an_error() {
        let error = super::read::<f64>(&"x".into()).unwrap_err();
        assert!(error.to_string().starts_with("the saved state cannot be read"));
    }
}
