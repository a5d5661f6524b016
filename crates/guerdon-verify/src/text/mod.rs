//! What the text metrics share: tokenisers, n-gram matches, common subsequences, edit distance, a stemmer, languages.

pub(crate) mod cut;
pub(crate) mod edit;
pub(crate) mod language;
pub(crate) mod lcs;
pub(crate) mod ngrams;
pub(crate) mod porter;
pub(crate) mod prepared;
pub(crate) mod table;
pub(crate) mod tokens;

use std::borrow::Cow;

use guerdon_core::{Rollout, Unscored};

/// The references of a rollout; unscored when there are none.
pub(crate) fn references(rollout: &Rollout) -> Result<Vec<Cow<'_, str>>, Unscored> {
    let references = rollout.references();
    if references.is_empty() {
        return Err(Unscored::missing(
            "there is no reference to compare with: map `reference` in the spec",
        ));
    }
    Ok(references)
}
