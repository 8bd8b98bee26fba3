//! Connections, and exchanges on them: a connection becomes an exchange with each request, and
//! again a connection after the response.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::head::Head;
use crate::lines::Lines;
use crate::options::ClientOptions;
use crate::request::{Framing, Request};
use crate::response::Response;
use crate::socket::{connect, is_timeout, with_context};
use crate::transcript::Recorder;

/// A connection for one request after another.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
    options: ClientOptions,
}

impl Connection {
    pub(crate) fn open(options: &ClientOptions) -> io::Result<Self> {
        let stream = connect(&options.authority, options.timeout).map_err(|cause| {
            with_context(&cause, &format!("no connection to {}", options.authority))
        })?;
        Ok(Self { stream: BufReader::new(stream), options: options.clone() })
    }

    /// Sends the head of a request after which the connection stays open.
    ///
    /// # Errors
    /// Returns an error if the server closed the connection.
    pub fn start(mut self, request: &Request) -> io::Result<Exchange> {
        let recorder = self.options.record(request);
        let head = self.options.head(request);
        let written = self.stream.get_mut().write_all(head.as_bytes());
        written.map_err(|cause| with_context(&cause, &self.options.authority))?;
        Ok(Exchange::new(self, request, recorder))
    }

    fn reset_timeout(&self) -> io::Result<()> {
        self.stream.get_ref().set_read_timeout(Some(self.options.timeout))
    }
}

/// A request whose head was sent. Dropping it closes the connection.
#[derive(Debug)]
pub struct Exchange {
    connection: Connection,
    method: String,
    target: String,
    framing: Framing,
    trailers: Vec<(String, String)>,
    /// A write failed: the server accepts no more of the body.
    is_closed: bool,
    interim: Vec<Head>,
    recorder: Recorder,
}

impl Exchange {
    fn new(connection: Connection, request: &Request, recorder: Recorder) -> Self {
        Self {
            connection,
            method: request.method.clone(),
            target: request.target.clone(),
            framing: request.framing,
            trailers: request.trailers.clone(),
            is_closed: false,
            interim: Vec::new(),
            recorder,
        }
    }

    /// Sends a part of the body, as one chunk if the body is chunked. Returns false once the server
    /// accepts no more; its response contains the reason.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        if self.is_closed || bytes.is_empty() {
            return !self.is_closed;
        }
        self.recorder.sent(bytes.len());
        let written = match self.framing {
            Framing::Chunked => {
                let size = format!("{:x}\r\n", bytes.len());
                self.write(&[size.as_bytes(), bytes, b"\r\n"].concat())
            }
            Framing::None | Framing::Length(_) => self.write(bytes),
        };
        written.is_ok()
    }

    /// Ends a chunked body with its trailers.
    ///
    /// # Errors
    /// Returns an error if the server closed the connection.
    pub fn end_body(&mut self) -> io::Result<()> {
        if self.framing != Framing::Chunked || self.is_closed {
            return Ok(());
        }
        let trailers = self.trailers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let end = format!("0\r\n{}\r\n", trailers.collect::<String>());
        self.write(end.as_bytes())
    }

    /// Ends the body and reads the response.
    ///
    /// # Errors
    /// As [`Self::response`].
    pub fn finish(self) -> io::Result<Response> {
        self.finish_and_keep().map(|(response, _)| response)
    }

    /// Ends the body and reads the response. The connection can be reused for another request.
    ///
    /// # Errors
    /// As [`Self::response`].
    pub fn finish_and_keep(mut self) -> io::Result<(Response, Connection)> {
        // A server that rejects a body may respond and close before it has read the body.
        let _ = self.end_body();
        let response = self.read_response()?;
        Ok((response, self.connection))
    }

    /// Reads the response without ending the body.
    ///
    /// # Errors
    /// Returns an error if the connection ends before the response does, or nothing arrives within
    /// the client's timeout.
    pub fn response(mut self) -> io::Result<Response> {
        self.read_response()
    }

    /// Reads the head of a chunked response, whose body is then read line by line while this
    /// exchange continues to send.
    ///
    /// # Errors
    /// Returns an error if no head arrives, or it is not that of a chunked `200`.
    pub fn lines(&self) -> io::Result<Lines> {
        Lines::read(self.connection.stream.get_ref().try_clone()?, self.recorder.clone())
    }

    /// Waits until the server reads the body of a request with `Expect: 100-continue`: only then is
    /// it certain to precede requests on other connections. Returns after `limit` for a server
    /// that sends no `100`.
    pub fn await_continue(&mut self, limit: Duration) {
        while self.next_head(limit).is_ok_and(|head| head.status != 100) {}
    }

    /// The next head that arrives within `limit`, interim or final.
    ///
    /// # Errors
    /// Returns an error if none arrives.
    pub fn next_head(&mut self, limit: Duration) -> io::Result<Head> {
        self.connection.stream.get_ref().set_read_timeout(Some(limit))?;
        let head = Head::read(&mut self.connection.stream)?;
        if head.is_interim() {
            self.add_interim(head.clone());
        }
        Ok(head)
    }

    /// Returns true if the server ends the exchange within `limit`, by closing the connection or by
    /// a final response.
    pub fn ends_within(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let stream = self.connection.stream.get_ref();
            if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
                return false;
            }
            match self.connection.stream.fill_buf() {
                Ok([]) => return true,
                Ok(_) => match Head::read(&mut self.connection.stream) {
                    Ok(head) if head.is_interim() => self.add_interim(head),
                    _ => return true,
                },
                Err(cause) => return !is_timeout(&cause),
            }
        }
    }

    /// Ends the body too early, as an interruption does. Returns when the server has ended the
    /// exchange, or after a second. The sent bytes are delivered first: nothing is reset.
    pub fn interrupt(mut self) {
        let _ = self.connection.stream.get_ref().shutdown(Shutdown::Write);
        let _ = self.ends_within(INTERRUPTION_LIMIT);
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = self.connection.stream.get_mut().write_all(bytes);
        self.is_closed |= written.is_err();
        written
    }

    fn add_interim(&mut self, head: Head) {
        self.recorder.head(&head);
        self.interim.push(head);
    }

    fn read_response(&mut self) -> io::Result<Response> {
        self.connection.reset_timeout()?;
        let interim = std::mem::take(&mut self.interim);
        let recorded = interim.len();
        let response = Response::read(&self.method, &mut self.connection.stream, interim);
        let response = response.map_err(|cause| {
            let what = format!("no complete response to {} {}", self.method, self.target);
            let error = with_context(&cause, &what);
            self.recorder.failed(&error.to_string());
            error
        })?;
        let heads = response.interim.iter().skip(recorded).chain([&response.head]);
        heads.for_each(|head| self.recorder.head(head));
        self.recorder.body(&response.body);
        Ok(response)
    }
}

/// How long a server may take to detect that a body ended too early.
const INTERRUPTION_LIMIT: Duration = Duration::from_secs(1);
