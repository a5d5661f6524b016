//! What a caller can choose: where the answer is looked for, which grader decides, how much work is allowed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where in a completion an answer may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Extract {
    /// The last `\boxed{...}` or `\fbox{...}`. Boxes joined by a comma, "and" or "or" in one sentence are
    /// one answer, a list. Otherwise the last box counts and no other.
    Boxed,
    /// What follows the last "final answer is", "the answer is", "answer:", "####" and their like.
    FinalAnswer,
    /// The content of the last `<answer>...</answer>`.
    Tags,
    /// The last formula between dollars, `\(...\)` or `\[...\]`.
    LastLatex,
    /// The last number or arithmetic expression in plain text.
    LastExpression,
    /// The last line that is not blank.
    LastLine,
    /// A single choice letter: "The answer is (B)", "B. ...".
    Choice,
    /// The whole completion.
    Whole,
}

/// Which grader decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
pub enum Preset {
    /// This engine: exact, symmetric, no accidents.
    #[default]
    #[serde(rename = "guerdon")]
    Guerdon,
    /// This engine with the choices of Hugging Face's Math-Verify 0.9.
    #[serde(rename = "math-verify")]
    MathVerify,
    /// verl `utils/reward_score/gsm8k.py`; `strict` chooses its strict method, otherwise flexible.
    #[serde(rename = "gsm8k")]
    VerlGsm8k,
    /// verl `utils/reward_score/math_reward.py`: last box, Hendrycks' string normalisation.
    #[serde(rename = "math_reward")]
    VerlMath,
    /// verl `utils/reward_score/math_dapo.py`; `strict_box` chooses the box, otherwise "Answer:".
    #[serde(rename = "math_dapo")]
    VerlDapo,
    /// `is_equiv` of the MATH data set (Hendrycks et al.).
    #[serde(rename = "hendrycks")]
    Hendrycks,
    /// The Minerva normalisation as the LM evaluation harness has it.
    #[serde(rename = "minerva")]
    Minerva,
    /// `OpenAI`'s PRM800K grader.
    #[serde(rename = "prm800k")]
    Prm800k,
    /// Qwen2.5-Math's `math_equal`.
    #[serde(rename = "qwen")]
    Qwen,
}

/// What a unit of measure means for equality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Units {
    /// Units are dropped on both sides: `10 km` equals `10` and `10 m`.
    Ignore,
    /// A unit on one side only is dropped; two known units must agree after conversion: `1 km` equals `1000 m`
    /// and `1`, not `1 m`.
    #[default]
    Lenient,
    /// Both sides need the same unit after conversion; a bare number equals no measured one.
    Compare,
}

/// The work that one comparison may cost. Spent allowances end in [`super::Verdict::Budget`], never in a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Longest completion that is searched for an answer, in bytes. Default 2 MiB.
    pub completion_bytes: usize,
    /// Longest answer that is parsed, in bytes. Default 16384.
    pub bytes: usize,
    /// Most nodes of one parsed answer. Default 8192.
    pub nodes: usize,
    /// Deepest nesting of one parsed answer, at most 96. Default 64.
    pub depth: usize,
    /// Longest integer that is computed, in bits. Default 16384.
    pub bits: u64,
    /// Evaluation steps of about ten nanoseconds each. Default 1000000.
    pub steps: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            completion_bytes: 2 << 20,
            bytes: 16 << 10,
            nodes: 8 << 10,
            depth: 64,
            bits: 16 << 10,
            steps: 1_000_000,
        }
    }
}

/// How answers are found and compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Places where the answer is looked for, in order of priority; the first that holds one decides.
    /// Default: `boxed`, `tags`, `final_answer`, `last_latex`, `last_expression`.
    pub extract: Vec<Extract>,
    /// The grader. Presets other than `guerdon` and `math-verify` bring their own extraction. Default `guerdon`.
    pub preset: Preset,
    /// With `true`, names of variables count: `f(x)` is not `f(y)`. With `false` they may be renamed. Default `true`.
    /// The preset `gsm8k` reads it as its method: strict, or flexible.
    pub strict: bool,
    /// Preset `math_dapo` only: the exact content of a box in the last 100 characters, instead of the normalised
    /// text after "Answer:". Default `false`.
    pub strict_box: bool,
    /// Two numbers of which one is a decimal are equal when they differ by at most this share of the larger one.
    /// From 0 (exact, the default) to 1.
    pub relative_tolerance: f64,
    /// Two numbers of which one is a decimal are equal when they differ by at most this much. From 0, the default.
    pub absolute_tolerance: f64,
    /// Decimal places in which a decimal has to agree with the exact value: a difference of
    /// `10^-float_rounding * min(1, |larger value|)` is forgiven. From 0 to 30, default 6.
    pub float_rounding: u32,
    /// What a unit of measure means. Default `lenient`.
    pub units: Units,
    /// Whether `50%` equals both `0.5` and `50` (default), or `0.5` alone.
    pub bare_percent: bool,
    /// Seed of the points at which expressions are evaluated. The verdict does not depend on it, except with
    /// a probability below 2^-50. Default 0.
    pub seed: u64,
    /// The allowance of work.
    pub budget: Budget,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            extract: vec![
                Extract::Boxed,
                Extract::Tags,
                Extract::FinalAnswer,
                Extract::LastLatex,
                Extract::LastExpression,
            ],
            preset: Preset::Guerdon,
            strict: true,
            strict_box: false,
            relative_tolerance: 0.0,
            absolute_tolerance: 0.0,
            float_rounding: 6,
            units: Units::Lenient,
            bare_percent: true,
            seed: 0,
            budget: Budget::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spec_names_are_the_published_ones() {
        let check = |name: &str, preset: Preset| {
            assert_eq!(serde_json::to_value(preset).unwrap(), name);
        };
        check("guerdon", Preset::Guerdon);
        check("math-verify", Preset::MathVerify);
        check("gsm8k", Preset::VerlGsm8k);
        check("math_reward", Preset::VerlMath);
        check("math_dapo", Preset::VerlDapo);
        check("hendrycks", Preset::Hendrycks);
        check("minerva", Preset::Minerva);
        check("prm800k", Preset::Prm800k);
        check("qwen", Preset::Qwen);
    }

    #[test]
    fn unknown_fields_are_refused_and_missing_ones_are_the_defaults() {
        assert!(serde_json::from_str::<Options>(r#"{"tolerance": 1}"#).is_err());
        let options: Options = serde_json::from_str(r#"{"strict": false}"#).unwrap();
        assert_eq!(options, Options { strict: false, ..Options::default() });
    }
}
