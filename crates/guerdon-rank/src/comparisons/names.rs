//! Contestants' names to numbers.

use guerdon_core::MethodError;
use hashbrown::HashMap;

/// Numbers names in the order in which they are met.
#[derive(Debug, Default)]
pub struct Names {
    names: Vec<String>,
    ids: HashMap<Box<[u8]>, u32>,
}

impl Names {
    /// The number of `name`.
    pub fn id(&mut self, name: &str) -> Result<u32, MethodError> {
        match self.ids.get(name.as_bytes()) {
            Some(&id) => Ok(id),
            None => self.insert(name),
        }
    }

    /// The number of the name written in `bytes`; an error where they are not UTF-8.
    pub fn id_of_bytes(&mut self, bytes: &[u8]) -> Result<u32, MethodError> {
        if let Some(&id) = self.ids.get(bytes) {
            return Ok(id);
        }
        match std::str::from_utf8(bytes) {
            Ok(name) => self.insert(name),
            Err(_) => Err(MethodError::domain(format!(
                "the name `{}` is not UTF-8: convert the file, for example with `iconv -f latin1 -t utf-8`",
                String::from_utf8_lossy(bytes)
            ))),
        }
    }

    fn insert(&mut self, name: &str) -> Result<u32, MethodError> {
        if name.is_empty() {
            return Err(MethodError::domain("a contestant has no name"));
        }
        let id = u32::try_from(self.names.len())
            .map_err(|_| MethodError::Budget("more than 2^32 names".into()))?;
        self.ids.insert(name.as_bytes().into(), id);
        self.names.push(name.to_owned());
        Ok(id)
    }

    /// The names in the order of their numbers.
    pub fn into_vec(self) -> Vec<String> {
        self.names
    }
}

/// Warnings about names that differ only in case or white space: often one contestant under two names.
pub(crate) fn look_alikes(names: &[String]) -> Vec<String> {
    let fold = |name: &str| name.split_whitespace().collect::<String>().to_lowercase();
    let mut folded: Vec<(String, &String)> = names.iter().map(|name| (fold(name), name)).collect();
    folded.sort_unstable();
    let pairs = folded.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    pairs
        .map(|pair| {
            format!("`{}` and `{}` look alike but count as two contestants", pair[0].1, pair[1].1)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Names, look_alikes};

    #[test]
    fn names_get_numbers_once() {
        let mut names = Names::default();
        assert_eq!(names.id("a").unwrap(), 0);
        assert_eq!(names.id_of_bytes(b"b").unwrap(), 1);
        assert_eq!(names.id("a").unwrap(), 0);
        assert!(names.id_of_bytes(b"\xff").unwrap_err().to_string().contains("UTF-8"));
        assert!(names.id("").is_err());
    }

    #[test]
    fn names_that_look_alike_are_told() {
        let names = ["GPT-4", "gpt-4 ", "claude"].map(str::to_owned);
        assert_eq!(look_alikes(&names).len(), 1);
    }
}
