//! Queue events, in delivery order.

use std::collections::VecDeque;

use super::ids::FileId;
use super::info::{FileInfo, Progress};
use crate::error::Error;
use crate::units::{ByteCount, UnixMillis};
use crate::vod::MediaKind;

/// An event of a queue. The terminal events of a file are [`Event::Succeeded`], [`Event::Failed`],
/// [`Event::Canceled`] and [`Event::Stopped`]; others follow only if the file is started again.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A file was added to the list.
    FileAdded(FileInfo),
    /// A file has become active and requires a credential.
    UploadStarted {
        /// The file.
        file: FileId,
        /// Name of the file.
        name: String,
        /// Kind of media.
        kind: MediaKind,
        /// Media ID of the upload that the file continues, if its credential can be refreshed.
        media_id: Option<String>,
        /// Offset from which the upload continues.
        durable: ByteCount,
    },
    /// A file requires its bytes from this offset on.
    SourceRequested {
        /// The file.
        file: FileId,
        /// Offset of the first required byte.
        offset: ByteCount,
    },
    /// The progress of a file has changed.
    Progress {
        /// The file.
        file: FileId,
        /// The progress.
        progress: Progress,
    },
    /// The credential of a file expires soon.
    TokenExpiring(TokenExpiry),
    /// A file is waiting for a new credential.
    TokenExpired(TokenExpiry),
    /// A file is completely uploaded.
    Succeeded(Box<Succeeded>),
    /// The upload of a file failed.
    Failed {
        /// The file.
        file: FileId,
        /// The cause.
        error: Error,
        /// Offset from which the upload can be resumed.
        durable: ByteCount,
    },
    /// A file was canceled.
    Canceled {
        /// The file.
        file: FileId,
        /// Why parts may remain in OSS; `None` if none remain.
        leftover_error: Option<Error>,
    },
    /// A file was stopped.
    Stopped {
        /// The file.
        file: FileId,
        /// Offset from which the upload can be resumed.
        durable: ByteCount,
    },
    /// The run has finished.
    UploadEnd,
}

/// A file requires a new credential.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenExpiry {
    /// The file.
    pub file: FileId,
    /// Media ID, if its credential can be refreshed.
    pub media_id: Option<String>,
    /// Expiry time of the current credential, if known.
    pub expires_at: Option<UnixMillis>,
    /// The error with which OSS or VOD rejected the credential, if any.
    pub error: Option<Error>,
}

/// A completely uploaded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succeeded {
    /// The file.
    pub file: FileId,
    /// Media ID, if known.
    pub media_id: Option<String>,
    /// The endpoint.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// The object key.
    pub object: String,
    /// Size of the object.
    pub size: ByteCount,
    /// CRC-64/XZ of the object.
    pub crc64: u64,
    /// URL of an image or of auxiliary media, if VOD returned one.
    pub media_url: Option<String>,
}

/// Events that have not been read.
#[derive(Debug, Default)]
pub(in crate::queue) struct EventQueue {
    unread: VecDeque<Event>,
}

impl EventQueue {
    /// Appends an event. Progress replaces unread progress of the same file, so that a slow or
    /// absent reader costs no memory.
    pub(in crate::queue) fn push(&mut self, event: Event) {
        if let Event::Progress { file, .. } = event
            && let Some(last) =
                self.unread.iter_mut().rev().find(|unread| unread.file() == Some(file))
            && matches!(last, Event::Progress { .. })
        {
            *last = event;
            return;
        }
        self.unread.push_back(event);
    }

    pub(in crate::queue) fn pop(&mut self) -> Option<Event> {
        self.unread.pop_front()
    }
}

impl Event {
    /// Returns the file of the event; `None` for [`Event::UploadEnd`].
    #[must_use]
    pub const fn file(&self) -> Option<FileId> {
        match self {
            Self::FileAdded(info) => Some(info.id),
            Self::TokenExpiring(expiry) | Self::TokenExpired(expiry) => Some(expiry.file),
            Self::Succeeded(succeeded) => Some(succeeded.file),
            Self::UploadStarted { file, .. }
            | Self::SourceRequested { file, .. }
            | Self::Progress { file, .. }
            | Self::Failed { file, .. }
            | Self::Canceled { file, .. }
            | Self::Stopped { file, .. } => Some(*file),
            Self::UploadEnd => None,
        }
    }

    /// Returns true for the terminal events of a file.
    #[must_use]
    pub const fn is_last_of_file(&self) -> bool {
        matches!(
            self,
            Self::Succeeded(_) | Self::Failed { .. } | Self::Canceled { .. } | Self::Stopped { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(file: u64, durable: u64) -> Event {
        let progress = Progress::at(ByteCount(durable), ByteCount(durable), None, false);
        Event::Progress { file: FileId(file), progress }
    }

    fn stopped(file: u64) -> Event {
        Event::Stopped { file: FileId(file), durable: ByteCount::ZERO }
    }

    #[test]
    fn only_unread_progress_is_replaced() {
        let mut events = EventQueue::default();
        for event in [
            progress(1, 1),
            progress(2, 1),
            progress(1, 2),
            stopped(1),
            progress(1, 0),
            progress(2, 2),
            Event::UploadEnd,
        ] {
            events.push(event);
        }
        let read: Vec<_> = std::iter::from_fn(|| events.pop()).collect();
        let expected =
            [progress(1, 2), progress(2, 2), stopped(1), progress(1, 0), Event::UploadEnd];
        assert_eq!(read, expected);
    }
}
