//! The answer of a call that succeeded: a JSON object whose fields are taken out by name.

use serde_json::Value;

use super::error_reply;
use crate::error::{Error, ErrorKind, Result, StoreError};
use crate::oss::Reply;

/// The answer to the call `action`.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    action: &'a str,
    status: u16,
    fields: Value,
}

impl<'a> Answer<'a> {
    /// Reads a reply, or what was wrong with the call.
    pub(super) fn read(action: &'a str, reply: &Reply) -> Result<Self> {
        if !reply.is_success() {
            return Err(error_reply::read(reply).while_doing(action));
        }
        // A body that is not JSON lacks whatever is asked for, and is reported as such.
        let fields = serde_json::from_slice(&reply.body).unwrap_or_default();
        Ok(Self { action, status: reply.status, fields })
    }

    /// The id to quote to the vendor's support; empty where there was none.
    pub(super) fn request_id(&self) -> &str {
        self.text("RequestId").unwrap_or_default()
    }

    /// A text that is there and not empty.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        text_of(&self.fields, field)
    }

    /// A text without which the answer is of no use.
    pub(super) fn required(&self, field: &str) -> Result<&str> {
        self.text(field).ok_or_else(|| self.lacks(field))
    }

    /// The objects of a list without which the answer is of no use.
    pub(super) fn required_list(&self, field: &str) -> Result<&[Value]> {
        match self.fields.get(field) {
            Some(Value::Array(list)) => Ok(list),
            _ => Err(self.lacks(field)),
        }
    }

    /// A list of texts, empty where there is none.
    ///
    /// VOD's samples write such a list as an array, as the JSON text of an array, and as an array
    /// that holds such a text
    /// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-geturluploadinfos>).
    pub(super) fn texts(&self, field: &str) -> Vec<String> {
        let mut texts = Vec::new();
        collect_texts(self.fields.get(field).unwrap_or(&Value::Null), &mut texts);
        texts
    }

    /// The error for an answer without this field.
    pub(super) fn lacks(&self, field: &str) -> Error {
        let store = StoreError {
            status: self.status,
            request_id: self.request_id().to_owned(),
            ..StoreError::default()
        };
        let message = format!("{}: the reply lacks {field}", self.action);
        Error::new(ErrorKind::VodRejected, message).with_store(store)
    }
}

/// A text of an object that is there and not empty.
pub(super) fn text_of<'a>(object: &'a Value, field: &str) -> Option<&'a str> {
    object.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// A whole number of an object, which VOD writes as a text in some answers.
pub(super) fn number_of(object: &Value, field: &str) -> Option<u64> {
    match object.get(field)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn collect_texts(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect_texts(value, texts)),
        Value::String(text) if text.trim_start().starts_with('[') => {
            match serde_json::from_str::<Vec<String>>(text) {
                Ok(inner) => texts.extend(inner),
                Err(_) => texts.push(text.clone()),
            }
        }
        Value::String(text) if !text.is_empty() => texts.push(text.clone()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_read_in_every_form_that_vod_writes() {
        for list in [
            json!(["a", "b"]),
            json!("[\"a\", \"b\"]"),
            json!(["[\"a\", \"b\"]"]),
            json!(["a", "", "b", null]),
        ] {
            assert_eq!(answer(&json!({"NonExists": list})).texts("NonExists"), ["a", "b"]);
        }
        for list in [json!(null), json!(""), json!({}), json!(7), json!([])] {
            assert!(answer(&json!({"NonExists": list})).texts("NonExists").is_empty());
        }
        assert_eq!(answer(&json!({"NonExists": "[odd"})).texts("NonExists"), ["[odd"]);
    }

    #[test]
    fn a_number_may_be_a_text() {
        let object = json!({"A": "24", "B": 24, "C": "many", "D": -1, "E": null});
        let numbers = ["A", "B", "C", "D", "E", "F"].map(|field| number_of(&object, field));
        assert_eq!(numbers, [Some(24), Some(24), None, None, None, None]);
    }

    #[test]
    fn an_answer_that_lacks_something_keeps_its_request_id() {
        let answer = answer(&json!({"RequestId": "R", "Empty": "", "List": "none"}));
        for error in
            [answer.required("Empty").unwrap_err(), answer.required_list("List").unwrap_err()]
        {
            assert_eq!(error.kind(), ErrorKind::VodRejected);
            assert!(error.message().starts_with("Call: the reply lacks "), "{error}");
            assert_eq!(error.store().unwrap().request_id, "R");
        }
    }

    fn answer(fields: &Value) -> Answer<'static> {
        let body = fields.to_string().into_bytes();
        Answer::read("Call", &Reply { status: 200, headers: Vec::new(), body }).unwrap()
    }
}
