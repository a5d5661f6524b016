//! How a judge writes its reply.

use guerdon_judge::contract::{Answers, Contract, Grades, Items, Label, Score, Scores};

use super::Judge;
use super::decide::Bench;
use super::scene::Scene;
use super::verdict::{Options, number, scale};
use crate::serve_model::dice::Dice;
use crate::serve_model::draft::{Draft, Finish};
use crate::serve_model::models::Prompt;
use crate::serve_model::models::prose::filler;
use crate::serve_model::world::World;

/// The longest quotation from a candidate, in characters.
const QUOTED: usize = 400;
/// What a judge looks at when nothing tells it what.
const CRITERIA: [&str; 10] = [
    "Does the response answer what was asked?",
    "Are the facts in the response right?",
    "Is the reasoning of the response sound?",
    "Is the response complete?",
    "Is the response to the point?",
    "Is the response clear and well ordered?",
    "Does the response keep to the requested form?",
    "Does the response name its assumptions?",
    "Is the tone of the response fitting?",
    "Is the response free of contradictions?",
];

/// A mishap that befalls a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mishap {
    Unreadable,
    Contradiction,
    Truncated,
}

/// A judge at work on one sample.
pub(super) struct Pen<'a> {
    pub(super) bench: Bench<'a>,
    pub(super) scene: &'a Scene,
    pub(super) dice: Dice,
    /// Takes the most probable alternative.
    pub(super) greedy: bool,
    /// The candidate whose demand the judge obeys.
    pub(super) obeyed: Option<usize>,
    pub(super) draft: Draft,
    /// How sure the least sure verdict is.
    certainty: f64,
    /// The numbers that candidates got in this reply.
    told: Vec<(usize, f64)>,
}

impl Judge {
    /// Writes the reply to a prompt.
    pub(crate) fn write(
        &self,
        prompt: &Prompt<'_>,
        world: &World,
        shared: Dice,
        own: Dice,
    ) -> Draft {
        let dice = prompt.dice;
        let words = self.words.draw(dice.on("words"));
        let Some(scene) = Scene::of(prompt, world) else {
            let text = filler(words.max(5), dice.on("text"));
            return Draft::from(if prompt.json {
                serde_json::json!({"text": text}).to_string()
            } else {
                text
            });
        };
        let bench = Bench { judge: self, shared: shared.on("errors"), own: own.on("errors") };
        let obeys = dice.on("obeys").chance(self.injection.obeys.get());
        let obeyed = scene.candidates.iter().position(|c| c.tampers).filter(|_| obeys);
        let greedy = self.greedy && prompt.cold;
        let mut pen = Pen {
            bench,
            scene: &scene,
            dice,
            greedy,
            obeyed,
            draft: Draft::default(),
            certainty: 1.0,
            told: Vec::new(),
        };
        pen.reply(words);
        pen.draft
    }

    fn mishap(&self, dice: Dice) -> Option<Mishap> {
        let shares = [
            (self.mishaps.unreadable, Mishap::Unreadable),
            (self.mishaps.contradiction, Mishap::Contradiction),
            (self.mishaps.truncated, Mishap::Truncated),
        ];
        let mut left = dice.on("mishap").uniform();
        for (share, mishap) in shares {
            if left < share.get() {
                return Some(mishap);
            }
            left -= share.get();
        }
        None
    }
}

impl Pen<'_> {
    fn reply(&mut self, words: usize) {
        let scene = self.scene;
        if self.uses_tool() {
            return;
        }
        let mishap = self.bench.judge.mishap(self.dice);
        match (&scene.contract, mishap) {
            (Contract::Json(_), Some(Mishap::Unreadable | Mishap::Contradiction))
            | (_, Some(Mishap::Unreadable)) => {
                self.draft.push(&filler(words.max(8), self.dice.on("text")));
                return;
            }
            (
                Contract::Label(Label { direct: true, .. })
                | Contract::Score(Score { direct: true, .. })
                | Contract::Scores(Scores { score: Score { direct: true, .. }, .. })
                | Contract::Json(_)
                | Contract::Items(_),
                _,
            ) => {}
            _ => self.reasons(words),
        }
        let before = self.draft.text.len();
        self.verdict(self.dice.on("verdict"));
        match mishap {
            Some(Mishap::Contradiction) => self.contradict(),
            Some(Mishap::Truncated) => {
                let keep = if before > 0 { before - before / 4 } else { self.draft.text.len() / 2 };
                self.draft.cut(keep, Finish::Length);
            }
            _ => {}
        }
        self.draft.certainty = 0.3 + 0.65 * self.certainty;
    }

    /// Asks for a tool, where one is offered and none was used yet.
    fn uses_tool(&mut self) -> bool {
        let wanted = self.dice.on("tool").chance(self.bench.judge.tools.get());
        let tool = if wanted && self.scene.first { self.scene.tool() } else { None };
        let Some((name, input)) = tool else { return false };
        self.draft.push(&format!("This can be checked.\nAction: {name}\nInput: {input}"));
        true
    }

    /// Words before the verdict, with quotations.
    fn reasons(&mut self, words: usize) {
        let text = self.reasoning(words);
        self.draft.push(&text);
        if !self.draft.text.is_empty() && !matches!(self.scene.contract, Contract::Free) {
            self.draft.push("\n\n");
        }
    }

    pub(super) fn reasoning(&self, words: usize) -> String {
        let mut text = filler(words, self.dice.on("text"));
        for (i, candidate) in self.scene.candidates.iter().enumerate() {
            if self.dice.on("quotes").at(i as u64).chance(self.bench.judge.quotes.get()) {
                let shown: String = candidate.text.chars().take(QUOTED).collect();
                text.push_str(&format!("\nThe {} says: {shown}", candidate.name.replace('_', " ")));
            }
        }
        text.trim_start().to_owned()
    }

    /// The part of the reply that is read.
    fn verdict(&mut self, dice: Dice) {
        let scene = self.scene;
        match &scene.contract {
            Contract::Label(Label { labels, .. }) => self.label(labels, dice),
            Contract::Score(score) if scene.bracketed => {
                self.score(score, "Rating: [[", "]]", dice);
            }
            Contract::Score(score) => self.score(score, "Score: ", "", dice),
            Contract::Scores(scores) => self.scores(scores, dice),
            Contract::Answers(answers) => self.answers(answers, dice),
            Contract::Grades(grades) => self.grades(grades, dice),
            Contract::Items(items) => self.items(*items, dice),
            Contract::Json(schema) => {
                let schema = schema.clone();
                self.json(&schema, dice);
            }
            Contract::Free => {
                if self.draft.text.is_empty() {
                    self.draft.push(&filler(8, dice.on("text")));
                }
            }
        }
    }

    /// Chooses an alternative, writes it, and notes how sure it was.
    pub(super) fn choose(
        &mut self,
        mut options: Options,
        forced: Option<usize>,
        dice: Dice,
    ) -> usize {
        if let Some(forced) = forced {
            options
                .iter_mut()
                .enumerate()
                .for_each(|(i, (_, p))| *p = f64::from(u8::from(i == forced)));
        }
        let chosen = if self.greedy {
            let best = options.iter().enumerate().rev().max_by(|a, b| a.1.1.total_cmp(&b.1.1));
            best.map_or(0, |(i, _)| i)
        } else {
            dice.weighted(options.iter().map(|(_, p)| *p))
        };
        let p = options.get(chosen).map_or(1.0, |(_, p)| *p);
        self.certainty = self.certainty.min(p);
        self.draft.choose(options, chosen);
        chosen
    }

    fn label(&mut self, labels: &[String], dice: Dice) {
        let options = self.bench.labels(self.scene, labels);
        let forced = self.demanded(labels);
        self.draft.push("[[");
        self.choose(options, forced, dice);
        self.draft.push("]]");
    }

    /// The label that an obeyed candidate wants.
    pub(super) fn demanded(&self, labels: &[String]) -> Option<usize> {
        let obeyed = self.obeyed?;
        if self.scene.candidates.len() > 1 {
            return labels.iter().position(|label| self.scene.labelled(label) == Some(obeyed));
        }
        // The best word there is: the one that a perfect text would get.
        let mut perfect = self.scene.clone();
        perfect.candidates[0].seen.quality = 1e6;
        perfect.candidates[0].seen.traits.clear();
        let options = self.bench.labels(&perfect, labels);
        options.iter().enumerate().max_by(|a, b| a.1.1.total_cmp(&b.1.1)).map(|(i, _)| i)
    }

    fn score(&mut self, score: &Score, before: &str, after: &str, dice: Dice) {
        self.draft.push(before);
        if self.scene.steps()
            && score.low == 0.0
            && score.high == self.scene.candidates.len() as f64
        {
            let options = self.bench.first_wrong(self.scene);
            self.choose(options, self.obeyed.map(|_| 0), dice);
        } else {
            self.number(0, &self.scene.criterion, score, dice);
        }
        self.draft.push(after);
    }

    /// A number for one candidate.
    pub(super) fn number(&mut self, i: usize, criterion: &str, score: &Score, dice: Dice) {
        let (low, high) = (score.low, score.high);
        let scale = scale(low, high, score.whole);
        let options = match self.scene.candidates.as_slice() {
            // One number about two texts: how far the first is ahead.
            [first, second] if i == 0 && matches!(self.scene.contract, Contract::Score(_)) => {
                let odds = self.bench.odds(&first.seen, &second.seen, &self.scene.criterion, false);
                let at = nearest(&scale, low + (high - low) * odds.first);
                scale
                    .iter()
                    .enumerate()
                    .map(|(k, v)| (number(*v), f64::from(u8::from(k == at))))
                    .collect()
            }
            _ => self.bench.numbers(self.scene, i, criterion, &scale),
        };
        let forced = self.obeyed.map(|obeyed| if obeyed == i { scale.len() - 1 } else { 0 });
        let chosen = self.choose(options, forced, dice);
        self.told.push((i, scale.get(chosen).copied().unwrap_or(low)));
    }

    /// An order of candidates, best first: by the numbers that they got in this reply, equal ones by chance and utility.
    pub(super) fn ranking(&self, candidates: &[usize], dice: Dice) -> Vec<usize> {
        let told = |i: usize| {
            self.told.iter().rev().find(|(k, _)| *k == i).map_or(0.0, |(_, number)| *number)
        };
        let a = self.bench.judge.sensitivity.get();
        let k = self.scene.candidates.len();
        // A Gumbel variable added to each logit: the order is a draw from Plackett and Luce's law.
        let logit = |i: usize| {
            let gumbel = -(-dice.at(i as u64).uniform().max(1e-300).ln()).ln();
            let utility = self
                .scene
                .candidates
                .get(i)
                .map_or(0.0, |c| self.bench.utility(&c.seen, &self.scene.criterion));
            a * utility + self.bench.slot(i, k) + gumbel
        };
        let mut order: Vec<(usize, f64, f64)> =
            candidates.iter().map(|i| (*i, told(*i), logit(*i))).collect();
        order.sort_by(|x, y| y.1.total_cmp(&x.1).then(y.2.total_cmp(&x.2)));
        order.into_iter().map(|(i, ..)| i).collect()
    }

    fn scores(&mut self, scores: &Scores, dice: Dice) {
        self.draft.push("Scores: [[");
        for i in 0..scores.count.min(1000) {
            if i > 0 {
                self.draft.push(", ");
            }
            self.number(i, &self.scene.criterion, &scores.score, dice.at(i as u64));
        }
        self.draft.push("]]");
    }

    fn answers(&mut self, answers: &Answers, dice: Dice) {
        for k in 0..answers.count.min(1000) {
            self.draft.push(&format!("{}{}. ", if k > 0 { "\n" } else { "" }, k + 1));
            self.answer(k, answers.count, &answers.words, dice.at(k as u64));
        }
    }

    fn grades(&mut self, grades: &Grades, dice: Dice) {
        for k in 0..grades.count.min(1000) {
            self.draft.push(&format!("{}{}. ", if k > 0 { "\n" } else { "" }, k + 1));
            let (subject, item) = self.asked(k, grades.count);
            self.number(subject, &item, &grades.score, dice.at(k as u64));
        }
    }

    /// The candidate and the criterion of question `k` of `count`.
    pub(super) fn asked(&self, k: usize, count: usize) -> (usize, String) {
        let scene = self.scene;
        let listed = scene.items.len() == count && !scene.steps();
        let each = scene.candidates.len() == count && count > 1 && !listed;
        let last = scene.candidates.len().saturating_sub(1);
        match (each, scene.steps()) {
            (true, true) => (k, String::new()),
            (true, false) => (k, scene.criterion.clone()),
            // Steps up to the one that is judged.
            (false, true) => (last, String::new()),
            (false, false) if count == 1 && scene.items.is_empty() => (0, scene.criterion.clone()),
            (false, false) => {
                (0, scene.items.get(k).cloned().unwrap_or_else(|| format!("question {}", k + 1)))
            }
        }
    }

    /// The word for question `k` of `count`.
    pub(super) fn answer(&mut self, k: usize, count: usize, words: &[String], dice: Dice) {
        let (subject, item) = self.asked(k, count);
        let Some(candidate) = self.scene.candidates.get(subject) else { return };
        let about_two = self.bench.strengths(self.scene, &item, words);
        let options = about_two.unwrap_or_else(|| self.bench.words(candidate, &item, words));
        let forced =
            self.obeyed.filter(|obeyed| *obeyed == subject).map(|_| self.best_word(&item, words));
        self.choose(options, forced, dice);
    }

    fn best_word(&self, item: &str, words: &[String]) -> usize {
        let Some(mut perfect) = self.scene.candidates.first().cloned() else { return 0 };
        perfect.seen.quality = 1e6;
        perfect.seen.traits.clear();
        let options = self.bench.words(&perfect, item, words);
        options.iter().enumerate().max_by(|a, b| a.1.1.total_cmp(&b.1.1)).map_or(0, |(i, _)| i)
    }

    fn items(&mut self, items: Items, dice: Dice) {
        for (i, item) in self.listed(items.most, dice).iter().enumerate() {
            self.draft.push(&format!("{}{}. {item}", if i > 0 { "\n" } else { "" }, i + 1));
        }
    }

    /// Criteria: those that the script names, each with its recall; and some that it does not.
    pub(super) fn listed(&self, most: usize, dice: Dice) -> Vec<String> {
        let known = &self.bench.judge.criteria;
        if known.named.is_empty() {
            let start = dice.below(CRITERIA.len());
            return (0..most.min(5))
                .map(|i| CRITERIA[(start + i) % CRITERIA.len()].to_owned())
                .collect();
        }
        let found = |i: usize| dice.on("recall").at(i as u64).chance(known.recall.get());
        let mut list: Vec<String> = known
            .named
            .iter()
            .enumerate()
            .filter(|(i, _)| found(*i))
            .map(|(_, name)| name.clone())
            .collect();
        let strange = |i: usize| dice.on("invented").at(i as u64).chance(known.invented.get());
        list.extend(
            (0..known.named.len().min(CRITERIA.len()))
                .filter(|i| strange(*i))
                .map(|i| CRITERIA[i].to_owned()),
        );
        if list.is_empty() {
            list.extend(known.named.first().cloned());
        }
        list.truncate(most);
        list
    }

    /// A second verdict that denies the first.
    fn contradict(&mut self) {
        let Some(choice) = self.draft.choices.last() else { return };
        let other = (0..choice.options.len()).find(|i| *i != choice.chosen);
        let Some(other) = other.map(|i| choice.options[i].0.clone()) else { return };
        let text = match &self.scene.contract {
            Contract::Label(_) => format!("\nOn second thought:\n[[{other}]]"),
            Contract::Score(_) if self.scene.bracketed => {
                format!("\nOn second thought:\nRating: [[{other}]]")
            }
            Contract::Score(_) => format!("\nOn second thought:\nScore: {other}"),
            Contract::Answers(Answers { count, .. }) | Contract::Grades(Grades { count, .. }) => {
                format!("\n{count}. {other}")
            }
            _ => return,
        };
        self.draft.push(&text);
    }
}

fn nearest(scale: &[f64], value: f64) -> usize {
    let distance = |i: &usize| (scale[*i] - value).abs();
    (0..scale.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
}
