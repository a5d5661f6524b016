//! What was compiled for one row is kept for the next that needs the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Most results that are kept.
const LIMIT: usize = 256;

/// Results by the text that they were made of.
#[derive(Debug)]
pub(super) struct Kept<T> {
    found: Mutex<HashMap<String, Arc<T>>>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { found: Mutex::default() }
    }
}

impl<T> Kept<T> {
    /// The result of `make` for `key`, which depends on nothing else. Errors are not kept.
    pub(super) fn get<E>(
        &self,
        key: &str,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let lock = || self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = lock().get(key) {
            return Ok(Arc::clone(found));
        }
        let made = Arc::new(make()?);
        let mut found = lock();
        if found.len() >= LIMIT {
            found.clear();
        }
        found.insert(key.to_owned(), Arc::clone(&made));
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;

    #[test]
    fn made_once_and_errors_again() {
        let kept = Kept::default();
        assert_eq!(kept.get("a", || Err("no")), Err("no"));
        assert_eq!(kept.get("a", || Ok::<_, ()>(1)).as_deref(), Ok(&1));
        assert_eq!(kept.get("a", || Ok::<_, ()>(2)).as_deref(), Ok(&1));
    }
}
