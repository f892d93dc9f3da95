//! The words of a mistake: what a schema expects, and what to write instead.

use super::{Kind, format, kind_of};
use crate::yaml::mistake::shown;
use serde_json::Value;

/// What any of these schemas accepts, in words.
pub(super) fn expected(branches: &[&Value]) -> String {
    let mut words_of_all = Vec::new();
    let mut keys = Vec::new();
    let mut others = Vec::new();
    for branch in branches {
        let words = words(branch);
        if !words.is_empty() {
            words_of_all.extend(words.into_iter().map(shown));
        } else if let Some(key) = sole_key(branch) {
            keys.push(format!("`{key}`"));
        } else {
            others.push(one(branch));
        }
    }
    let mut all = words_of_all;
    if !keys.is_empty() {
        all.push(format!("a mapping with {}", alternatives(&keys)));
    }
    all.extend(others);
    all.dedup();
    alternatives(&all)
}

/// The words of which a text must be one.
pub(super) fn words(schema: &Value) -> Vec<&str> {
    let constant = schema.get("const").into_iter();
    let listed = schema.get("enum").and_then(Value::as_array);
    constant
        .chain(listed.into_iter().flatten())
        .filter_map(Value::as_str)
        .collect()
}

/// The word that was probably meant.
pub(super) fn nearest<'w>(written: &str, words: &[&'w str]) -> Option<&'w str> {
    let folded = written.to_lowercase().replace('-', "_");
    let allowed = (written.chars().count() / 3).clamp(1, 3);
    words
        .iter()
        .map(|word| {
            (
                strsim::damerau_levenshtein(&folded, &word.to_lowercase()),
                *word,
            )
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, word)| word)
}

/// What to write where this came.
pub(super) fn remedy(came: &Kind, branches: &[&Value], example: Option<&str>) -> String {
    let words: Vec<_> = branches.iter().flat_map(|branch| words(branch)).collect();
    let takes = |kind| branches.iter().any(|branch| kind_of(branch) == kind);
    let remedy = match came {
        Kind::Text(text) if nearest(text, &words).is_some() => {
            format!(
                "did you mean `{}`?",
                nearest(text, &words).unwrap_or_default()
            )
        }
        Kind::Text(text) if takes("boolean") => {
            let yes = ["yes", "on", "y"].contains(&text.to_lowercase().as_str());
            format!("write `{yes}`")
        }
        Kind::Text(_) if takes("array") && example.is_none() => {
            "write a list: `[one, two]`".to_owned()
        }
        Kind::Bool(_) | Kind::Number(_)
            if takes("string") && example.is_none() && words.is_empty() =>
        {
            "put it in quotes, if it is meant as text".to_owned()
        }
        Kind::Null
        | Kind::Bool(_)
        | Kind::Number(_)
        | Kind::Text(_)
        | Kind::Loose(_)
        | Kind::List(_)
        | Kind::Mapping(_)
        | Kind::Spoiled => match (example, words.as_slice()) {
            (Some(example), _) => format!("write for example `{example}`"),
            (None, []) => "write that instead".to_owned(),
            (None, _) => "write one of these words".to_owned(),
        },
    };
    match came {
        Kind::Null => format!("{remedy}, or remove the key"),
        Kind::Bool(_)
        | Kind::Number(_)
        | Kind::Text(_)
        | Kind::Loose(_)
        | Kind::List(_)
        | Kind::Mapping(_)
        | Kind::Spoiled => remedy,
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn alternatives(all: &[String]) -> String {
    match all {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// The key of a mapping that has exactly one.
pub(super) fn sole_key(schema: &Value) -> Option<&str> {
    let mut keys = schema.get("properties")?.as_object()?.keys();
    let first = keys.next()?;
    keys.next().is_none().then_some(first.as_str())
}

/// An example as it is written in YAML; JSON is YAML.
pub(super) fn written(example: &Value) -> String {
    let is_plain = |text: &str| {
        text.starts_with(|first: char| first.is_alphanumeric() || first == '/')
            && !text.contains(['{', '[', '|', '#'])
    };
    match example.as_str() {
        Some(text) if is_plain(text) => text.to_owned(),
        Some(text) => format!("'{text}'"),
        None => example.to_string(),
    }
}

fn one(schema: &Value) -> String {
    if let Some(format) = format(schema) {
        return format!("{} such as `{}`", format.expected(), format.example());
    }
    let bound = |keyword: &str| schema.get(keyword).map(Value::to_string);
    let number = match kind_of(schema) {
        "string" if schema.get("minLength").is_some() => {
            return "a text that is not empty".to_owned();
        }
        "string" => return "a text".to_owned(),
        "boolean" => return "`true` or `false`".to_owned(),
        "array" if schema.get("minItems").is_some() => {
            return "a list that is not empty".to_owned();
        }
        "array" => return "a list".to_owned(),
        "object" => return "a mapping".to_owned(),
        "integer" => "a whole number",
        "number" => "a number",
        _ => return "a value".to_owned(),
    };
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!("{number} from {least} to {most}"),
        (Some(least), None) => format!("{number}, at least {least}"),
        (None, Some(most)) => format!("{number}, at most {most}"),
        (None, None) => number.to_owned(),
    }
}
