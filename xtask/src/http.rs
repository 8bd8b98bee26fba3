//! The few HTTP requests that commands make of what they started.

use std::io::Read;
use std::time::Duration;

use serde_json::Value;
use ureq::http::Response;
use ureq::{Agent, Body};

use crate::failure::Failure;

/// A client for servers on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    agent: Agent,
}

impl Http {
    /// A client without proxies and redirects, which would both lead away from this machine.
    pub(crate) fn new() -> Self {
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_LIMIT))
            .timeout_recv_response(Some(RESPONSE_LIMIT))
            .build();
        Self { agent: config.new_agent() }
    }

    /// The client itself, for requests of another form. A status is no error to it.
    pub(crate) fn agent(&self) -> &Agent {
        &self.agent
    }

    /// The body of a GET.
    ///
    /// # Errors
    /// No connection, or a status other than 2xx.
    pub(crate) fn get_text(&self, url: &str) -> Result<String, Failure> {
        text(url, expect_success(url, self.agent.get(url).call())?)
    }

    /// The body of a GET, read as JSON.
    ///
    /// # Errors
    /// No connection, a status other than 2xx, or another body.
    pub(crate) fn get_json(&self, url: &str) -> Result<Value, Failure> {
        let reply = self.agent.get(url).header("accept", "application/json").call();
        let body = text(url, expect_success(url, reply)?)?;
        serde_json::from_str(&body)
            .map_err(|cause| Failure::new(format!("{url}: the answer is no JSON ({cause})")))
    }

    /// The body of a GET, as it comes.
    ///
    /// # Errors
    /// No connection, or a status other than 2xx.
    pub(crate) fn get_stream(&self, url: &str) -> Result<impl Read + use<>, Failure> {
        Ok(expect_success(url, self.agent.get(url).call())?.into_body().into_reader())
    }

    /// A POST without a body.
    ///
    /// # Errors
    /// No connection, or a status other than 2xx.
    pub(crate) fn post(&self, url: &str) -> Result<(), Failure> {
        expect_success(url, self.agent.post(url).send_empty()).map(drop)
    }
}

/// The response, when it came and its status is 2xx.
///
/// # Errors
/// It did not come, or has another status: the line shows what the server said.
pub(crate) fn expect_success(
    url: &str,
    reply: Result<Response<Body>, ureq::Error>,
) -> Result<Response<Body>, Failure> {
    let reply = reply.map_err(|cause| Failure::new(format!("{url}: {cause}")))?;
    if reply.status().is_success() {
        return Ok(reply);
    }
    let status = reply.status();
    let said = text(url, reply).unwrap_or_default();
    Err(Failure::new(format!("{url}: {status} {}", said.trim())))
}

fn text(url: &str, reply: Response<Body>) -> Result<String, Failure> {
    reply
        .into_body()
        .read_to_string()
        .map_err(|cause| Failure::new(format!("{url}: the answer broke off ({cause})")))
}

const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Completing a large object takes its time, so this is generous.
const RESPONSE_LIMIT: Duration = Duration::from_secs(120);
