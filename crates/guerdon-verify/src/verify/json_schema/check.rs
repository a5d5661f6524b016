//! Whether a value keeps the rules.

use std::cmp::Ordering;
use std::hash::{BuildHasher as _, Hash as _, Hasher};

use serde_json::{Map, Number, Value};

use super::super::passage::equal;
use super::number::{Decimal, Num};
use super::rules::{
    Applied, Contains, INTEGER, ListRules, NUMBER, Node, NodeId, NumberRules, ObjectRules, Rules,
    TextRules, TypeSet,
};
use super::{Fault, Validator, keyword};

/// Most steps of one check; a step is one schema applied to one value, or one key or item looked at.
const MAX_STEPS: u64 = 4_000_000;

/// Deepest chain of schemas within schemas that are applied.
const MAX_DEPTH: u32 = 512;

/// Which keys of an object, or items of a list, some keyword has looked at.
type Seen = Vec<bool>;

/// A keyword, its number, and the orders of a value to it that are allowed.
type Bound = (&'static str, Option<Num>, fn(Ordering) -> bool);

/// Where the check is, and the first fault found, in a check that explains.
#[derive(Default)]
struct Trace {
    path: Vec<String>,
    fault: Option<Fault>,
}

/// One check of one value.
pub(super) struct Checker<'s> {
    schema: &'s Validator,
    steps: u64,
    depth: u32,
    scope: Vec<usize>,
    trace: Option<Trace>,
    /// Which limit is spent; the verdict means nothing then.
    pub(super) spent: Option<&'static str>,
}

impl<'s> Checker<'s> {
    pub(super) fn new(schema: &'s Validator) -> Self {
        Self { schema, steps: MAX_STEPS, depth: 0, scope: Vec::new(), trace: None, spent: None }
    }

    /// Whether the whole value is valid.
    pub(super) fn holds(&mut self, value: &Value) -> bool {
        self.node(self.schema.root, value, None)
    }

    /// The first fault of a value that is not valid.
    pub(super) fn explain(schema: &'s Validator, value: &Value) -> Option<Fault> {
        let mut checker = Self { trace: Some(Trace::default()), ..Self::new(schema) };
        checker.holds(value);
        checker.trace.and_then(|trace| trace.fault)
    }

    /// Whether `value` keeps the schema `id`.
    pub(super) fn node(&mut self, id: NodeId, value: &Value, seen: Option<&mut Seen>) -> bool {
        match &self.schema.nodes[id as usize] {
            Node::Always => true,
            Node::Never => self.fail("false", || "nothing is allowed here".to_owned()),
            Node::Meta(draft) => {
                let fault = keyword::fault(value, *draft);
                fault.is_none_or(|error| self.fail("$ref", || error.to_string()))
            }
            Node::Rules(rules) => self.deeper(rules, value, seen),
        }
    }

    fn deeper(&mut self, rules: &'s Rules, value: &Value, seen: Option<&mut Seen>) -> bool {
        if self.depth >= MAX_DEPTH {
            self.spent = Some("depth");
        }
        if !self.step(1) {
            return false;
        }
        self.depth += 1;
        let enters = !self.schema.dynamic.is_empty() && self.scope.last() != Some(&rules.resource);
        if enters {
            self.scope.push(rules.resource);
        }
        let holds = self.rules(rules, value, seen);
        if enters {
            self.scope.pop();
        }
        self.depth -= 1;
        holds
    }

    /// Takes steps; false when there are none left, or another limit is spent.
    fn step(&mut self, count: usize) -> bool {
        match self.steps.checked_sub(count as u64) {
            Some(left) => self.steps = left,
            None => self.spent = Some("steps"),
        }
        self.spent.is_none()
    }

    fn fail(&mut self, keyword: &'static str, why: impl FnOnce() -> String) -> bool {
        if let Some(trace) = self.trace.as_mut().filter(|trace| trace.fault.is_none()) {
            let path = trace.path.iter().map(|key| format!("/{key}")).collect();
            trace.fault = Some(Fault { path, keyword, message: why() });
        }
        false
    }

    /// Applies a schema that may fail without the whole failing.
    fn attempt(&mut self, id: NodeId, value: &Value, seen: Option<&mut Seen>) -> bool {
        let trace = self.trace.take();
        let holds = self.node(id, value, seen);
        self.trace = trace;
        holds
    }

    /// Applies a schema to a part of the value, whose key or index is `key`.
    fn part(
        &mut self,
        id: NodeId,
        value: &Value,
        keyword: &'static str,
        key: &dyn std::fmt::Display,
    ) -> bool {
        if let Some(trace) = &mut self.trace {
            trace.path.push(key.to_string().replace('~', "~0").replace('/', "~1"));
        }
        let holds = match self.schema.nodes[id as usize] {
            Node::Never => self.fail(keyword, || "is not allowed here".to_owned()),
            _ => self.node(id, value, None),
        };
        if let Some(trace) = &mut self.trace {
            trace.path.pop();
        }
        holds
    }

    fn rules(&mut self, rules: &'s Rules, value: &Value, seen: Option<&mut Seen>) -> bool {
        self.simple(rules, value)
            && match value {
                Value::Number(number) => {
                    rules.number.as_deref().is_none_or(|r| self.number(r, number))
                        && self.applied(rules, value, seen)
                }
                Value::String(text) => {
                    rules.text.as_deref().is_none_or(|r| self.text(r, text))
                        && self.applied(rules, value, seen)
                }
                Value::Array(items) => self.container(rules, value, items.len(), seen),
                Value::Object(map) => self.container(rules, value, map.len(), seen),
                Value::Null | Value::Bool(_) => self.applied(rules, value, seen),
            }
    }

    /// Lists and objects: what no keyword has looked at is known only when all others are done.
    fn container(
        &mut self,
        rules: &'s Rules,
        value: &Value,
        size: usize,
        seen: Option<&mut Seen>,
    ) -> bool {
        let unevaluated = match value {
            Value::Array(_) => rules.list.as_ref().and_then(|r| r.unevaluated),
            _ => rules.object.as_ref().and_then(|r| r.unevaluated),
        };
        let Some(rest) = unevaluated else { return self.contents(rules, value, seen) };
        let mut own = vec![false; size];
        if !self.step(size) || !self.contents(rules, value, Some(&mut own)) {
            return false;
        }
        if !self.rest(rest, value, &own) {
            return false;
        }
        if let Some(seen) = seen {
            seen.fill(true);
        }
        true
    }

    fn contents(&mut self, rules: &'s Rules, value: &Value, mut seen: Option<&mut Seen>) -> bool {
        let holds = match value {
            Value::Array(items) => {
                rules.list.as_deref().is_none_or(|r| self.list(r, items, seen.as_deref_mut()))
            }
            Value::Object(map) => rules
                .object
                .as_deref()
                .is_none_or(|r| self.object(r, value, map, seen.as_deref_mut())),
            _ => true,
        };
        holds && self.applied(rules, value, seen)
    }

    /// `unevaluatedItems` and `unevaluatedProperties`.
    fn rest(&mut self, node: NodeId, value: &Value, seen: &Seen) -> bool {
        match value {
            Value::Array(items) => (0..items.len())
                .all(|i| seen[i] || self.part(node, &items[i], "unevaluatedItems", &i)),
            Value::Object(map) => map
                .iter()
                .zip(seen)
                .all(|((key, v), seen)| *seen || self.part(node, v, "unevaluatedProperties", key)),
            _ => true,
        }
    }

    /// `type`, `const` and `enum`.
    fn simple(&mut self, rules: &Rules, value: &Value) -> bool {
        if let Some(types) = rules.types
            && !is_of(types, value)
        {
            return self
                .fail("type", || format!("is {}, not {}", keyword::kind(value), told(types)));
        }
        if let Some(constant) = &rules.constant
            && !equal(constant, value)
        {
            return self.fail("const", || format!("is not {}", short(constant)));
        }
        if let Some(options) = &rules.options {
            let found = match value {
                Value::String(text) => options.texts.contains(text.as_str()),
                other => options.others.iter().any(|option| equal(option, other)),
            };
            return found
                || self.fail("enum", || format!("{} is none of the values", short(value)));
        }
        true
    }

    fn number(&mut self, rules: &NumberRules, number: &Number) -> bool {
        let value = Num::of(number);
        let bounds: [Bound; 4] = [
            ("minimum", rules.least, Ordering::is_ge),
            ("exclusiveMinimum", rules.above, Ordering::is_gt),
            ("maximum", rules.most, Ordering::is_le),
            ("exclusiveMaximum", rules.below, Ordering::is_lt),
        ];
        for (keyword, bound, holds) in bounds {
            if bound.is_some_and(|bound| !holds(value.compare(bound))) {
                return self.fail(keyword, || format!("{number} is out of bounds"));
            }
        }
        let whole = match (value, rules.unit) {
            (_, None) => true,
            (Num::Whole(n), Some((Num::Whole(unit), _))) => n % unit == 0,
            (value, Some((_, unit))) => Decimal::of(value).is_multiple_of(unit),
        };
        whole || self.fail("multipleOf", || format!("{number} is no multiple"))
    }

    fn text(&mut self, rules: &TextRules, text: &str) -> bool {
        if rules.least.is_some() || rules.most.is_some() {
            // A text has at most as many characters as bytes, and at least a quarter of them.
            let bytes = text.len() as u64;
            let decided =
                rules.least.is_none_or(|n| bytes / 4 >= n) && rules.most.is_none_or(|n| bytes <= n);
            let length = if decided { bytes } else { text.chars().count() as u64 };
            if !decided && rules.least.is_some_and(|n| length < n) {
                return self.fail("minLength", || format!("has {length} characters"));
            }
            if !decided && rules.most.is_some_and(|n| length > n) {
                return self.fail("maxLength", || format!("has {length} characters"));
            }
        }
        if rules.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(text)) {
            return self.fail("pattern", || format!("{} does not match", short(&text.into())));
        }
        match &rules.format {
            Some((name, check)) if !check(text) => {
                self.fail("format", || format!("{} is no {name}", short(&text.into())))
            }
            _ => true,
        }
    }

    fn sized(&mut self, size: usize, bounds: [(&'static str, Option<u64>); 2]) -> bool {
        let size = size as u64;
        let [(low, least), (high, most)] = bounds;
        if least.is_some_and(|n| size < n) {
            return self.fail(low, || format!("has {size}"));
        }
        most.is_none_or(|n| size <= n) || self.fail(high, || format!("has {size}"))
    }

    fn list(&mut self, rules: &ListRules, items: &[Value], mut seen: Option<&mut Seen>) -> bool {
        if !self.step(items.len())
            || !self.sized(items.len(), [("minItems", rules.least), ("maxItems", rules.most)])
        {
            return false;
        }
        if rules.unique && !self.unique(items) {
            return self.fail("uniqueItems", || "two items are equal".to_owned());
        }
        for (i, (node, item)) in rules.first.iter().zip(items).enumerate() {
            if !self.part(*node, item, "prefixItems", &i) {
                return false;
            }
        }
        if let Some(rest) = rules.rest {
            for (i, item) in items.iter().enumerate().skip(rules.first.len()) {
                if !self.part(rest, item, "items", &i) {
                    return false;
                }
            }
        }
        if let Some(seen) = seen.as_deref_mut() {
            let evaluated = if rules.rest.is_some() { items.len() } else { rules.first.len() };
            seen.iter_mut().take(evaluated).for_each(|seen| *seen = true);
        }
        rules.contains.as_ref().is_none_or(|contains| self.contains(contains, items, seen))
    }

    fn contains(&mut self, rule: &Contains, items: &[Value], mut seen: Option<&mut Seen>) -> bool {
        let mut found = 0;
        for (i, item) in items.iter().enumerate() {
            if self.attempt(rule.node, item, None) {
                found += 1;
                if let Some(seen) = seen.as_deref_mut().filter(|_| rule.marks) {
                    seen[i] = true;
                }
            }
            if seen.is_none() && rule.most.is_none() && found >= rule.least {
                return true;
            }
        }
        if found < rule.least {
            return self.fail("contains", || format!("{found} items match"));
        }
        rule.most.is_none_or(|n| found <= n)
            || self.fail("maxContains", || format!("{found} items match"))
    }

    /// Whether no two items are equal. Only items of equal hash are compared, and each comparison takes steps.
    fn unique(&mut self, items: &[Value]) -> bool {
        let mut hashes: Vec<(u64, usize)> =
            items.iter().enumerate().map(|(i, v)| (hash(v), i)).collect();
        hashes.sort_unstable();
        let mut start = 0;
        for end in 1..hashes.len() {
            if hashes[end].0 != hashes[start].0 {
                start = end;
            }
            for earlier in &hashes[start..end] {
                if !self.step(1) || equal(&items[earlier.1], &items[hashes[end].1]) {
                    return false;
                }
            }
        }
        true
    }

    fn object(
        &mut self,
        rules: &ObjectRules,
        value: &Value,
        map: &Map<String, Value>,
        mut seen: Option<&mut Seen>,
    ) -> bool {
        if !self.step(map.len())
            || !self
                .sized(map.len(), [("minProperties", rules.least), ("maxProperties", rules.most)])
        {
            return false;
        }
        let (mut found, mut hint) = (0, 0);
        for (i, (key, value)) in map.iter().enumerate() {
            let at = rules.named.get(key, hint);
            let entry = at.map(|at| &rules.named.entries[at]);
            hint = at.map_or(hint, |at| at + 1);
            found += usize::from(entry.is_some_and(|entry| entry.required));
            let node = entry.and_then(|entry| entry.node);
            let Some(known) = self.property(rules, node, key, value) else { return false };
            if let Some(seen) = seen.as_deref_mut().filter(|_| known) {
                seen[i] = true;
            }
        }
        (found == rules.required || self.missing(rules, map))
            && rules.key.is_none_or(|node| self.keys(node, map))
            && self.dependencies(rules, value, map, seen)
    }

    /// Whether a keyword looks at this property, whose schema of its own is `node`; none where it is not valid.
    fn property(
        &mut self,
        rules: &ObjectRules,
        node: Option<NodeId>,
        key: &str,
        value: &Value,
    ) -> Option<bool> {
        let mut known = node.is_some();
        if node.is_some_and(|node| !self.part(node, value, "properties", &key)) {
            return None;
        }
        for (pattern, node) in &rules.patterns {
            if pattern.is_match(key) {
                known = true;
                if !self.step(1) || !self.part(*node, value, "patternProperties", &key) {
                    return None;
                }
            }
        }
        let rest = rules.additional.filter(|_| !known);
        if rest.is_some_and(|node| !self.part(node, value, "additionalProperties", &key)) {
            return None;
        }
        Some(known || rest.is_some())
    }

    fn missing(&mut self, rules: &ObjectRules, map: &Map<String, Value>) -> bool {
        let mut names = rules.named.entries.iter().filter(|entry| entry.required);
        let missing = names.find(|entry| !map.contains_key(&*entry.text));
        self.fail("required", || {
            missing.map_or_else(String::new, |entry| format!("{:?} is missing", entry.text))
        })
    }

    fn keys(&mut self, node: NodeId, map: &Map<String, Value>) -> bool {
        map.keys().all(|key| self.part(node, &Value::String(key.clone()), "propertyNames", key))
    }

    fn dependencies(
        &mut self,
        rules: &ObjectRules,
        value: &Value,
        map: &Map<String, Value>,
        mut seen: Option<&mut Seen>,
    ) -> bool {
        for (name, needed) in rules.needs.iter().filter(|(name, _)| map.contains_key(name)) {
            if let Some(missing) = needed.iter().find(|other| !map.contains_key(*other)) {
                return self.fail("dependentRequired", || format!("{name:?} needs {missing:?}"));
            }
        }
        let dependent = rules.dependent.iter().filter(|(name, _)| map.contains_key(name));
        dependent.into_iter().all(|(_, node)| self.node(*node, value, seen.as_deref_mut()))
    }

    fn applied(&mut self, rules: &'s Rules, value: &Value, mut seen: Option<&mut Seen>) -> bool {
        rules.applied.iter().all(|rule| self.apply(rule, value, seen.as_deref_mut()))
    }

    fn apply(&mut self, rule: &Applied, value: &Value, mut seen: Option<&mut Seen>) -> bool {
        match rule {
            Applied::Ref(node) => self.node(*node, value, seen),
            Applied::Dynamic(node, name) => {
                let outermost = self.scope.iter().find_map(|r| self.schema.dynamic[*r].get(name));
                self.node(outermost.copied().unwrap_or(*node), value, seen)
            }
            Applied::All(nodes) => {
                nodes.iter().all(|node| self.node(*node, value, seen.as_deref_mut()))
            }
            Applied::Any(nodes) => {
                self.branches(nodes, value, seen, usize::MAX) > 0
                    || self.fail("anyOf", || "no alternative holds".to_owned())
            }
            Applied::One(nodes) => match self.branches(nodes, value, seen, 2) {
                1 => true,
                0 => self.fail("oneOf", || "no alternative holds".to_owned()),
                _ => self.fail("oneOf", || "more than one alternative holds".to_owned()),
            },
            Applied::Not(node) => {
                let holds = self.attempt(*node, value, None);
                // A spent budget decides nothing, least of all the opposite.
                self.spent.is_none()
                    && (!holds || self.fail("not", || "holds, and must not".to_owned()))
            }
            Applied::If(condition, then, otherwise) => {
                let holds = self.branch(*condition, value, &mut seen);
                let next = if holds { then } else { otherwise };
                self.spent.is_none() && next.is_none_or(|node| self.node(node, value, seen))
            }
        }
    }

    /// How many branches hold; counting ends where `enough` do, or, without `seen`, at the first where any number will do.
    fn branches(
        &mut self,
        nodes: &[NodeId],
        value: &Value,
        mut seen: Option<&mut Seen>,
        enough: usize,
    ) -> usize {
        let enough = if seen.is_none() && enough == usize::MAX { 1 } else { enough };
        let mut held = 0;
        for node in nodes {
            held += usize::from(self.branch(*node, value, &mut seen));
            if held >= enough {
                break;
            }
        }
        held
    }

    /// Applies a branch; what it has looked at counts only if it holds.
    fn branch(&mut self, node: NodeId, value: &Value, seen: &mut Option<&mut Seen>) -> bool {
        let Some(seen) = seen else { return self.attempt(node, value, None) };
        let mut own = seen.clone();
        if !self.step(own.len()) || !self.attempt(node, value, Some(&mut own)) {
            return false;
        }
        **seen = own;
        true
    }

    /// Of the named properties of the root, how many are there and valid, and how many there are.
    pub(super) fn properties(&mut self, value: &Value) -> (usize, usize) {
        let Some(rules) = self.root_object() else { return (0, 0) };
        let entries = &rules.named.entries;
        let Some(map) = value.as_object() else { return (0, entries.len()) };
        let mut valid = 0;
        for entry in entries {
            let there = map.get(&*entry.text);
            let holds = |value| entry.node.is_none_or(|node| self.node(node, value, None));
            valid += usize::from(there.is_some_and(holds));
        }
        (valid, entries.len())
    }

    /// The rules for objects of the root, found behind references.
    fn root_object(&self) -> Option<&'s ObjectRules> {
        let mut id = self.schema.root;
        for _ in 0..16 {
            let Node::Rules(rules) = &self.schema.nodes[id as usize] else { return None };
            if let Some(object) = &rules.object {
                return Some(object);
            }
            id = rules.applied.iter().find_map(|rule| match rule {
                Applied::Ref(node) => Some(*node),
                _ => None,
            })?;
        }
        None
    }
}

fn is_of(types: TypeSet, value: &Value) -> bool {
    let bit = match value {
        Value::Null => 1,
        Value::Bool(_) => 1 << 1,
        Value::Number(number) => {
            return types & NUMBER != 0 || (types & INTEGER != 0 && Num::of(number).is_integer());
        }
        Value::String(_) => 1 << 4,
        Value::Array(_) => 1 << 5,
        Value::Object(_) => 1 << 6,
    };
    types & bit != 0
}

fn told(types: TypeSet) -> String {
    let names = keyword::TYPES.iter().enumerate().filter(|(i, _)| types & (1 << i) != 0);
    names.map(|(_, name)| *name).collect::<Vec<_>>().join(" or ")
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 60 {
        text
    } else {
        text.chars().take(57).chain("...".chars()).collect()
    }
}

/// A hash that equal values share.
fn hash(value: &Value) -> u64 {
    let mut state = foldhash::fast::FixedState::default().build_hasher();
    feed(value, &mut state);
    state.finish()
}

/// The recursion ends with the value, whose depth its parser bounds.
fn feed(value: &Value, state: &mut impl Hasher) {
    match value {
        Value::Null => 0_u8.hash(state),
        Value::Bool(flag) => (1_u8, flag).hash(state),
        // `1` equals `1.0`, and zero has one sign.
        Value::Number(n) => (2_u8, (n.as_f64().unwrap_or(0.0) + 0.0).to_bits()).hash(state),
        Value::String(text) => (3_u8, text).hash(state),
        Value::Array(items) => {
            (4_u8, items.len()).hash(state);
            items.iter().for_each(|item| feed(item, state));
        }
        Value::Object(map) => {
            // A sum, since the order of keys does not count.
            let entry = |(key, value): (&String, &Value)| {
                let mut inner = foldhash::fast::FixedState::default().build_hasher();
                key.hash(&mut inner);
                feed(value, &mut inner);
                inner.finish()
            };
            let sum = map.iter().map(entry).fold(0_u64, u64::wrapping_add);
            (5_u8, map.len(), sum).hash(state);
        }
    }
}
