//! What happens to the files, in the order in which it happens.

use std::collections::VecDeque;

use super::FileId;
use super::info::{FileInfo, Progress};
use crate::error::Error;
use crate::units::{ByteCount, UnixMillis};
use crate::vod::MediaKind;

/// What happens to the files. A file's last event is [`Event::Succeeded`], [`Event::Failed`],
/// [`Event::Canceled`] or [`Event::Stopped`], until it is started again.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A file was added to the list.
    FileAdded(FileInfo),
    /// A file has its turn and needs a credential.
    UploadStarted {
        /// Which file.
        file: FileId,
        /// Its name.
        name: String,
        /// What kind of media it is.
        kind: MediaKind,
        /// The media id of the upload that it continues, where that has one to be refreshed.
        media_id: Option<String>,
        /// From which offset it will continue.
        durable: ByteCount,
    },
    /// A file's bytes are needed from this offset on.
    SourceWanted {
        /// Which file.
        file: FileId,
        /// The first byte that is needed.
        offset: ByteCount,
    },
    /// A file is further than before.
    Progress {
        /// Which file.
        file: FileId,
        /// How far it is.
        progress: Progress,
    },
    /// A file's credential nears its end.
    TokenExpiring(TokenExpiry),
    /// A file waits for a new credential.
    TokenExpired(TokenExpiry),
    /// A file is uploaded whole.
    Succeeded(Box<Succeeded>),
    /// A file could not be uploaded.
    Failed {
        /// Which file.
        file: FileId,
        /// Why.
        error: Error,
        /// From which offset it can continue.
        durable: ByteCount,
    },
    /// A file was canceled.
    Canceled {
        /// Which file.
        file: FileId,
        /// Why parts of it may be left on the store.
        left_over: Option<Error>,
    },
    /// A file was stopped.
    Stopped {
        /// Which file.
        file: FileId,
        /// From which offset it continues.
        durable: ByteCount,
    },
    /// The run is over.
    UploadEnd,
}

/// A file needs a new credential.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenExpiry {
    /// Which file.
    pub file: FileId,
    /// Its media id, where it can be refreshed.
    pub media_id: Option<String>,
    /// When the credential ends, where that is known.
    pub expires_at: Option<UnixMillis>,
    /// What the store or VOD said of it.
    pub error: Option<Error>,
}

/// A file is uploaded whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succeeded {
    /// Which file.
    pub file: FileId,
    /// Its media id, where one is known.
    pub media_id: Option<String>,
    /// The endpoint.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// The object key.
    pub object: String,
    /// The object's size.
    pub size: ByteCount,
    /// CRC-64/XZ of the object.
    pub crc64: u64,
    /// The URL of a picture or of auxiliary media, where VOD told it.
    pub media_url: Option<String>,
}

/// The events that nobody has read yet.
#[derive(Debug, Default)]
pub(super) struct EventLog {
    unread: VecDeque<Event>,
}

impl EventLog {
    /// Adds an event. Progress takes the place of the same file's progress that nobody has read:
    /// a reader that is slow, or that there is none of, costs no memory.
    pub(super) fn push(&mut self, event: Event) {
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

    pub(super) fn pop(&mut self) -> Option<Event> {
        self.unread.pop_front()
    }
}

impl Event {
    /// Which file it is about; `None` for [`Event::UploadEnd`].
    #[must_use]
    pub const fn file(&self) -> Option<FileId> {
        match self {
            Self::FileAdded(info) => Some(info.id),
            Self::TokenExpiring(expiry) | Self::TokenExpired(expiry) => Some(expiry.file),
            Self::Succeeded(succeeded) => Some(succeeded.file),
            Self::UploadStarted { file, .. }
            | Self::SourceWanted { file, .. }
            | Self::Progress { file, .. }
            | Self::Failed { file, .. }
            | Self::Canceled { file, .. }
            | Self::Stopped { file, .. } => Some(*file),
            Self::UploadEnd => None,
        }
    }

    /// True for a file's last event, until it is started again.
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
    fn unread_progress_is_replaced_and_nothing_else_is() {
        let mut log = EventLog::default();
        for event in [
            progress(1, 1),
            progress(2, 1),
            progress(1, 2),
            stopped(1),
            progress(1, 0),
            progress(2, 2),
            Event::UploadEnd,
        ] {
            log.push(event);
        }
        let read: Vec<_> = std::iter::from_fn(|| log.pop()).collect();
        let expected =
            [progress(1, 2), progress(2, 2), stopped(1), progress(1, 0), Event::UploadEnd];
        assert_eq!(read, expected);
    }
}
