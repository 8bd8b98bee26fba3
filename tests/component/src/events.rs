//! A reader of server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::io;

use serde_json::Value;
use vod_uploader_wire::{Lines, Request};

use crate::{edge::Edge, tus::Upload};

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its `id`.
    pub id: String,
    /// Its `event`.
    pub name: String,
    /// Its `data`.
    pub data: Value,
}

/// The event stream of an upload.
#[derive(Debug)]
pub struct Events(Lines);

impl Events {
    /// The events of an upload.
    ///
    /// # Panics
    /// If the response has no events.
    #[must_use]
    pub fn new(edge: &Edge, upload: &Upload) -> Self {
        Self::after(edge, upload, None)
    }

    /// The events of an upload after the one with this ID.
    ///
    /// # Panics
    /// If the response has no events.
    #[must_use]
    pub fn after(edge: &Edge, upload: &Upload, last_event_id: Option<&str>) -> Self {
        let path = format!("{}/events", upload.path);
        let last: Vec<_> = last_event_id.map(|id| ("last-event-id", id)).into_iter().collect();
        let exchange = edge.client().start(&Request::new("GET", &path).headers(&last));
        let lines = exchange.and_then(|exchange| exchange.lines());
        Self(lines.expect("an event stream"))
    }

    /// The next event; `None` after the last one.
    ///
    /// # Errors
    /// Returns an error if the response ends early, or nothing arrives within the timeout.
    ///
    /// # Panics
    /// If a line is malformed.
    pub fn next_event(&mut self) -> io::Result<Option<Event>> {
        let mut event = Event { id: String::new(), name: String::new(), data: Value::Null };
        while let Some(line) = self.0.next_line()? {
            let line = line.trim_end();
            match line.split_once(": ") {
                Some(("id", id)) => id.clone_into(&mut event.id),
                Some(("event", name)) => name.clone_into(&mut event.name),
                Some(("data", data)) => event.data = serde_json::from_str(data)?,
                Some(("retry" | "", _)) => {}
                None if line.is_empty() && event.name.is_empty() => {}
                None if line.is_empty() => return Ok(Some(event)),
                _ => panic!("malformed line: {line}"),
            }
        }
        Ok(None)
    }

    /// The next event of this name.
    ///
    /// # Panics
    /// If there is none.
    pub fn until(&mut self, name: &str) -> Event {
        loop {
            let event = self.next_event().expect("an event");
            let event = event.unwrap_or_else(|| panic!("the events end before {name}"));
            if event.name == name {
                return event;
            }
        }
    }

    /// The remaining events.
    ///
    /// # Panics
    /// If the stream is interrupted.
    #[must_use]
    pub fn rest(mut self) -> Vec<Event> {
        let next = || self.next_event().expect("a complete stream");
        std::iter::from_fn(next).collect()
    }
}
