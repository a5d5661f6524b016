//! The conventions of papers and trainers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Control, Corners, Kind, LengthPenalty, Wrong, ZCurve};

/// The conventions of a paper or a trainer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// DAPO: soft overlong punishment, at most 1.
    #[default]
    Dapo,
    /// TRL: as DAPO.
    Trl,
    /// `OpenRLHF`: as DAPO, at most `factor`.
    Openrlhf,
    /// verl: without a floor.
    Verl,
    /// NeMo-RL: without a floor.
    NemoRl,
    /// ms-swift's cosine: it turns back beyond `max`.
    MsSwift,
    /// The cosine of "Demystifying Long Chain-of-Thought Reasoning".
    Cosine,
    /// A-DLP: linear, the coefficient follows the accuracy.
    ADlp,
    /// S-DLP: linear, the coefficient is fixed.
    SDlp,
    /// GRPO-λ: σ of the z-score among correct rollouts.
    GrpoLambda,
    /// LASER's z-score baseline: as GRPO-λ with the sample deviation.
    LaserZscore,
    /// Kimi's min–max penalty, as LASER compares with it.
    Kimi,
    /// HARMO: lengths unlike the group's are punished.
    Harmo,
    /// Format-length surrogate: a turning point.
    FormatLength,
    /// E3: saturating.
    E3,
    /// PAR's study: linear beyond a budget.
    Par,
}

/// The conventions in force: a preset with its overrides. The fields are those of [`LengthPenalty`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// The form of the length term.
    pub kind: Kind,
    /// The longest answer allowed.
    pub max: f64,
    /// Width of the soft zone before `max`.
    pub buffer: f64,
    /// Punishment over one buffer.
    pub factor: f64,
    /// Whether the punishment stops at −`factor`.
    pub floor: bool,
    /// Weight of the length term.
    pub coefficient: f64,
    /// Whether the coefficient follows the accuracy.
    pub control: Option<Control>,
    /// Length that costs nothing.
    pub free: f64,
    /// The curve of a z-score.
    pub curve: ZCurve,
    /// Whether mean and deviation are those of all rollouts of the group.
    pub over_all: bool,
    /// Taken off the count in the divisor of the variance.
    pub ddof: u8,
    /// How wrong rollouts are priced.
    pub wrong: Wrong,
    /// The share of `max` up to which length is rewarded.
    pub turn: f64,
    /// Inverse of the length that costs half the coefficient.
    pub rate: f64,
    /// The values of the cosine.
    pub corners: Corners,
}

const MS_SWIFT: Corners = Corners {
    correct_short: 1.0,
    correct_long: 0.5,
    wrong_short: -0.5,
    wrong_long: 0.0,
    exceeded: None,
};

const DEMYSTIFYING: Corners = Corners {
    correct_short: 2.0,
    correct_long: 1.0,
    wrong_short: -10.0,
    wrong_long: 0.0,
    exceeded: Some(-10.0),
};

const OVERLONG: Rule = Rule {
    kind: Kind::Overlong,
    max: 4096.0,
    buffer: 1024.0,
    factor: 1.0,
    floor: true,
    coefficient: 1.0,
    control: None,
    free: 0.0,
    curve: ZCurve::Sigmoid,
    over_all: false,
    ddof: 0,
    wrong: Wrong::Same,
    turn: 0.5,
    rate: 1e-3,
    corners: MS_SWIFT,
};

impl Preset {
    /// What the preset sets.
    pub fn rule(self) -> Rule {
        let linear = Rule { kind: Kind::Linear, coefficient: 1e-3, ..OVERLONG };
        let zscore =
            Rule { kind: Kind::Zscore, wrong: Wrong::Exempt, coefficient: 0.2, ..OVERLONG };
        match self {
            Self::Dapo | Self::Trl | Self::Openrlhf => OVERLONG,
            Self::Verl | Self::NemoRl => Rule { floor: false, ..OVERLONG },
            Self::MsSwift => Rule { kind: Kind::Cosine, ..OVERLONG },
            Self::Cosine => Rule { kind: Kind::Cosine, corners: DEMYSTIFYING, ..OVERLONG },
            Self::ADlp => Rule { control: Some(Control::default()), ..linear },
            Self::SDlp => linear,
            Self::GrpoLambda => zscore,
            Self::LaserZscore => Rule { coefficient: 0.4, ddof: 1, ..zscore },
            Self::Kimi => Rule {
                kind: Kind::Minmax,
                coefficient: 0.4,
                wrong: Wrong::PunishedOnly,
                ..OVERLONG
            },
            Self::Harmo => Rule {
                curve: ZCurve::Absolute,
                over_all: true,
                wrong: Wrong::Same,
                coefficient: 0.1,
                ..zscore
            },
            Self::FormatLength => Rule {
                kind: Kind::TurningPoint,
                max: 3072.0,
                wrong: Wrong::PunishedOnly,
                ..OVERLONG
            },
            Self::E3 => Rule { kind: Kind::Saturating, wrong: Wrong::Exempt, ..OVERLONG },
            Self::Par => Rule { coefficient: 0.01, free: 300.0, ..linear },
        }
    }
}

impl LengthPenalty {
    /// The preset with its overrides.
    pub fn rule(&self) -> Rule {
        let preset = self.preset.rule();
        let max = self.max.unwrap_or(preset.max);
        Rule {
            kind: self.kind.unwrap_or(preset.kind),
            max,
            buffer: self.buffer.unwrap_or(max / 4.0),
            factor: self.factor.unwrap_or(preset.factor),
            floor: self.floor.unwrap_or(preset.floor),
            coefficient: self.coefficient.unwrap_or(preset.coefficient),
            control: self.control.or(preset.control),
            free: self.free.unwrap_or(preset.free),
            curve: self.curve.unwrap_or(preset.curve),
            over_all: self.over_all.unwrap_or(preset.over_all),
            ddof: self.ddof.unwrap_or(preset.ddof),
            wrong: self.wrong.unwrap_or(preset.wrong),
            turn: self.turn.unwrap_or(preset.turn),
            rate: self.rate.unwrap_or(preset.rate),
            corners: self.corners.unwrap_or(preset.corners),
        }
    }
}
