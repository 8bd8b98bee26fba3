//! Faults of clients in the middle of a request.

use vod_uploader_component_tests::random::Random;

use crate::upload_handle::{UploadHandle, WireFormat};

/// A fault of a client after it has sent some bytes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientFault {
    /// Sends the rest.
    None,
    /// Closes the connection.
    Disconnect,
    /// Sends nothing more until the upload has ended, and continues over another connection.
    Stall,
    /// Queries the offset over another connection, and sends the rest.
    QueryOffset,
    /// Sends the same bytes over another connection, and then the rest.
    Duplicate,
    /// Pauses the upload, sends the rest, and resumes it.
    Pause,
    /// Deletes the upload, and sends the rest.
    Delete,
    /// Sends bytes that do not match the checksum.
    Corrupt,
}

impl ClientFault {
    /// Chooses the fault of a request that appends at `offset`.
    pub(crate) fn choose(
        random: &mut Random,
        upload: &UploadHandle,
        offset: u64,
        checked: bool,
    ) -> Self {
        if checked {
            return *random.pick(&[Self::None, Self::Disconnect, Self::QueryOffset, Self::Corrupt]);
        }
        let drawn = *random.pick(&ALL);
        let is_partial = upload.file_name.is_none();
        // FilePond's upload is created by its first chunk. Before that there is nothing to pause,
        // and a chunk in flight creates a deleted upload again.
        let too_early = matches!(upload.format, WireFormat::FilePond(_)) && offset == 0;
        match drawn {
            Self::Delete if is_partial || too_early => Self::Disconnect,
            Self::Pause if too_early => Self::QueryOffset,
            drawn => drawn,
        }
    }
}

const ALL: [ClientFault; 20] = [
    ClientFault::None,
    ClientFault::None,
    ClientFault::None,
    ClientFault::None,
    ClientFault::None,
    ClientFault::None,
    ClientFault::None,
    ClientFault::None,
    ClientFault::Disconnect,
    ClientFault::Disconnect,
    ClientFault::Disconnect,
    ClientFault::Stall,
    ClientFault::Stall,
    ClientFault::Stall,
    ClientFault::QueryOffset,
    ClientFault::QueryOffset,
    ClientFault::Duplicate,
    ClientFault::Duplicate,
    ClientFault::Pause,
    ClientFault::Delete,
];
