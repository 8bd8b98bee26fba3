//! Outbound HTTP of a component: one pooled client for the whole process, an allow list for each
//! component.
//!
//! A request body is sent as the guest produces it, framed by the guest's `content-length` when it
//! gave one. A request is sent twice only when a pooled connection turned out to be closed before
//! any of the request was handed to it; everything after that is the guest's to decide.

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

/// The process's pool of connections.
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
        waits: Timeouts,
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
            () = tokio::time::sleep(waits.connect) => return Err(Error::ConnectionTimeout),
        };
        let outcome = match early {
            Some(outcome) => outcome,
            None => tokio::time::timeout_at(started + waits.first_byte, response)
                .await
                .map_err(|_| Error::ConnectionReadTimeout)?,
        };
        let response = outcome.map_err(failure::of_request)?;
        Ok(response.map(|body| TimedResponseBody::new(body, waits.between_bytes).boxed_unsync()))
    }
}

/// One component's way out: the shared client behind the component's allow list.
pub(crate) struct OutboundHooks {
    /// The shared client.
    pub(crate) client: OutboundClient,
    /// What this component may reach.
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
            match client.send(request, Timeouts::of(options)).await {
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

/// A request body that counts what leaves.
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
            && let Some(piece) = frame.data_ref()
        {
            self.stats.outbound_bytes_sent.add(piece.len() as u64);
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

/// Scheme and authority only: a path or query may carry a signature, which no log may hold.
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

/// Shorter than the idle time after which object stores commonly close a connection, so that a
/// request is rarely sent into one that is about to go.
const POOL_IDLE: Duration = Duration::from_secs(20);
const POOL_IDLE_CONNECTIONS_PER_HOST: usize = 32;
