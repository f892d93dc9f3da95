//! The JSON Schema of a type, as this project publishes it.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// The JSON Schema (draft 2020-12) of what may be written for a `T`.
///
/// An optional key is left out, never `null`: a `token_file:` whose value got lost must not pass for
/// no token.
pub fn schema<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12()
        .with_transform(WithoutNull)
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

#[derive(Clone, Debug)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(object) = schema.as_object_mut() {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(mut branches)) = object.remove("anyOf") {
                branches.retain(|branch| branch != &serde_json::json!({"type": "null"}));
                match branches.as_slice() {
                    [Value::Object(only)] => {
                        for (key, value) in only {
                            object.entry(key).or_insert_with(|| value.clone());
                        }
                    }
                    _ => {
                        object.insert("anyOf".to_owned(), Value::Array(branches));
                    }
                }
            }
            if object.get("default").is_some_and(Value::is_null) {
                object.remove("default");
            }
        }
        transform_subschemas(self, schema);
    }
}
