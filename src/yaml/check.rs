//! Compares a tree with a JSON Schema, and tells every difference.
//!
//! It knows the part of JSON Schema (draft 2020-12) that types generate: `$ref`, `type`, `properties`,
//! `required`, `additionalProperties`, `items`, `enum`, `const`, `minimum`, `maximum`, `minItems`,
//! `minLength`, `anyOf`, `oneOf`, and the forms of [`Format`]. Other keywords are for editors.

mod union;
mod words;

use super::format::Format;
use super::mistake::{Mistake, Path, Place, shown};
use super::tree::{Entry, Kind, Node, typed};
use serde_json::{Map, Value};
use words::{expected, nearest, remedy, words};

/// Keys that are unknown today but announced: paths in which `*` stands for any segment.
#[derive(Clone, Copy, Debug)]
pub struct Later<'l>(pub &'l [&'l str]);

impl Later<'_> {
    /// Nothing is announced.
    pub const NONE: Self = Self(&[]);

    fn has(&self, path: &Path) -> bool {
        self.0.iter().any(|announced| {
            let announced = announced.split('/');
            let mut segments = path.segments();
            announced.clone().count() == segments.len()
                && announced
                    .zip(&mut segments)
                    .all(|(announced, segment)| announced == "*" || announced == segment)
        })
    }
}

const LATER: &str = "remove it: it is not in this version";

pub(super) fn check(root: &mut Node, schema: &Value, later: Later<'_>) -> Vec<Mistake> {
    let mut check = Check {
        root: schema,
        later,
        mistakes: Vec::new(),
    };
    check.node(root, schema, &Path::default());
    check.mistakes
}

struct Check<'s> {
    root: &'s Value,
    later: Later<'s>,
    mistakes: Vec<Mistake>,
}

impl<'s> Check<'s> {
    fn node(&mut self, node: &mut Node, schema: &'s Value, path: &Path) {
        let schema = self.followed(schema);
        let branches = self.branches(schema);
        let &[schema] = branches.as_slice() else {
            return self.union(node, &branches, path);
        };
        if let Kind::Loose(text) = &node.kind {
            node.kind = settled(text, schema);
        }
        match (&mut node.kind, kind_of(schema)) {
            (Kind::Mapping(entries), "object") => {
                let place = node.place.clone();
                self.mapping(&place, entries, schema, path);
            }
            (Kind::List(items), "array") => {
                let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
                if u64::try_from(items.len()).is_ok_and(|length| length < least) {
                    return self.spoil(node, schema, path);
                }
                if let Some(schema) = schema.get("items") {
                    for (index, item) in items.iter_mut().enumerate() {
                        self.node(item, schema, &path.item(index));
                    }
                }
            }
            (Kind::Text(text), "string") if accepts_text(schema, text) => {}
            (Kind::Number(number), "integer" | "number")
                if is_within(schema, number)
                    && (kind_of(schema) == "number" || number.is_u64() || number.is_i64()) => {}
            (Kind::Spoiled, _)
            | (Kind::Bool(_), "boolean")
            | (
                Kind::Null
                | Kind::Bool(_)
                | Kind::Number(_)
                | Kind::Text(_)
                | Kind::List(_)
                | Kind::Mapping(_),
                "anything",
            ) => {}
            (
                Kind::Null
                | Kind::Bool(_)
                | Kind::Number(_)
                | Kind::Text(_)
                | Kind::Loose(_)
                | Kind::List(_)
                | Kind::Mapping(_),
                _,
            ) => self.spoil(node, schema, path),
        }
    }

    fn mapping(&mut self, place: &Place, entries: &mut Vec<Entry>, schema: &'s Value, path: &Path) {
        let none = Map::new();
        let known = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties");
        let mut meant = Vec::new();
        entries.retain_mut(|entry| {
            let below = path.key(&entry.key);
            let property = known.and_then(|known| known.get(&entry.key));
            match property.or(others) {
                Some(Value::Bool(false)) => {
                    let known = known.unwrap_or(&none).keys().map(String::as_str);
                    meant.extend(self.unknown(entry, &below, &known.collect::<Vec<_>>()));
                    return false;
                }
                Some(schema) => self.node(&mut entry.value, schema, &below),
                None => {}
            }
            true
        });
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !meant.contains(&name) && !entries.iter().any(|entry| entry.key == name) {
                let wanted = known.and_then(|known| known.get(name));
                self.missing(place.clone(), name, wanted.unwrap_or(&Value::Null), path);
            }
        }
    }

    /// Reports an unknown key; answers the one that was probably meant.
    fn unknown<'k>(&mut self, entry: &Entry, path: &Path, known: &[&'k str]) -> Option<&'k str> {
        let is_later = self.later.has(path);
        let near = nearest(&entry.key, known).filter(|_| !is_later);
        let remedy = match near {
            _ if is_later => LATER.to_owned(),
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("remove or move it; known here: {}", known.join(", ")),
        };
        self.mistakes.push(Mistake {
            place: entry.place.clone(),
            path: path.to_string(),
            expected: "a known key".to_owned(),
            came: shown(&entry.key),
            remedy,
        });
        near
    }

    fn missing(&mut self, place: Place, name: &str, schema: &'s Value, path: &Path) {
        let example = self
            .example(schema)
            .map_or_else(|| " …".to_owned(), |example| format!(" {example}"));
        self.mistakes.push(Mistake {
            place,
            path: path.key(name).to_string(),
            expected: self.expected(schema),
            came: "no such key".to_owned(),
            remedy: format!("add `{name}:{example}`"),
        });
    }

    fn spoil(&mut self, node: &mut Node, schema: &'s Value, path: &Path) {
        let mistake = Mistake {
            place: node.place.clone(),
            path: path.to_string(),
            expected: self.expected(schema),
            came: came(&node.kind),
            remedy: remedy(&node.kind, &[schema], self.example(schema).as_deref()),
        };
        self.mistakes.push(mistake);
        node.kind = Kind::Spoiled;
    }

    /// The schema behind references.
    fn followed(&self, mut schema: &'s Value) -> &'s Value {
        while let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').unwrap_or(reference);
            match self.root.pointer(pointer) {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    }

    /// The schemas of which one must hold, those inside branches too; the schema itself without any.
    fn branches(&self, schema: &'s Value) -> Vec<&'s Value> {
        let branches = ["anyOf", "oneOf"]
            .iter()
            .filter_map(|keyword| schema.get(keyword)?.as_array())
            .flatten()
            .flat_map(|branch| self.branches(self.followed(branch)))
            .collect::<Vec<_>>();
        if branches.is_empty() {
            vec![schema]
        } else {
            branches
        }
    }

    fn expected(&self, schema: &'s Value) -> String {
        expected(&self.branches(self.followed(schema)))
    }

    /// What could be written: the schema's example, its default, or the example of its form.
    fn example(&self, schema: &'s Value) -> Option<String> {
        let followed = self.followed(schema);
        let given = [schema, followed]
            .iter()
            .find_map(|schema| {
                let default = schema.get("default").filter(|default| !default.is_object());
                schema
                    .get("examples")
                    .and_then(|all| all.get(0))
                    .or(default)
            })
            .map(words::written);
        given.or_else(|| format(followed).map(|format| format.example().to_owned()))
    }
}

/// A loose scalar as the type that the schema wants, or as text.
fn settled(text: &str, schema: &Value) -> Kind {
    match (kind_of(schema), typed(text)) {
        ("boolean", kind @ Kind::Bool(_)) | ("integer" | "number", kind @ Kind::Number(_)) => kind,
        _ => Kind::Text(text.to_owned()),
    }
}

fn kind_of(schema: &Value) -> &str {
    match schema.get("type").and_then(Value::as_str) {
        Some(kind) => kind,
        None if schema.get("const").is_some() || schema.get("enum").is_some() => "string",
        None => "anything",
    }
}

fn format(schema: &Value) -> Option<Format> {
    Format::named(schema.get("format")?.as_str()?)
}

fn accepts_text(schema: &Value, text: &str) -> bool {
    let words = words(schema);
    let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0);
    (words.is_empty() || words.contains(&text))
        && u64::try_from(text.chars().count()).is_ok_and(|length| length >= least)
        && format(schema).is_none_or(|format| format.accepts(text))
}

fn is_within(schema: &Value, number: &serde_json::Number) -> bool {
    let bound = |keyword| schema.get(keyword).and_then(Value::as_f64);
    number.as_f64().is_some_and(|value| {
        bound("minimum").is_none_or(|least| value >= least)
            && bound("maximum").is_none_or(|most| value <= most)
    })
}

/// What stands there, in words.
fn came(kind: &Kind) -> String {
    match kind {
        Kind::Null => "nothing".to_owned(),
        Kind::Bool(value) => format!("`{value}`"),
        Kind::Number(number) => format!("the number {number}"),
        Kind::Text(text) | Kind::Loose(text) => shown(text),
        Kind::List(items) if items.is_empty() => "an empty list".to_owned(),
        Kind::List(_) => "a list".to_owned(),
        Kind::Mapping(_) => "a mapping".to_owned(),
        Kind::Spoiled => "something else".to_owned(),
    }
}
