//! The loads of the benchmark, and how they are sent.

use std::net::SocketAddr;
use std::thread;

use super::connection::{Connection, Head};
use crate::failure::Failure;
use crate::http::Http;
use crate::tus::TusUpload;

/// How many uploads run at once, and how each arrives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) name: &'static str,
    pub(super) uploads: u64,
    pub(super) shape: Shape,
}

/// How a body arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// In one PUT.
    Whole,
    /// In PATCH requests of [`CHUNK_BYTES`].
    Chunks,
}

/// One upload of a load: sends a body of `length_bytes` that repeats `block`.
pub(super) type Send<'a> = dyn Fn(u64, u64, &[u8]) -> Result<(), Failure> + Sync + 'a;

impl Load {
    /// Sends `size_bytes` in all, an equal share for each upload.
    ///
    /// # Errors
    /// The first upload that failed.
    pub(super) fn send(
        &self,
        size_bytes: u64,
        block: &[u8],
        send: &Send<'_>,
    ) -> Result<(), Failure> {
        let share_bytes = size_bytes / self.uploads;
        thread::scope(|scope| {
            let senders: Vec<_> = (0..self.uploads)
                .map(|upload| scope.spawn(move || send(upload, share_bytes, block)))
                .collect();
            senders.into_iter().try_for_each(|sender| {
                sender.join().unwrap_or_else(|_| Err(Failure::new("a sender panicked")))
            })
        })
    }
}

/// Uploads to the worker.
///
/// # Errors
/// It refuses the upload or breaks it off.
pub(super) fn to_worker(
    http: &Http,
    worker: SocketAddr,
    shape: Shape,
    (upload, length_bytes, block): (u64, u64, &[u8]),
) -> Result<(), Failure> {
    let name = format!("bench-{upload}.mp4");
    let mut connection = Connection::open(worker)?;
    if shape == Shape::Whole {
        let path = format!("/v1/uploads/{name}");
        let headers = [("connection", "close".to_owned())];
        let head = Head { method: "PUT", path: &path, headers: &headers };
        return connection.send(&head, length_bytes, block, 201).map(drop);
    }
    let origin = format!("http://{worker}");
    let upload = TusUpload::create(http, &origin, &name, length_bytes)?;
    let path = upload.path(&origin)?;
    for (offset, length) in chunks(length_bytes) {
        let headers = [
            ("tus-resumable", "1.0.0".to_owned()),
            ("upload-offset", offset.to_string()),
            ("content-type", "application/offset+octet-stream".to_owned()),
        ];
        let head = Head { method: "PATCH", path, headers: &headers };
        let reply = connection.send(&head, length, block, 204)?;
        let acknowledged = reply.header("upload-offset").unwrap_or("none");
        if acknowledged != (offset + length).to_string() {
            return Err(Failure::new(format!(
                "PATCH {path}: offset {acknowledged} instead of {}",
                offset + length
            )));
        }
    }
    Ok(())
}

/// Sends the same requests to nginx, which relays them to the sink.
///
/// # Errors
/// It refuses or breaks off.
pub(super) fn to_nginx(
    nginx: SocketAddr,
    shape: Shape,
    (upload, length_bytes, block): (u64, u64, &[u8]),
) -> Result<(), Failure> {
    let path = format!("/bench-{upload}.mp4");
    let mut connection = Connection::open(nginx)?;
    if shape == Shape::Whole {
        let head = Head { method: "PUT", path: &path, headers: &[] };
        return connection.send(&head, length_bytes, block, 200).map(drop);
    }
    for (_, length) in chunks(length_bytes) {
        let head = Head { method: "PATCH", path: &path, headers: &[] };
        connection.send(&head, length, block, 200)?;
    }
    Ok(())
}

/// Offset and length of each chunk of a body.
fn chunks(length_bytes: u64) -> impl Iterator<Item = (u64, u64)> {
    (0..length_bytes.div_ceil(CHUNK_BYTES)).map(move |number| {
        let offset = number * CHUNK_BYTES;
        (offset, CHUNK_BYTES.min(length_bytes - offset))
    })
}

/// What is measured, from the easiest on.
pub(super) const LOADS: [Load; 4] = [
    Load { name: "1 upload, whole body", uploads: 1, shape: Shape::Whole },
    Load { name: "8 uploads, whole bodies", uploads: 8, shape: Shape::Whole },
    Load { name: "1 upload, 3 MiB chunks", uploads: 1, shape: Shape::Chunks },
    Load { name: "8 uploads, 3 MiB chunks", uploads: 8, shape: Shape::Chunks },
];

/// What a browser client would send at a time.
pub(super) const CHUNK_BYTES: u64 = 3 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_a_body_and_only_the_last_is_shorter() {
        let all: Vec<_> = chunks(2 * CHUNK_BYTES + 1).collect();
        let expected = [(0, CHUNK_BYTES), (CHUNK_BYTES, CHUNK_BYTES), (2 * CHUNK_BYTES, 1)];
        assert_eq!(all, expected);
        assert_eq!(chunks(CHUNK_BYTES).count(), 1);
    }

    #[test]
    fn a_failed_upload_fails_the_load() {
        let outcome = LOADS[1].send(64, b"block", &|upload, length_bytes, _| {
            assert_eq!(length_bytes, 8);
            if upload == 5 { Err(Failure::new("the sixth")) } else { Ok(()) }
        });
        assert!(outcome.is_err_and(|failure| failure.to_string() == "the sixth"));
    }
}
