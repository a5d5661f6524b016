//! From a schema to its rules.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::number::{Decimal, Num};
use super::registry::{Registry, Target, address};
use super::rules::{
    Applied, Contains, ListRules, Node, NodeId, NumberRules, ObjectRules, Options, Rules,
    TextRules, TypeSet,
};
use super::{Draft, SchemaError, Validator, format, keyword, pattern};

/// Most schemas that one schema may hold.
const MAX_NODES: usize = 1 << 20;

/// A schema that waits for its rules.
type Waiting<'a> = (NodeId, &'a Value, usize);

struct Compiler<'a, 'r> {
    registry: &'r Registry<'a>,
    formats: bool,
    nodes: Vec<Node>,
    ids: HashMap<usize, NodeId>,
    waiting: Vec<Waiting<'a>>,
    /// The names that dynamic references ask for, and the resources that can be entered.
    names: BTreeSet<String>,
    entered: BTreeSet<usize>,
}

/// Compiles the document at `root` of the registry.
pub(super) fn compile(
    registry: &Registry<'_>,
    root: usize,
    formats: bool,
) -> Result<Validator, SchemaError> {
    let (nodes, ids, waiting, names, entered) = Default::default();
    let mut compiler = Compiler { registry, formats, nodes, ids, waiting, names, entered };
    let first = compiler.id(registry.resources[root].root, root);
    compiler.work()?;
    let dynamic = compiler.dynamic()?;
    Ok(Validator { nodes: compiler.nodes, root: first, dynamic })
}

fn count(schema: &Map<String, Value>, key: &str) -> Option<u64> {
    Num::of(schema.get(key)?.as_number()?).count()
}

fn number(schema: &Map<String, Value>, key: &str) -> Option<Num> {
    schema.get(key)?.as_number().map(Num::of)
}

fn types(value: &Value) -> TypeSet {
    let bit = |value: &Value| {
        let at = keyword::TYPES.iter().position(|name| value.as_str() == Some(*name));
        at.map_or(0, |at| 1 << at)
    };
    value.as_array().map_or_else(|| bit(value), |list| list.iter().fold(0, |set, v| set | bit(v)))
}

fn texts(value: &Value) -> Vec<String> {
    let list = value.as_array().into_iter().flatten();
    list.filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

impl<'a> Compiler<'a, '_> {
    /// The node of a schema; its rules may follow.
    fn id(&mut self, schema: &'a Value, resource: usize) -> NodeId {
        if let Some(id) = self.ids.get(&address(schema)) {
            return *id;
        }
        let id = self.node(Node::Always);
        self.ids.insert(address(schema), id);
        self.waiting.push((id, schema, self.registry.owner(schema, resource)));
        id
    }

    /// The dynamic anchors of each resource that can be entered; compiling them may enter more.
    fn dynamic(&mut self) -> Result<Vec<BTreeMap<String, NodeId>>, SchemaError> {
        if self.names.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = vec![BTreeMap::new(); self.registry.resources.len()];
        loop {
            let before = (self.nodes.len(), self.entered.len(), self.names.len());
            for index in self.entered.clone() {
                for (name, schema) in &self.registry.resources[index].dynamic {
                    if self.names.contains(*name) {
                        found[index].insert((*name).to_owned(), self.id(schema, index));
                    }
                }
            }
            self.work()?;
            if before == (self.nodes.len(), self.entered.len(), self.names.len()) {
                return Ok(found);
            }
        }
    }

    fn node(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId::try_from(self.nodes.len() - 1).unwrap_or(NodeId::MAX)
    }

    fn work(&mut self) -> Result<(), SchemaError> {
        while let Some((id, schema, resource)) = self.waiting.pop() {
            if self.nodes.len() > MAX_NODES {
                return Err(SchemaError::new(format!("it holds more than {MAX_NODES} schemas")));
            }
            self.nodes[id as usize] = match schema {
                Value::Bool(true) => Node::Always,
                Value::Bool(false) => Node::Never,
                Value::Object(map) => Node::Rules(Box::new(self.rules(map, resource)?)),
                // References reach places that are no schemas, and such were not checked.
                other => {
                    let kind = keyword::kind(other);
                    return Err(SchemaError::new(format!(
                        "a reference leads to {kind}, not to a schema"
                    )));
                }
            };
        }
        Ok(())
    }

    fn rules(
        &mut self,
        map: &'a Map<String, Value>,
        resource: usize,
    ) -> Result<Rules, SchemaError> {
        let draft = self.registry.resources[resource].draft;
        let mut rules = Rules { resource, ..Rules::default() };
        self.entered.insert(resource);
        if draft == Draft::Draft7 && map.contains_key("$ref") {
            self.references(&mut rules, map, resource)?;
            return Ok(rules);
        }
        rules.types = map.get("type").map(types);
        rules.constant = map.get("const").cloned();
        rules.options = map.get("enum").and_then(Value::as_array).map(|list| options(list));
        rules.number = numbers(map).map(Box::new);
        rules.text = self.text(map)?.map(Box::new);
        rules.list = self.list(map, resource, draft).map(Box::new);
        rules.object = self.object(map, resource, draft)?.map(Box::new);
        self.references(&mut rules, map, resource)?;
        self.applied(&mut rules, map, resource);
        Ok(rules)
    }

    fn references(
        &mut self,
        rules: &mut Rules,
        map: &Map<String, Value>,
        resource: usize,
    ) -> Result<(), SchemaError> {
        for key in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let Some(reference) = map.get(key).and_then(Value::as_str) else { continue };
            let target = self.registry.find(resource, reference);
            let rule = match target.map_err(|why| SchemaError::new(format!("{key}: {why}")))? {
                Target::Meta(draft) => Applied::Ref(self.node(Node::Meta(draft))),
                Target::Schema(schema, owner) => {
                    let id = self.id(schema, owner);
                    let owner = self.registry.owner(schema, owner);
                    let name =
                        self.registry.dynamic_name(reference, owner).filter(|_| key != "$ref");
                    self.names.extend(name.clone());
                    name.map_or(Applied::Ref(id), |name| Applied::Dynamic(id, name))
                }
            };
            rules.applied.push(rule);
        }
        Ok(())
    }

    fn applied(&mut self, rules: &mut Rules, map: &'a Map<String, Value>, resource: usize) {
        let single =
            |this: &mut Self, key: &str| map.get(key).map(|schema| this.id(schema, resource));
        for (key, rule) in [
            ("allOf", Applied::All as fn(Vec<NodeId>) -> Applied),
            ("anyOf", Applied::Any),
            ("oneOf", Applied::One),
        ] {
            if let Some(list) = map.get(key).and_then(Value::as_array) {
                rules.applied.push(rule(list.iter().map(|s| self.id(s, resource)).collect()));
            }
        }
        if let Some(id) = single(self, "not") {
            rules.applied.push(Applied::Not(id));
        }
        if let Some(condition) = single(self, "if") {
            let (then, otherwise) = (single(self, "then"), single(self, "else"));
            rules.applied.push(Applied::If(condition, then, otherwise));
        }
    }

    fn text(&self, map: &Map<String, Value>) -> Result<Option<TextRules>, SchemaError> {
        let mut rules = TextRules {
            least: count(map, "minLength").filter(|n| *n > 0),
            most: count(map, "maxLength"),
            ..TextRules::default()
        };
        if let Some(text) = map.get("pattern").and_then(Value::as_str) {
            rules.pattern = Some(pattern::compile(text).map_err(SchemaError::new)?);
        }
        if let Some(name) = map.get("format").and_then(Value::as_str).filter(|_| self.formats) {
            rules.format = format::named(name).map(|check| (name.to_owned(), check));
        }
        let none = rules.least.is_none()
            && rules.most.is_none()
            && rules.pattern.is_none()
            && rules.format.is_none();
        Ok((!none).then_some(rules))
    }

    fn list(
        &mut self,
        map: &'a Map<String, Value>,
        resource: usize,
        draft: Draft,
    ) -> Option<ListRules> {
        const KEYS: [&str; 9] = [
            "minItems",
            "maxItems",
            "uniqueItems",
            "prefixItems",
            "items",
            "additionalItems",
            "contains",
            "unevaluatedItems",
            "minContains",
        ];
        if !KEYS.iter().any(|key| map.contains_key(*key)) {
            return None;
        }
        let later = draft != Draft::Draft7;
        let (first, rest) = match (draft, map.get("items")) {
            (Draft::Draft202012, items) => (map.get("prefixItems"), items),
            (_, Some(list @ Value::Array(_))) => (Some(list), map.get("additionalItems")),
            (_, items) => (None, items),
        };
        let first = first.and_then(Value::as_array).into_iter().flatten();
        let first = first.map(|schema| self.id(schema, resource)).collect();
        let contains = map.get("contains").map(|schema| Contains {
            node: self.id(schema, resource),
            least: count(map, "minContains").filter(|_| later).unwrap_or(1),
            most: count(map, "maxContains").filter(|_| later),
            marks: draft == Draft::Draft202012,
        });
        let unevaluated = map.get("unevaluatedItems").filter(|_| later);
        Some(ListRules {
            least: count(map, "minItems").filter(|n| *n > 0),
            most: count(map, "maxItems"),
            unique: map.get("uniqueItems") == Some(&Value::Bool(true)),
            first,
            rest: rest.map(|schema| self.id(schema, resource)),
            contains,
            unevaluated: unevaluated.map(|schema| self.id(schema, resource)),
        })
    }

    fn object(
        &mut self,
        map: &'a Map<String, Value>,
        resource: usize,
        draft: Draft,
    ) -> Result<Option<ObjectRules>, SchemaError> {
        const KEYS: [&str; 11] = [
            "minProperties",
            "maxProperties",
            "properties",
            "required",
            "patternProperties",
            "additionalProperties",
            "propertyNames",
            "dependentRequired",
            "dependentSchemas",
            "dependencies",
            "unevaluatedProperties",
        ];
        if !KEYS.iter().any(|key| map.contains_key(*key)) {
            return Ok(None);
        }
        let later = draft != Draft::Draft7;
        let single =
            |this: &mut Self, key: &str| map.get(key).map(|schema| this.id(schema, resource));
        let mut rules = ObjectRules {
            least: count(map, "minProperties").filter(|n| *n > 0),
            most: count(map, "maxProperties"),
            additional: single(self, "additionalProperties"),
            key: single(self, "propertyNames"),
            unevaluated: if later { single(self, "unevaluatedProperties") } else { None },
            ..ObjectRules::default()
        };
        for (name, schema) in map.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            rules.named.entry(name).node = Some(self.id(schema, resource));
        }
        for name in map.get("required").map(texts).unwrap_or_default() {
            rules.named.entry(&name).required = true;
            rules.required += 1;
        }
        for (text, schema) in
            map.get("patternProperties").and_then(Value::as_object).into_iter().flatten()
        {
            let expression = pattern::compile(text).map_err(SchemaError::new)?;
            rules.patterns.push((expression, self.id(schema, resource)));
        }
        self.dependencies(&mut rules, map, resource, later);
        Ok(Some(rules))
    }

    fn dependencies(
        &mut self,
        rules: &mut ObjectRules,
        map: &'a Map<String, Value>,
        resource: usize,
        later: bool,
    ) {
        for (key, known) in
            [("dependencies", true), ("dependentRequired", later), ("dependentSchemas", later)]
        {
            let entries = map.get(key).filter(|_| known).and_then(Value::as_object);
            for (name, value) in entries.into_iter().flatten() {
                if value.is_array() {
                    rules.needs.push((name.clone(), texts(value)));
                } else {
                    rules.dependent.push((name.clone(), self.id(value, resource)));
                }
            }
        }
    }
}

fn options(list: &[Value]) -> Options {
    let mut options = Options::default();
    for value in list {
        match value {
            Value::String(text) => drop(options.texts.insert(text.as_str().into())),
            other => options.others.push(other.clone()),
        }
    }
    options
}

fn numbers(map: &Map<String, Value>) -> Option<NumberRules> {
    let rules = NumberRules {
        least: number(map, "minimum"),
        above: number(map, "exclusiveMinimum"),
        most: number(map, "maximum"),
        below: number(map, "exclusiveMaximum"),
        unit: number(map, "multipleOf").map(|unit| (unit, Decimal::of(unit))),
    };
    let bounds = [rules.least, rules.above, rules.most, rules.below];
    (rules.unit.is_some() || bounds.iter().any(Option::is_some)).then_some(rules)
}
