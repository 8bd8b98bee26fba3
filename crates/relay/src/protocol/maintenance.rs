//! Requests of the operator.

use std::rc::Rc;

use ::http::StatusCode;
use vod_uploader::Result;
use vod_uploader::http::{CleanupReport, RequestHead, Response};

use crate::instance::Instance;
use crate::upload::cleanup::clean_up_expired;

/// `POST /v1/maintenance/expire`.
pub(crate) async fn expire(instance: &Rc<Instance>, head: &RequestHead) -> Result<Response> {
    instance.config.operator.check(head)?;
    let report: CleanupReport = clean_up_expired(instance).await?;
    Ok(Response::json(StatusCode::OK, &report))
}
