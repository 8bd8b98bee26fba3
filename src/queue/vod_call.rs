//! One call to VOD on behalf of a file: its attempts, its deadline and the clock's skew.

use super::file::File;
use super::shared::Shared;
use super::{Output, VodCallId};
use crate::credential::StsCredential;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::oss::{Reply, Request};
use crate::units::UnixMillis;
use crate::upload::Attempts;
use crate::vod::{Action as _, MediaKind, RefreshUploadVideo, RpcSigner, UploadGrant};

/// What VOD is asked for.
#[derive(Clone, Debug)]
pub(super) enum VodAction {
    /// A new media id of the file's kind.
    Create,
    /// A new credential for this media id.
    Refresh { video_id: String },
}

/// A call that has not ended.
#[derive(Debug)]
pub(super) struct VodCall {
    action: VodAction,
    token: StsCredential,
    attempts: Attempts,
    status: Status,
}

#[derive(Clone, Copy, Debug)]
enum Status {
    Waiting(UnixMillis),
    Sent { id: VodCallId, deadline: UnixMillis },
}

impl VodCall {
    /// A call that [`Self::advance`] sends.
    pub(super) const fn new(action: VodAction, token: StsCredential, now: UnixMillis) -> Self {
        let attempts = Attempts::first(now);
        Self { action, token, attempts, status: Status::Waiting(now) }
    }

    /// Sends what is due. Returns how the call ended, where its time is up.
    pub(super) fn advance(
        &mut self,
        shared: &mut Shared,
        file: &File,
    ) -> Option<Result<UploadGrant>> {
        if let Status::Sent { id, deadline } = self.status
            && deadline <= shared.now
        {
            shared.output(Output::CancelVod { id });
            let late = Error::new(ErrorKind::VodUnavailable, "no answer in time");
            if let Some(ended) = self.failed(shared, late) {
                return Some(Err(ended));
            }
        }
        if let Status::Waiting(at) = self.status
            && at <= shared.now
        {
            let id = shared.next_vod_call();
            let nonce = shared.entropy.nonce();
            let signer = RpcSigner {
                endpoint: &shared.options.vod_endpoint,
                key: &self.token,
                nonce: &nonce,
                now: shared.vod_clock_skew.now_at_server(shared.now),
            };
            let request = match self.action.sign(file, &signer) {
                Ok(request) => request,
                Err(error) => return Some(Err(error)),
            };
            self.status = Status::Sent { id, deadline: shared.now + shared.options.timeout };
            shared.output(Output::CallVod { id, request: Box::new(request) });
        }
        None
    }

    /// Takes the reply to the attempt `id`, or why there is none. Returns how the call ended, if
    /// it did.
    pub(super) fn replied(
        &mut self,
        shared: &mut Shared,
        file: &File,
        id: VodCallId,
        reply: Result<Reply>,
    ) -> Option<Result<UploadGrant>> {
        if !self.awaits(id) {
            return None;
        }
        let result = reply.and_then(|reply| self.action.parse(file, &reply, shared.now));
        match result {
            Ok(grant) => Some(Ok(grant)),
            Err(error) => {
                let error = self.token.hidden_in(error);
                self.failed(shared, error).map(Err)
            }
        }
    }

    pub(super) fn awaits(&self, wanted: VodCallId) -> bool {
        matches!(self.status, Status::Sent { id, .. } if id == wanted)
    }

    /// Cuts the call off; an answer that is already on its way is ignored.
    pub(super) fn cancel(self, shared: &mut Shared) {
        if let Status::Sent { id, .. } = self.status {
            shared.output(Output::CancelVod { id });
        }
    }

    pub(super) const fn next_wakeup(&self) -> UnixMillis {
        match self.status {
            Status::Waiting(at) => at,
            Status::Sent { deadline, .. } => deadline,
        }
    }

    /// Decides whether a failed attempt is followed by another. Returns the error where it is not.
    fn failed(&mut self, shared: &mut Shared, error: Error) -> Option<Error> {
        let is_skewed = shared.vod_clock_skew.observe(&error, shared.now);
        if error.kind().retry() == Retry::Later || is_skewed {
            let (policy, now) = (shared.options.retry, shared.now);
            if let Some(at) = self.attempts.next(&policy, now, None, &mut shared.jitter) {
                self.status = Status::Waiting(at);
                return None;
            }
        }
        Some(match self.attempts.made() {
            1 => error,
            tries => error.while_doing(&format!("tried {tries} times")),
        })
    }
}

impl VodAction {
    fn sign(&self, file: &File, signer: &RpcSigner<'_>) -> Result<Request> {
        if let Self::Refresh { video_id } = self {
            return Ok(signer.sign(&RefreshUploadVideo { video_id }));
        }
        let media = &file.param_data;
        Ok(match file.kind {
            MediaKind::Video | MediaKind::Audio => {
                signer.sign(&media.create_video(&file.name, file.size)?)
            }
            MediaKind::Image => signer.sign(&media.create_image(&file.name)?),
            MediaKind::Auxiliary => {
                signer.sign(&media.create_attached_media(&file.name, file.size)?)
            }
        })
    }

    fn parse(&self, file: &File, reply: &Reply, now: UnixMillis) -> Result<UploadGrant> {
        if let Self::Refresh { video_id } = self {
            return RefreshUploadVideo { video_id }.parse(reply, now);
        }
        let media = &file.param_data;
        match file.kind {
            MediaKind::Video | MediaKind::Audio => {
                media.create_video(&file.name, file.size)?.parse(reply, now)
            }
            MediaKind::Image => media.create_image(&file.name)?.parse(reply, now),
            MediaKind::Auxiliary => {
                media.create_attached_media(&file.name, file.size)?.parse(reply, now)
            }
        }
    }
}
