//! The models of a spec: where they are, what they may cost, and where their replies are kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use guerdon_client::{Client, ClientError, Endpoint, Limits};

use super::node::{Kind, Node, Span};
use super::{Check, join};

/// Where replies are kept unless a spec says otherwise: what `GUERDON_CACHE` names, else `.guerdon/cache.sqlite` where the
/// command runs.
pub fn usual_cache() -> PathBuf {
    std::env::var_os("GUERDON_CACHE").map_or_else(|| ".guerdon/cache.sqlite".into(), PathBuf::from)
}

/// The models that may be asked, what they may cost, and where their replies are kept.
#[derive(Debug, Clone, Default)]
pub struct Endpoints {
    /// The models by name.
    pub models: BTreeMap<String, Endpoint>,
    /// What a run may cost at most.
    pub limits: Limits,
    /// The file with all replies; `None` keeps none.
    pub cache: Option<PathBuf>,
}

impl Endpoints {
    /// The client for these models.
    pub fn client(&self) -> Result<Client, ClientError> {
        Client::open(self.models.clone(), self.limits, self.cache.as_deref())
    }

    /// The model that is asked where none is named: the only one, or the one named `default`.
    pub fn default_model(&self) -> Option<&str> {
        let only = (self.models.len() == 1).then(|| self.models.keys().next()).flatten();
        only.or(self.models.get_key_value("default").map(|(name, _)| name)).map(String::as_str)
    }
}

/// The cache file: the spec's, else the environment's, else the usual one.
pub(super) fn cache(check: &mut Check, node: &Node, spec: &str) -> Option<PathBuf> {
    let Some(entry) = node.entry("cache") else { return Some(usual_cache()) };
    match (&entry.value.kind, entry.value.as_text()) {
        (_, Some("off")) => None,
        (_, Some(path)) => Some(Path::new(spec).parent().unwrap_or(Path::new("")).join(path)),
        (Kind::Scalar(serde_json::Value::Bool(false)), _) => None,
        _ => {
            let found = entry.value.describe();
            check.report(
                entry.value.span,
                "cache",
                format!("`cache` is a file, or `off`, not {found}"),
            );
            None
        }
    }
}

/// Reads `models`.
pub(super) fn models(check: &mut Check, node: &Node) -> BTreeMap<String, Endpoint> {
    let Some(section) = node.entry("models") else { return BTreeMap::new() };
    let mut models = BTreeMap::new();
    for entry in section.value.entries() {
        let path = join("models", &entry.key);
        let read = guerdon_core::method::read_value::<Endpoint>(entry.value.to_value());
        match read.and_then(|endpoint| endpoint.check().map(|()| endpoint)) {
            Ok(endpoint) => {
                models.insert(entry.key.clone(), endpoint);
            }
            Err(error) => check.param_error(&entry.value, &path, &error),
        }
    }
    if models.is_empty() && section.value.entries().is_empty() {
        check.report(section.value.span, "models", "`models` is a map from names to endpoints, for example `models: {judge: {url: http://localhost:8000/v1, model: qwen3}}`");
    }
    models
}

/// Checks the models that a judge asks for.
pub(super) fn known(
    check: &mut Check,
    endpoints: &Endpoints,
    (span, path): (Span, &str),
    own: Option<&str>,
    others: &[String],
) {
    if endpoints.models.is_empty() {
        check.report(span, path, "it asks a model, and the spec names none: add for example `models: {judge: {url: http://localhost:8000/v1, model: qwen3}}`");
        return;
    }
    let names = || endpoints.models.keys().map(String::as_str);
    for name in own.into_iter().chain(others.iter().map(String::as_str)) {
        if !endpoints.models.contains_key(name) {
            let hint = match guerdon_core::nearest(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", names().collect::<Vec<_>>().join(", ")),
            };
            check.report(span, path, format!("there is no model `{name}` in `models`; {hint}"));
        }
    }
    if own.is_none() && others.is_empty() && endpoints.default_model().is_none() {
        check.report(
            span,
            path,
            "there are several models and none is called `default`: name one with `model:`",
        );
    }
}
