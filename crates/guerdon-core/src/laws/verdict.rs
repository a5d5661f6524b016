//! What a test of a law may say, and the rule for laws that are tested both ways.

use crate::{Law, Method};

/// How a test passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pass {
    /// The law was put to the test and held (or, unclaimed, was refuted).
    Held,
    /// The method is exempt, for this reason.
    Exempt(String),
}

/// Passed, or what is wrong and what to do about it.
pub(super) type Verdict = Result<Pass, String>;

/// One law put to one method.
pub(super) struct Test {
    /// The law, in snake case.
    pub(super) name: &'static str,
    check: Box<dyn Fn() -> Verdict + Send>,
}

impl Test {
    pub(super) fn new(name: &'static str, check: impl Fn() -> Verdict + Send + 'static) -> Self {
        Self { name, check: Box::new(check) }
    }

    pub(super) fn run(&self) -> Verdict {
        (self.check)()
    }
}

/// What the samples say about a law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    /// It held on this many samples that could have broken it.
    Holds(usize),
    /// A sample breaks it: which one, and how.
    Refuted(String),
    /// No sample could have broken it.
    Untried,
}

/// Whether all methods of the kind must obey a law, or only those that claim it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Duty {
    /// Every method of the kind must obey.
    Mandatory,
    /// Only those that claim it; the others must break it on some sample.
    Claimed,
}

/// Puts a finding beside what the method says of itself.
pub(super) fn judge(
    method: Method,
    law: Law,
    duty: Duty,
    find: impl FnOnce() -> Result<Finding, String>,
) -> Verdict {
    let name = law.name();
    let exempt =
        method.exempt.iter().find(|(l, _)| *l == law).map(|(_, reason)| (*reason).to_owned());
    match (duty, exempt) {
        (Duty::Claimed, Some(reason)) => Ok(Pass::Exempt(reason)),
        (Duty::Mandatory, Some(reason)) => match find()? {
            Finding::Holds(n) => Err(format!(
                "the exemption is not needed: `{name}` holds on all {n} samples. Remove it from `exempt`."
            )),
            Finding::Refuted(_) | Finding::Untried => Ok(Pass::Exempt(reason)),
        },
        (_, None) if duty == Duty::Mandatory || method.laws.contains(&law) => {
            must_hold(name, duty, find()?)
        }
        (_, None) => must_break(name, &find()?),
    }
}

fn must_hold(name: &str, duty: Duty, finding: Finding) -> Verdict {
    let who = if duty == Duty::Mandatory {
        "every method of this kind obeys"
    } else {
        "the method claims"
    };
    match finding {
        Finding::Holds(_) => Ok(Pass::Held),
        Finding::Refuted(how) => Err(format!(
            "{who} `{name}`, but a sample breaks it:\n{how}\nMend the method{}.",
            if duty == Duty::Mandatory {
                ", or exempt it with a reason"
            } else {
                ", or drop the claim"
            }
        )),
        Finding::Untried => Err(format!(
            "{who} `{name}`, but no sample puts it to the test. Give `samples` or `sample_params` that do{}.",
            if duty == Duty::Mandatory {
                ", or exempt the method with a reason"
            } else {
                ", or drop the claim"
            }
        )),
    }
}

fn must_break(name: &str, finding: &Finding) -> Verdict {
    match finding {
        Finding::Refuted(_) | Finding::Untried => Ok(Pass::Held),
        Finding::Holds(n) => Err(format!(
            "`{name}` is not claimed and yet holds on all {n} samples. Claim it in `laws`, or, where it only seems to hold, \
             put it in `exempt` with the reason."
        )),
    }
}

/// What one sample says about a law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Says {
    /// The sample could not have broken it.
    Nothing,
    /// It holds here.
    Obeys,
    /// It does not hold here, and how.
    Breaks(String),
}

impl From<Option<String>> for Says {
    /// A difference breaks the law; none obeys it.
    fn from(difference: Option<String>) -> Self {
        difference.map_or(Self::Obeys, Self::Breaks)
    }
}

impl Says {
    /// It holds, if the sample could have broken it at all.
    pub(super) fn obeys_if(tried: bool) -> Self {
        if tried { Self::Obeys } else { Self::Nothing }
    }
}

/// Collects what single samples say: the first refutation wins.
#[derive(Debug, Default)]
pub(super) struct Tally {
    held: usize,
    broken: Option<String>,
}

impl Tally {
    /// What one sample says; `sample` names it.
    pub(super) fn add(&mut self, sample: &str, says: impl Into<Says>) {
        match says.into() {
            Says::Nothing => {}
            Says::Obeys => self.held += 1,
            Says::Breaks(how) => {
                self.broken.get_or_insert_with(|| format!("  sample: {sample}\n  {how}"));
            }
        }
    }

    pub(super) fn finding(self) -> Finding {
        match (self.broken, self.held) {
            (Some(how), _) => Finding::Refuted(how),
            (None, 0) => Finding::Untried,
            (None, n) => Finding::Holds(n),
        }
    }

    /// For laws that nobody is exempt from.
    pub(super) fn verdict(self) -> Verdict {
        match self.finding() {
            Finding::Holds(_) => Ok(Pass::Held),
            Finding::Refuted(how) => Err(how),
            Finding::Untried => {
                Err("no sample could be run: give `samples` (or `sample_params`) that work"
                    .to_owned())
            }
        }
    }
}

/// A text, short enough to be read in a message.
pub(super) fn short(text: &str) -> String {
    let length = text.chars().count();
    if length <= 160 {
        return format!("{text:?}");
    }
    let head: String = text.chars().take(60).collect();
    format!("{head:?}… ({length} characters)")
}
