//! Responses that are read line by line while they are sent.

use std::io::{self, BufReader};
use std::net::TcpStream;

use crate::head::{Head, malformed};
use crate::response::read_chunk;
use crate::transcript::Recorder;

/// The lines of a chunked response.
#[derive(Debug)]
pub struct Lines {
    reader: BufReader<TcpStream>,
    unread: Vec<u8>,
    recorder: Recorder,
}

impl Lines {
    /// Reads the head of the response.
    ///
    /// # Errors
    /// Returns an error if no head arrives, or it is not that of a chunked `200`.
    pub(crate) fn read(stream: TcpStream, recorder: Recorder) -> io::Result<Self> {
        let mut reader = BufReader::new(stream);
        let head = Head::read(&mut reader)?;
        if head.status != 200 || !head.is_chunked() {
            return Err(malformed(format!(
                "status {}, chunked {}",
                head.status,
                head.is_chunked()
            )));
        }
        recorder.head(&head);
        Ok(Self { reader, unread: Vec::new(), recorder })
    }

    /// The next line with its end; `None` after the last one.
    ///
    /// # Errors
    /// Returns an error if the connection ends before the body does, or nothing arrives within the
    /// client's timeout.
    pub fn next_line(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                self.recorder.body(&line);
                return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
            }
            if !read_chunk(&mut self.reader, &mut self.unread)? {
                return Ok(None);
            }
        }
    }
}
