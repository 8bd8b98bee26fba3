//! Resolves an unknown completion: a writer stopped between sending Complete and storing the result.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{Either, LocalBoxFuture, Shared, select};
use vod_uploader::credential::UploadCredential;
use vod_uploader::http::UploadStatus;
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{Claim, Phase, Purpose, UploadKey, UploadRecord};
use vod_uploader::{Error, ErrorKind, Result};

use super::stop::ignore_takeover;
use super::{NO_SOURCE, SessionRequest, append, concatenate, current_status, run_session};
use crate::instance::Instance;
use crate::request::Caller;

/// How long the Complete of another request may take before it is reconciled.
const COMPLETE_WAIT_MAX: Duration = Duration::from_secs(5);
const COMPLETE_POLL: Duration = Duration::from_millis(100);
const COMPLETE_POLLS_MAX: u32 = 50;

/// How long one request waits for a reconciliation.
const RECONCILE_WAIT_MAX: Duration = Duration::from_secs(5);

/// The reconciliations of an instance that are in progress, by upload: at most one for each.
#[derive(Default)]
pub(crate) struct Reconciliations {
    running: RefCell<HashMap<String, Running>>,
}

/// Resolves to the result. It continues even if no request waits for it: OSS may take longer to
/// complete a large object than a client waits.
type Running = Shared<LocalBoxFuture<'static, Result<()>>>;

/// The state of an upload. A completion in progress is awaited for a while and then reconciled.
///
/// # Errors
/// [`ErrorKind::Busy`] if OSS takes longer than a client waits: the reconciliation continues.
pub(super) async fn reconciled_status(
    instance: &Rc<Instance>,
    caller: &Caller,
    key: &UploadKey,
) -> Result<UploadStatus> {
    let mut status = current_status(instance, key).await?;
    let mut polls = 0;
    // Counting the polls bounds the wait even if the clock goes back.
    while status.checkpoint.phase == Phase::Completing && polls < COMPLETE_POLLS_MAX {
        let written_at = UnixMillis(status.checkpoint.written_at_ms);
        if instance.now().since(written_at) >= COMPLETE_WAIT_MAX {
            break;
        }
        instance.sleep(COMPLETE_POLL).await;
        polls += 1;
        status = current_status(instance, key).await?;
    }
    if status.checkpoint.phase != Phase::Completing {
        return Ok(status);
    }
    let running = start(instance, caller, key, &status.record);
    let limit = instance.ports.clock.sleep(RECONCILE_WAIT_MAX);
    if let Either::Left((result, _)) = select(running, limit).await {
        result?;
        let status = current_status(instance, key).await?;
        if status.is_completed() {
            // Before the response, so that nothing of a partial upload remains after it.
            concatenate::after_completion(instance, key, &status.record).await;
        }
        if status.checkpoint.phase != Phase::Completing {
            return Ok(status);
        }
    }
    let message = "the store is still joining the parts: ask again later";
    Err(Error::new(ErrorKind::Busy, message))
}

/// The reconciliation in progress, or a new one.
fn start(
    instance: &Rc<Instance>,
    caller: &Caller,
    key: &UploadKey,
    record: &UploadRecord,
) -> Running {
    let id = key.as_str().to_owned();
    if let Some(running) = instance.reconciliations.running.borrow().get(&id) {
        return running.clone();
    }
    let owned = (Rc::clone(instance), caller.clone(), key.clone(), record.clone());
    let running = async move {
        let (instance, caller, key, record) = owned;
        let result = reconcile(&instance, &caller, &key, &record).await;
        instance.reconciliations.running.borrow_mut().remove(key.as_str());
        result
    };
    let running = running.boxed_local().shared();
    instance.reconciliations.running.borrow_mut().insert(id, running.clone());
    instance.ports.spawn.spawn(running.clone().map(drop).boxed_local());
    running
}

/// The state after a completion whose writer has stopped is resolved. A recent completion is left to
/// its writer.
///
/// # Errors
/// Those of [`settle`].
pub(super) async fn settle_if_stale(
    instance: &Rc<Instance>,
    key: &UploadKey,
    status: UploadStatus,
) -> Result<UploadStatus> {
    let written_at = UnixMillis(status.checkpoint.written_at_ms);
    let is_completing = status.checkpoint.phase == Phase::Completing;
    if !is_completing || instance.now().since(written_at) < COMPLETE_WAIT_MAX {
        return Ok(status);
    }
    let credential = append::stored_credential(instance, key, &status.record).await?;
    settle(instance, key, &status.record, credential).await?;
    current_status(instance, key).await
}

async fn reconcile(
    instance: &Rc<Instance>,
    caller: &Caller,
    key: &UploadKey,
    record: &UploadRecord,
) -> Result<()> {
    let credential = append::credential(instance, caller, key, record).await?;
    settle(instance, key, record, credential).await
}

/// Finds out how the upload ended, and completes it if it did not.
async fn settle(
    instance: &Rc<Instance>,
    key: &UploadKey,
    record: &UploadRecord,
    credential: Option<UploadCredential>,
) -> Result<()> {
    let (claim, purpose) = (Claim::TakeOver, Purpose::Settle);
    let request = SessionRequest { key, record, claim, purpose, credential, source: NO_SOURCE };
    ignore_takeover(run_session(instance, request).await?)
}
