//! Sending requests.

use std::cell::RefCell;
use std::io::{self, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::rc::Rc;
use std::time::Duration;

use url::Url;

use super::exchange::Exchange;
use super::pending::Pending;
use super::request::Request;
use super::response::Response;
use crate::case::Stop;

/// Sends the requests of one case, and writes down what was said.
#[derive(Debug)]
pub struct Client {
    of_every_request: Vec<(String, String)>,
    answer_limit: Duration,
    exchanges: Rc<RefCell<Vec<Exchange>>>,
}

impl Client {
    /// A client that adds these fields to every request and waits this long for each answer.
    #[must_use]
    pub fn new(of_every_request: &[(String, String)], answer_limit: Duration) -> Self {
        let of_every_request = of_every_request.to_vec();
        Self { of_every_request, answer_limit, exchanges: Rc::default() }
    }

    /// Sends a request, and reads its answer.
    ///
    /// # Errors
    /// No whole answer comes in time: a failure of the case.
    pub fn send(&self, request: &Request) -> Result<Response, Stop> {
        self.begin(request, usize::MAX)?.answer()
    }

    /// Sends a request with this many bytes of its body, as it is written, and leaves the
    /// connection open.
    ///
    /// # Errors
    /// There is no connection.
    pub fn begin(&self, request: &Request, body_bytes: usize) -> Result<Pending, Stop> {
        let body = request.written_body();
        let (now, later) = body.split_at(body_bytes.min(body.len()));
        let hidden: Vec<_> = self.of_every_request.iter().map(|(name, _)| name.clone()).collect();
        let hidden: Vec<_> = hidden.into_iter().map(|name| (name, "(as given)".into())).collect();
        let index = self.exchanges.borrow().len();
        self.exchanges.borrow_mut().push(Exchange::new(request.head(&hidden), now.len()));
        let stream = connect(&request.url, self.answer_limit).and_then(|mut stream| {
            let mut message = request.head(&self.of_every_request).join("\r\n").into_bytes();
            message.extend(b"\r\n\r\n");
            stream.write_all(&message)?;
            // A server that has seen enough may close its end before it has read everything, and
            // its answer counts all the same.
            let _ = stream.write_all(now);
            Ok(stream)
        });
        match stream {
            Ok(stream) => {
                let exchanges = Rc::clone(&self.exchanges);
                let method = request.method.clone();
                Ok(Pending::new(stream, method, later.to_vec(), exchanges, index))
            }
            Err(cause) => {
                if let Some(exchange) = self.exchanges.borrow_mut().get_mut(index) {
                    exchange.broke_off(&cause.to_string());
                }
                Err(Stop::failed(format!("no connection to {} ({cause})", request.url)))
            }
        }
    }

    /// What was said so far.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.borrow().clone()
    }
}

fn connect(url: &Url, limit: Duration) -> io::Result<TcpStream> {
    let address = (url.host_str().unwrap_or_default().trim_matches(['[', ']'])).to_owned();
    let port = url.port_or_known_default().unwrap_or(80);
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in (address.as_str(), port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(limit))?;
                stream.set_write_timeout(Some(limit))?;
                return Ok(stream);
            }
            Err(cause) => last = cause,
        }
    }
    Err(last)
}
