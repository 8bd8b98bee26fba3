//! The protocols of the clients.

use vod_uploader_wire::ietf::{Draft, NEWEST};

/// How a client sends its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// tus, with the way a file is split into requests.
    Tus(Tus),
    /// tus, with partial uploads that are concatenated.
    Concatenated,
    /// A draft of the IETF's resumable uploads, in several requests.
    Ietf(Draft),
    /// The same in one request.
    IetfSingleRequest(Draft),
    /// `PUT /v1/uploads/{name}`.
    Put {
        /// Whether its length is declared.
        known: bool,
    },
    /// A form with two files.
    Form,
    /// FilePond's chunks.
    FilePond,
}

/// The ways to send a file by tus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tus {
    /// All in one PATCH.
    OneRequest,
    /// Chunks of 3 MiB.
    Chunks,
    /// Small chunks of any length, most of which leave a tail.
    Odd,
    /// The first bytes are in the POST (creation-with-upload).
    CreationWithUpload,
    /// The length is declared with the last bytes, or after them.
    DeferredLength,
    /// Each chunk has a checksum, which is sometimes wrong.
    Checksums,
}

impl Protocol {
    /// The protocol of the client with this number.
    pub(crate) fn for_client(number: u64) -> Self {
        let index = usize::try_from(number).expect("a number of a client fits");
        PROTOCOLS[index % PROTOCOLS.len()]
    }
}

const PROTOCOLS: [Protocol; 17] = [
    Protocol::Tus(Tus::OneRequest),
    Protocol::Tus(Tus::Chunks),
    Protocol::Tus(Tus::Odd),
    Protocol::Tus(Tus::CreationWithUpload),
    Protocol::Tus(Tus::DeferredLength),
    Protocol::Tus(Tus::Checksums),
    Protocol::Concatenated,
    Protocol::Concatenated,
    Protocol::Concatenated,
    Protocol::Ietf(NEWEST),
    Protocol::Ietf(Draft(6)),
    Protocol::IetfSingleRequest(NEWEST),
    Protocol::Put { known: true },
    Protocol::Put { known: false },
    Protocol::Form,
    Protocol::FilePond,
    Protocol::FilePond,
];
