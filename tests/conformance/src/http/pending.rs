//! A request whose connection is still open.

use std::cell::RefCell;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpStream};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::exchange::Exchange;
use super::response::{Head, Response};
use crate::case::Stop;

/// A request that was sent, whole or in part. Dropping it closes the connection.
#[derive(Debug)]
pub struct Pending {
    stream: BufReader<TcpStream>,
    method: String,
    /// What of the body was not sent yet.
    later: Vec<u8>,
    interim: Vec<Head>,
    exchanges: Rc<RefCell<Vec<Exchange>>>,
    index: usize,
}

impl Pending {
    pub(super) fn new(
        stream: TcpStream,
        method: String,
        later: Vec<u8>,
        exchanges: Rc<RefCell<Vec<Exchange>>>,
        index: usize,
    ) -> Self {
        let stream = BufReader::new(stream);
        Self { stream, method, later, interim: Vec::new(), exchanges, index }
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// No whole answer comes in time.
    pub fn answer(mut self) -> Result<Response, Stop> {
        let interim = std::mem::take(&mut self.interim);
        let answer = Response::read(&self.method, &mut self.stream, interim);
        let mut exchanges = self.exchanges.borrow_mut();
        let exchange = exchanges.get_mut(self.index);
        match answer {
            Ok(response) => {
                if let Some(exchange) = exchange {
                    exchange.answered(&response);
                }
                Ok(response)
            }
            Err(cause) => {
                let reason = reason(&cause);
                if let Some(exchange) = exchange {
                    exchange.broke_off(&reason);
                }
                Err(Stop::failed(format!("expected an answer to {}: {reason}", self.method)))
            }
        }
    }

    /// Waits until the server is at the body of a request with `Expect: 100-continue`: only then is
    /// it certain to come before what is sent on other connections. A server that sends no 100
    /// within this time is believed to be there.
    pub fn await_continue(&mut self, limit: Duration) {
        while self.next_head_within(limit).is_ok_and(|head| head.status != 100) {}
    }

    /// Sends this many more bytes of the body.
    pub fn send_more(&mut self, bytes: usize) {
        let rest = self.later.split_off(bytes.min(self.later.len()));
        self.send_rest();
        self.later = rest;
    }

    /// Sends what is left of the body. Nothing is said when the server has hung up: what it then
    /// holds is to be asked for.
    pub fn send_rest(&mut self) {
        let later = std::mem::take(&mut self.later);
        let _ = self.stream.get_mut().write_all(&later);
    }

    /// Ends the body too early, as an interruption does, and returns when the server has taken
    /// note or after a while. What was sent is received first: nothing is reset.
    pub fn cut(mut self) {
        let _ = self.stream.get_mut().shutdown(Shutdown::Write);
        let _ = self.ends_within(CUT_LIMIT);
    }

    /// The next head that arrives within this time, interim or final.
    ///
    /// # Errors
    /// None arrives.
    pub fn next_head_within(&mut self, limit: Duration) -> io::Result<Head> {
        self.stream.get_mut().set_read_timeout(Some(limit))?;
        let head = Head::read(&mut self.stream)?;
        if head.status < 200 {
            self.interim.push(head.clone());
        }
        Ok(head)
    }

    /// Whether the server ends the request within this time, by closing the connection or by a
    /// final answer.
    pub fn ends_within(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stream.get_mut().set_read_timeout(Some(left)).is_err() {
                return false;
            }
            match self.stream.fill_buf() {
                Ok([]) => return true,
                Ok(_) => match Head::read(&mut self.stream) {
                    Ok(head) if head.status < 200 => self.interim.push(head),
                    _ => return true,
                },
                Err(cause) if is_timeout(&cause) => return false,
                Err(_) => return true,
            }
        }
    }
}

fn reason(cause: &io::Error) -> String {
    if is_timeout(cause) {
        return "none came in time".to_owned();
    }
    match cause.kind() {
        io::ErrorKind::UnexpectedEof => "the connection was closed without one".to_owned(),
        _ => cause.to_string(),
    }
}

fn is_timeout(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// How long a server may take to notice that a body ended too early.
const CUT_LIMIT: Duration = Duration::from_secs(1);
