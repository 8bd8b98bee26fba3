//! Bodies on disk: received, copied and read in chunks.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::spawn_blocking;

use super::digest::{Checksum, Hasher};
use super::record::Segment;
use crate::credential::random_hex;
use crate::http::{self, RequestBody};

/// An error of storing a body.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// Reading the request body failed.
    Request(http::BodyError),
    /// Writing to disk failed.
    Disk(io::Error),
}

/// A stored body without a record.
#[derive(Debug)]
pub(crate) struct Received {
    /// Its ID; `None` if bodies are discarded.
    pub(crate) body: Option<String>,
    /// Its length and checksums.
    pub(crate) checksum: Checksum,
}

/// The directory of bodies.
#[derive(Debug)]
pub(super) struct BodyDir {
    dir: PathBuf,
    discard: bool,
}

impl BodyDir {
    pub(super) fn open(dir: &Path, discard: bool) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self { dir: dir.to_owned(), discard })
    }

    pub(super) fn stores_bodies(&self) -> bool {
        !self.discard
    }

    /// Removes every file whose name is not in `ids`, such as unfinished bodies of a killed
    /// process.
    pub(super) fn retain(&self, ids: &HashSet<String>) -> io::Result<()> {
        for file in fs::read_dir(&self.dir)? {
            let file = file?;
            let is_retained = file.file_name().to_str().is_some_and(|id| ids.contains(id));
            if !is_retained {
                match fs::remove_file(file.path()) {
                    // A store that was closed before may still be removing it.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    removed => removed?,
                }
            }
        }
        Ok(())
    }

    /// Removes unreferenced bodies.
    pub(super) fn remove(&self, ids: Vec<String>) {
        if ids.is_empty() {
            return;
        }
        let dir = self.dir.clone();
        // The result is not awaited: a file that remains is removed at the next start.
        spawn_blocking(move || {
            for id in ids {
                drop(fs::remove_file(dir.join(id)));
            }
        });
    }

    pub(super) async fn receive(
        &self,
        body: &mut RequestBody,
        want_md5: bool,
    ) -> Result<Received, BodyError> {
        let (sender, receiver) = mpsc::channel(CHUNKS_IN_FLIGHT);
        let sink = self.sink(want_md5).map_err(BodyError::Disk)?;
        let writing = spawn_blocking(move || write_all(sink, receiver));
        let received = feed(body, sender).await;
        // The sender was dropped, which ends the writer.
        let written = writing.await.map_err(io::Error::other).flatten();
        match (received, written) {
            (Ok(()), Ok(stored)) => Ok(stored),
            (Ok(()), Err(error)) => Err(BodyError::Disk(error)),
            (Err(error), written) => {
                self.remove(written.ok().and_then(|stored| stored.body).into_iter().collect());
                Err(BodyError::Request(error))
            }
        }
    }

    pub(super) async fn copy(
        &self,
        segments: Vec<Segment>,
        start: u64,
        length: u64,
    ) -> io::Result<Received> {
        let mut chunks = self.read(segments, start, length);
        let (sender, receiver) = mpsc::channel(CHUNKS_IN_FLIGHT);
        let sink = self.sink(true)?;
        let writing = spawn_blocking(move || write_all(sink, receiver));
        while let Some(chunk) = chunks.recv().await {
            if sender.send(vec![chunk?]).await.is_err() {
                break; // the writer failed; its error is returned below
            }
        }
        drop(sender);
        writing.await.map_err(io::Error::other)?
    }

    /// Streams a range of the concatenated segments.
    pub(super) fn read(
        &self,
        segments: Vec<Segment>,
        start: u64,
        length: u64,
    ) -> Receiver<io::Result<Bytes>> {
        let (sender, receiver) = mpsc::channel(CHUNKS_IN_FLIGHT);
        let dir = self.dir.clone();
        spawn_blocking(move || {
            if let Err(error) = read_range(&dir, &segments, start, length, &sender) {
                // Fails if the client has disconnected.
                drop(sender.blocking_send(Err(error)));
            }
        });
        receiver
    }

    fn sink(&self, want_md5: bool) -> io::Result<Sink> {
        let file = if self.discard {
            None
        } else {
            let id = random_hex(32);
            let file = File::create_new(self.dir.join(&id))?;
            Some((id, file))
        };
        Ok(Sink { hasher: Hasher::new(want_md5 || !self.discard), file })
    }
}

struct Sink {
    hasher: Hasher,
    file: Option<(String, File)>,
}

/// Hashes and writes chunks until the sender is dropped.
fn write_all(mut sink: Sink, mut chunks: Receiver<Vec<Bytes>>) -> io::Result<Received> {
    while let Some(chunk) = chunks.blocking_recv() {
        for bytes in chunk {
            sink.hasher.update(&bytes);
            if let Some((_, file)) = &mut sink.file {
                file.write_all(&bytes)?;
            }
        }
    }
    Ok(Received { body: sink.file.map(|(id, _)| id), checksum: sink.hasher.finish() })
}

/// Forwards the request body in chunks, large enough to make the overhead of the channel small.
async fn feed(body: &mut RequestBody, sender: Sender<Vec<Bytes>>) -> Result<(), http::BodyError> {
    let mut chunk = Vec::new();
    let mut chunk_bytes = 0;
    while let Some(bytes) = body.next().await? {
        chunk_bytes += bytes.len();
        chunk.push(bytes);
        if chunk_bytes >= CHUNK_BYTES {
            chunk_bytes = 0;
            if sender.send(std::mem::take(&mut chunk)).await.is_err() {
                return body.drain().await; // the writer failed; its error is returned elsewhere
            }
        }
    }
    drop(sender.send(chunk).await);
    Ok(())
}

fn read_range(
    dir: &Path,
    segments: &[Segment],
    start: u64,
    length: u64,
    sender: &Sender<io::Result<Bytes>>,
) -> io::Result<()> {
    let (mut skip, mut left) = (start, length);
    for segment in segments {
        if skip >= segment.size_bytes {
            skip -= segment.size_bytes;
            continue;
        }
        let id = segment.body.as_ref().ok_or_else(|| io::Error::other("the body was discarded"))?;
        let mut file = File::open(dir.join(id))?;
        file.seek(SeekFrom::Start(skip))?;
        let mut in_segment = left.min(segment.size_bytes - skip);
        skip = 0;
        left -= in_segment;
        while in_segment > 0 {
            let length = in_segment.min(CHUNK_BYTES as u64);
            // The minimum with CHUNK_BYTES fits.
            let mut chunk = vec![0; usize::try_from(length).unwrap_or(CHUNK_BYTES)];
            file.read_exact(&mut chunk)?;
            in_segment -= length;
            if sender.blocking_send(Ok(chunk.into())).is_err() {
                return Ok(()); // the client has disconnected
            }
        }
        if left == 0 {
            break;
        }
    }
    Ok(())
}

const CHUNK_BYTES: usize = 256 * 1024;

/// With two, one chunk is received while the other is written.
const CHUNKS_IN_FLIGHT: usize = 2;
