//! Laws of every method: its manual, its name, its parameters, its papers, its status.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::verdict::{Pass, Test, Verdict};
use super::{bounded, samples};
use crate::method::{Kind, Manual};
use crate::{Law, Method, MethodError, Status};

pub(super) fn laws(method: Method, all: &[Method]) -> Vec<Test> {
    let all = all.to_vec();
    vec![
        Test::new("documented", move || documented(method)),
        Test::new("example_builds", move || example_builds(method)),
        Test::new("named", move || named(method, &all)),
        Test::new("parameters_described", move || parameters_described(method)),
        Test::new("parameters_round_trip", move || parameters_round_trip(method)),
        Test::new("unknown_key_refused", move || unknown_key_refused(method)),
        Test::new("cited", move || cited(method)),
        Test::new("status_has_evidence", move || status_has_evidence(method)),
        Test::new("claims_are_sound", move || claims_are_sound(method)),
    ]
}

/// `Ok` where nothing is wrong, else all that is, one line each.
fn all_well(wrong: &[String]) -> Verdict {
    if wrong.is_empty() { Ok(Pass::Held) } else { Err(wrong.join("\n")) }
}

fn documented(method: Method) -> Verdict {
    let manual = method.manual();
    let mut wrong = Vec::new();
    if !manual.summary.ends_with('.') {
        wrong.push(format!(
            "the first paragraph must be one sentence that ends with a period: {:?}",
            manual.summary
        ));
    }
    if manual.summary.chars().count() >= 200 {
        let length = manual.summary.chars().count();
        wrong.push(format!(
            "the first paragraph must be shorter than 200 characters, not {length}: {:?}",
            manual.summary
        ));
    }
    let found: Vec<&str> = manual.sections.iter().map(|(heading, _)| heading.as_str()).collect();
    let kept: Vec<&str> =
        found.iter().copied().filter(|heading| Manual::HEADINGS.contains(heading)).collect();
    if kept != Manual::HEADINGS {
        wrong.push(format!(
            "the headings must be {:?}, in this order; there are {found:?}",
            Manual::HEADINGS
        ));
    }
    wrong.extend(
        manual
            .sections
            .iter()
            .filter(|(_, text)| text.trim().is_empty())
            .map(|(h, _)| format!("`# {h}` is empty")),
    );
    all_well(&wrong)
}

fn example_builds(method: Method) -> Verdict {
    let yaml = method
        .manual()
        .example_spec()
        .ok_or("`# Example` has no ```yaml block that uses the method")?;
    let spec: Value = serde_saphyr::from_str(&yaml)
        .map_err(|error| format!("the example is not YAML: {error}\n{yaml}"))?;
    let entry = entry_of(&spec, method)
        .ok_or_else(|| format!("the example has no entry with `use: {}`:\n{yaml}", method.id))?;
    let params: Map<String, Value> = entry
        .iter()
        .filter(|(key, _)| !SPEC_KEYS.contains(&key.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    build(method, Value::Object(params))
        .map_err(|error| format!("the example does not build: {error}\n{yaml}"))?;
    Ok(Pass::Held)
}

/// Keys of a spec entry that belong to the spec, not to the method.
const SPEC_KEYS: [&str; 4] = ["use", "on_error", "model", "opponents"];

/// The first map in `spec`, however deep, whose `use` names the method.
fn entry_of(spec: &Value, method: Method) -> Option<&Map<String, Value>> {
    match spec {
        Value::Object(map) => {
            let used = map.get("use").and_then(Value::as_str);
            if used.is_some_and(|used| used == method.id || method.aliases.contains(&used)) {
                return Some(map);
            }
            map.values().find_map(|value| entry_of(value, method))
        }
        Value::Array(items) => items.iter().find_map(|value| entry_of(value, method)),
        _ => None,
    }
}

fn build(method: Method, params: Value) -> Result<(), crate::ParamError> {
    match method.kind {
        Kind::Signal(build) => build(params).map(drop),
        Kind::Transform(build) => build(params).map(drop),
        Kind::Selector(build) => build(params).map(drop),
        Kind::Function(_, build) => build(params).map(drop),
        Kind::Online(_, build) => build(params).map(drop),
        Kind::Protocol(_, build) => build(params).map(drop),
        Kind::Judge(build) => build(params).map(drop),
    }
}

fn named(method: Method, all: &[Method]) -> Verdict {
    let mut wrong = Vec::new();
    let well_formed = |id: &str| {
        let word = |w: &str| {
            w.starts_with(|c: char| c.is_ascii_lowercase())
                && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        id.split_once('.').is_some_and(|(family, name)| word(family) && word(name))
    };
    for id in std::iter::once(&method.id).chain(method.aliases) {
        if !well_formed(id) {
            wrong.push(format!(
                "`{id}` must be `family.name` in lower-case letters, digits and `_`"
            ));
        }
        let bearers = all
            .iter()
            .flat_map(|m| std::iter::once(&m.id).chain(m.aliases))
            .filter(|other| *other == id);
        if bearers.count() > 1 {
            wrong.push(format!("`{id}` names more than one method (as id or alias)"));
        }
    }
    let place = format!("src/{}/{}", method.family(), method.name());
    let source = method.source.split_once('/').map_or("", |(_, path)| path);
    if ![format!("{place}.rs"), format!("{place}/mod.rs")].contains(&source.to_owned()) {
        wrong.push(format!("`{}` must live in `{place}.rs`, not in `{source}`", method.id));
    }
    all_well(&wrong)
}

fn parameters_described(method: Method) -> Verdict {
    let schema = (method.params.schema)().to_value();
    let mut wrong = Vec::new();
    undescribed(&schema, "", &mut wrong);
    for (name, definition) in schema.get("$defs").and_then(Value::as_object).into_iter().flatten() {
        undescribed(definition, &format!("{name}."), &mut wrong);
    }
    all_well(&wrong)
}

fn undescribed(schema: &Value, place: &str, wrong: &mut Vec<String>) {
    for (name, property) in
        schema.get("properties").and_then(Value::as_object).into_iter().flatten()
    {
        let tag = property.get("const").is_some();
        if !tag && property.get("description").and_then(Value::as_str).is_none_or(str::is_empty) {
            wrong.push(format!(
                "`{place}{name}` has no doc comment: say what it means, its unit, range and default"
            ));
        }
        undescribed(property, &format!("{place}{name}."), wrong);
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        for part in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
            undescribed(part, place, wrong);
        }
    }
    if let Some(items) = schema.get("items") {
        undescribed(items, &format!("{place}[]."), wrong);
    }
}

fn parameters_round_trip(method: Method) -> Verdict {
    let given = samples::params(method)?;
    let once = (method.params.check)(given)
        .map_err(|error| format!("`sample_params` are refused: {error}"))?;
    let twice = (method.params.check)(once.clone()).map_err(|error| {
        format!("the parameters as the method writes them are refused: {error}\n  {once}")
    })?;
    if once != twice {
        return Err(format!(
            "reading and writing the parameters changes them:\n  {once}\n  {twice}"
        ));
    }
    build(method, once)
        .map_err(|error| format!("the method cannot be built from its own parameters: {error}"))?;
    Ok(Pass::Held)
}

fn unknown_key_refused(method: Method) -> Verdict {
    const KEY: &str = "not_a_parameter";
    let mut params = samples::params(method)?;
    params
        .as_object_mut()
        .ok_or("`sample_params` must be an object")?
        .insert(KEY.to_owned(), Value::Bool(true));
    match (method.params.check)(params) {
        Ok(_) => {
            Err("an unknown key is accepted: put `#[serde(deny_unknown_fields)]` on the parameters"
                .to_owned())
        }
        Err(error) if error.unknown_key && error.path.last().is_some_and(|key| key == KEY) => {
            Ok(Pass::Held)
        }
        Err(error) => Err(format!(
            "an unknown key is refused, but the error does not say that it is unknown: {error:?}"
        )),
    }
}

fn cited(method: Method) -> Verdict {
    let keys = bibliography()?;
    let unknown = method.papers.iter().filter(|key| !keys.contains(**key));
    let wrong: Vec<String> = unknown
        .map(|key| {
            let near = crate::nearest(key, keys.iter().map(String::as_str));
            let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            format!("`{key}` is not in catalogue/papers.toml{hint}")
        })
        .collect();
    all_well(&wrong)
}

/// The citation keys of the workspace's bibliography.
fn bibliography() -> Result<&'static BTreeSet<String>, String> {
    static KEYS: OnceLock<Result<BTreeSet<String>, String>> = OnceLock::new();
    let read = || {
        let text = read_file(&workspace()?.join("catalogue/papers.toml"))?;
        Ok(text
            .lines()
            .filter_map(|l| l.strip_prefix('[')?.strip_suffix(']'))
            .map(str::to_owned)
            .collect())
    };
    KEYS.get_or_init(read).as_ref().map_err(Clone::clone)
}

fn read_file(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The workspace of the room under test, found from its manifest.
fn workspace() -> Result<PathBuf, String> {
    let start = std::env::var("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .or_else(|_| std::env::current_dir())
        .map_err(|error| format!("the workspace cannot be found: {error}"))?;
    start
        .ancestors()
        .find(|folder| folder.join("catalogue/papers.toml").is_file())
        .map(Path::to_owned)
        .ok_or_else(|| format!("no folder above {} has `catalogue/papers.toml`", start.display()))
}

fn status_has_evidence(method: Method) -> Verdict {
    if !matches!(method.status, Status::Verified(_)) {
        return Ok(Pass::Held);
    }
    if method.status.evidence().is_none_or(|evidence| evidence.trim().is_empty()) {
        return Err("a verified method must say what its numbers were compared with".to_owned());
    }
    let source = workspace()?.join("crates").join(method.source);
    for file in files_of(&source)? {
        if read_file(&file)?.contains("#[test]") {
            return Ok(Pass::Held);
        }
    }
    Err(format!(
        "the method is verified, but {} (or its folder) has no `#[test]` that shows it",
        method.source
    ))
}

/// The method's file, and the other files of its folder if it has one.
fn files_of(source: &Path) -> Result<Vec<PathBuf>, String> {
    let folder = if source.ends_with("mod.rs") {
        source.with_file_name("")
    } else {
        source.with_extension("")
    };
    let mut files = vec![source.to_owned()];
    if folder.is_dir() {
        let entries =
            std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        files.extend(
            entries
                .flatten()
                .map(|entry| entry.path())
                .filter(|p| p.extension().is_some_and(|e| e == "rs")),
        );
    }
    Ok(files)
}

fn claims_are_sound(method: Method) -> Verdict {
    let mut wrong = Vec::new();
    let fits = laws_of(&method.kind);
    let exempt = method.exempt.iter().map(|(law, _)| law);
    for law in method.laws.iter().chain(exempt).filter(|law| !fits.contains(law)) {
        wrong.push(format!("`{}` is not a law of a {}", law.name(), method.kind.name()));
    }
    for (law, reason) in method.exempt {
        if method.laws.contains(law) {
            wrong.push(format!("`{}` is both claimed and exempt", law.name()));
        }
        if !is_sentence(reason) {
            let name = law.name();
            wrong.push(format!("the exemption from `{name}` must give its reason in a sentence with a period: {reason:?}"));
        }
    }
    all_well(&wrong)
}

fn is_sentence(text: &str) -> bool {
    text.ends_with('.') && text.split_whitespace().count() >= 3
}

/// The laws that methods of a kind may claim or be exempt from.
fn laws_of(kind: &Kind) -> &'static [Law] {
    match kind {
        Kind::Signal(_) => super::signals::LAWS,
        Kind::Transform(_) => super::transforms::LAWS,
        Kind::Selector(_) => super::selectors::LAWS,
        Kind::Function(..) => super::functions::LAWS,
        Kind::Online(..) | Kind::Protocol(..) | Kind::Judge(_) => &[],
    }
}

/// Builds the method from its `sample_params`, for the laws of its kind.
pub(super) fn built<T: ?Sized>(
    method: Method,
    build: crate::method::Build<T>,
) -> Result<Box<T>, String> {
    let params = samples::params(method)?;
    bounded::no_panic(|| build(params))?
        .map_err(|error| format!("`sample_params` are refused: {error}"))
}

/// The text of a method error, for messages.
pub(super) fn told(error: &MethodError) -> String {
    format!("the method returns the error: {error}")
}
