//! Outbound HTTP of a component: one pooled client for the process, an allow list for each
//! component.
//!
//! A request body is streamed as the guest produces it, with the guest's `content-length` if
//! present. A request is sent again only if a pooled connection was closed before any byte of it
//! was sent. All other retries are up to the guest.

mod allow;
mod failure;
mod timeout;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{HttpConnector, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

pub(crate) use self::allow::{AllowedHostError, AllowedHosts};
use self::timeout::{TimedResponseBody, Timeouts};
use crate::stats::Stats;

/// The connection pool of the process.
#[derive(Clone)]
pub(crate) struct OutboundClient {
    client: Client<HttpsConnector<HttpConnector>, CountedBody>,
    stats: Arc<Stats>,
}

impl OutboundClient {
    /// A client that trusts the public web's certificate authorities.
    pub(crate) fn new(stats: Arc<Stats>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_IDLE_CONNECTIONS_PER_HOST)
            .http1_max_buf_size(HTTP_BUFFER_BYTES)
            .build(connector);
        Self { client, stats }
    }

    async fn send(
        &self,
        request: Request<WasiBody>,
        timeouts: Timeouts,
    ) -> Result<Response<WasiBody>, Error> {
        let stats = self.stats.clone();
        stats.outbound_requests.add(1);
        let mut request = request.map(|body| CountedBody { body, stats });
        let mut connection = capture_connection(&mut request);
        let started = tokio::time::Instant::now();
        let mut response = std::pin::pin!(self.client.request(request));
        let early = tokio::select! {
            biased;
            outcome = &mut response => Some(outcome),
            () = async { drop(connection.wait_for_connection_metadata().await) } => None,
            () = tokio::time::sleep(timeouts.connect) => return Err(Error::ConnectionTimeout),
        };
        let outcome = match early {
            Some(outcome) => outcome,
            None => tokio::time::timeout_at(started + timeouts.first_byte, response)
                .await
                .map_err(|_| Error::ConnectionReadTimeout)?,
        };
        let response = outcome.map_err(failure::error_code)?;
        Ok(response.map(|body| TimedResponseBody::new(body, timeouts.between_bytes).boxed_unsync()))
    }
}

/// The outbound HTTP of one component: the shared client with the component's allow list.
pub(crate) struct OutboundHooks {
    /// The shared client.
    pub(crate) client: OutboundClient,
    /// The origins this component may send requests to.
    pub(crate) allowed: Arc<AllowedHosts>,
}

type SendFuture = Box<dyn Future<Output = Result<(Response<WasiBody>, BodyOutcome), Error>> + Send>;
type BodyOutcome = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for OutboundHooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_outcome: BodyOutcome,
    ) -> SendFuture {
        let origin = origin_of(request.uri());
        if !self.allowed.allow(request.uri()) {
            tracing::warn!(
                %origin,
                "outbound request denied: add the origin to allowed_outbound_hosts in the \
                 manifest or pass --allow-outbound"
            );
            return Box::new(async { Err(Error::HttpRequestDenied) });
        }
        let client = self.client.clone();
        Box::new(async move {
            match client.send(request, Timeouts::from_options(options)).await {
                Ok(response) => Ok((response, Box::new(async { Ok(()) }) as BodyOutcome)),
                Err(error) => {
                    tracing::warn!(%origin, %error, "outbound request failed");
                    Err(error)
                }
            }
        })
    }

    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        HTTP_BUFFER_BYTES
    }
}

/// A request body that counts its bytes.
struct CountedBody {
    body: WasiBody,
    stats: Arc<Stats>,
}

impl Body for CountedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.stats.outbound_bytes_sent.add(data.len() as u64);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Scheme and authority only: a path or query may contain a signature, which must not be logged.
fn origin_of(url: &Uri) -> String {
    let host = url.host().unwrap_or_default();
    let scheme = url.scheme_str().unwrap_or_default();
    match url.port_u16() {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

/// The maximum size of reads and buffers between a socket and a guest. A guest receives the result
/// of one read at a time, so larger reads mean fewer switches into it.
pub(crate) const HTTP_BUFFER_BYTES: usize = 1024 * 1024;

/// Shorter than the idle time after which object stores commonly close a connection, so that
/// requests are rarely sent on a connection that is being closed.
const POOL_IDLE: Duration = Duration::from_secs(20);
const POOL_IDLE_CONNECTIONS_PER_HOST: usize = 32;
