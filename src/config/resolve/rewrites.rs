//! Whether rewrite rules can make one subject of two.
//!
//! Small texts that the patterns match are rewritten as a token's subject is. Where two of them come
//! out as one, two users may: that can be meant, and is told. Normalization is there to bring
//! spellings together, so texts that differ in case or outer white space alone are not two.

mod samples;

use super::subject::groups;
use crate::config::report::At;
use crate::subject::{Format, Rewrite, Subject, Unmatched};
use crate::token::issuer::Config as Issuer;
use crate::yaml::shown;
use std::collections::{BTreeMap, BTreeSet};

/// The most texts that are tried in one realm.
const MOST: usize = 1000;

/// What a part of a subject may look like, for each form that subjects can be held to.
const SEEDS: [&str; 5] = [
    "1",
    "11",
    "a",
    "a@b.example",
    "00000000-0000-4000-8000-000000000001",
];

pub(super) fn check(at: &At<'_>, issuers: &[Option<Issuer>]) {
    let mut realms: BTreeMap<&str, Vec<(usize, &Issuer)>> = BTreeMap::new();
    for (index, issuer) in issuers.iter().enumerate() {
        let Some(issuer) = issuer else { continue };
        realms
            .entry(&issuer.realm)
            .or_default()
            .push((index, issuer));
    }
    for issuers in realms.values() {
        Realm { at, issuers }.check();
    }
}

/// Issuers whose subjects are one namespace.
struct Realm<'r> {
    at: &'r At<'r>,
    issuers: &'r [(usize, &'r Issuer)],
}

/// A way from a raw subject to a rewritten one; without a rule it is taken as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    issuer: usize,
    rule: Option<usize>,
}

impl Realm<'_> {
    fn check(&self) {
        let ways = self.ways();
        let mut gone = BTreeSet::new();
        let mut told = BTreeSet::new();
        for (to, came) in self.rewritten() {
            gone.extend(came.iter().map(|(way, _)| *way));
            for (index, one) in came.iter().enumerate() {
                for other in came.iter().take(index) {
                    // The later rule is the one that was added without a thought of the other.
                    let (late, early) = match (one.0.rule, other.0.rule) {
                        (None, _) => (other, one),
                        (Some(_), None) => (one, other),
                        (Some(_), Some(_)) => (one.max(other), one.min(other)),
                    };
                    if are_two(&late.1, &early.1) && told.insert((late.0, late.0 == early.0)) {
                        self.tell(late, early, &to);
                    }
                }
            }
        }
        // Of a rule for which no text was found only the form can be judged.
        for (index, (late, rule)) in ways.iter().enumerate() {
            let alike = ways.iter().take(index).find(|(early, other)| {
                (!gone.contains(late) || !gone.contains(early)) && shape(rule) == shape(other)
            });
            if let Some((early, _)) = alike
                && told.insert((*late, false))
            {
                self.tell_form(*late, *early);
            }
        }
    }

    fn ways(&self) -> Vec<(Way, &Rewrite)> {
        let rules = self.issuers.iter().flat_map(|(issuer, config)| {
            let rules = config.subject.rewrite.iter().enumerate();
            rules.map(|(rule, rewrite)| {
                let way = Way {
                    issuer: *issuer,
                    rule: Some(rule),
                };
                (way, rewrite)
            })
        });
        rules.collect()
    }

    /// Rewritten subjects that a token could have, the shortest first, each with raw ones from which
    /// it comes: at most two of every way.
    fn rewritten(&self) -> Vec<(String, Vec<(Way, String)>)> {
        let mut rewritten: BTreeMap<String, Vec<(Way, String)>> = BTreeMap::new();
        for raw in self.texts() {
            for (issuer, config) in self.issuers {
                let Some((rule, to)) = config.subject.rewritten(&raw) else {
                    continue;
                };
                if Subject::of(&config.subject, &raw).is_err() {
                    continue;
                }
                let way = Way {
                    issuer: *issuer,
                    rule,
                };
                let came = rewritten.entry(to).or_default();
                let mut same_way = came.iter().filter(|(other, _)| *other == way);
                let is_new = match (same_way.next(), same_way.next()) {
                    (None, _) => true,
                    (Some((_, other)), None) => are_two(other, &raw),
                    (Some(_), Some(_)) => false,
                };
                if is_new {
                    came.push((way, raw.clone()));
                }
            }
        }
        let mut rewritten: Vec<_> = rewritten.into_iter().collect();
        rewritten.sort_by_key(|(to, _)| to.len());
        rewritten
    }

    /// The texts that are tried, the shortest first; none where no issuer has a rule.
    fn texts(&self) -> Vec<String> {
        let mut seeds: Vec<_> = SEEDS.map(str::to_owned).to_vec();
        for (_, issuer) in self.issuers {
            if let Format::Pattern(format) = &issuer.subject.format {
                let formed = samples::of(format.as_str(), &seeds);
                seeds.extend(formed);
            }
        }
        let mut texts = BTreeSet::new();
        for (_, rule) in self.ways() {
            let pattern = rule.matches.as_str();
            for text in samples::of(pattern, &seeds) {
                // Where the pattern is not anchored, what stands around a match stays.
                texts.insert(format!("1{text}"));
                texts.insert(format!("{text}1"));
                texts.insert(text);
            }
        }
        // What one rule makes may be what another takes, or what passes as it is.
        let made: Vec<_> = texts
            .iter()
            .flat_map(|raw| {
                let issuers = self.issuers.iter();
                issuers.filter_map(|(_, issuer)| issuer.subject.rewritten(raw))
            })
            .map(|(_, made)| made)
            .collect();
        texts.extend(made);
        let mut texts: Vec<_> = texts.into_iter().collect();
        texts.sort_by_key(String::len);
        texts.truncate(MOST);
        texts
    }

    fn tell(&self, late: &(Way, String), early: &(Way, String), to: &str) {
        let ((way, raw), (other, other_raw)) = (late, early);
        // They are made up here, and hold no control characters: as long as they are, they are shown.
        let [raw, other_raw, to] = [raw.as_str(), other_raw, to].map(|text| format!("`{text}`"));
        let meaning = if way == other {
            format!(
                "two users can become one: it makes {to} of {other_raw} and of {raw}; keep in `to` \
                 what tells them apart, or narrow `match`"
            )
        } else {
            format!(
                "two users can become one: it makes {to} of {raw}, and {}; {}",
                self.other(*other, &other_raw, &to),
                REMEDY
            )
        };
        self.warn(*way, &meaning);
    }

    fn tell_form(&self, late: Way, early: Way) {
        let meaning = format!(
            "two users can become one: its `to` has the form of that of {}; {REMEDY}",
            place(early)
        );
        self.warn(late, &meaning);
    }

    /// What the other way does to the other subject.
    fn other(&self, way: Way, raw: &str, to: &str) -> String {
        if way.rule.is_some() {
            return format!("{} makes it of {raw}", place(way));
        }
        let mut sharers = self.issuers.iter();
        let passes = sharers.any(|(index, issuer)| {
            let subject = &issuer.subject;
            *index == way.issuer
                && !subject.rewrite.is_empty()
                && subject.unmatched == Unmatched::Pass
        });
        let why = if passes {
            "`unmatched: pass`"
        } else {
            "it has no rules"
        };
        format!("issuers/{} takes {to} as it is ({why})", way.issuer)
    }

    fn warn(&self, way: Way, meaning: &str) {
        let ways = self.ways();
        let rule = ways.iter().find(|(other, _)| *other == way);
        if let (Some(index), Some((_, rule))) = (way.rule, rule) {
            self.at
                .item(way.issuer)
                .key("subject")
                .key("rewrite")
                .item(index)
                .warn(&shown(rule.matches.as_str()), meaning);
        }
    }
}

const REMEDY: &str =
    "unless both are one person, put into `to` what tells them apart, such as the provider's name";

fn place(way: Way) -> String {
    match way.rule {
        Some(rule) => format!("issuers/{}/subject/rewrite/{rule}", way.issuer),
        None => format!("issuers/{}", way.issuer),
    }
}

/// Whether two raw subjects differ in more than what normalization is meant to bring together.
fn are_two(one: &str, other: &str) -> bool {
    !one.trim().eq_ignore_ascii_case(other.trim())
}

/// A replacement, whatever its groups are called.
fn shape(rule: &Rewrite) -> String {
    let mut names = groups(&rule.to);
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names.into_iter().fold(rule.to.clone(), |shape, name| {
        shape
            .replace(&format!("${{{name}}}"), "\0")
            .replace(&format!("${name}"), "\0")
    })
}
