//! The edge worker without a host: serves upload protocols over six ports.
//!
//! A [`Relay`] receives the head of a request and its [`Body`], and returns a response. It relays
//! the bytes to OSS with the engine ([`vod_uploader`]), and stores records in the key-value store,
//! so that any instance can continue an upload. Everything that it needs from a host is in
//! [`ports`]; it runs on WASI hosts through thin adapters, and in the simulator.
//!
//! The engine acquires leases (`upload::acquire_lease`), plans parts (`upload::plan`) and signs
//! requests (`oss::sign`). The relay decides when a session of the engine runs.
//!
//! ```text
//! Relay::handle → route (engine) → protocol::{tus, ietf, plain, form, filepond, state, events}
//!               → upload::{create, append, offset, status, stop, reconcile, terminate,
//!                         concatenate, cleanup}
//!               → upload::run_session → session::drive → ports
//! ```
//!
//! State that outlives a request belongs to one `Instance`: the configuration, the memory budget,
//! the reconciliations in progress.

mod body;
mod buffers;
mod config;
mod credential_source;
mod instance;
mod key_space;
mod load;
pub mod ports;
mod protocol;
mod request;
mod response;
mod retrying_client;
mod retrying_key_value;
pub mod session;
mod single_flight;
mod upload;
pub mod url_upload;

use std::rc::Rc;

use ::http::header::{ALLOW, ORIGIN};
use ::http::{Method, StatusCode};
use futures::FutureExt as _;
use vod_uploader::http::ietf::InteropVersion;
use vod_uploader::http::{
    self, Cors, Protocol, PublicUrl, RequestHead, Route, ietf as ietf_syntax, problem_response,
    tus as tus_syntax,
};
use vod_uploader::{Error, ErrorKind, Result};

pub use body::{ByteStream, EmptyStream};
pub use buffers::{BufferBudget, Permit};
pub use config::{Config, InvalidConfig, Variables};
pub use key_space::{KeyPrefix, KeySpace};
pub use response::{Response, ResponseBody};
pub use retrying_client::RESPONSE_BYTES_MAX;
pub use vod_uploader as engine;

use crate::body::RequestBody;
use crate::instance::Instance;
use crate::load::ActiveUpload;
use crate::ports::{Body, Ports};
use crate::protocol::{events, filepond, form, ietf, maintenance, plain, state, tus};
use crate::request::Caller;
use crate::response::RelayResponse;
use crate::upload::cleanup::clean_up_after_creation;
use crate::upload::limits::advertised_limits;
use crate::upload::terminate::terminate;

/// One instance of the worker.
#[derive(Clone)]
pub struct Relay {
    instance: Rc<Instance>,
}

impl Relay {
    /// An instance with this configuration on this host.
    #[must_use]
    pub fn new(ports: Ports, config: Config) -> Self {
        if let Some(problem) = config.page_problem() {
            let problem = problem.message();
            ports.log.warn(&format!("invalid configuration for pages: {problem}"));
        }
        Self { instance: Rc::new(Instance::new(ports, config)) }
    }

    /// The response while no instance can be created: `error`, except to a health check. The body
    /// is drained.
    #[must_use]
    pub fn respond_without_instance(
        ports: Ports,
        head: &RequestHead,
        body: Box<dyn Body>,
        error: &Error,
    ) -> Response {
        drop(RequestBody::new(head, body, ports));
        let route = http::route(head);
        let response = match &route {
            Ok(Route::Health) => http::Response::empty(StatusCode::OK),
            _ => problem_response(error, None),
        };
        let protocol = Protocol::detect(head, &route);
        RelayResponse::from(protocol.with_required_headers(head, response)).into_http()
    }

    /// Serves one request. Every error is a response.
    pub async fn handle(&self, head: RequestHead, body: Box<dyn Body>) -> Response {
        self.respond(head, body).await.into_http()
    }

    /// Bytes of the part buffers that exist now.
    #[must_use]
    pub fn held_buffer_bytes(&self) -> u64 {
        self.instance.buffers.buffered_bytes()
    }

    async fn respond(&self, head: RequestHead, body: Box<dyn Body>) -> RelayResponse {
        let config = &self.instance.config;
        let public_url = PublicUrl::new(&head, &config.base_path, config.trusts_proxy);
        let head = head.below(&config.base_path);
        let body = RequestBody::new(&head, body, self.instance.ports.clone());
        let route = http::route(&head);
        if matches!(route, Ok(Route::Health)) {
            return http::Response::empty(StatusCode::OK).into();
        }
        let protocol = Protocol::detect(&head, &route);
        let cors = match self.cors_for(&head) {
            Ok(cors) => cors,
            Err(error) => {
                let response = problem_response(&error, None);
                return protocol.with_required_headers(&head, response).into();
            }
        };
        if let Some(preflight) = http::preflight(&head, &cors) {
            return preflight.into();
        }
        let response = self.handle_route(&head, route, protocol, body).await;
        let response_head = protocol.with_required_headers(&head, response.head);
        let response_head = http::with_cors(public_url.locate(response_head), &head, &cors);
        RelayResponse { head: response_head, ..response }
    }

    /// Which pages may read the response.
    ///
    /// # Errors
    /// Returns [`ErrorKind::HostNotAllowed`], and to a page [`ErrorKind::Misconfigured`] if the
    /// setting is invalid.
    fn cors_for(&self, head: &RequestHead) -> Result<Cors> {
        let config = &self.instance.config;
        config.allowed_hosts.check(head)?;
        match &config.cors {
            Err(_) if head.header(ORIGIN).is_none() => Ok(Cors::default()),
            cors => cors.clone(),
        }
    }

    /// Counts a request that creates uploads or sends bytes.
    ///
    /// # Errors
    /// Returns [`ErrorKind::TooManyRequests`] above a limit of the configuration.
    fn count_request(
        &self,
        head: &RequestHead,
        creates: bool,
        sends_bytes: bool,
    ) -> Result<Option<ActiveUpload>> {
        let (load, limits) = (&self.instance.load, self.instance.config.load);
        let method = head.effective_method();
        let has_body = matches!(method, Some(Method::PATCH | Method::POST | Method::PUT));
        let active = (sends_bytes && has_body).then(|| load.begin_upload(limits)).transpose()?;
        if creates && matches!(method, Some(Method::POST | Method::PUT)) {
            load.count_creation(limits, self.instance.now())?;
        }
        Ok(active)
    }

    /// The response in the format of the request's protocol.
    async fn handle_route(
        &self,
        head: &RequestHead,
        route: Result<Route>,
        protocol: Protocol,
        body: RequestBody,
    ) -> RelayResponse {
        if protocol == Protocol::Tus
            && let Some(rejected) = tus_syntax::unsupported_version(head)
        {
            return rejected.into();
        }
        let limits = advertised_limits(&self.instance, None);
        let refused = |error| RelayResponse::from(protocol.error_response(&error, &limits));
        let route = match route {
            Ok(Route::MethodNotAllowed(allow)) => {
                let message = "the path does not support this method";
                let mut refused = refused(Error::new(ErrorKind::MethodUnsupported, message));
                refused.head = refused.head.with_header(ALLOW, allow);
                return refused;
            }
            Ok(route) => route,
            Err(error) => return refused(error),
        };
        if let Err(error) = http::check_content(head, &route, protocol) {
            return refused(error);
        }
        let creates = matches!(
            route,
            Route::Create | Route::File { .. } | Route::Form | Route::FilePond { .. }
        );
        let sends_bytes = creates || matches!(route, Route::Append(_));
        let _active = match self.count_request(head, creates, sends_bytes) {
            Ok(active) => active,
            Err(error) => return refused(error),
        };
        let response = match dispatch(&self.instance, head, route, protocol, body).await {
            Ok(response) => response,
            Err(error) => refused(error),
        };
        if creates {
            let instance = Rc::clone(&self.instance);
            let cleanup = async move { clean_up_after_creation(&instance).await };
            self.instance.ports.spawn.spawn(cleanup.boxed_local());
        }
        response
    }
}

async fn dispatch(
    instance: &Rc<Instance>,
    head: &RequestHead,
    route: Route,
    protocol: Protocol,
    body: RequestBody,
) -> Result<RelayResponse> {
    let caller = Caller::new(instance, head);
    let response = match (route, protocol) {
        (Route::Events(id), _) => {
            return events::stream_events(instance, caller, head, id).await;
        }
        (Route::Options, _) => Ok(tus::options(instance)),
        (Route::Create, Protocol::Ietf(version)) => {
            ietf::post(instance, head, version, None, body).await
        }
        (Route::Create, _) => tus::post(instance, head, body).await,
        (Route::Append(id), Protocol::Ietf(version)) => {
            ietf::patch(instance, &caller, head, version, &id, body).await
        }
        (Route::Append(id), _) => tus::patch(instance, &caller, head, &id, body).await,
        (Route::Offset(id), Protocol::Ietf(version)) => {
            ietf_syntax::check_bodiless(head)?;
            ietf::offset(instance, &caller, version, &id).await
        }
        (Route::Offset(id), _) => tus::offset(instance, &caller, &id).await,
        (Route::Terminate(id), protocol) => {
            if matches!(protocol, Protocol::Ietf(_)) {
                ietf_syntax::check_bodiless(head)?;
            }
            terminate(instance, &caller, &id).await?;
            Ok(match protocol {
                Protocol::Ietf(version) => ietf_syntax::delete_response(version),
                _ => tus_syntax::delete_response(),
            })
        }
        (Route::File { file_name }, Protocol::Ietf(version)) => {
            ietf::post(instance, head, version, Some(&file_name), body).await
        }
        (Route::File { file_name }, _) => {
            plain::put(instance, &caller, head, &file_name, body).await
        }
        (Route::Status(id), Protocol::Ietf(version)) => {
            state::get(instance, &caller, version, &id).await
        }
        (Route::Status(id), _) => state::get(instance, &caller, InteropVersion::NEWEST, &id).await,
        (Route::Pause(id), _) => state::pause(instance, &caller, &id).await,
        (Route::Resume(id), _) => state::resume(instance, &caller, &id).await,
        (Route::Credential(id), _) => state::credential(instance, &caller, &id, body).await,
        (Route::Form, _) => form::post(instance, head, body).await,
        (Route::FilePond { id }, _) => filepond::handle(instance, &caller, head, &id, body).await,
        (Route::CleanUp, _) => maintenance::expire(instance, head).await,
        (Route::Health | Route::MethodNotAllowed(_), _) => {
            Ok(http::Response::empty(StatusCode::METHOD_NOT_ALLOWED))
        }
    };
    response.map(RelayResponse::from)
}
