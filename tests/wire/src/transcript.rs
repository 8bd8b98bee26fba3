//! The messages that clients sent and received.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::head::Head;

/// The exchanges of one or more clients, in order. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Transcript(Arc<Mutex<Vec<Record>>>);

/// One exchange. Its `Display` shows the heads, and the bodies by their sizes.
#[derive(Clone, Debug, Default)]
pub struct Record {
    request: Vec<String>,
    sent_bytes: u64,
    heads: Vec<Head>,
    body: Vec<u8>,
    error: Option<String>,
}

/// Writes to the record of one exchange, if the client has a transcript.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder(Option<(Transcript, usize)>);

impl Transcript {
    /// The exchanges so far.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.lock().clone()
    }

    /// Returns true if any response contains this text in a header or in its body.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        self.lock().iter().any(|record| record.contains(text))
    }

    /// Starts a record with these lines of the request.
    pub(crate) fn record(&self, request: Vec<String>) -> Recorder {
        let mut records = self.lock();
        records.push(Record { request, ..Record::default() });
        Recorder(Some((self.clone(), records.len() - 1)))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorder {
    pub(crate) fn sent(&self, bytes: usize) {
        self.change(|record| record.sent_bytes += bytes as u64);
    }

    pub(crate) fn head(&self, head: &Head) {
        self.change(|record| record.heads.push(head.clone()));
    }

    pub(crate) fn body(&self, bytes: &[u8]) {
        self.change(|record| record.body.extend_from_slice(bytes));
    }

    pub(crate) fn failed(&self, error: &str) {
        self.change(|record| record.error = Some(error.to_owned()));
    }

    fn change(&self, change: impl FnOnce(&mut Record)) {
        if let Some((transcript, index)) = &self.0 {
            transcript.lock().get_mut(*index).map(change);
        }
    }
}

impl Record {
    fn contains(&self, text: &str) -> bool {
        let headers = self.heads.iter().flat_map(|head| &head.headers);
        headers.into_iter().any(|(name, value)| name.contains(text) || value.contains(text))
            || contains(&self.body, text.as_bytes())
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.request {
            writeln!(f, "> {line}")?;
        }
        if self.sent_bytes > 0 {
            writeln!(f, "> ({} bytes of content)", self.sent_bytes)?;
        }
        for head in &self.heads {
            writeln!(f, "< {}", format!("HTTP/1.1 {} {}", head.status, head.reason).trim_end())?;
            for (name, value) in &head.headers {
                writeln!(f, "< {name}: {value}")?;
            }
        }
        if !self.body.is_empty() {
            writeln!(f, "< ({} bytes of content)", self.body.len())?;
        }
        match &self.error {
            Some(error) => writeln!(f, "< (no complete response: {error})"),
            None if self.heads.is_empty() => writeln!(f, "< (the response was not read)"),
            None => Ok(()),
        }
    }
}

/// Returns true if `needle` occurs in `haystack`.
#[must_use]
pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
