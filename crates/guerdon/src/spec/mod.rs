//! The reward spec: signals → reward → advantage, with monitors, in one YAML or JSON file.
//!
//! A spec is read in one go and every mistake in it is reported, each with its line, column and remedy. What is left after
//! that is ready to run: every method is built.

mod diagnostic;
mod models;
pub mod node;
mod pairs;
mod schema;
mod stage;
mod templates;

use std::path::Path;
use std::sync::Arc;

use guerdon_core::method::{Judge, Kind as MethodKind, Signal};
use guerdon_core::{ParamError, nearest};
use guerdon_io::Mapping;
use serde_json::Value;

pub use diagnostic::{Diagnostic, SpecError};
pub use models::{Endpoints, usual_cache};
pub(crate) use pairs::Label;
pub use pairs::PairMapping;
pub use schema::schema;
pub use stage::{Asked, JudgeStage, OnError, SignalStage, Source, Talk, TransformStage};

use crate::monitors::Monitors;
use node::{Entry, Kind, Node, Span};

/// The sections of a spec.
const SECTIONS: [&str; 12] = [
    "rollouts",
    "pairs",
    "batch",
    "seed",
    "models",
    "limits",
    "cache",
    "signals",
    "judge",
    "reward",
    "advantage",
    "monitors",
];

/// Keys of a signal that belong to the spec, not to the method; all but the first only where a model is asked.
const STAGE_KEYS: [&str; 4] = ["on_error", "model", "opponents", "against"];

/// A spec that is ready to run.
pub struct Spec {
    /// The file, or what else it came from.
    pub name: String,
    /// The spec as a value, with the file's words: part of the run record and of the resume check.
    pub value: Value,
    /// Which column is what.
    pub rollouts: Mapping,
    /// Rollouts per batch, for methods that look at a whole batch; `None` lets the engine choose.
    pub batch: Option<usize>,
    /// Seed of every random choice. Default 0.
    pub seed: u64,
    /// The models that may be asked, what they may cost, and where their replies are kept.
    pub endpoints: Endpoints,
    /// Which column is what in data that `guerdon judge` reads.
    pub pairs: PairMapping,
    /// What `guerdon judge` runs; `None` where the spec has no `judge` section.
    pub judge: Option<Asked>,
    /// The signals, in the order of the spec.
    pub signals: Arc<[SignalStage]>,
    /// The chain from signals to reward.
    pub reward: Vec<TransformStage>,
    /// The chain from reward to advantage; empty when none is asked for.
    pub advantage: Vec<TransformStage>,
    /// What is watched.
    pub monitors: Monitors,
}

impl Spec {
    /// Reads a file.
    pub fn from_path(path: &Path) -> Result<Self, SpecError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            SpecError::new(
                &name,
                "",
                vec![Diagnostic::new(Span::default(), format!("cannot read the spec: {error}"))],
            )
        })?;
        Self::from_text(&name, &text)
    }

    /// Reads YAML or JSON text; `name` stands in error messages.
    pub fn from_text(name: &str, text: &str) -> Result<Self, SpecError> {
        let node = Node::parse(text).map_err(|d| SpecError::new(name, text, vec![d]))?;
        Self::from_node(name, text, &node)
    }

    /// Reads a value that a program built.
    pub fn from_value(name: &str, value: &Value) -> Result<Self, SpecError> {
        Self::from_node(name, "", &Node::from_value(value))
    }

    fn from_node(name: &str, text: &str, node: &Node) -> Result<Self, SpecError> {
        let mut check = Check::default();
        let spec = check.spec(name, node);
        if check.found.is_empty() { Ok(spec) } else { Err(SpecError::new(name, text, check.found)) }
    }

    /// Whether any signal reads the completion.
    pub fn reads_completions(&self) -> bool {
        self.signals.iter().any(|s| s.signal().is_none_or(Signal::reads_completion))
    }

    /// The columns of the data or of the frame that transforms read, besides the signals.
    pub fn reads(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for stage in self.reward.iter().chain(&self.advantage) {
            for name in stage.transform.reads() {
                if !names.contains(&name) && !self.signals.iter().any(|s| s.name == name) {
                    names.push(name);
                }
            }
        }
        names
    }
}

/// Collects what is wrong while reading.
#[derive(Default)]
struct Check {
    found: Vec<Diagnostic>,
}

impl Check {
    fn report(&mut self, span: Span, path: &str, message: impl Into<String>) {
        self.found.push(Diagnostic::new(span, message).at(path));
    }

    fn spec(&mut self, name: &str, node: &Node) -> Spec {
        if !matches!(node.kind, Kind::Map(_)) {
            self.report(
                node.span,
                "",
                format!("a spec is a map with `signals`, not {}", node.describe()),
            );
        }
        self.known_keys(node, "", &SECTIONS);
        let endpoints = Endpoints {
            models: models::models(self, node),
            limits: self.section(node, "limits").unwrap_or_default(),
            cache: models::cache(self, node, name),
        };
        let judge =
            node.entry("judge").and_then(|entry| self.asked(&entry.value, &endpoints, name));
        let signals = self.signals(node, &endpoints, name);
        let monitors = self.monitors(node, &signals);
        let reward = self.chain(node, "reward", "shape");
        let advantage = self.chain(node, "advantage", "advantage");
        let from_signals = |t: &TransformStage| {
            t.transform.reads().iter().any(|n| signals.iter().any(|s| s.name == *n))
        };
        if signals.len() > 1
            && reward.is_empty()
            && advantage.first().is_some_and(|t| !from_signals(t))
        {
            let span = node.entry("advantage").map_or(node.span, |e| e.key_span);
            self.report(span, "advantage", "there are several signals and no `reward`: say how they combine, for example `reward: [{use: shape.combine, weights: {...}}]`");
        }
        Spec {
            name: name.to_owned(),
            value: node.to_value(),
            rollouts: self.section(node, "rollouts").unwrap_or_default(),
            pairs: self.section(node, "pairs").unwrap_or_default(),
            endpoints,
            judge,
            batch: self.section::<Option<usize>>(node, "batch").flatten(),
            seed: self.section(node, "seed").unwrap_or(0),
            monitors,
            signals: signals.into(),
            reward,
            advantage,
        }
    }

    fn known_keys(&mut self, node: &Node, path: &str, known: &[&str]) {
        for entry in node.entries().iter().filter(|e| !known.contains(&e.key.as_str())) {
            let hint = match nearest(&entry.key, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known: {}", known.join(", ")),
            };
            self.report(
                entry.key_span,
                &join(path, &entry.key),
                format!("unknown key `{}`; {hint}", entry.key),
            );
        }
    }

    /// A section that is a plain struct.
    fn section<T: serde::de::DeserializeOwned>(&mut self, node: &Node, key: &str) -> Option<T> {
        let entry = node.entry(key)?;
        match guerdon_core::method::read_value(entry.value.to_value()) {
            Ok(section) => Some(section),
            Err(error) => {
                self.param_error(&entry.value, key, &error);
                None
            }
        }
    }

    fn monitors(&mut self, node: &Node, signals: &[SignalStage]) -> Monitors {
        let monitors: Monitors = self.section(node, "monitors").unwrap_or_default();
        let names: Vec<&str> = signals.iter().map(|s| s.name.as_str()).collect();
        if let (Err(error), Some(entry)) = (monitors.check(&names), node.entry("monitors")) {
            self.param_error(&entry.value, "monitors", &error);
        }
        monitors
    }

    fn param_error(&mut self, node: &Node, path: &str, error: &ParamError) {
        let span = node.locate(&error.path, error.unknown_key);
        self.report(span, &join(path, &error.path.join(".")), error.message.clone());
    }

    fn signals(&mut self, node: &Node, endpoints: &Endpoints, spec: &str) -> Vec<SignalStage> {
        let Some(entry) = node.entry("signals") else {
            if node.entry("judge").is_some() {
                return Vec::new();
            }
            self.report(node.span, "", "there are no `signals`: name at least one, for example `signals: {correct: {use: verify.math}}`");
            return Vec::new();
        };
        if entry.value.entries().is_empty() {
            self.report(
                entry.value.span,
                "signals",
                format!("`signals` is a map from names to methods, not {}", entry.value.describe()),
            );
        }
        entry.value.entries().iter().filter_map(|s| self.signal(s, endpoints, spec)).collect()
    }

    fn signal(&mut self, entry: &Entry, endpoints: &Endpoints, spec: &str) -> Option<SignalStage> {
        let path = join("signals", &entry.key);
        let (id, method, params) = self.method(&entry.value, &path, &STAGE_KEYS)?;
        let on_error =
            match entry.value.entry("on_error").map(|e| (OnError::read(&e.value), &e.value)) {
                None => OnError::Null,
                Some((Some(on_error), _)) => on_error,
                Some((None, at)) => {
                    self.report(
                        at.span,
                        &join(&path, "on_error"),
                        format!("`on_error` is `fail`, `null` or a number, not {}", at.describe()),
                    );
                    OnError::Null
                }
            };
        let source = match method.kind {
            MethodKind::Signal(build) => {
                self.only_for_judges(&entry.value, &path);
                Source::Signal(self.built(&entry.value, &path, build(params.clone()))?)
            }
            MethodKind::Judge(build) => {
                let params = templates::inlined(self, &entry.value, &path, &params, spec);
                let judge = self.built(&entry.value, &path, build(params))?;
                Source::Judge(self.judge_stage(&entry.value, (id, &path), judge, endpoints))
            }
            _ => {
                let kind = method.kind.name();
                self.report(id, &path, format!("`{}` is a {kind}, not a signal", method.id));
                return None;
            }
        };
        Some(SignalStage { name: entry.key.clone(), method, params, on_error, source })
    }

    /// The built method, or `None` after its error has been reported.
    fn built<T: ?Sized>(
        &mut self,
        node: &Node,
        path: &str,
        built: Result<Box<T>, ParamError>,
    ) -> Option<Box<T>> {
        built.map_err(|error| self.param_error(node, path, &error)).ok()
    }

    fn only_for_judges(&mut self, node: &Node, path: &str) {
        for entry in node.entries().iter().filter(|e| STAGE_KEYS[1..].contains(&e.key.as_str())) {
            let message = format!("`{}` is for methods that ask a model", entry.key);
            self.report(entry.key_span, &join(path, &entry.key), message);
        }
    }

    /// The `judge` section.
    fn asked(&mut self, node: &Node, endpoints: &Endpoints, spec: &str) -> Option<Asked> {
        let (id, method, params) = self.method(node, "judge", &STAGE_KEYS)?;
        let own = templates::inlined(self, node, "judge", &params, spec);
        let talk = match method.kind {
            MethodKind::Judge(build) => {
                let judge = self.built(node, "judge", build(own))?;
                Talk::Judge(self.judge_stage(node, (id, "judge"), judge, endpoints))
            }
            MethodKind::Protocol(_, build) => {
                let protocol = self.built(node, "judge", build(own))?;
                let model: Option<String> = self.section(node, "model");
                models::known(self, endpoints, (id, "judge"), model.as_deref(), &[]);
                Talk::Protocol { protocol, model }
            }
            _ => {
                let kind = method.kind.name();
                self.report(id, "judge", format!("`{}` is a {kind}; here stands a method that asks a model, such as `judge.pairwise`", method.id));
                return None;
            }
        };
        Some(Asked { method, params, talk })
    }

    fn judge_stage(
        &mut self,
        node: &Node,
        place: (Span, &str),
        judge: Box<dyn Judge>,
        endpoints: &Endpoints,
    ) -> JudgeStage {
        let model: Option<String> = self.section(node, "model");
        models::known(self, endpoints, place, model.as_deref(), &judge.models());
        let opponents: Option<u32> = self.section(node, "opponents");
        if opponents == Some(0) {
            self.report(place.0, &join(place.1, "opponents"), "`opponents` must be at least 1");
        }
        let against = self.section(node, "against").unwrap_or_default();
        JudgeStage { judge, model, opponents, against }
    }

    /// A list of transforms, or a single one.
    fn chain(&mut self, node: &Node, section: &str, family: &str) -> Vec<TransformStage> {
        let Some(entry) = node.entry(section) else { return Vec::new() };
        let items: Vec<&Node> = match &entry.value.kind {
            Kind::List(items) => items.iter().collect(),
            Kind::Scalar(Value::Null) => Vec::new(),
            _ => vec![&entry.value],
        };
        let mut stages = Vec::new();
        for (i, item) in items.iter().enumerate() {
            let path = if items.len() == 1 { section.to_owned() } else { format!("{section}.{i}") };
            stages.extend(self.transform(item, &path, family));
        }
        stages
    }

    fn transform(&mut self, node: &Node, path: &str, family: &str) -> Option<TransformStage> {
        let (id, method, params) = self.method(node, path, &[])?;
        let MethodKind::Transform(build) = method.kind else {
            self.report(
                id,
                path,
                format!(
                    "`{}` is a {}; here stands a transform, such as those of `{family}.*`",
                    method.id,
                    method.kind.name()
                ),
            );
            return None;
        };
        match build(params.clone()) {
            Ok(transform) => Some(TransformStage { method, params, transform }),
            Err(error) => {
                self.param_error(node, path, &error);
                None
            }
        }
    }

    /// Reads `use` and the parameters: `{use: id, ...}`, or the id alone.
    fn method(
        &mut self,
        node: &Node,
        path: &str,
        besides: &[&str],
    ) -> Option<(Span, &'static guerdon_core::Method, Value)> {
        let at = match node.entry("use") {
            Some(entry) => &entry.value,
            None if node.as_text().is_some() => node,
            None => {
                self.report(
                    node.span,
                    path,
                    format!("expected `{{use: family.name, ...}}`, found {}", node.describe()),
                );
                return None;
            }
        };
        let Some(id) = at.as_text() else {
            self.report(
                at.span,
                &join(path, "use"),
                format!("`use` names a method, not {}", at.describe()),
            );
            return None;
        };
        let Some(method) = crate::find(id) else {
            let hint = crate::nearest_method(id).map_or_else(
                || "`guerdon methods` lists them".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            self.report(at.span, &join(path, "use"), format!("there is no method `{id}`; {hint}"));
            return None;
        };
        let own = |e: &&Entry| e.key != "use" && !besides.contains(&e.key.as_str());
        let params = node
            .entries()
            .iter()
            .filter(own)
            .map(|e| (e.key.clone(), e.value.to_value()))
            .collect();
        Some((at.span, method, Value::Object(params)))
    }
}

fn join(path: &str, key: &str) -> String {
    match (path, key) {
        ("", key) => key.to_owned(),
        (path, "") => path.to_owned(),
        (path, key) => format!("{path}.{key}"),
    }
}

#[cfg(test)]
mod tests {
    use super::Spec;

    fn fails(text: &str, expect: &[&str]) {
        let error = Spec::from_text("r.yaml", text).err().expect("the spec is wrong").to_string();
        for part in expect {
            assert!(error.contains(part), "{part:?} is not in:\n{error}");
        }
    }

    #[test]
    fn the_example_of_the_book_is_read() {
        let spec = Spec::from_text(
            "r.yaml",
            "rollouts: {completion: completion, reference: gold}\n\
             signals:\n\
             \x20 same: {use: verify.exact_match, on_error: 0}\n\
             \x20 words: verify.length\n\
             reward:\n\
             \x20 - {use: shape.par}\n",
        );
        assert!(spec.is_err() || spec.is_ok_and(|s| s.signals.len() == 2));
    }

    #[test]
    fn mistakes_are_found_together_with_their_places() {
        fails(
            "signals:\n  a: {use: verify.formt}\n  b: {use: verify.format, requir: [x]}\nrewards: []\n",
            &[
                "there is no method `verify.formt`; did you mean `verify.format`?",
                "r.yaml:2:12",
                "unknown key `requir`; did you mean `require`?",
                "r.yaml:3:27",
                "unknown key `rewards`; did you mean `reward`?",
                "r.yaml:4:1",
            ],
        );
    }

    #[test]
    fn a_wrong_type_or_value_points_at_the_value() {
        fails(
            "signals:\n  a: {use: verify.length, min: many}",
            &["r.yaml:2:32", "invalid type: string \"many\""],
        );
        fails(
            "signals:\n  a: {use: verify.length, min: 3, max: 1}",
            &["r.yaml:2:40", "must not be less than `min`"],
        );
        fails(
            "signals:\n  a: {use: shape.par}",
            &["`shape.par` is a transform, not a signal", "r.yaml:2:12"],
        );
        fails(
            "signals:\n  a: {use: verify.length, on_error: maybe}",
            &["`on_error` is `fail`, `null` or a number"],
        );
    }

    #[test]
    fn a_spec_needs_signals() {
        fails("seed: 1", &["there are no `signals`"]);
        fails("[1, 2]", &["a spec is a map"]);
    }
}
