//! Small texts that a pattern matches.

use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind, Repetition};

/// The most samples of one part of a pattern.
const MOST: usize = 32;

/// The longest sample, in bytes.
const LONGEST: usize = 128;

/// What a class is tried with, where it has it.
const CHARS: [char; 6] = ['1', 'a', 'A', '-', '|', ':'];

/// Texts that the pattern is likely to match, whatever it looks around for; where it takes any text
/// of some class, those of `seeds` that are of it.
pub(super) fn of(pattern: &str, seeds: &[String]) -> Vec<String> {
    match regex_syntax::parse(pattern) {
        Ok(hir) => samples(&hir, seeds),
        Err(_) => Vec::new(),
    }
}

fn samples(hir: &Hir, seeds: &[String]) -> Vec<String> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![String::new()],
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) if text.len() <= LONGEST => vec![text.to_owned()],
            Ok(_) | Err(_) => Vec::new(),
        },
        HirKind::Class(class) => CHARS
            .into_iter()
            .filter(|character| has(class, *character))
            .take(3)
            .map(String::from)
            .chain(first(class).map(String::from))
            .take(3)
            .collect(),
        HirKind::Repetition(repetition) => thinned(repeated(repetition, seeds)),
        HirKind::Capture(capture) => samples(&capture.sub, seeds),
        HirKind::Concat(parts) => {
            let mut texts = vec![String::new()];
            for part in parts {
                let next = samples(part, seeds);
                let joined = texts
                    .iter()
                    .flat_map(|text| next.iter().map(move |part| format!("{text}{part}")));
                texts = thinned(joined.filter(|text| text.len() <= LONGEST).collect());
            }
            texts
        }
        HirKind::Alternation(branches) => {
            // Each branch has its share, so that none is thinned out.
            let share = (MOST / branches.len().max(1)).max(1);
            let all = branches.iter().flat_map(|branch| {
                let mut texts = samples(branch, seeds);
                texts.truncate(share);
                texts
            });
            thinned(all.collect())
        }
    }
}

fn repeated(repetition: &Repetition, seeds: &[String]) -> Vec<String> {
    let Repetition { min, max, sub, .. } = repetition;
    let fits = |times: usize| {
        let least = usize::try_from(*min).unwrap_or(usize::MAX);
        let most = max.map(|max| usize::try_from(max).unwrap_or(usize::MAX));
        least <= times && most.is_none_or(|most| times <= most)
    };
    let mut texts = Vec::new();
    if let HirKind::Class(class) = sub.kind() {
        let of_class = |seed: &&String| {
            fits(seed.chars().count()) && seed.chars().all(|character| has(class, character))
        };
        texts.extend(seeds.iter().filter(of_class).cloned());
    }
    let once = samples(sub, seeds);
    let least = usize::try_from(*min).unwrap_or(usize::MAX);
    for times in [0, 1, least, least.saturating_add(1)] {
        let short = |text: &&String| text.len().saturating_mul(times) <= LONGEST;
        if fits(times) && times <= LONGEST {
            texts.extend(once.iter().filter(short).map(|text| text.repeat(times)));
        }
    }
    texts
}

/// At most [`MOST`] different ones, from all over the list.
fn thinned(texts: Vec<String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for text in texts {
        if !distinct.contains(&text) {
            distinct.push(text);
        }
    }
    let step = distinct.len().div_ceil(MOST).max(1);
    distinct.into_iter().step_by(step).collect()
}

fn has(class: &Class, character: char) -> bool {
    match class {
        Class::Unicode(class) => class
            .iter()
            .any(|range| (range.start()..=range.end()).contains(&character)),
        Class::Bytes(class) => u8::try_from(character).is_ok_and(|byte| {
            byte.is_ascii()
                && class
                    .iter()
                    .any(|range| (range.start()..=range.end()).contains(&byte))
        }),
    }
}

/// The first character of a class, where it is one that people see.
fn first(class: &Class) -> Option<char> {
    let first = match class {
        Class::Unicode(class) => class.iter().next().map(ClassUnicodeRange::start),
        Class::Bytes(class) => class.iter().next().map(|range| char::from(range.start())),
    };
    first.filter(|character| !character.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    #[test]
    fn samples_are_what_the_pattern_matches() {
        let seeds = ["1", "a", "a@b.example"].map(str::to_owned);
        for pattern in [
            r"^auth0\|(.+)$",
            r"^(auth0|google-oauth2)\|([^|]+)$",
            r"^(?<kind>[a-z]+):(\d{3,})$",
            r"^\p{Greek}?x*y{2}$",
            r"(?i)^u-[0-9a-f]{8}$",
            "",
        ] {
            let Ok(regex) = Regex::new(pattern) else {
                continue;
            };
            let texts = of(pattern, &seeds);
            assert!(!texts.is_empty(), "{pattern}");
            for text in texts {
                assert!(regex.is_match(&text), "{pattern}: {text:?}");
            }
        }
    }

    #[test]
    fn a_wide_pattern_has_few_and_short_ones() {
        let wide = "[a-z]?".repeat(500);
        let nested = "((a{90}){90}){90}";
        for pattern in [wide.as_str(), nested, "(a|b|c|d|e|f|g){0,9}x{4000000000}"] {
            let texts = of(pattern, &[]);
            assert!(texts.len() <= MOST, "{pattern}");
            assert!(texts.iter().all(|text| text.len() <= LONGEST), "{pattern}");
        }
    }
}
