//! Completes an upload all of whose bytes are stored.

use std::rc::Rc;

use vod_uploader::Result;
use vod_uploader::http::UploadStatus;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{
    LeaseAcquisition, Purpose, ReceiveOptions, UploadId, UploadKind, UploadPhase, UploadRecord,
};

use super::append::{Appended, result_of};
use super::concatenate;
use super::credential::credential;
use super::run::{SessionRequest, run_session};
use super::status::current_status;
use super::stop::offset_status;
use crate::body::EmptyStream;
use crate::instance::Instance;
use crate::request::Caller;
use crate::session::Source;

/// The state for a client to which the last offset means that the upload is complete: it sends no
/// further request. An upload all of whose bytes are stored is completed first, if the request that
/// brought the last of them could not do so.
///
/// # Errors
/// Those of [`offset_status`], and why the upload cannot be completed now.
pub(crate) async fn completed_status(
    instance: &Rc<Instance>,
    caller: &Caller,
    key: &UploadId,
) -> Result<UploadStatus> {
    let status = offset_status(instance, caller, key).await?;
    let is_open = status.checkpoint.phase == UploadPhase::Receiving && !status.paused;
    let is_final = matches!(status.record.kind, UploadKind::Final { .. });
    let durable = status.durable();
    if !is_open || is_final || status.length() != Some(durable) {
        return Ok(status);
    }
    match complete(instance, caller, key, &status.record, durable).await? {
        Appended::Completed(_) => {
            concatenate::after_completion(instance, key, &status.record).await;
        }
        Appended::Stored { .. } => {}
        Appended::Refused { error, .. } => return Err(error),
    }
    current_status(instance, key).await
}

/// Completes the upload at its last offset.
///
/// # Errors
/// Those of loading the credential. Everything else is a result.
pub(crate) async fn complete(
    instance: &Rc<Instance>,
    caller: &Caller,
    key: &UploadId,
    record: &UploadRecord,
    durable: ByteCount,
) -> Result<Appended> {
    let request = SessionRequest {
        key,
        record,
        claim: LeaseAcquisition::TakeOver,
        purpose: Purpose::Receive(ReceiveOptions {
            offset: durable,
            request_bytes: Some(ByteCount::ZERO),
            complete_at_end: true,
            length: Some(durable),
            ..ReceiveOptions::default()
        }),
        credential: credential(instance, caller, key, record).await?,
        source: Some(Source::new(EmptyStream, Some(ByteCount::ZERO), Some(ByteCount::ZERO))),
    };
    let outcome = run_session(instance, request).await?;
    Ok(result_of(instance, key, outcome).await)
}
