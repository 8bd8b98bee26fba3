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

/// The events of an upload as they come.
#[derive(Debug)]
pub struct Events(Lines);

impl Events {
    /// Follows an upload.
    ///
    /// # Panics
    /// If the worker answers with no events.
    #[must_use]
    pub fn of(edge: &Edge, upload: &Upload) -> Self {
        Self::after(edge, upload, None)
    }

    /// Follows an upload from the event after the one of this id.
    ///
    /// # Panics
    /// If the worker answers with no events.
    #[must_use]
    pub fn after(edge: &Edge, upload: &Upload, last_event_id: Option<&str>) -> Self {
        let path = format!("{}/events", upload.path);
        let last: Vec<_> = last_event_id.map(|id| ("last-event-id", id)).into_iter().collect();
        let exchange = edge.client().start(&Request::new("GET", &path).headers(&last));
        let lines = exchange.and_then(|exchange| exchange.lines());
        Self(lines.expect("the worker answers with events"))
    }

    /// The next event; `None` after the last one.
    ///
    /// # Errors
    /// Returns an error if the response ends early, or nothing arrives within the timeout.
    ///
    /// # Panics
    /// For a line that no event of the worker has.
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
                _ => panic!("no line of an event: {line}"),
            }
        }
        Ok(None)
    }

    /// The next event of this name.
    ///
    /// # Panics
    /// If none comes.
    pub fn until(&mut self, name: &str) -> Event {
        loop {
            let event = self.next_event().expect("the events go on");
            let event = event.unwrap_or_else(|| panic!("the events end before {name}"));
            if event.name == name {
                return event;
            }
        }
    }

    /// All that are left.
    ///
    /// # Panics
    /// If they break off.
    #[must_use]
    pub fn rest(mut self) -> Vec<Event> {
        let next = || self.next_event().expect("the events end well");
        std::iter::from_fn(next).collect()
    }
}
