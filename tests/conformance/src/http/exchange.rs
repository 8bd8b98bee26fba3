//! What was sent and received, as it is shown.

use std::fmt;

use super::response::{Head, Response};

/// One request with what came back.
#[derive(Clone, Debug)]
pub struct Exchange {
    request: Vec<String>,
    body_bytes: usize,
    answer: Vec<String>,
}

impl Exchange {
    /// An exchange that has begun: `lines` as they are shown, and how much of the body was sent.
    pub(super) fn new(lines: Vec<String>, body_bytes: usize) -> Self {
        let answer = vec!["(no answer was waited for)".to_owned()];
        Self { request: lines, body_bytes, answer }
    }

    pub(super) fn answered(&mut self, response: &Response) {
        self.answer = response.interim.iter().chain([&response.head]).flat_map(shown).collect();
        if !response.body.is_empty() {
            self.answer.push(format!("({} bytes of content)", response.body.len()));
        }
    }

    pub(super) fn broke_off(&mut self, reason: &str) {
        self.answer = vec![format!("(no whole answer: {reason})")];
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.request {
            writeln!(f, "> {line}")?;
        }
        if self.body_bytes > 0 {
            writeln!(f, "> ({} bytes of content)", self.body_bytes)?;
        }
        for line in &self.answer {
            writeln!(f, "< {line}")?;
        }
        Ok(())
    }
}

fn shown(head: &Head) -> Vec<String> {
    let status_line = format!("HTTP/1.1 {} {}", head.status, head.reason).trim_end().to_owned();
    let fields = head.fields.iter().map(|(name, value)| format!("{name}: {value}"));
    std::iter::once(status_line).chain(fields).collect()
}
