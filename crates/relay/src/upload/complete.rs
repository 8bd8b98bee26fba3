//! Completes an upload all of whose bytes are stored.

use std::rc::Rc;

use vod_uploader::Result;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{LeaseAcquisition, Purpose, ReceiveOptions, UploadId, UploadRecord};

use super::append::{Appended, result_of};
use super::credential::credential;
use super::run_session::{SessionRequest, run_session};
use crate::body::EmptyStream;
use crate::instance::Instance;
use crate::request::Caller;
use crate::session::Source;

/// Completes the upload at its last offset.
///
/// # Errors
/// Returns the errors of loading the credential. All other failures are results.
pub(crate) async fn complete(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
    record: &UploadRecord,
    durable: ByteCount,
) -> Result<Appended> {
    let request = SessionRequest {
        id,
        record,
        lease: LeaseAcquisition::TakeOver,
        purpose: Purpose::Receive(ReceiveOptions {
            offset: durable,
            request_bytes: Some(ByteCount::ZERO),
            complete_at_end: true,
            length: Some(durable),
            ..ReceiveOptions::default()
        }),
        credential: credential(instance, caller, id, record).await?,
        source: Some(Source::new(EmptyStream, Some(ByteCount::ZERO), Some(ByteCount::ZERO))),
    };
    let outcome = run_session(instance, request).await?;
    Ok(result_of(instance, id, outcome).await)
}
