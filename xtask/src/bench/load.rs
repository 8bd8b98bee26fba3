//! The workloads of the benchmarks, and how they are sent.

use std::thread;
use std::time::Duration;

use vod_uploader_wire::{Client, Connection, Framing, Request, Response, tus};

use crate::command_error::CommandError;

/// How many uploads run at once, and how each arrives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Workload {
    pub(super) name: &'static str,
    pub(super) uploads: u64,
    pub(super) pattern: RequestPattern,
}

/// How a body arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestPattern {
    /// In one PUT.
    Single,
    /// In PATCH requests of [`CHUNK_BYTES`].
    Chunks,
}

/// Sends one upload of a workload, a body of `length_bytes` that repeats `block`.
pub(super) type Send<'a> = dyn Fn(u64, u64, &[u8]) -> Result<(), CommandError> + Sync + 'a;

impl Workload {
    /// Sends `size_bytes` in total, an equal share for each upload.
    ///
    /// # Errors
    /// Returns the error of the first upload that failed.
    pub(super) fn send(
        &self,
        size_bytes: u64,
        block: &[u8],
        send: &Send<'_>,
    ) -> Result<(), CommandError> {
        let share_bytes = size_bytes / self.uploads;
        thread::scope(|scope| {
            let senders: Vec<_> = (0..self.uploads)
                .map(|upload| scope.spawn(move || send(upload, share_bytes, block)))
                .collect();
            senders.into_iter().try_for_each(|sender| {
                sender.join().unwrap_or_else(|_| Err(CommandError::new("a sender panicked")))
            })
        })
    }
}

/// Uploads a body.
///
/// # Errors
/// Returns an error if a request fails or has another offset.
pub(super) fn upload(
    origin: &str,
    pattern: RequestPattern,
    (upload, length_bytes, block): (u64, u64, &[u8]),
) -> Result<(), CommandError> {
    let name = format!("bench-{upload}.mp4");
    let client = Client::new(origin).with_timeout(RESPONSE_LIMIT);
    let mut connection = client.connect()?;
    if pattern == RequestPattern::Single {
        let put = Request::new("PUT", &format!("/v1/uploads/{name}"));
        let put = put.header("connection", "close");
        return send(connection, put, (length_bytes, block), 201).map(drop);
    }
    let target = tus::Upload::create(&client, "/v1/files", &name, length_bytes)?.target;
    for (offset, length) in chunks(length_bytes) {
        let response;
        let patch = tus::patch(&target, offset);
        (response, connection) = send(connection, patch, (length, block), 204)?;
        let acknowledged = response.header("upload-offset").unwrap_or("none");
        if acknowledged != (offset + length).to_string() {
            return Err(CommandError::new(format!(
                "PATCH {target}: offset {acknowledged} instead of {}",
                offset + length
            )));
        }
    }
    Ok(())
}

/// Sends the same bodies to a proxy.
///
/// # Errors
/// Returns an error if a request fails.
pub(super) fn relay(
    origin: &str,
    pattern: RequestPattern,
    (upload, length_bytes, block): (u64, u64, &[u8]),
) -> Result<(), CommandError> {
    let path = format!("/bench-{upload}.mp4");
    let client = Client::new(origin).with_timeout(RESPONSE_LIMIT);
    let mut connection = client.connect()?;
    if pattern == RequestPattern::Single {
        let put = Request::new("PUT", &path);
        return send(connection, put, (length_bytes, block), 200).map(drop);
    }
    for (_, length) in chunks(length_bytes) {
        (_, connection) = send(connection, Request::new("PUT", &path), (length, block), 200)?;
    }
    Ok(())
}

/// Sends a request with a body of `length_bytes` that repeats `block`. Returns the connection for
/// the next one.
///
/// # Errors
/// Returns an error if the connection breaks, or the status is not `expected`.
fn send(
    connection: Connection,
    request: Request,
    (length_bytes, block): (u64, &[u8]),
    expected: u16,
) -> Result<(Response, Connection), CommandError> {
    let request = request.framing(Framing::Length(length_bytes));
    let fail =
        |why: String| CommandError::new(format!("{} {}: {why}", request.method, request.target));
    let mut exchange = connection.start(&request)?;
    let mut left = length_bytes;
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
        if !exchange.send(&block[..length]) {
            break;
        }
        left -= length as u64;
    }
    // A server that rejects a body responds with the reason before it has read the body.
    let (response, connection) = exchange.finish_and_keep()?;
    match response.status {
        status if status != expected => Err(fail(format!("status {status} instead of {expected}"))),
        _ if left > 0 => Err(fail("the body could not be sent".to_owned())),
        _ => Ok((response, connection)),
    }
}

/// Offset and length of each chunk of a body.
fn chunks(length_bytes: u64) -> impl Iterator<Item = (u64, u64)> {
    (0..length_bytes.div_ceil(CHUNK_BYTES)).map(move |number| {
        let offset = number * CHUNK_BYTES;
        (offset, CHUNK_BYTES.min(length_bytes - offset))
    })
}

/// The workloads of the relay benchmark.
pub(super) const WORKLOADS: [Workload; 4] = [
    Workload { name: "1 upload, one request", uploads: 1, pattern: RequestPattern::Single },
    Workload { name: "8 uploads, one request each", uploads: 8, pattern: RequestPattern::Single },
    Workload { name: "1 upload, 3 MiB chunks", uploads: 1, pattern: RequestPattern::Chunks },
    Workload { name: "8 uploads, 3 MiB chunks", uploads: 8, pattern: RequestPattern::Chunks },
];

/// Completing a large object takes time.
const RESPONSE_LIMIT: Duration = Duration::from_secs(120);

/// A usual chunk size of browser clients.
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
}
