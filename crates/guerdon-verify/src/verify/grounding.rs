//! Grounding: whether the point or box that the completion gives lies where the reference box is.
//!
//! # Formula
//!
//! ```text
//! in_box    1 if the point lies in the box (edges included), else 0
//! gaussian  1 in the box, else exp(−d² / 2s²)        d distance to the box, s half its diagonal
//! iou       |A ∩ B| / |A ∪ B|, or 1 if that reaches `threshold`, else 0
//! ```
//!
//! Boxes are (x1, y1, x2, y2). The completion's coordinates are the numbers of its last bracketed list that has enough of
//! them; for `in_box` and `gaussian` a box stands for its centre.
//!
//! # When to use it
//!
//! For clicks of GUI agents (`in_box`; `gaussian` where near misses should pay) and for detected boxes (`iou`). Both sides
//! must use the same coordinates.
//!
//! # Departures
//!
//! The graded form is a definition of this project for a reward whose coefficients are not published. A box whose corners
//! are swapped is read as the box they span.
//!
//! # Example
//!
//! ```yaml
//! use: verify.grounding
//! kind: iou
//! threshold: 0.5
//! ```
//!
//! ```
//! use guerdon_verify::verify::grounding::{Area, iou};
//! let (a, b) = (Area::new([0.0, 0.0, 10.0, 10.0]), Area::new([5.0, 0.0, 15.0, 10.0]));
//! assert!((iou(a, b) - 1.0 / 3.0).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! "Mixed-R1", 2025 (intersection over union); "Mobile-R1", 2025 (point in box); "MagicGUI", 2025 (graded by distance).

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number::find;
use super::records;

/// What is asked of the coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The point lies in the box.
    #[default]
    InBox,
    /// The point lies in the box or near it.
    Gaussian,
    /// The boxes overlap.
    Iou,
}

/// Parameters of `verify.grounding`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Grounding {
    /// What is asked of the coordinates. Default `in_box`.
    pub kind: Kind,
    /// For `iou`: least overlap that earns 1, above 0 to 1. Default none: the overlap itself.
    pub threshold: Option<f64>,
    /// Column with the reference box, four numbers. Default none: the reference.
    pub target: Option<String>,
}

impl Params for Grounding {
    fn validate(&self) -> Result<(), ParamError> {
        self.threshold
            .map_or(Ok(()), |t| ParamError::in_range("threshold", t, f64::MIN_POSITIVE, 1.0))
    }
}

/// An upright rectangle with ordered corners.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    low: [f64; 2],
    high: [f64; 2],
}

impl Area {
    /// The rectangle that two corners (x1, y1, x2, y2) span; the numbers must be finite.
    pub fn new(c: [f64; 4]) -> Self {
        Self { low: [c[0].min(c[2]), c[1].min(c[3])], high: [c[0].max(c[2]), c[1].max(c[3])] }
    }

    fn size(self) -> f64 {
        (self.high[0] - self.low[0]).max(0.0) * (self.high[1] - self.low[1]).max(0.0)
    }

    /// The distance of a point to the rectangle; 0 inside and on the edge.
    pub fn distance(self, point: [f64; 2]) -> f64 {
        let beside = |k: usize| (self.low[k] - point[k]).max(point[k] - self.high[k]).max(0.0);
        beside(0).hypot(beside(1))
    }

    /// 1 inside, else falling with the distance on the scale of half the diagonal; 0 beside an empty rectangle.
    pub fn closeness(self, point: [f64; 2]) -> f64 {
        let d = self.distance(point);
        let s = (self.high[0] - self.low[0]).hypot(self.high[1] - self.low[1]) / 2.0;
        if d == 0.0 {
            1.0
        } else if s > 0.0 {
            (-(d / s).powi(2) / 2.0).exp()
        } else {
            0.0
        }
    }
}

/// Intersection over union, 0 to 1; 0 for two empty rectangles.
pub fn iou(a: Area, b: Area) -> f64 {
    let common = Area {
        low: [a.low[0].max(b.low[0]), a.low[1].max(b.low[1])],
        high: [a.high[0].min(b.high[0]), a.high[1].min(b.high[1])],
    };
    let union = a.size() + b.size() - common.size();
    let share = common.size() / union;
    if union > 0.0 && share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
}

/// The numbers of the last bracketed list of `text` that holds two or four of them. Linear in the length of the text.
pub fn coordinates(text: &str) -> Option<Vec<f64>> {
    let mut end = text.len();
    while let Some(close) = text[..end].rfind([')', ']', '}']) {
        let open = text[..close].rfind(['(', '[', '{', ')', ']', '}']);
        let start = open.map_or(0, |at| at + 1);
        let bracketed = open.is_some_and(|at| text[at..].starts_with(['(', '[', '{']));
        let inner = &text[start..close];
        if bracketed && inner.len() <= 400 {
            let numbers: Vec<f64> = find(inner).map(|n| n.value).take(5).collect();
            if matches!(numbers.len(), 2 | 4) {
                return Some(numbers);
            }
        }
        end = close;
    }
    None
}

impl Grounding {
    fn target(&self, rollout: &Rollout) -> Result<Area, Unscored> {
        let value = match &self.target {
            Some(column) => records::value(rollout, column)?,
            None if rollout.reference.is_null() => {
                return Err(Unscored::missing(
                    "there is no reference box: map `reference` in the spec",
                ));
            }
            None => &rollout.reference,
        };
        let numbers = records::numbers(value)?;
        let corners: [f64; 4] = numbers.as_slice().try_into().map_err(|_| {
            Unscored::invalid(format!("a box has four numbers, not {}", numbers.len()))
        })?;
        Ok(Area::new(corners))
    }

    /// The score of coordinates (two of a point or four of a box) for the reference box.
    pub fn value(&self, given: &[f64], target: Area) -> f64 {
        let point = match *given {
            [x, y] => [x, y],
            [x1, y1, x2, y2] => [f64::midpoint(x1, x2), f64::midpoint(y1, y2)],
            _ => return 0.0,
        };
        match (self.kind, given) {
            (Kind::InBox, _) => f64::from(u8::from(target.distance(point) == 0.0)),
            (Kind::Gaussian, _) => target.closeness(point),
            (Kind::Iou, &[x1, y1, x2, y2]) => {
                let overlap = iou(Area::new([x1, y1, x2, y2]), target);
                self.threshold.map_or(overlap, |t| f64::from(u8::from(overlap >= t)))
            }
            (Kind::Iou, _) => 0.0,
        }
    }
}

impl Signal for Grounding {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let target = self.target(rollout)?;
        let Some(given) = coordinates(rollout.text()) else {
            return Ok(Score::binary(false).because("gives no coordinates"));
        };
        Score::new(self.value(&given, target))
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Grounding: Signal,
    id: "verify.grounding",
    papers: ["mixed-r1-2025", "mobile-r1-2025", "magicgui-2025"],
    status: Verified(Worked("overlap 1/3; click in the box; 0.9048 at distance 10")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [],
    samples: [
        r#"{"prompt": "Click OK.", "completion": "click(55, 22)", "reference": [40, 10, 80, 30]}"#,
        r#"{"prompt": "Click OK.", "completion": "{\"x\": 80, \"y\": 30}", "reference": [40, 10, 80, 30]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Area, Grounding, Kind, coordinates, iou};
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::json;

    const BUTTON: [f64; 4] = [40.0, 10.0, 80.0, 30.0];

    fn check(kind: Kind, completion: &str, expect: f64) {
        let rollout = Rollout { reference: json!(BUTTON), ..Rollout::new("", completion, "") };
        let got = Grounding { kind, ..Grounding::default() }.score(&rollout).unwrap().value();
        assert!((got - expect).abs() < 5e-5, "{completion:?}: {got}, not {expect}");
    }

    #[test]
    fn points() {
        check(Kind::InBox, "click(55, 22)", 1.0);
        check(Kind::InBox, "click(80, 30)", 1.0);
        check(Kind::InBox, "click(81, 30)", 0.0);
        check(Kind::InBox, "[50, 10, 60, 20]", 1.0);
        check(Kind::InBox, "nowhere", 0.0);
        check(Kind::Gaussian, "(90, 20)", 0.9048);
        check(Kind::Gaussian, "(60, 20)", 1.0);
    }

    #[test]
    fn boxes() {
        let (a, b) = (Area::new([0.0, 0.0, 10.0, 10.0]), Area::new([15.0, 10.0, 5.0, 0.0]));
        assert!((iou(a, b) - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(iou(a, a), 1.0);
        assert_eq!(iou(a, Area::new([20.0; 4])), 0.0);
        check(Kind::Iou, "<box>[40, 10, 80, 30]</box>", 1.0);
        check(Kind::Iou, "(55, 22)", 0.0);
    }

    #[test]
    fn the_last_list_that_fits() {
        assert_eq!(coordinates("(1, 2) then [3, 4] (note)"), Some(vec![3.0, 4.0]));
        assert_eq!(coordinates("(1, 2, 3)"), None);
        assert_eq!(coordinates("1, 2"), None);
    }
}
