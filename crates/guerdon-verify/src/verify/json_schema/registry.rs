//! Where schemas are: resources by URI, anchors by name, and the resource that each schema belongs to.

use std::collections::{BTreeMap, HashMap};
use std::ptr;

use serde_json::Value;

use super::{Draft, SchemaError, keyword, uri};

/// A schema with a URI of its own.
pub(super) struct Resource<'a> {
    pub(super) uri: String,
    pub(super) root: &'a Value,
    pub(super) draft: Draft,
    anchors: BTreeMap<&'a str, &'a Value>,
    /// The anchors that a caller's schema may take over; the empty name is `$recursiveAnchor`.
    pub(super) dynamic: BTreeMap<&'a str, &'a Value>,
}

/// What a reference leads to.
pub(super) enum Target<'a> {
    /// A schema and its resource.
    Schema(&'a Value, usize),
    /// The schema of schemas of a draft.
    Meta(Draft),
}

/// All resources that references can reach.
#[derive(Default)]
pub(super) struct Registry<'a> {
    pub(super) resources: Vec<Resource<'a>>,
    by_uri: BTreeMap<String, usize>,
    /// The resource of each schema, by its address.
    owners: HashMap<usize, usize>,
}

/// The address of a value tells schemas apart that are equal but stand in different places.
pub(super) fn address(value: &Value) -> usize {
    ptr::from_ref(value).addr()
}

/// The draft that `$schema` names, if it is a known one.
fn declared(schema: &Value) -> Option<Draft> {
    Draft::of_uri(schema.get("$schema")?.as_str()?)
}

impl<'a> Registry<'a> {
    /// Adds a document, checked for the shapes of its keywords, and all resources in it. The result is its own.
    pub(super) fn add(
        &mut self,
        document: &'a Value,
        base: &str,
        draft: Draft,
    ) -> Result<usize, SchemaError> {
        let draft = declared(document).unwrap_or(draft);
        if let Some(fault) = keyword::fault(document, draft) {
            return Err(fault);
        }
        let root = self.resource(document, base.to_owned(), draft);
        self.walk(document, root, true);
        Ok(root)
    }

    fn resource(&mut self, root: &'a Value, uri: String, draft: Draft) -> usize {
        let index = self.resources.len();
        self.by_uri.entry(uri.clone()).or_insert(index);
        let (anchors, dynamic) = Default::default();
        self.resources.push(Resource { uri, root, draft, anchors, dynamic });
        index
    }

    /// Recursion ends with the schema, whose depth is checked.
    fn walk(&mut self, schema: &'a Value, outer: usize, is_root: bool) {
        let owner = self.identified(schema, outer, is_root);
        self.owners.insert(address(schema), owner);
        let Value::Object(map) = schema else { return };
        let names = [("$anchor", false), ("$dynamicAnchor", true)];
        for (key, is_dynamic) in names {
            if let Some(name) = map.get(key).and_then(Value::as_str) {
                self.anchor(owner, name, schema, is_dynamic);
            }
        }
        if map.get("$recursiveAnchor") == Some(&Value::Bool(true)) {
            self.resources[owner].dynamic.insert("", schema);
        }
        for (_, inner) in keyword::inner(map, self.resources[owner].draft) {
            self.walk(inner, owner, false);
        }
    }

    fn anchor(&mut self, owner: usize, name: &'a str, schema: &'a Value, is_dynamic: bool) {
        self.resources[owner].anchors.entry(name).or_insert(schema);
        if is_dynamic {
            self.resources[owner].dynamic.entry(name).or_insert(schema);
        }
    }

    /// The resource that `schema` belongs to: a new one where it has a URI.
    fn identified(&mut self, schema: &'a Value, outer: usize, is_root: bool) -> usize {
        let Some(id) = schema.get("$id").and_then(Value::as_str) else { return outer };
        let draft = declared(schema).unwrap_or(self.resources[outer].draft);
        if draft == Draft::Draft7 && schema.get("$ref").is_some() {
            return outer;
        }
        if let (Draft::Draft7, Some(name)) = (draft, id.strip_prefix('#')) {
            self.anchor(outer, name, schema, false);
            return outer;
        }
        let full = uri::resolve(&self.resources[outer].uri, id);
        let plain = uri::split(&full).0.to_owned();
        if is_root {
            self.by_uri.entry(plain.clone()).or_insert(outer);
            self.resources[outer].uri = plain;
            return outer;
        }
        self.resource(schema, plain, draft)
    }

    /// The resource of a schema; `otherwise` where it stands under an unknown keyword.
    pub(super) fn owner(&self, schema: &Value, otherwise: usize) -> usize {
        self.owners.get(&address(schema)).copied().unwrap_or(otherwise)
    }

    /// What `reference` means in resource `from`.
    pub(super) fn find(&self, from: usize, reference: &str) -> Result<Target<'a>, String> {
        let full = uri::resolve(&self.resources[from].uri, reference);
        let (document, fragment) = uri::split(&full);
        let Some(&index) = self.by_uri.get(document) else {
            return match Draft::of_uri(&full) {
                Some(draft) => Ok(Target::Meta(draft)),
                None => Err(format!(
                    "`{reference}` leads to `{document}`, which is not here: put that schema under `documents`"
                )),
            };
        };
        let resource = &self.resources[index];
        if fragment.is_empty() {
            return Ok(Target::Schema(resource.root, index));
        }
        let missing = || format!("`{reference}` leads nowhere");
        if fragment.starts_with('/') {
            return self.follow(resource.root, index, &fragment).ok_or_else(missing);
        }
        let schema = resource.anchors.get(&*fragment).copied().ok_or_else(missing)?;
        Ok(Target::Schema(schema, self.owner(schema, index)))
    }

    fn follow(&self, root: &'a Value, index: usize, pointer: &str) -> Option<Target<'a>> {
        let (mut value, mut owner) = (root, index);
        for key in uri::pointer(pointer) {
            value = match value {
                Value::Array(items) => items.get(key.parse::<usize>().ok()?)?,
                other => other.get(&*key)?,
            };
            owner = self.owner(value, owner);
        }
        Some(Target::Schema(value, owner))
    }

    /// The name under which a caller's schema may take over the target of `reference`.
    pub(super) fn dynamic_name(&self, reference: &str, target: usize) -> Option<String> {
        let name = uri::split(reference).1;
        self.resources[target].dynamic.contains_key(&*name).then(|| name.into_owned())
    }
}
