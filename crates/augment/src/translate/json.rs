//! Calls from JSON: what albumentations writes with `A.save`, and an object of `ImageDataGenerator`'s arguments.

use serde_json::{Map, Value as Json};

use super::TranslateError;
use super::call::{Argument, Call, Position, Value};

/// The key under which albumentations keeps a transform's name.
const CLASS_NAME: &str = "__class_fullname__";

/// The call that a JSON text holds: a transform of albumentations, or else the arguments of `ImageDataGenerator`.
pub(super) fn read_call(text: &str) -> Result<Call, TranslateError> {
    let json: Json = serde_json::from_str(text).map_err(|error| TranslateError::Json {
        message: strip_place(&error.to_string()).to_string(),
        position: Position { line: error.line(), column: error.column() },
    })?;
    let Json::Object(mut object) = json else {
        return Err(TranslateError::NotAnObject);
    };
    // `A.save` wraps the transform together with the version that wrote it.
    match object.remove("transform") {
        Some(Json::Object(inner)) => Ok(call(inner)),
        Some(other) => {
            object.insert("transform".to_string(), other);
            Ok(call(object))
        }
        None => Ok(call(object)),
    }
}

fn call(mut object: Map<String, Json>) -> Call {
    let name = match object.remove(CLASS_NAME) {
        Some(Json::String(name)) => name,
        _ => "ImageDataGenerator".to_string(),
    };
    let argument = |(name, json)| Argument { name: Some(name), value: value(json), position: None };
    Call { name, arguments: object.into_iter().map(argument).collect(), position: None }
}

fn value(json: Json) -> Value {
    match json {
        Json::Null => Value::None,
        Json::Bool(truth) => Value::Bool(truth),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Value::Integer(integer),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::Text(text),
        Json::Array(values) => Value::Sequence(values.into_iter().map(value).collect()),
        Json::Object(object) if object.contains_key(CLASS_NAME) => Value::Call(call(object)),
        Json::Object(object) => Value::Dictionary(object.into_iter().map(|(key, json)| (key, value(json))).collect()),
    }
}

/// The message of `serde_json` without the place that it ends with.
fn strip_place(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_pipeline_is_a_call_with_calls_in_it() {
        let text = r#"{"__version__": "1.4.0", "transform": {"__class_fullname__": "Compose", "p": 1.0, "transforms": [
            {"__class_fullname__": "albumentations.HorizontalFlip", "p": 0.5}], "bbox_params": null}}"#;
        let call = read_call(text).unwrap();
        assert_eq!(call.name, "Compose");
        let arguments = call.bind(&["transforms", "p", "bbox_params"]).unwrap();
        assert_eq!(arguments.number("p", 0.0).unwrap(), 1.0);
        assert_eq!(arguments.value("bbox_params"), None);
        let Some(Value::Sequence(transforms)) = arguments.value("transforms") else { panic!("a sequence") };
        assert!(matches!(&transforms[..], [Value::Call(flip)] if flip.short_name() == "HorizontalFlip"));
    }

    #[test]
    fn a_plain_object_is_a_generators_arguments() {
        let call = read_call(r#"{"rotation_range": 40, "zoom_range": [0.8, 1.2]}"#).unwrap();
        assert_eq!(call.name, "ImageDataGenerator");
        assert_eq!(call.arguments[0].value, Value::Integer(40));
    }

    #[test]
    fn bad_json_is_an_error_with_its_place() {
        assert_eq!(read_call("{\n\"a\": }").unwrap_err().to_string(), "line 2, column 6: expected value");
        assert_eq!(read_call("[1]").unwrap_err(), TranslateError::NotAnObject);
        assert!(matches!(read_call(&"[".repeat(100_000)).unwrap_err(), TranslateError::Json { .. }));
    }
}
