//! What the headers of an answer say of time: how old it is, how long it is good for, when to ask
//! again.

use crate::user::directory::Lifetime;
use ::http::header::{AGE, CACHE_CONTROL, DATE, ETAG, HeaderMap, HeaderName, RETRY_AFTER};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use std::time::Duration;

/// The longest time that is understood (RFC 9111 1.2.2).
const LONGEST: u64 = 1 << 31;

/// The longest pause that is granted.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// The longest validator that is kept, in bytes.
const LONGEST_ETAG: usize = 256;

/// How long an answer is good for: `Age` and `Cache-Control` (RFC 9111 5.1, 5.2.2).
///
/// What says that an answer must be asked for again each time, or says something else than a number
/// of seconds, makes it fresh for no time at all.
pub(super) fn lifetime(headers: &HeaderMap) -> Lifetime {
    let mut lifetime = Lifetime {
        age: first(headers, &AGE)
            .and_then(seconds)
            .unwrap_or(Duration::ZERO),
        ..Lifetime::default()
    };
    for line in headers.get_all(CACHE_CONTROL) {
        let Ok(line) = line.to_str() else {
            lifetime.shorten(Duration::ZERO);
            continue;
        };
        for directive in line.split(',') {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "max-age" => {
                    let value = value.trim().trim_matches('"');
                    lifetime.shorten(seconds(value).unwrap_or(Duration::ZERO));
                }
                "no-cache" | "no-store" => {
                    lifetime.shorten(Duration::ZERO);
                    lifetime.revalidate = true;
                }
                "must-revalidate" => lifetime.revalidate = true,
                _ => {}
            }
        }
    }
    lifetime
}

impl Lifetime {
    fn shorten(&mut self, to: Duration) {
        self.fresh = Some(self.fresh.map_or(to, |fresh| fresh.min(to)));
    }
}

/// The validator, if it is one (RFC 9110 8.8.3).
pub(super) fn etag(headers: &HeaderMap) -> Option<Box<str>> {
    let mut values = headers.get_all(ETAG).iter();
    let (tag, None) = (values.next()?.to_str().ok()?, values.next()) else {
        return None;
    };
    let opaque = tag.strip_prefix("W/").unwrap_or(tag);
    let inner = opaque.strip_prefix('"')?.strip_suffix('"')?;
    let well_formed = tag.len() <= LONGEST_ETAG
        && inner
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"');
    well_formed.then(|| tag.into())
}

/// `Retry-After` in seconds or as a date (RFC 9110 10.2.3), at most an hour.
///
/// A date is held against the answer's own `Date`; without one, it says nothing.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = first(headers, &RETRY_AFTER)?;
    let pause = match seconds(value) {
        Some(pause) => pause,
        None => until(date(value)?, date(first(headers, &DATE)?)?),
    };
    Some(pause.min(LONGEST_PAUSE))
}

/// What time it was at the directory when the answer came: `Date`, and `Age` later.
pub(in crate::user::directory) fn now(headers: &HeaderMap) -> Option<Timestamp> {
    let made = date(first(headers, &DATE)?)?;
    let age = first(headers, &AGE).and_then(seconds).unwrap_or_default();
    made.checked_add(age).ok()
}

fn first<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Duration::from_secs(text.parse().unwrap_or(LONGEST).min(LONGEST)))
}

/// An IMF-fixdate (RFC 9110 5.6.7): RFC 5322 at its full length, in GMT.
fn date(text: &str) -> Option<Timestamp> {
    let fixed = text.len() == "Sun, 06 Nov 1994 08:49:37 GMT".len() && text.ends_with(" GMT");
    fixed
        .then(|| DateTimeParser::new().parse_timestamp(text).ok())
        .flatten()
}

fn until(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let lines = lines.iter().map(|&(name, value)| {
            let name = HeaderName::from_static(name);
            (name, value.parse().unwrap())
        });
        let mut map = HeaderMap::new();
        lines.for_each(|(name, value)| {
            map.append(name, value);
        });
        map
    }

    #[test]
    fn an_answer_is_good_for_as_long_as_its_headers_say_and_no_longer() {
        let rows: &[(&[&str], Option<u64>, bool)] = &[
            (&[], None, false),
            (&["public"], None, false),
            (&["max-age=30"], Some(30), false),
            (&["Max-Age=\"30\""], Some(30), false),
            (&["max-age=30, max-age=20"], Some(20), false),
            (&["max-age=30", "max-age=20"], Some(20), false),
            (&["max-age=99999999999999999999"], Some(LONGEST), false),
            (&["max-age=-1"], Some(0), false),
            (&["max-age=soon"], Some(0), false),
            (&["max-age"], Some(0), false),
            (&["no-cache"], Some(0), true),
            (&["private, No-Store, max-age=60"], Some(0), true),
            (&["max-age=60, must-revalidate"], Some(60), true),
            (&["s-maxage=60, x-max-age=1"], None, false),
        ];
        for (lines, fresh, revalidate) in rows {
            let lines: Vec<_> = lines.iter().map(|line| ("cache-control", *line)).collect();
            let told = lifetime(&headers(&lines));
            let fresh = fresh.map(Duration::from_secs);
            assert_eq!(
                (told.fresh, told.revalidate),
                (fresh, *revalidate),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn an_age_is_a_number_of_seconds() {
        for (text, expected) in [("7", 7), ("0", 0), ("-1", 0), ("x", 0), ("1.5", 0)] {
            let told = lifetime(&headers(&[("age", text)]));
            assert_eq!(told.age, Duration::from_secs(expected), "{text}");
        }
    }

    #[test]
    fn a_validator_is_one_quoted_text() {
        for text in ["\"a\"", "W/\"a-1\"", "\"\""] {
            assert_eq!(etag(&headers(&[("etag", text)])).as_deref(), Some(text));
        }
        for text in ["a", "\"a", "w/\"a\"", "\"a\"b\"", "\"a b\""] {
            assert_eq!(etag(&headers(&[("etag", text)])), None, "{text}");
        }
        let two = headers(&[("etag", "\"a\""), ("etag", "\"b\"")]);
        assert_eq!(etag(&two), None);
        let mut long = HeaderMap::new();
        long.insert(ETAG, format!("\"{}\"", "x".repeat(255)).parse().unwrap());
        assert_eq!(etag(&long), None);
    }

    #[test]
    fn a_pause_is_told_in_seconds_or_as_a_date_that_the_answers_own_date_makes_a_length() {
        const DATE: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (text, expected) in [
            ("7", Some(7)),
            ("86400", Some(3600)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", Some(0)),
            ("Mon, 06 Nov 2094 08:49:37 GMT", None),
            ("Sat, 06 Nov 2094 08:49:37 GMT", Some(3600)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 09:50:07 +0100", None),
            ("soon", None),
            ("-1", None),
        ] {
            let told = retry_after(&headers(&[DATE, ("retry-after", text)]));
            assert_eq!(told, expected.map(Duration::from_secs), "{text}");
        }
        let undated = headers(&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")]);
        assert_eq!(retry_after(&undated), None);
    }
}
