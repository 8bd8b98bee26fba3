//! The HTTP server: connections in, requests routed to components, responses out.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::ProxyHandler;

use crate::component::LoadedComponent;
use crate::outbound::HTTP_BUFFER_BYTES;
use crate::request_log::{RecordedRequestBody, RecordedResponseBody, RequestRecord};
use crate::route::{RouteMatch, Routes};
use crate::stats::Stats;

/// Serves the routes of an application.
pub(crate) struct Server {
    routes: Routes<ProxyHandler<LoadedComponent>>,
    stats: Arc<Stats>,
    in_flight: Semaphore,
}

impl Server {
    /// A server for these routes.
    pub(crate) fn new(
        routes: Routes<ProxyHandler<LoadedComponent>>,
        stats: Arc<Stats>,
    ) -> Arc<Self> {
        Arc::new(Self { routes, stats, in_flight: Semaphore::new(REQUESTS_IN_FLIGHT) })
    }

    /// Accepts connections until `stop` resolves, then waits up to `grace` for running requests.
    pub(crate) async fn run(
        self: Arc<Self>,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
        grace: Duration,
    ) {
        let connections = GracefulShutdown::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, client)) => self.clone().serve(stream, client, &connections),
                    Err(cause) => {
                        tracing::warn!(%cause, "accepting a connection failed");
                        // Usually out of file descriptors: an immediate retry would be a busy loop.
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                () = &mut stop => break,
            }
        }
        drop(listener);
        let finished = async {
            connections.shutdown().await;
            // A guest may still run after its response, or after its client disconnected.
            while self.stats.instances_live() > 0 {
                tokio::time::sleep(INSTANCES_POLL).await;
            }
        };
        if tokio::time::timeout(grace, finished).await.is_err() {
            tracing::warn!(?grace, "requests were still running at the end of the grace period");
        }
    }

    fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        client: SocketAddr,
        connections: &GracefulShutdown,
    ) {
        if let Err(cause) = stream.set_nodelay(true) {
            tracing::debug!(%cause, "TCP_NODELAY could not be set");
        }
        let service = service_fn(move |request| self.clone().handle(request, client));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_READ)
            .max_buf_size(HTTP_BUFFER_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(cause) = connection.await {
                tracing::debug!(%client, %cause, "connection ended early");
            }
        });
    }

    async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        client: SocketAddr,
    ) -> Result<Response<WasiBody>, Infallible> {
        let path = request.uri().path();
        if path.starts_with(HOST_PATH) {
            return Ok(self.handle_host_request(request.method(), path));
        }
        let record = RequestRecord::new(request.method().clone(), path);
        let response = self.handle_component_request(request, client, &record).await;
        record.set_status(response.status());
        Ok(response.map(|body| RecordedResponseBody::new(body, record).boxed_unsync()))
    }

    fn handle_host_request(&self, method: &Method, path: &str) -> Response<WasiBody> {
        match (method, path) {
            (&Method::GET, "/_host/stats") => match serde_json::to_string(&self.stats.snapshot()) {
                Ok(json) => response(StatusCode::OK, "application/json", json + "\n"),
                Err(cause) => plain(StatusCode::INTERNAL_SERVER_ERROR, &cause.to_string()),
            },
            (&Method::POST, "/_host/stats/reset") => {
                self.stats.reset();
                plain(StatusCode::OK, "counters reset")
            }
            (_, "/_host/stats" | "/_host/stats/reset") => plain(
                StatusCode::METHOD_NOT_ALLOWED,
                "use GET /_host/stats or POST /_host/stats/reset",
            ),
            _ => plain(StatusCode::NOT_FOUND, "expected /_host/stats or /_host/stats/reset"),
        }
    }

    async fn handle_component_request(
        &self,
        request: Request<Incoming>,
        client: SocketAddr,
        record: &Arc<RequestRecord>,
    ) -> Response<WasiBody> {
        let path = request.uri().path().to_owned();
        let Some(route) = self.routes.find(&path) else {
            return plain(StatusCode::NOT_FOUND, "no route matches this path");
        };
        let Some(request) = absolute(request) else {
            return plain(StatusCode::BAD_REQUEST, "the Host header or request target is invalid");
        };
        let mut request =
            request.map(|body| RecordedRequestBody::new(body, record.clone()).boxed_unsync());
        let url = request.uri().clone();
        add_spin_headers(request.headers_mut(), &url, &route, client);
        // The semaphore is never closed.
        let _permit = self.in_flight.acquire().await;
        self.stats.requests.add(1);
        match route.target.handle(record.served_by.clone(), request).await {
            Ok(response) => response,
            Err(error) => {
                let error = format!("{error:#}");
                let instance = record.instance_id();
                tracing::error!(path, instance, error, "the component returned no response");
                plain(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the component failed to process this request; see the log of the host",
                )
            }
        }
    }
}

/// The request with scheme and authority in its URL, from which a guest reads them.
fn absolute(request: Request<Incoming>) -> Option<Request<Incoming>> {
    let (mut parts, body) = request.into_parts();
    let host = parts.headers.get(HOST).map_or(Some("localhost"), |host| host.to_str().ok());
    let authority: Authority = match parts.uri.authority() {
        Some(authority) => authority.clone(),
        None => host?.parse().ok()?,
    };
    let path = parts.uri.path_and_query().cloned();
    parts.uri = Uri::builder()
        .scheme(Scheme::HTTP)
        .authority(authority)
        .path_and_query(path.unwrap_or(PathAndQuery::from_static("/")))
        .build()
        .ok()?;
    Some(Request::from_parts(parts, body))
}

/// Adds the headers in which Spin describes the request:
/// <https://spinframework.dev/v3/http-trigger#additional-request-information>.
fn add_spin_headers<T>(
    headers: &mut HeaderMap,
    url: &Uri,
    route: &RouteMatch<'_, T>,
    client: SocketAddr,
) {
    let values = [
        ("spin-path-info", route.trailing.clone()),
        ("spin-full-url", url.to_string()),
        ("spin-matched-route", route.pattern.to_owned()),
        ("spin-base-path", "/".to_owned()),
        ("spin-raw-component-route", route.pattern.to_owned()),
        (
            "spin-component-route",
            route.pattern.strip_suffix("/...").unwrap_or(route.pattern).to_owned(),
        ),
        ("spin-client-addr", client.to_string()),
    ];
    for (name, value) in values {
        let name = HeaderName::from_static(name);
        match HeaderValue::try_from(value) {
            Ok(value) => drop(headers.insert(name, value)),
            // A value from the client must not be treated as the host's.
            Err(_) => drop(headers.remove(name)),
        }
    }
}

fn plain(status: StatusCode, text: &str) -> Response<WasiBody> {
    response(status, "text/plain; charset=utf-8", format!("{text}\n"))
}

fn response(status: StatusCode, content_type: &'static str, body: String) -> Response<WasiBody> {
    let body = Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Paths that never reach a component.
const HOST_PATH: &str = "/_host/";
/// Further requests wait: each may need a separate instance.
const REQUESTS_IN_FLIGHT: usize = 256;
/// The timeout of a request head, and of an idle connection.
const HEADER_READ: Duration = Duration::from_secs(60);
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const INSTANCES_POLL: Duration = Duration::from_millis(10);
