//! Sends commands to the test app and reads its events. `apps/rust/src/lib.rs` has the protocol.

use std::collections::VecDeque;
use std::fmt;

use serde_json::{Value, json};
use vod_uploader_wire::{Client, Exchange, Framing, Lines, Request};

/// A connection to the test app. Dropping it drops the app's uploader.
#[derive(Debug)]
pub struct Conversation {
    commands: Exchange,
    lines: Lines,
    unread: VecDeque<Event>,
    /// The last line, for the message of a failure.
    last_line: String,
    /// The file and offset of each source whose reader was dropped.
    pub rejected: Vec<(u64, u64)>,
}

/// An event of the uploader, by the names of the bindings for Rust.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// For example `UploadStarted`.
    pub name: String,
    /// Its fields.
    pub payload: Value,
}

/// The error of a rejected call.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection(pub Value);

/// The result of a call.
pub type CallResult = Result<Value, Rejection>;

impl Conversation {
    /// Connects to the app of `client`.
    ///
    /// # Panics
    /// If the app does not respond.
    #[must_use]
    pub fn connect(client: &Client) -> Self {
        let commands = client
            .start(&Request::new("POST", "/").framing(Framing::Chunked))
            .expect("a connection");
        let lines = commands.lines().expect("a response");
        Self {
            commands,
            lines,
            unread: VecDeque::new(),
            last_line: String::new(),
            rejected: Vec::new(),
        }
    }

    /// Makes a call and returns its result.
    ///
    /// # Errors
    /// Returns an error if the uploader rejects it.
    ///
    /// # Panics
    /// If the app disconnects or does not support the call.
    pub fn call(&mut self, name: &str, mut arguments: Value) -> CallResult {
        arguments["call"] = json!(name);
        assert!(
            self.commands.send(format!("{arguments}\n").as_bytes()),
            "the app has disconnected"
        );
        loop {
            let mut line = self.line().expect("a line");
            if let Some(error) = line.get_mut("error").map(Value::take) {
                let own = error.get("code").is_none().then(|| error["message"].clone());
                assert_eq!(own, None, "{arguments}");
                return Err(Rejection(error));
            }
            match line.get_mut("ok") {
                Some(value) => return Ok(value.take()),
                None => self.store_line(line),
            }
        }
    }

    /// The next event; `None` at the end.
    ///
    /// # Panics
    /// If the app disconnects, or sends nothing for 90 s.
    pub fn event(&mut self) -> Option<Event> {
        loop {
            match self.unread.pop_front() {
                Some(event) if event.name.is_empty() => return None,
                Some(event) => return Some(event),
                None => {
                    let line = self.line().expect("the end of the events");
                    self.store_line(line);
                }
            }
        }
    }

    /// Closes the connection and waits for the end of the response.
    ///
    /// # Panics
    /// If the app ends the response early.
    pub fn end(mut self) {
        self.commands.end_body().expect("an open connection");
        while let Some(line) = self.line() {
            self.store_line(line);
        }
    }

    /// Stores a line that is not the result of a call.
    fn store_line(&mut self, mut line: Value) {
        if let Some(source) = line.get("source") {
            let number = |name: &str| source[name].as_u64().expect("a number");
            self.rejected.push((number("file"), number("refused_at")));
            return;
        }
        let event = match line.get_mut("event").map(Value::take) {
            Some(Value::Null) => Event { name: String::new(), payload: Value::Null },
            Some(Value::String(name)) => Event { name, payload: Value::Null },
            Some(Value::Object(mut tagged)) if tagged.len() == 1 => {
                let name = tagged.keys().next().cloned().unwrap_or_default();
                let payload = tagged.remove(&name).unwrap_or_default();
                Event { name, payload }
            }
            _ => panic!("unknown line {line}"),
        };
        self.unread.push_back(event);
    }

    fn line(&mut self) -> Option<Value> {
        let line = self.lines.next_line();
        let line = line.unwrap_or_else(|cause| panic!("{cause} after {:?}", self.last_line));
        line.map(|line| {
            self.last_line = line.chars().take(500).collect();
            serde_json::from_str(&line).expect("JSON")
        })
    }
}

impl Event {
    /// The ID of its file.
    #[must_use]
    pub fn file(&self) -> Option<u64> {
        self.payload["file"].as_u64().or_else(|| self.payload["id"].as_u64())
    }

    /// Returns true if it has this name and file.
    #[must_use]
    pub fn is(&self, name: &str, file: u64) -> bool {
        self.name == name && self.file() == Some(file)
    }

    /// The durable offset of `file`, if this is its progress.
    #[must_use]
    pub fn durable(&self, file: u64) -> Option<u64> {
        let durable = self.payload["progress"]["durable"].as_u64();
        durable.filter(|_| self.is("Progress", file))
    }

    /// The string in this field, if there is one.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.payload[field].as_str()
    }

    /// Its error.
    #[must_use]
    pub fn error(&self) -> Rejection {
        Rejection(self.payload["error"].clone())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.payload)
    }
}

impl Rejection {
    /// The error code, for example `FileUnknown`.
    #[must_use]
    pub fn code(&self) -> String {
        match &self.0["code"] {
            Value::String(code) => code.clone(),
            Value::Object(tagged) => tagged.keys().next().cloned().unwrap_or_default(),
            other => format!("no code but {other}"),
        }
    }

    /// The name of the invalid field; empty for other errors.
    #[must_use]
    pub fn field(&self) -> &str {
        self.0["code"]["FieldInvalid"]["name"].as_str().unwrap_or_default()
    }
}
