//! Keys of an existing list of revocations, by template.

use crate::token::VerifiedToken;

/// The longest key that is asked for, in bytes.
const LONGEST: usize = 4096;

/// A key with places for what a token says, such as `blacklist:{jti}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// As it stands.
    Text(String),
    /// What the token says.
    Value(Value),
}

/// Why a template has no key for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unrendered {
    /// The token does not say what the template asks for: there is nothing to look up.
    #[error("the token does not have `{}`", .0.name())]
    Missing(Value),
    /// The key would be longer than 4 KiB: nobody can tell whether it is revoked.
    #[error("the key would be longer than 4 KiB")]
    TooLong,
}

macro_rules! values {
    ($($variant:ident $name:literal $doc:literal)*) => {
        /// What a template may name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Value {
            $(#[doc = $doc] $variant,)*
        }

        impl Value {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name between braces.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

values! {
    Jti "jti" "The claim `jti`."
    Sid "sid" "The claim `sid`."
    Sub "sub" "The claim `sub`, as it stands in the token."
    Subject "subject" "The subject, rewritten and normalized."
    Tenant "tenant" "The tenant of the request."
    Issuer "issuer" "The issuer's URL."
    Realm "realm" "The realm of the issuer."
}

impl Value {
    /// The value of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.name() == name)
    }
}

impl Template {
    /// Of these parts, at least one of which is a value: the key of no token in particular would
    /// revoke them all.
    pub fn new(parts: Vec<Part>) -> Option<Self> {
        let names_something = parts.iter().any(|part| matches!(part, Part::Value(_)));
        names_something.then_some(Self { parts })
    }

    /// Whether it has a place for this.
    pub fn has(&self, value: Value) -> bool {
        self.parts.contains(&Part::Value(value))
    }

    /// The key for a token, with a subject of its own or another one of its user.
    ///
    /// # Errors
    /// Where the token lacks something, and where the key would be too long.
    pub fn key(
        &self,
        token: &VerifiedToken,
        tenant: Option<&str>,
        subject: Option<&str>,
    ) -> Result<Vec<u8>, Unrendered> {
        let issuer = token.issuer().config();
        self.render(|value| match value {
            Value::Jti | Value::Sid | Value::Sub => token.claims().text(value.name()),
            Value::Subject => subject,
            Value::Tenant => tenant,
            Value::Issuer => Some(&issuer.issuer),
            Value::Realm => Some(&issuer.realm),
        })
    }

    /// A key of its form, which stands for no token.
    pub(super) fn sample(&self) -> Vec<u8> {
        self.render(|_| Some("sample")).unwrap_or_default()
    }

    /// The key, byte by byte as the values are: nothing in them has a meaning.
    fn render<'v>(
        &self,
        value_of: impl Fn(Value) -> Option<&'v str>,
    ) -> Result<Vec<u8>, Unrendered> {
        let mut key = Vec::new();
        for part in &self.parts {
            let text = match part {
                Part::Text(text) => text,
                Part::Value(value) => value_of(*value).ok_or(Unrendered::Missing(*value))?,
            };
            if text.len() > LONGEST.saturating_sub(key.len()) {
                return Err(Unrendered::TooLong);
            }
            key.extend_from_slice(text.as_bytes());
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> Template {
        let text = |text: &str| Part::Text(text.to_owned());
        let parts = vec![
            text("deny:"),
            Part::Value(Value::Tenant),
            text(":"),
            Part::Value(Value::Jti),
        ];
        Template::new(parts).unwrap()
    }

    fn rendered(tenant: Option<&str>, jti: Option<&str>) -> Result<Vec<u8>, Unrendered> {
        template().render(|value| match value {
            Value::Tenant => tenant,
            Value::Jti => jti,
            Value::Sid | Value::Sub | Value::Subject | Value::Issuer | Value::Realm => None,
        })
    }

    #[test]
    fn values_are_taken_as_they_are() {
        assert_eq!(
            rendered(Some("acme"), Some("t-1")).unwrap(),
            b"deny:acme:t-1"
        );
        let hostile = "{jti}\r\nDEL *\0é";
        let key = rendered(Some("acme"), Some(hostile)).unwrap();
        assert_eq!(key, ["deny:acme:", hostile].concat().into_bytes());
    }

    #[test]
    fn a_missing_value_leaves_no_key() {
        assert_eq!(
            rendered(None, Some("t-1")),
            Err(Unrendered::Missing(Value::Tenant))
        );
        assert_eq!(
            rendered(Some("acme"), None),
            Err(Unrendered::Missing(Value::Jti))
        );
    }

    #[test]
    fn a_key_that_is_too_long_is_told_from_a_missing_one() {
        let fits = LONGEST - "deny:acme:".len();
        assert_eq!(
            rendered(Some("acme"), Some(&"x".repeat(fits)))
                .unwrap()
                .len(),
            LONGEST
        );
        assert_eq!(
            rendered(Some("acme"), Some(&"x".repeat(fits + 1))),
            Err(Unrendered::TooLong)
        );
    }

    #[test]
    fn a_template_names_something_of_the_token() {
        assert_eq!(Template::new(vec![Part::Text("deny".to_owned())]), None);
        assert!(template().has(Value::Jti) && !template().has(Value::Sid));
    }
}
