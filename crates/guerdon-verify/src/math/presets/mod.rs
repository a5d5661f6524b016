//! Published graders, reproduced so that published numbers can be.
//!
//! Each works on strings as its original does, character for character; each file names its source. Where an
//! original asks `SymPy` (Minerva, PRM800K, Qwen), these ask this engine under its budget: the one departure that
//! they share, because `SymPy`'s answer depends on its version and on the time it is given.

mod dapo;
mod gsm8k;
mod hendrycks;
mod minerva;
mod prm800k;
mod qwen;
mod text;

use super::{Options, Preset, Verdict};

/// The verdict of a preset that brings its own extraction; `None` for those that use this engine's.
pub(crate) fn verify(reference: &str, completion: &str, options: &Options) -> Option<Verdict> {
    Some(match options.preset {
        Preset::Guerdon | Preset::MathVerify => return None,
        Preset::VerlGsm8k => gsm8k::verify(reference, completion, options.strict),
        Preset::VerlMath | Preset::Hendrycks => hendrycks::verify(reference, completion),
        Preset::VerlDapo => dapo::verify(reference, completion, options.strict_box),
        Preset::Minerva => minerva::verify(reference, completion, options),
        Preset::Prm800k => prm800k::verify(reference, completion, options),
        Preset::Qwen => qwen::verify(reference, completion, options),
    })
}

/// The verdict of a preset on two bare answers; `None` for those that use this engine's comparison.
pub(crate) fn equivalent(reference: &str, answer: &str, options: &Options) -> Option<Verdict> {
    let equal = match options.preset {
        Preset::Guerdon | Preset::MathVerify => return None,
        Preset::VerlGsm8k => answer == reference,
        Preset::VerlMath | Preset::Hendrycks => hendrycks::is_equiv(reference, answer),
        Preset::VerlDapo if options.strict_box => answer == reference,
        Preset::VerlDapo => {
            minerva::normalize(answer).trim() == minerva::normalize(reference).trim()
        }
        Preset::Minerva => {
            minerva::is_equiv(&minerva::normalize(reference), &minerva::normalize(answer), options)
        }
        Preset::Prm800k => prm800k::grade(answer, reference, options),
        Preset::Qwen => qwen::math_equal(&qwen::strip(answer), &qwen::strip(reference), options),
    };
    Some(verdict(equal))
}

fn verdict(equal: bool) -> Verdict {
    if equal { Verdict::Equal } else { Verdict::Different }
}

/// What an original asks `SymPy`: whether two formulas have the same value.
fn same_value(a: &str, b: &str, options: &Options) -> bool {
    let plain = Options {
        preset: Preset::Guerdon,
        bare_percent: false,
        float_rounding: 15,
        ..options.clone()
    };
    super::equivalent(a, b, &plain).is_equal()
}
