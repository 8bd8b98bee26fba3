//! Bodies on disk: received, copied and read in chunks, never held whole in memory.

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

/// Why a body could not be stored.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// The request's body did not arrive.
    Request(http::BodyError),
    /// The disk failed.
    Disk(io::Error),
}

/// A body that is stored but that no record names yet.
#[derive(Debug)]
pub(crate) struct Received {
    /// Its id; `None` when bodies are discarded.
    pub(crate) body: Option<String>,
    /// What it adds up to.
    pub(crate) checksum: Checksum,
}

/// The folder of bodies.
#[derive(Debug)]
pub(super) struct BodyDir {
    folder: PathBuf,
    discard: bool,
}

impl BodyDir {
    pub(super) fn open(folder: &Path, discard: bool) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), discard })
    }

    pub(super) fn keeps_bodies(&self) -> bool {
        !self.discard
    }

    /// Removes every file whose name is not among `ids`: what a kill left unfinished.
    pub(super) fn retain(&self, ids: &HashSet<String>) -> io::Result<()> {
        for file in fs::read_dir(&self.folder)? {
            let file = file?;
            let named = file.file_name().to_str().is_some_and(|id| ids.contains(id));
            if !named {
                match fs::remove_file(file.path()) {
                    // A store that was just closed may still be removing it.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    removed => removed?,
                }
            }
        }
        Ok(())
    }

    /// Removes bodies that nothing names any more.
    pub(super) fn remove(&self, ids: Vec<String>) {
        if ids.is_empty() {
            return;
        }
        let folder = self.folder.clone();
        // A file that stays is removed at the next start, so nobody waits for this.
        spawn_blocking(move || {
            for id in ids {
                drop(fs::remove_file(folder.join(id)));
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
        let arrival = feed(body, sender).await;
        // Dropping the sender ended the writer, so this does not wait for more of the body.
        let written = writing.await.map_err(io::Error::other).flatten();
        match (arrival, written) {
            (Ok(()), Ok(received)) => Ok(received),
            (Ok(()), Err(error)) => Err(BodyError::Disk(error)),
            (Err(error), written) => {
                self.remove(written.ok().and_then(|received| received.body).into_iter().collect());
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
                break; // the writer failed; its error comes from the join below
            }
        }
        drop(sender);
        writing.await.map_err(io::Error::other)?
    }

    /// Streams a range of the segments laid end to end.
    pub(super) fn read(
        &self,
        segments: Vec<Segment>,
        start: u64,
        length: u64,
    ) -> Receiver<io::Result<Bytes>> {
        let (sender, receiver) = mpsc::channel(CHUNKS_IN_FLIGHT);
        let folder = self.folder.clone();
        spawn_blocking(move || {
            if let Err(error) = read_range(&folder, &segments, start, length, &sender) {
                // If the client has left, nobody needs the error.
                drop(sender.blocking_send(Err(error)));
            }
        });
        receiver
    }

    fn sink(&self, want_md5: bool) -> io::Result<Sink> {
        let kept = if self.discard {
            None
        } else {
            let id = random_hex(32);
            let file = File::create_new(self.folder.join(&id))?;
            Some((id, file))
        };
        Ok(Sink { hasher: Hasher::new(want_md5 || !self.discard), kept })
    }
}

struct Sink {
    hasher: Hasher,
    kept: Option<(String, File)>,
}

/// Hashes and writes until the sender is gone.
fn write_all(mut sink: Sink, mut chunks: Receiver<Vec<Bytes>>) -> io::Result<Received> {
    while let Some(chunk) = chunks.blocking_recv() {
        for bytes in chunk {
            sink.hasher.update(&bytes);
            if let Some((_, file)) = &mut sink.kept {
                file.write_all(&bytes)?;
            }
        }
    }
    Ok(Received { body: sink.kept.map(|(id, _)| id), checksum: sink.hasher.finish() })
}

/// Passes the request's body on in chunks large enough that the hand-over costs little.
async fn feed(body: &mut RequestBody, sender: Sender<Vec<Bytes>>) -> Result<(), http::BodyError> {
    let mut chunk = Vec::new();
    let mut chunk_bytes = 0;
    while let Some(bytes) = body.next().await? {
        chunk_bytes += bytes.len();
        chunk.push(bytes);
        if chunk_bytes >= CHUNK_BYTES {
            chunk_bytes = 0;
            if sender.send(std::mem::take(&mut chunk)).await.is_err() {
                return body.drain().await; // the writer failed; it will say why
            }
        }
    }
    drop(sender.send(chunk).await);
    Ok(())
}

fn read_range(
    folder: &Path,
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
        let mut file = File::open(folder.join(id))?;
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
                return Ok(()); // the client has left
            }
        }
        if left == 0 {
            break;
        }
    }
    Ok(())
}

const CHUNK_BYTES: usize = 256 * 1024;

/// With two, the network fills one chunk while the disk takes the other.
const CHUNKS_IN_FLIGHT: usize = 2;
