//! Who speaks what.

use vod_uploader_wire::ietf::{Draft, NEWEST};

/// How a client sends its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// tus, and how the requests are cut.
    Tus(Tus),
    /// tus, the file in several uploads that are joined.
    Concatenated,
    /// The IETF's resumable uploads, by their interop version, in several requests.
    Ietf(Draft),
    /// The same in one request.
    IetfWhole(Draft),
    /// `PUT /v1/uploads/{name}`, its length declared or not.
    Put {
        /// Whether it is.
        known: bool,
    },
    /// A form with two files.
    Form,
    /// FilePond's chunks.
    FilePond,
}

/// The ways of tus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tus {
    /// All in one PATCH.
    Whole,
    /// Chunks of 3 MiB.
    Chunks,
    /// Small chunks of any length, most of which end in a tail.
    Odd,
    /// The first bytes come with the POST.
    CreationWithUpload,
    /// The length comes with the last bytes, or after them.
    DeferredLength,
    /// Each chunk has a checksum, which is now and then wrong.
    Checksums,
}

impl Protocol {
    /// What the client of this number speaks.
    pub(crate) fn of_client(number: u64) -> Self {
        let index = usize::try_from(number).expect("a number of a client fits");
        PROTOCOLS[index % PROTOCOLS.len()]
    }
}

const PROTOCOLS: [Protocol; 17] = [
    Protocol::Tus(Tus::Whole),
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
    Protocol::IetfWhole(NEWEST),
    Protocol::Put { known: true },
    Protocol::Put { known: false },
    Protocol::Form,
    Protocol::FilePond,
    Protocol::FilePond,
];
