//! What a judge is told beside the responses: what was asked, the reference, the criterion, who asked, and in which
//! languages to answer and to reason.

use guerdon_core::Unscored;
use guerdon_core::method::Case;

use crate::fence::Fences;
use crate::prompt::Fill;
use crate::show::fences;

/// The texts and words around the responses.
#[derive(Debug, Clone, Default)]
pub struct View<'a> {
    /// What is judged: prompt, reference and columns.
    pub case: Option<&'a Case>,
    /// What the judgement is for; empty for the whole of the quality.
    pub criterion: &'a str,
    /// The column that describes who asked; empty for none.
    pub profile: &'a str,
    /// The column that holds advice for the judge (a rubric, a hint); empty for none.
    pub advice: &'a str,
    /// The language in which a response must be written; empty for any.
    pub answer_in: &'a str,
    /// The language in which the judge reasons; empty for any.
    pub reason_in: &'a str,
}

/// Room for the texts of a view: they must outlive the filling of a template.
#[derive(Debug, Clone)]
pub struct Texts {
    question: String,
    reference: Option<String>,
    profile: Option<String>,
    advice: Option<String>,
    /// The fences of all of them.
    pub fences: Fences,
}

impl View<'_> {
    /// The texts and their fences; `others` are further texts of the prompt that others wrote.
    pub fn texts(&self, others: &[&str], seed: u64) -> Result<Texts, Unscored> {
        let none = Case::default();
        let case = self.case.unwrap_or(&none);
        let column = |name: &str| (!name.is_empty()).then(|| case.need(name)).transpose();
        let (profile, advice) = (column(self.profile)?, column(self.advice)?);
        let mut all = others.to_vec();
        all.extend(profile.as_deref().into_iter().chain(advice.as_deref()));
        let fences = fences(case, &all, seed);
        let question = crate::question(case);
        Ok(Texts { question, reference: case.reference.clone(), profile, advice, fences })
    }

    /// `question`, `reference`, `profile`, `criteria` (fenced), `criterion`, `answer_in` and `reason_in` of a template.
    pub fn fill<'a>(&self, texts: &'a Texts) -> Fill<'a> {
        Fill::new(&texts.fences)
            .text("question", &texts.question)
            .maybe("reference", texts.reference.as_deref())
            .maybe("profile", texts.profile.as_deref())
            .maybe("criteria", texts.advice.as_deref())
            .value("criterion", self.criterion)
            .value("answer_in", self.answer_in)
            .value("reason_in", self.reason_in)
    }

    /// The columns that are read.
    pub fn reads(&self) -> Vec<String> {
        let named = [self.profile, self.advice].into_iter().filter(|name| !name.is_empty());
        named.map(str::to_owned).collect()
    }
}
