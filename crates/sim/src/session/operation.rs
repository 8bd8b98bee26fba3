//! The operations that a session has started.

use std::rc::Rc;

use vod_uploader::credential::UploadCredential;
use vod_uploader::error::{Error, ErrorKind, Result};
use vod_uploader::upload::{CallId, FillId, FillRequest, Input, KvId, SourceStatus};

use crate::world::{ServiceCall, ServiceResult};

/// An operation and its stage.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) operation: PendingOperation,
    pub(super) stage: OperationStage,
}

#[derive(Debug)]
pub(super) enum PendingOperation {
    Call { call: ServiceCall, recipient: Recipient },
    RefreshCredential,
    Fill(FillRequest),
}

/// What receives the result of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recipient {
    Kv(KvId),
    Request {
        call: CallId,
        /// The fill of the body.
        fill: Option<FillId>,
    },
    Nothing,
}

#[derive(Debug)]
pub(super) enum OperationStage {
    /// It has not taken effect.
    Started,
    /// It has taken effect, and its result has not arrived.
    Executed(Box<OperationResult>),
    /// Its result never arrives.
    Silent,
}

#[derive(Debug)]
pub(super) enum OperationResult {
    Service(ServiceResult),
    Credential(Result<UploadCredential, Error>),
    StreamOpened,
    StreamEnded(Vec<u8>, SourceStatus),
}

impl Pending {
    pub(super) const fn new(operation: PendingOperation) -> Self {
        Self { operation, stage: OperationStage::Started }
    }

    /// The body of a request that streams `fill` has arrived at OSS.
    pub(super) fn set_streamed_body(&mut self, streamed: FillId, bytes: &Rc<Vec<u8>>) {
        if let PendingOperation::Call {
            call: ServiceCall::Send { body, .. },
            recipient: Recipient::Request { fill, .. },
        } = &mut self.operation
            && *fill == Some(streamed)
        {
            *body = Some(Rc::clone(bytes));
        }
    }

    /// Returns `true` if this is the request whose body is `streamed`.
    pub(super) fn has_body(&self, streamed: FillId) -> bool {
        matches!(
            self.operation,
            PendingOperation::Call { recipient: Recipient::Request { fill, .. }, .. }
                if fill == Some(streamed)
        )
    }

    /// Returns `true` if the request waits for its streamed body.
    pub(super) const fn waits_for_body(&self) -> bool {
        matches!(
            self,
            Self {
                operation: PendingOperation::Call {
                    call: ServiceCall::Send { body: None, .. },
                    recipient: Recipient::Request { fill: Some(_), .. },
                },
                stage: OperationStage::Started,
            }
        )
    }

    /// The call, if it can take effect after its writer has crashed.
    pub(super) fn into_late_write(self) -> Option<ServiceCall> {
        let waits_for_body = self.waits_for_body();
        match self {
            Self {
                operation: PendingOperation::Call { call, .. },
                stage: OperationStage::Started,
            } if !waits_for_body && !matches!(call, ServiceCall::KvGet { .. }) => Some(call),
            _ => None,
        }
    }
}

/// The input that passes the result of a call to the session.
pub(super) fn input(recipient: Recipient, result: ServiceResult) -> Input {
    match (recipient, result) {
        (Recipient::Kv(id), ServiceResult::Kv(result)) => {
            let unavailable = |text| Error::new(ErrorKind::KeyValueUnavailable, text);
            Input::Kv { id, result: result.map_err(unavailable) }
        }
        (Recipient::Request { call, .. }, ServiceResult::Http(result)) => {
            Input::StoreResponse { call, result }
        }
        mismatch => panic!("{mismatch:?}"),
    }
}
