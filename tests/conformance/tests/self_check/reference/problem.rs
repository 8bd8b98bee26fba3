//! Problems (RFC 9457).

use serde_json::{Value, json};

use super::wire::Response;

impl Response {
    /// A problem of a type that the draft defines, with further members.
    pub(crate) fn problem(self, name: &str, members: &[(&str, usize)]) -> Self {
        let mut problem = json!({
            "type": format!("https://iana.org/assignments/http-problem-types#{name}"),
            "title": name.replace('-', " "),
        });
        for (name, value) in members {
            problem[*name] = Value::from(*value);
        }
        self.body("application/problem+json", problem.to_string().into_bytes())
    }
}
