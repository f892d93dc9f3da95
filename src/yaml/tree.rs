//! The tree of a document, whose nodes know where they were written.

mod build;

pub(super) use build::typed;

use super::check::{self, Later};
use super::mistake::{Mistake, Mistakes, Path, Place};
use super::variable;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};
use std::sync::Arc;

/// A document on its way to a value, with the mistakes found so far.
#[derive(Clone, Debug)]
pub struct Tree {
    root: Node,
    mistakes: Vec<Mistake>,
}

/// Where a path leads, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The place of the value, or of the nearest value above where it was not written.
    pub place: Place,
    /// The path in the document: indexes count spoiled elements too.
    pub path: String,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    /// A scalar without a type of its own, from a variable: the schema says what it is.
    Loose(String),
    List(Vec<Node>),
    Mapping(Vec<Entry>),
    /// Reported as a mistake already; left out of the value.
    Spoiled,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) value: Node,
}

impl Tree {
    /// Reads the text; what YAML forbids, and what this project forbids of YAML (duplicate keys,
    /// anchors, tags, further documents, nesting beyond 64), becomes a mistake.
    pub fn parse(file: &str, text: &str) -> Self {
        let (root, mistakes) = build::build(&Arc::from(file), text);
        Self { root, mistakes }
    }

    /// Overrides the scalar at a path of lower-case segments with the value of a variable.
    pub fn set(&mut self, name: &str, path: &[String], value: String) {
        let place = Place::Variable(name.into());
        if let Err(mistake) = variable::set(&mut self.root, &place, path, value) {
            self.mistakes.push(*mistake);
        }
    }

    /// Compares with a JSON Schema and spoils what differs from it.
    ///
    /// Of a mapping in which a key is unknown, misspelled or missing the rest stays.
    pub fn check(&mut self, schema: &Value, later: Later<'_>) {
        self.mistakes
            .extend(check::check(&mut self.root, schema, later));
    }

    /// Deserializes what is not spoiled; `None` if that is no `T`, with a mistake that says so.
    pub fn read<T: DeserializeOwned>(&mut self) -> Option<T> {
        let value = self.root.value()?;
        match serde_json::from_value(value) {
            Ok(read) => Some(read),
            // A type that wants more than was left: the mistakes say what is missing.
            Err(_) if !self.mistakes.is_empty() => None,
            Err(error) => {
                let mistake = Mistake {
                    place: self.root.place.clone(),
                    path: String::new(),
                    expected: "a document of this kind".to_owned(),
                    came: super::shown(&error.to_string()),
                    remedy: "compare it with the documentation".to_owned(),
                };
                self.mistakes.push(mistake);
                None
            }
        }
    }

    /// Where a path into the value that was read leads in the document.
    pub fn spot(&self, path: &Path) -> Spot {
        let mut node = Some(&self.root);
        let mut place = &self.root.place;
        let mut written = Path::default();
        for segment in path.segments() {
            let (step, below) = match node.map(|node| &node.kind) {
                Some(Kind::List(items)) => match unspoiled(items, segment) {
                    Some((index, item)) => (written.item(index), Some(item)),
                    None => (written.key(segment), None),
                },
                Some(Kind::Mapping(entries)) => {
                    let entry = entries.iter().find(|entry| entry.key == segment);
                    (written.key(segment), entry.map(|entry| &entry.value))
                }
                Some(
                    Kind::Null
                    | Kind::Bool(_)
                    | Kind::Number(_)
                    | Kind::Text(_)
                    | Kind::Loose(_)
                    | Kind::Spoiled,
                )
                | None => (written.key(segment), None),
            };
            written = step;
            node = below;
            place = node.map_or(place, |node| &node.place);
        }
        Spot {
            place: place.clone(),
            path: written.to_string(),
        }
    }

    /// Whether the value at a path was spoiled, or an element of it, if it is a list: what was read
    /// there is not what was written.
    pub fn is_spoiled(&self, path: &Path) -> bool {
        match self.find(path).map(|node| &node.kind) {
            Some(Kind::Spoiled) => true,
            Some(Kind::List(items)) => items.iter().any(Node::is_spoiled),
            Some(
                Kind::Null
                | Kind::Bool(_)
                | Kind::Number(_)
                | Kind::Text(_)
                | Kind::Loose(_)
                | Kind::Mapping(_),
            )
            | None => false,
        }
    }

    /// Whether anything at or below a path was spoiled.
    pub fn is_spoiled_below(&self, path: &Path) -> bool {
        self.find(path).is_some_and(Node::is_spoiled)
    }

    /// The node at a path, or the spoiled one above it.
    fn find(&self, path: &Path) -> Option<&Node> {
        let mut node = &self.root;
        for segment in path.segments() {
            let below = match &node.kind {
                Kind::List(items) => unspoiled(items, segment).map(|(_, item)| item),
                Kind::Mapping(entries) => entries
                    .iter()
                    .find(|entry| entry.key == segment)
                    .map(|entry| &entry.value),
                Kind::Spoiled => return Some(node),
                Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Loose(_) => {
                    None
                }
            };
            node = below?;
        }
        Some(node)
    }

    /// Adds a mistake that only the reader of the value could find.
    pub fn report(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    /// All mistakes, in the order of their places.
    pub fn into_mistakes(self) -> Mistakes {
        self.mistakes.into()
    }
}

/// The element that has this index once the spoiled ones are left out, with its index as written.
fn unspoiled<'t>(items: &'t [Node], index: &str) -> Option<(usize, &'t Node)> {
    items
        .iter()
        .enumerate()
        .filter(|(_, item)| !matches!(item.kind, Kind::Spoiled))
        .nth(index.parse().ok()?)
}

impl Node {
    /// The value without what is spoiled.
    fn value(&self) -> Option<Value> {
        Some(match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::Text(text) | Kind::Loose(text) => Value::String(text.clone()),
            Kind::List(items) => items.iter().filter_map(Self::value).collect(),
            Kind::Mapping(entries) => Value::Object(
                entries
                    .iter()
                    .filter_map(|entry| Some((entry.key.clone(), entry.value.value()?)))
                    .collect::<Map<_, _>>(),
            ),
            Kind::Spoiled => return None,
        })
    }

    fn is_spoiled(&self) -> bool {
        match &self.kind {
            Kind::Spoiled => true,
            Kind::List(items) => items.iter().any(Self::is_spoiled),
            Kind::Mapping(entries) => entries.iter().any(|entry| entry.value.is_spoiled()),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Loose(_) => false,
        }
    }
}
