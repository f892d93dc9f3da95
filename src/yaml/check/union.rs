//! Values that may have one of several shapes.

use super::words::{alternatives, nearest, remedy, words};
use super::{Check, LATER, accepts_text, came, expected, kind_of, settled};
use crate::yaml::mistake::{Mistake, Path, shown};
use crate::yaml::tree::{Kind, Node};
use serde_json::{Map, Value};

impl<'s> Check<'s> {
    /// Goes on with the branch that was meant, so that the mistake is told where it is.
    pub(super) fn union(&mut self, node: &mut Node, branches: &[&'s Value], path: &Path) {
        if let Kind::Loose(text) = &node.kind {
            node.kind = branches
                .iter()
                .map(|branch| settled(text, branch))
                .find(|kind| !matches!(kind, Kind::Text(_)))
                .unwrap_or_else(|| Kind::Text(text.clone()));
        }
        let of = |kinds: &[&str]| {
            let fits = |branch: &&&Value| kinds.contains(&kind_of(branch));
            branches.iter().filter(fits).copied().collect::<Vec<_>>()
        };
        let meant = match &node.kind {
            Kind::Spoiled => return,
            Kind::Mapping(_) => match self.variant(node, &of(&["object"]), path) {
                Ok(meant) => meant,
                Err(mistake) => {
                    self.mistakes.push(*mistake);
                    node.kind = Kind::Spoiled;
                    return;
                }
            },
            Kind::List(_) => of(&["array"]).first().copied(),
            Kind::Text(text) => {
                let texts = of(&["string"]);
                let accepting = texts.iter().find(|branch| accepts_text(branch, text));
                let open = texts.iter().find(|branch| words(branch).is_empty());
                accepting.or(open).copied()
            }
            Kind::Bool(_) => of(&["boolean"]).first().copied(),
            Kind::Number(_) => of(&["integer", "number"]).first().copied(),
            Kind::Null | Kind::Loose(_) => None,
        };
        match meant {
            Some(branch) => self.node(node, branch, path),
            None => self.spoil_union(node, branches, path),
        }
    }

    fn spoil_union(&mut self, node: &mut Node, branches: &[&'s Value], path: &Path) {
        let example = branches.iter().find_map(|branch| self.example(branch));
        self.mistakes.push(Mistake {
            place: node.place.clone(),
            path: path.to_string(),
            expected: expected(branches),
            came: came(&node.kind),
            remedy: remedy(&node.kind, branches, example.as_deref()),
        });
        node.kind = Kind::Spoiled;
    }

    /// The branch that has most of a mapping's keys; none if no branch is a mapping.
    fn variant(
        &self,
        node: &Node,
        branches: &[&'s Value],
        path: &Path,
    ) -> Result<Option<&'s Value>, Box<Mistake>> {
        let Kind::Mapping(entries) = &node.kind else {
            return Ok(None);
        };
        let empty = Map::new();
        let keys = |branch: &'s Value| branch.get("properties").and_then(Value::as_object);
        let has = |branch: &'s Value, key: &str| keys(branch).unwrap_or(&empty).contains_key(key);
        let shared = |branch: &'s Value| {
            let shared = entries.iter().filter(|entry| has(branch, &entry.key));
            shared.count()
        };
        // The first of the best, in the order in which the type has them.
        let best = branches
            .iter()
            .copied()
            .rev()
            .max_by_key(|branch| shared(branch));
        let (Some(best), true) = (best, branches.len() > 1) else {
            return Ok(best);
        };
        let all: Vec<_> = branches
            .iter()
            .filter_map(|branch| keys(branch))
            .flat_map(Map::keys)
            .map(String::as_str)
            .collect();
        let quoted: Vec<_> = all.iter().map(|key| format!("`{key}`")).collect();
        let mistake = |place, path: &Path, came, remedy| {
            Box::new(Mistake {
                place,
                path: path.to_string(),
                expected: format!("exactly one of {}", alternatives(&quoted)),
                came,
                remedy,
            })
        };
        let Some(first) = entries.first() else {
            let remedy = "write one of them".to_owned();
            return Err(mistake(node.place.clone(), path, "none".to_owned(), remedy));
        };
        if shared(best) == 0 {
            let below = path.key(&first.key);
            let remedy = match nearest(&first.key, &all) {
                _ if self.later.has(&below) => LATER.to_owned(),
                Some(near) => format!("did you mean `{near}`?"),
                None => "write one of them".to_owned(),
            };
            let place = first.place.clone();
            return Err(mistake(place, &below, shown(&first.key), remedy));
        }
        let foreign = entries.iter().find(|entry| {
            !has(best, &entry.key) && branches.iter().any(|branch| has(branch, &entry.key))
        });
        match foreign {
            None => Ok(Some(best)),
            Some(entry) => {
                let below = path.key(&entry.key);
                let came = format!("{} too", shown(&entry.key));
                let remedy = "keep one, or write two elements".to_owned();
                Err(mistake(entry.place.clone(), &below, came, remedy))
            }
        }
    }
}
