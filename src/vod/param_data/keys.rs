//! The keys under `Vod`: the JSON types and the calls of each.

use serde_json::Value;

use crate::units::ByteCount;

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    Text(String),
    Bytes(ByteCount),
    Flag(bool),
}

/// The JSON types that a parameter may have.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    Text,
    /// A string or a number.
    Id,
    /// A comma-separated string or an array.
    List,
    Bytes,
    Flag,
    /// A string, or an object that is sent as its JSON text.
    UserData,
}

impl Form {
    pub(super) fn read(self, value: Value) -> Option<Parameter> {
        match (self, value) {
            (Self::Text | Self::Id | Self::List | Self::UserData, Value::String(text)) => {
                Some(Parameter::Text(text))
            }
            (Self::Id | Self::List, Value::Number(number)) => {
                number.as_u64().map(|id| Parameter::Text(id.to_string()))
            }
            (Self::List, Value::Array(values)) => {
                let texts: Option<Vec<String>> = values.into_iter().map(list_item).collect();
                texts.map(|texts| Parameter::Text(texts.join(",")))
            }
            (Self::UserData, object @ Value::Object(_)) => {
                Some(Parameter::Text(object.to_string()))
            }
            (Self::Bytes, Value::Number(number)) => {
                number.as_u64().map(|bytes| Parameter::Bytes(ByteCount(bytes)))
            }
            (Self::Bytes, Value::String(text)) => {
                text.trim().parse().ok().map(|bytes| Parameter::Bytes(ByteCount(bytes)))
            }
            (Self::Flag, Value::Bool(flag)) => Some(Parameter::Flag(flag)),
            (Self::Flag, Value::String(text)) => text.parse().ok().map(Parameter::Flag),
            _ => None,
        }
    }

    /// The expected types, for the error message.
    pub(super) const fn expected(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Id => "a string or a number",
            Self::List => "a string or an array of strings without commas",
            Self::Bytes => "a number of bytes",
            Self::Flag => "true or false",
            Self::UserData => "a string or an object",
        }
    }
}

fn list_item(value: Value) -> Option<String> {
    match value {
        Value::String(text) if !text.contains(',') => Some(text),
        Value::Number(number) => number.as_u64().map(|id| id.to_string()),
        _ => None,
    }
}

/// The calls that have a key: one bit each.
pub(super) const VIDEO: u8 = 1;
pub(super) const IMAGE: u8 = 2;
pub(super) const ATTACHED: u8 = 4;
const ALL: u8 = VIDEO | IMAGE | ATTACHED;

pub(super) const KEYS: &[(&str, Form, u8)] = &[
    ("Title", Form::Text, ALL),
    ("Description", Form::Text, ALL),
    ("Tags", Form::List, ALL),
    ("StorageLocation", Form::Text, ALL),
    ("UserData", Form::UserData, ALL),
    ("AppId", Form::Text, ALL),
    ("FileName", Form::Text, VIDEO | ATTACHED),
    ("FileSize", Form::Bytes, VIDEO | ATTACHED),
    ("CateId", Form::Id, VIDEO | IMAGE),
    ("CateIds", Form::List, ATTACHED),
    ("CoverURL", Form::Text, VIDEO),
    ("TemplateGroupId", Form::Text, VIDEO),
    ("WorkflowId", Form::Text, VIDEO),
    ("TransCodeMode", Form::Text, VIDEO),
    ("ReferenceId", Form::Text, VIDEO),
    ("EnableFirstFrameCover", Form::Flag, VIDEO),
    ("GenerateThumbnail", Form::Flag, VIDEO),
    ("ImageType", Form::Text, IMAGE),
    ("ImageExt", Form::Text, IMAGE),
    ("OriginalFileName", Form::Text, IMAGE),
    ("BusinessType", Form::Text, ATTACHED),
    ("MediaExt", Form::Text, ATTACHED),
];
