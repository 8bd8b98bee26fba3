//! What a client does in the middle of a request.

use vod_uploader_component_tests::random::Random;

use crate::remote::{Remote, Words};

/// Something that a client does after it has sent some of a request's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Sends the rest.
    None,
    /// Closes the connection.
    Cut,
    /// Says nothing more, for as long as the upload takes, and goes on over another connection.
    Silence,
    /// Asks for the offset over another connection, and sends the rest.
    Ask,
    /// Sends the same bytes over another connection, and then the rest.
    Rival,
    /// Pauses the upload, sends the rest, and resumes it.
    Pause,
    /// Deletes the upload, and sends the rest.
    Delete,
    /// Sends other bytes than the checksum says.
    Falsify,
}

impl Trouble {
    /// What happens to a request that brings `length` bytes to an upload that has `offset`.
    pub(crate) fn drawn(random: &mut Random, remote: &Remote, offset: u64, checked: bool) -> Self {
        if checked {
            return *random.pick(&[Self::None, Self::Cut, Self::Ask, Self::Falsify]);
        }
        let drawn = *random.pick(&ALL);
        let is_partial = remote.file_name.is_none();
        // FilePond's upload comes to be with its first chunk: before that there is nothing to
        // pause, and a chunk under way makes one that was deleted.
        let too_early = matches!(remote.words, Words::FilePond(_)) && offset == 0;
        match drawn {
            Self::Delete if is_partial || too_early => Self::Cut,
            Self::Pause if too_early => Self::Ask,
            drawn => drawn,
        }
    }
}

const ALL: [Trouble; 20] = [
    Trouble::None,
    Trouble::None,
    Trouble::None,
    Trouble::None,
    Trouble::None,
    Trouble::None,
    Trouble::None,
    Trouble::None,
    Trouble::Cut,
    Trouble::Cut,
    Trouble::Cut,
    Trouble::Silence,
    Trouble::Silence,
    Trouble::Silence,
    Trouble::Ask,
    Trouble::Ask,
    Trouble::Rival,
    Trouble::Rival,
    Trouble::Pause,
    Trouble::Delete,
];
