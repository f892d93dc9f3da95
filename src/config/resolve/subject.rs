//! The key `subject` of an issuer, and regular expressions.

use crate::config::document::{KnownFormat, Rewrite, Subject, SubjectFormat};
use crate::config::report::At;
use crate::subject::{Config, Format, Rewrite as Rule};
use crate::yaml::shown;
use regex::Regex;

pub(super) fn resolve(at: &At<'_>, subject: Subject) -> Option<Config> {
    let Subject {
        claim,
        normalize,
        format,
        reserved,
        rewrite,
        unmatched,
    } = subject;
    let format = match format {
        SubjectFormat::Known(KnownFormat::Any) => Some(Format::Any),
        SubjectFormat::Known(KnownFormat::Uuid) => Some(Format::Uuid),
        SubjectFormat::Known(KnownFormat::Integer) => Some(Format::Integer),
        SubjectFormat::Known(KnownFormat::Email) => Some(Format::Email),
        SubjectFormat::Pattern(pattern) => whole(&at.key("format"), &pattern).map(Format::Pattern),
    };
    let rewrite: Vec<_> = rewrite
        .into_iter()
        .enumerate()
        .map(|(index, rule)| resolve_rewrite(&at.key("rewrite").item(index), rule))
        .collect();
    Some(Config {
        claim,
        normalize: normalize.into_iter().map(Into::into).collect(),
        format: format?,
        reserved,
        rewrite: rewrite.into_iter().collect::<Option<_>>()?,
        unmatched: unmatched.into(),
    })
}

/// A regular expression that matches whole texts.
pub(super) fn whole(at: &At<'_>, pattern: &str) -> Option<Regex> {
    compiled(at, pattern)?;
    compiled(at, &format!(r"\A(?:{pattern})\z"))
}

fn compiled(at: &At<'_>, pattern: &str) -> Option<Regex> {
    match Regex::new(pattern) {
        Ok(regex) => Some(regex),
        Err(error) => {
            // The crate draws the pattern over several lines; the last one says what is wrong.
            let message = error.to_string();
            let reason = message.lines().last().unwrap_or_default();
            let reason = reason.trim_start_matches("error: ").to_owned();
            at.wrong(
                "a regular expression",
                format!("{} ({reason})", shown(pattern)),
                "correct it; see the syntax of the crate regex",
            );
            None
        }
    }
}

fn resolve_rewrite(at: &At<'_>, rule: Rewrite) -> Option<Rule> {
    let Rewrite { r#match, to } = rule;
    let matches = compiled(&at.key("match"), &r#match?);
    let to = to?;
    let matches = matches?;
    for group in groups(&to) {
        let exists = match group.parse::<usize>() {
            Ok(index) => index < matches.captures_len(),
            Err(_) => matches.capture_names().flatten().any(|name| name == group),
        };
        if !exists {
            at.key("to").wrong(
                "groups that `match` has",
                shown(&format!("${group}")),
                "write `$1` or `${name}`; `${1}` before letters and digits, `$$` for a dollar",
            );
            return None;
        }
    }
    Some(Rule { matches, to })
}

/// The groups that a replacement refers to, as the crate regex reads it.
pub(super) fn groups(to: &str) -> Vec<&str> {
    let mut groups = Vec::new();
    let mut rest = to;
    while let Some((_, after)) = rest.split_once('$') {
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
        } else if let Some((group, after)) =
            rest.strip_prefix('{').and_then(|rest| rest.split_once('}'))
        {
            groups.push(group);
            rest = after;
        } else {
            let end = rest
                .find(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
                .unwrap_or(rest.len());
            let (group, after) = rest.split_at(end);
            if !group.is_empty() {
                groups.push(group);
            }
            rest = after;
        }
    }
    groups
}
