//! One VOD call for a file: its attempts, its timeout and the correction of clock skew.

use super::validated_file::ValidatedFile;
use crate::credential::AccessKey;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::oss::{HttpResponse, Request};
use crate::queue::context::QueueContext;
use crate::queue::interface::{Output, VodCallId};
use crate::units::UnixMillis;
use crate::upload::Attempts;
use crate::vod::{
    Action as _, CreateUploadAttachedMedia, CreateUploadImage, CreateUploadVideo, MediaKind,
    RefreshUploadVideo, RpcSigner, UploadGrant,
};

/// The purpose of a call.
#[derive(Clone, Debug)]
pub(super) enum VodAction {
    /// Create a media ID of the file's kind.
    Create,
    /// Issue a new credential for this media ID.
    Refresh { video_id: String },
}

/// A call in progress.
#[derive(Debug)]
pub(super) struct VodCall {
    action: VodAction,
    token: AccessKey,
    attempts: Attempts,
    status: Status,
}

#[derive(Clone, Copy, Debug)]
enum Status {
    Waiting(UnixMillis),
    Sent { id: VodCallId, deadline: UnixMillis },
}

impl VodCall {
    /// Creates a call that [`Self::advance`] sends.
    pub(super) const fn new(action: VodAction, token: AccessKey, now: UnixMillis) -> Self {
        let attempts = Attempts::first(now);
        Self { action, token, attempts, status: Status::Waiting(now) }
    }

    /// Sends what is due. Returns the result if the call has failed.
    pub(super) fn advance(
        &mut self,
        ctx: &mut QueueContext,
        file: &ValidatedFile,
    ) -> Option<Result<UploadGrant>> {
        if let Status::Sent { id, deadline } = self.status
            && deadline <= ctx.now()
        {
            ctx.output(Output::CancelVod { id });
            let late =
                Error::new(ErrorKind::VodUnavailable, "VOD did not respond within the timeout");
            if let Some(error) = self.attempt_failed(ctx, late) {
                return Some(Err(error));
            }
        }
        if let Status::Waiting(at) = self.status
            && at <= ctx.now()
        {
            let id = ctx.next_vod_call_id();
            let nonce = ctx.vod_nonce();
            let signer = RpcSigner {
                endpoint: ctx.options().vod_endpoint(),
                key: &self.token,
                nonce: &nonce,
                now: ctx.vod_time(),
            };
            let request = match Call::new(&self.action, file) {
                Ok(call) => call.sign(&signer),
                Err(error) => return Some(Err(error)),
            };
            self.status = Status::Sent { id, deadline: ctx.now() + ctx.options().timeout() };
            ctx.output(Output::CallVod { id, request: Box::new(request) });
        }
        None
    }

    /// Accepts the response to the awaited attempt. Returns the result if the call has completed.
    pub(super) fn on_response(
        &mut self,
        ctx: &mut QueueContext,
        file: &ValidatedFile,
        response: Result<HttpResponse>,
    ) -> Option<Result<UploadGrant>> {
        let parse = |response| Call::new(&self.action, file)?.parse(&response, ctx.now());
        match response.and_then(parse) {
            Ok(grant) => Some(Ok(grant)),
            Err(error) => {
                let error = self.token.redact(error);
                self.attempt_failed(ctx, error).map(Err)
            }
        }
    }

    pub(super) fn is_awaiting(&self, attempt: VodCallId) -> bool {
        matches!(self.status, Status::Sent { id, .. } if id == attempt)
    }

    /// Aborts the call. A response in flight is ignored.
    pub(super) fn cancel(self, ctx: &mut QueueContext) {
        if let Status::Sent { id, .. } = self.status {
            ctx.output(Output::CancelVod { id });
        }
    }

    pub(super) const fn next_wakeup(&self) -> UnixMillis {
        match self.status {
            Status::Waiting(at) => at,
            Status::Sent { deadline, .. } => deadline,
        }
    }

    /// Schedules another attempt, or returns the error if there is none.
    fn attempt_failed(&mut self, ctx: &mut QueueContext, error: Error) -> Option<Error> {
        let is_skewed = ctx.correct_vod_clock(&error);
        if (error.kind().retry() == Retry::Retryable || is_skewed)
            && let Some(at) = ctx.next_retry(&mut self.attempts)
        {
            self.status = Status::Waiting(at);
            return None;
        }
        Some(match self.attempts.made() {
            1 => error,
            tries => error.with_context(&format!("tried {tries} times")),
        })
    }
}

/// Checks that the parameters of the file's Create call are valid.
///
/// # Errors
/// Returns [`ErrorKind::RequestInvalid`] with the parameter.
pub(super) fn check_create_parameters(file: &ValidatedFile) -> Result<()> {
    Call::new(&VodAction::Create, file).map(drop)
}

enum Call<'a> {
    CreateVideo(CreateUploadVideo<'a>),
    CreateImage(CreateUploadImage<'a>),
    CreateAttachedMedia(CreateUploadAttachedMedia<'a>),
    RefreshVideo(RefreshUploadVideo<'a>),
}

impl<'a> Call<'a> {
    fn new(action: &'a VodAction, file: &'a ValidatedFile) -> Result<Self> {
        if let VodAction::Refresh { video_id } = action {
            return Ok(Self::RefreshVideo(RefreshUploadVideo { video_id }));
        }
        let (media, name, size) = (file.param_data(), file.name(), file.size());
        Ok(match file.kind() {
            MediaKind::Video | MediaKind::Audio => {
                Self::CreateVideo(media.create_video(name, size)?)
            }
            MediaKind::Image => Self::CreateImage(media.create_image(name)?),
            MediaKind::Auxiliary => {
                Self::CreateAttachedMedia(media.create_attached_media(name, size)?)
            }
        })
    }

    fn sign(&self, signer: &RpcSigner<'_>) -> Request {
        match self {
            Self::CreateVideo(call) => signer.sign(call),
            Self::CreateImage(call) => signer.sign(call),
            Self::CreateAttachedMedia(call) => signer.sign(call),
            Self::RefreshVideo(call) => signer.sign(call),
        }
    }

    fn parse(&self, response: &HttpResponse, now: UnixMillis) -> Result<UploadGrant> {
        match self {
            Self::CreateVideo(call) => call.parse(response, now),
            Self::CreateImage(call) => call.parse(response, now),
            Self::CreateAttachedMedia(call) => call.parse(response, now),
            Self::RefreshVideo(call) => call.parse(response, now),
        }
    }
}
