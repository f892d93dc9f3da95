//! Environment variables that override scalars of a document.

use super::mistake::{Mistake, Path, Place};
use super::tree::{Entry, Kind, Node};

/// Puts a loose scalar at a path; keys are compared without regard to case.
///
/// What the path needs above it and the document does not have is made. Whether the document may
/// have it is the schema's to say.
pub(super) fn set(
    root: &mut Node,
    place: &Place,
    segments: &[String],
    value: String,
) -> Result<(), Box<Mistake>> {
    let mut node = root;
    let mut path = Path::default();
    for segment in segments {
        path = path.key(segment);
        if matches!(node.kind, Kind::Null) {
            node.kind = empty_for(segment);
        }
        node = match &mut node.kind {
            Kind::List(items) => {
                let length = items.len();
                let index = segment.parse().ok().filter(|index| *index <= length);
                if index == Some(length) {
                    items.push(nothing(place));
                }
                index
                    .and_then(|index| items.get_mut(index))
                    .ok_or_else(|| mistake(place, &path, &format!("an index up to {length}")))?
            }
            Kind::Mapping(entries) => {
                let known = entries
                    .iter()
                    .position(|entry| entry.key.eq_ignore_ascii_case(segment));
                let index = known.unwrap_or_else(|| {
                    entries.push(Entry {
                        key: segment.clone(),
                        place: place.clone(),
                        value: nothing(place),
                    });
                    entries.len() - 1
                });
                match entries.get_mut(index) {
                    Some(entry) => &mut entry.value,
                    None => return Ok(()),
                }
            }
            // The document is wrong already, and says so.
            Kind::Spoiled => return Ok(()),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Loose(_) => {
                return Err(mistake(place, &path, "a list or mapping above it").into());
            }
        };
    }
    match node.kind {
        Kind::List(_) | Kind::Mapping(_) => {
            Err(mistake(place, &path, "the name of a scalar").into())
        }
        Kind::Null
        | Kind::Bool(_)
        | Kind::Number(_)
        | Kind::Text(_)
        | Kind::Loose(_)
        | Kind::Spoiled => {
            node.place = place.clone();
            node.kind = Kind::Loose(value);
            Ok(())
        }
    }
}

fn nothing(place: &Place) -> Node {
    Node {
        place: place.clone(),
        kind: Kind::Null,
    }
}

fn empty_for(segment: &str) -> Kind {
    if segment.bytes().all(|byte| byte.is_ascii_digit()) {
        Kind::List(Vec::new())
    } else {
        Kind::Mapping(Vec::new())
    }
}

fn mistake(place: &Place, path: &Path, expected: &str) -> Mistake {
    Mistake {
        place: place.clone(),
        path: path.to_string(),
        expected: expected.to_owned(),
        came: "this variable".to_owned(),
        remedy: "set single values by variables, lists and mappings in the file".to_owned(),
    }
}
