//! Texts with `{name}` in them.

use crate::config::report::At;
use crate::yaml::shown;

/// A part of a template: text, or the name between braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part<'t> {
    Text(&'t str),
    Name(&'t str),
}

/// The parts of a template; every name must be one of `known`.
pub(super) fn parts<'t>(at: &At<'_>, written: &'t str, known: &[&str]) -> Option<Vec<Part<'t>>> {
    let mut parts = Vec::new();
    let mut rest = written;
    while let Some((text, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            unbalanced(at, written);
            return None;
        };
        if text.contains('}') {
            unbalanced(at, written);
            return None;
        }
        if !known.contains(&name) {
            let known: Vec<_> = known.iter().map(|name| format!("`{{{name}}}`")).collect();
            at.wrong(
                known.join(" or "),
                shown(&format!("{{{name}}}")),
                "correct the name between the braces",
            );
            return None;
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        parts.push(Part::Name(name));
        rest = after;
    }
    if rest.contains('}') {
        unbalanced(at, written);
        return None;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    Some(parts)
}

fn unbalanced(at: &At<'_>, written: &str) {
    at.wrong(
        "each `{` with its `}`",
        shown(written),
        "write names as `{tenant}`, and no other braces (in a URL, percent-encode them)",
    );
}
