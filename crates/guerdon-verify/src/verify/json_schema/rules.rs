//! A compiled schema.

use std::collections::{HashMap, HashSet};

use regex::Regex;
use serde_json::Value;

use super::Draft;
use super::format;
use super::number::{Decimal, Num};

/// The index of a node of a compiled schema.
pub(super) type NodeId = u32;

/// A set of types: a bit for each, in the order of `keyword::TYPES`.
pub(super) type TypeSet = u8;

pub(super) const INTEGER: TypeSet = 1 << 2;
pub(super) const NUMBER: TypeSet = 1 << 3;

/// A schema.
#[derive(Debug)]
pub(super) enum Node {
    Always,
    Never,
    /// The schema of schemas of a draft.
    Meta(Draft),
    Rules(Box<Rules>),
}

/// The keywords of a schema, by what they apply to.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) resource: usize,
    pub(super) types: Option<TypeSet>,
    pub(super) constant: Option<Value>,
    pub(super) options: Option<Options>,
    pub(super) number: Option<Box<NumberRules>>,
    pub(super) text: Option<Box<TextRules>>,
    pub(super) list: Option<Box<ListRules>>,
    pub(super) object: Option<Box<ObjectRules>>,
    pub(super) applied: Vec<Applied>,
}

/// The values of `enum`.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) texts: HashSet<Box<str>, foldhash::fast::FixedState>,
    pub(super) others: Vec<Value>,
}

#[derive(Debug, Default)]
pub(super) struct NumberRules {
    pub(super) least: Option<Num>,
    pub(super) above: Option<Num>,
    pub(super) most: Option<Num>,
    pub(super) below: Option<Num>,
    pub(super) unit: Option<(Num, Decimal)>,
}

#[derive(Debug, Default)]
pub(super) struct TextRules {
    pub(super) least: Option<u64>,
    pub(super) most: Option<u64>,
    pub(super) pattern: Option<Regex>,
    pub(super) format: Option<(String, format::Check)>,
}

#[derive(Debug, Default)]
pub(super) struct ListRules {
    pub(super) least: Option<u64>,
    pub(super) most: Option<u64>,
    pub(super) unique: bool,
    pub(super) first: Vec<NodeId>,
    pub(super) rest: Option<NodeId>,
    pub(super) contains: Option<Contains>,
    pub(super) unevaluated: Option<NodeId>,
}

#[derive(Debug)]
pub(super) struct Contains {
    pub(super) node: NodeId,
    pub(super) least: u64,
    pub(super) most: Option<u64>,
    /// Whether a match counts as evaluated (2020-12).
    pub(super) marks: bool,
}

#[derive(Debug, Default)]
pub(super) struct ObjectRules {
    pub(super) least: Option<u64>,
    pub(super) most: Option<u64>,
    pub(super) named: NameTable,
    pub(super) required: usize,
    pub(super) patterns: Vec<(Regex, NodeId)>,
    pub(super) additional: Option<NodeId>,
    pub(super) key: Option<NodeId>,
    /// Names that a name asks for.
    pub(super) needs: Vec<(String, Vec<String>)>,
    /// The schema that a name asks for.
    pub(super) dependent: Vec<(String, NodeId)>,
    pub(super) unevaluated: Option<NodeId>,
}

/// A name of `properties` or `required`.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) text: Box<str>,
    pub(super) node: Option<NodeId>,
    pub(super) required: bool,
}

/// The names of an object's properties. Few are compared one by one; more are found by their hash.
#[derive(Debug, Default)]
pub(super) struct NameTable {
    pub(super) entries: Vec<Named>,
    index: HashMap<Box<str>, usize, foldhash::fast::FixedState>,
}

/// Most names that are compared one by one.
const FEW: usize = 8;

impl NameTable {
    /// The entry of `name`, made where there is none.
    pub(super) fn entry(&mut self, name: &str) -> &mut Named {
        let at = self.index.get(name).copied().unwrap_or_else(|| {
            self.index.insert(name.into(), self.entries.len());
            self.entries.push(Named { text: name.into(), node: None, required: false });
            self.entries.len() - 1
        });
        &mut self.entries[at]
    }

    /// The entry of `name`. `hint` is where it is looked for first: documents keep the order of their schemas.
    pub(super) fn get(&self, name: &str, hint: usize) -> Option<usize> {
        if self.entries.get(hint).is_some_and(|entry| &*entry.text == name) {
            return Some(hint);
        }
        if self.entries.len() <= FEW {
            return self.entries.iter().position(|entry| &*entry.text == name);
        }
        self.index.get(name).copied()
    }
}

/// A keyword that applies schemas to the same value.
#[derive(Debug)]
pub(super) enum Applied {
    Ref(NodeId),
    /// The outermost resource that has the anchor decides; else the target itself.
    Dynamic(NodeId, String),
    All(Vec<NodeId>),
    Any(Vec<NodeId>),
    One(Vec<NodeId>),
    Not(NodeId),
    If(NodeId, Option<NodeId>, Option<NodeId>),
}
