//! What is read in a JSON record, wherever it came from.

use crate::user::directory::{Pointer, Reason};
use crate::user::record::Attribute;
use serde_json::Value;
use std::collections::BTreeMap;

/// A body that is a JSON object.
pub(in crate::user::directory) fn object(body: &[u8]) -> Result<Value, Reason> {
    match serde_json::from_slice(body) {
        Ok(object @ Value::Object(_)) => Ok(object),
        Ok(_) | Err(_) => Err(Reason::MalformedAnswer),
    }
}

/// The value at a pointer; JSON's null is no value.
pub(in crate::user::directory) fn at<'b>(body: &'b Value, pointer: &Pointer) -> Option<&'b Value> {
    body.pointer(pointer.as_str())
        .filter(|value| !value.is_null())
}

/// A name: a text that is not empty, or an integer.
pub(in crate::user::directory) fn name(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_u64() || number.is_i64() => Some(number.to_string()),
        Value::String(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    }
}

/// A text, a number or a truth value, as text.
pub(in crate::user::directory) fn scalar(value: &Value) -> Result<String, Reason> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(Reason::MalformedAnswer),
    }
}

/// A list of texts.
pub(in crate::user::directory) fn texts(value: &Value) -> Result<Box<[Box<str>]>, Reason> {
    let items = value.as_array().ok_or(Reason::MalformedAnswer)?;
    items
        .iter()
        .map(|item| item.as_str().map(Box::from).ok_or(Reason::MalformedAnswer))
        .collect()
}

/// The configured attributes that the record has; an empty text or list is as good as none.
pub(in crate::user::directory) fn attributes(
    body: &Value,
    wanted: &BTreeMap<String, Pointer>,
) -> Result<Box<[Attribute]>, Reason> {
    let mut attributes = Vec::new();
    for (name, pointer) in wanted {
        let values = match at(body, pointer) {
            None => continue,
            Some(list @ Value::Array(_)) => texts(list)?,
            Some(value) => [scalar(value)?.into_boxed_str()].into(),
        };
        if values.iter().any(|value| !value.is_empty()) {
            attributes.push((name.as_str().into(), values));
        }
    }
    Ok(attributes.into())
}

/// The first required attribute that is not there.
pub(in crate::user::directory) fn lacking(
    attributes: &[Attribute],
    required: &[String],
) -> Option<Box<str>> {
    let lacks = required
        .iter()
        .find(|required| !attributes.iter().any(|(own, _)| **own == ***required));
    lacks.map(|name| name.as_str().into())
}
