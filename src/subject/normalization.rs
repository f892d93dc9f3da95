//! Bringing spellings together, and telling which way was needed.

use super::{Invalid, Normalization};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_canonical;

/// Which normalizations changed something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Kinds(u8);

impl Kinds {
    /// Those that are in the set.
    pub fn iter(self) -> impl Iterator<Item = Normalization> {
        Normalization::ALL
            .into_iter()
            .filter(move |kind| self.0 & kind.bit() != 0)
    }

    /// Whether nothing changed.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Normalization {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Trim, Self::Lowercase, Self::Nfc, Self::Uuid];

    /// The name in configuration and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trim => "trim",
            Self::Lowercase => "lowercase",
            Self::Nfc => "nfc",
            Self::Uuid => "uuid",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Trim => 1,
            Self::Lowercase => 2,
            Self::Nfc => 4,
            Self::Uuid => 8,
        }
    }
}

/// Applies normalizations in order.
pub(crate) fn apply(kinds: &[Normalization], text: String) -> Result<(String, Kinds), Invalid> {
    let mut changed = Kinds::default();
    let mut text = text;
    for kind in kinds {
        if let Some(next) = kind.applied(&text)? {
            changed.0 |= kind.bit();
            text = next;
        }
    }
    Ok((text, changed))
}

impl Normalization {
    /// What becomes of a text; `None` where nothing does, as mostly, and nothing is copied.
    fn applied(self, text: &str) -> Result<Option<String>, Invalid> {
        Ok(match self {
            Self::Trim => {
                let trimmed = text.trim_ascii();
                (trimmed.len() < text.len()).then(|| trimmed.to_owned())
            }
            Self::Lowercase => {
                let capital = text.bytes().any(|byte| byte.is_ascii_uppercase());
                capital.then(|| text.to_ascii_lowercase())
            }
            Self::Nfc if text.is_ascii() => None,
            Self::Nfc if text.chars().any(becomes_ascii) => return Err(Invalid::Confusable),
            Self::Nfc => Some(text.nfc().collect()).filter(|next: &String| next != text),
            Self::Uuid => uuid(text).filter(|next| next != text),
        })
    }
}

/// Whether a character is, canonically, an ASCII one: the Kelvin sign is a `K`, the Greek question
/// mark a `;`, and somebody's name with it would become somebody else's.
fn becomes_ascii(character: char) -> bool {
    let mut ascii = false;
    if !character.is_ascii() {
        let mut count = 0;
        decompose_canonical(character, |part| {
            count += 1;
            ascii = count == 1 && part.is_ascii();
        });
    }
    ascii
}

/// A UUID in any spelling (braces, `urn:uuid:`, upper case, no hyphens) as RFC 9562 4 writes it.
fn uuid(text: &str) -> Option<String> {
    let bare = match text.get(..9) {
        Some(prefix) if prefix.eq_ignore_ascii_case("urn:uuid:") => text.get(9..)?,
        Some(_) | None => text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .unwrap_or(text),
    };
    let bare_hex = bare.len() == 32 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !bare_hex && !is_hyphenated_uuid(bare) {
        return None;
    }
    let mut hex = bare.chars().filter(|character| *character != '-');
    let mut groups = Vec::with_capacity(5);
    for length in [8, 4, 4, 4, 12] {
        groups.push(
            hex.by_ref()
                .take(length)
                .collect::<String>()
                .to_ascii_lowercase(),
        );
    }
    Some(groups.join("-"))
}

/// Whether a text is a hyphenated UUID, in any case.
pub(super) fn is_hyphenated_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
