//! Runs one session of the engine for an upload.

use std::pin::pin;
use std::rc::Rc;

use futures::future::{Either, select};
use vod_uploader::Result;
use vod_uploader::credential::UploadCredential;
use vod_uploader::upload::{
    LeaseAcquisition, Purpose, Session, SessionOptions, SessionOutcome, UploadId, UploadRecord,
};

use super::credential::credential_source;
use super::{expiry, media_record};
use crate::body::{ByteStream, RequestBody};
use crate::instance::Instance;
use crate::session::{SessionIo, Source, drive};

/// The parameters of one session.
pub(crate) struct SessionRequest<'a, B = RequestBody> {
    pub(crate) id: &'a UploadId,
    pub(crate) record: &'a UploadRecord,
    pub(crate) lease: LeaseAcquisition,
    pub(crate) purpose: Purpose,
    pub(crate) credential: Option<UploadCredential>,
    pub(crate) source: Option<Source<B>>,
}

/// The source of a session that reads no bytes.
pub(crate) const NO_SOURCE: Option<Source<RequestBody>> = None;

/// Runs a session to its end.
///
/// # Errors
/// Returns [`ErrorKind::Internal`] for a defect, and the errors of [`Session::new`]. All other
/// failures are outcomes.
pub(crate) async fn run_session<B: ByteStream + 'static>(
    instance: &Rc<Instance>,
    request: SessionRequest<'_, B>,
) -> Result<SessionOutcome> {
    let SessionRequest { id, record, lease, purpose, credential, source } = request;
    let config = &instance.config;
    let credentials = Rc::new(credential_source(instance, id, record));
    let options = SessionOptions {
        part_size: config.part_size,
        parallel: config.parallel,
        retry: config.retry,
        request_timeout: config.request_timeout,
        writer: instance.ports.random.bits64(),
        seed: instance.ports.random.bits64(),
        credential,
        can_refresh: credentials.can_refresh(),
        replayable: false,
    };
    let session = Session::new(id.clone(), record, lease, purpose, options, instance.now())?;
    let (ports, buffers) = (instance.ports.clone(), Rc::clone(&instance.buffers));
    let mut io = SessionIo::new(ports, buffers, config.request_timeout);
    if let Some(source) = source {
        io.set_source(source);
    }
    let driven = pin!(drive(session, io, credentials, Rc::clone(&instance.ports.clock)));
    let outcome = match config.expire_after {
        None => driven.await?,
        Some(ttl) => match select(driven, pin!(expiry::heartbeat(instance, id, ttl))).await {
            Either::Left((outcome, _)) => outcome?,
            Either::Right(((), driven)) => driven.await?,
        },
    };
    if matches!(outcome, SessionOutcome::Completed(_)) {
        // If this fails, the newest upload of the media is complete, which has the same effect.
        let _ = media_record::close(instance, record).await;
    }
    Ok(outcome)
}
