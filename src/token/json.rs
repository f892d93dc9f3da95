//! JSON read strictly: every member name stands once, at every depth.
//!
//! RFC 7515 4 and RFC 7519 4 let a reader refuse repeated names or take the last; to take one of two
//! tenants is to choose for an attacker, so they are refused. `serde_json` keeps the depth under 128,
//! refuses lone surrogates, numbers out of range, and anything behind the value.

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Reads one JSON object in UTF-8; the error tells what is wrong with it, never what it holds.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, NotAnObject> {
    match serde_json::from_slice::<Strict>(bytes) {
        Ok(Strict(Value::Object(map))) => Ok(map),
        Ok(Strict(_)) => Err(NotAnObject::OtherType),
        Err(error) if error.is_data() => Err(NotAnObject::RepeatedName),
        Err(_) => Err(NotAnObject::NotJson),
    }
}

/// Why bytes are not a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnObject {
    /// They are not JSON, not UTF-8, too deep, or have a number out of range.
    #[error("not JSON")]
    NotJson,
    /// A member name stands twice.
    #[error("a member name stands twice")]
    RepeatedName,
    /// They are another JSON value.
    #[error("not a JSON object")]
    OtherType,
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StrictSeed.deserialize(deserializer).map(Self)
    }
}

#[derive(Clone, Copy)]
struct StrictSeed;

impl<'de> DeserializeSeed<'de> for StrictSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictSeed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(self)?;
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("a member name stands twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jwt_05_the_payload_is_one_object_in_utf_8() {
        for bytes in [&b"[]"[..], b"\"x\"", b"1", b"null", b"true"] {
            assert_eq!(object(bytes), Err(NotAnObject::OtherType), "{bytes:?}");
        }
        for bytes in [
            &b""[..],
            b"{} ,",
            b"{}{}",
            b"\xef\xbb\xbf{}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":NaN}",
        ] {
            assert_eq!(object(bytes), Err(NotAnObject::NotJson), "{bytes:?}");
        }
        assert!(object(b" {\"a\":[1,2.5,-3,\"x\",null,true,{}]} ").is_ok());
    }

    #[test]
    fn jwt_06_a_repeated_name_is_refused_at_every_depth() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"{"a":[{"b":1,"\u0062":2}]}"#,
        ] {
            assert_eq!(
                object(text.as_bytes()),
                Err(NotAnObject::RepeatedName),
                "{text}"
            );
        }
    }

    #[test]
    fn jwt_14_depth_surrogates_and_range_are_bounded() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        assert_eq!(object(deep.as_bytes()), Err(NotAnObject::NotJson));
        assert_eq!(object(br#"{"a":"\ud800"}"#), Err(NotAnObject::NotJson));
        assert_eq!(object(br#"{"a":1e400}"#), Err(NotAnObject::NotJson));
    }
}
