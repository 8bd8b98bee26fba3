//! The file of the demo: generated from a seed, sent slowly, compared by SHA-256.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::command_error::CommandError;

/// Writes the file and returns its SHA-256.
///
/// # Errors
/// Returns an error if the file cannot be written.
pub(super) fn make_file(path: &Path) -> io::Result<String> {
    let mut file = File::create(path)?;
    let mut hash = Sha256::new();
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut block = vec![0; BLOCK_BYTES];
    for _ in 0..FILE_BYTES / BLOCK_BYTES as u64 {
        random.fill(&mut block);
        hash.update(&block);
        file.write_all(&block)?;
    }
    Ok(hex(hash))
}

/// The file from an offset on.
///
/// # Errors
/// Returns an error if the file cannot be read.
pub(super) fn open_at(path: &Path, offset: u64) -> Result<File, CommandError> {
    File::open(path)
        .and_then(|mut file| file.seek(SeekFrom::Start(offset)).map(|_| file))
        .map_err(|cause| CommandError::new(format!("{}: cannot be read ({cause})", path.display())))
}

/// A reader limited to [`BYTES_PER_SECOND`], so that the host can be killed when half of the file
/// is durable.
#[derive(Debug)]
pub(super) struct ThrottledReader<R> {
    source: R,
    begin: Instant,
    bytes: u64,
}

impl<R> ThrottledReader<R> {
    /// Limits the rate from now on.
    pub(super) fn new(source: R) -> Self {
        Self { source, begin: Instant::now(), bytes: 0 }
    }
}

impl<R: Read> Read for ThrottledReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let due = Duration::from_secs_f64(self.bytes as f64 / BYTES_PER_SECOND);
        thread::sleep(due.saturating_sub(self.begin.elapsed()));
        let read = self.source.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

/// A SHA-256 in hexadecimal digits.
pub(super) fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The size of the file.
pub(super) const FILE_BYTES: u64 = 64 * 1024 * 1024;

const BLOCK_BYTES: usize = 1024 * 1024;

/// An arbitrary seed.
const SEED: u64 = 20_260_701;

/// The entire file takes four seconds.
const BYTES_PER_SECOND: f64 = 16.0 * 1024.0 * 1024.0;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn a_throttled_reader_keeps_the_bytes_and_the_rate() {
        let bytes = vec![7; 320 * 1024];
        let begin = Instant::now();
        let mut throttled = ThrottledReader::new(&bytes[..]);
        let mut read = Vec::new();
        throttled.read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
        let due = bytes.len() as f64 / BYTES_PER_SECOND;
        assert!(begin.elapsed() >= Duration::from_secs_f64(due));
    }
}
