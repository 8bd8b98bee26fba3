//! SIGKILL of the host at any time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::random::Random;
use vod_uploader_component_tests::source::{MIB, Source, sha256};
use vod_uploader_component_tests::tus::Upload;
use vod_uploader_component_tests::wait;
use vod_uploader_wire::Request;

const LENGTH: u64 = 24 * MIB;

/// Bytes that are in flight when the host is killed.
const IN_FLIGHT: u64 = 4 * MIB;

#[test]
fn ten_uploads_resume_after_a_kill_at_a_random_time() {
    let cut: usize = (0..10).map(|seed| survives_kills(seed, 1, Setup::new()).interrupted).sum();
    assert!(cut >= 3, "{cut} of the kills were in the middle");
}

#[test]
fn an_upload_resumes_after_ten_kills_at_random_times() {
    let survivor = survives_kills(100, 10, Setup::new());
    assert!(survivor.interrupted >= 3, "{}", survivor.interrupted);
}

#[test]
fn an_upload_resumes_after_kills_with_its_sealed_credential() {
    let setup = Setup::new().sealed();
    let survivor = survives_kills(200, 4, setup);
    assert_eq!(survivor.edge.sandbox.requests("RefreshUploadVideo"), 0);
}

struct Survivor {
    edge: Edge,
    /// Kills after which the upload was partially stored.
    interrupted: usize,
}

fn survives_kills(seed: u64, kills: usize, setup: Setup) -> Survivor {
    let mut edge = setup.start();
    let mut random = Random::new(seed);
    let source = Source::new(seed, LENGTH);
    let upload = Upload::create(&edge, LENGTH);
    let mut acknowledged = 0;
    let mut interrupted = 0;
    for kill in 0..kills {
        let begin = upload.offset(&edge);
        assert!(begin >= acknowledged, "{begin} after {acknowledged}");
        // Small steps if there are several kills, and sometimes after the last byte.
        let step = (LENGTH - begin + MIB) / (kills - kill) as u64;
        let kill_at = begin + random.below(step);
        let delay = Duration::from_micros(random.below(10_000));
        acknowledged = send_until_killed(&mut edge, &upload, &source, begin, kill_at, delay);
        wait::until("OSS has no request in progress", || {
            (edge.sandbox.counts("UploadPart")["in_flight"].as_u64().unwrap_or(0) == 0)
                .then_some(())
        });
        edge.start_host();
        let offset = upload.offset(&edge);
        assert!(offset >= acknowledged, "{offset} after {acknowledged}: seed {seed}");
        interrupted += usize::from(offset > 0 && offset < LENGTH);
    }
    // From here on, only unacknowledged bytes are sent.
    edge.sandbox.reset_requests();
    let offset = upload.offset(&edge);
    upload.finish(&edge, &source);
    let sent = edge.sandbox.counts("UploadPart")["bytes"].as_u64().unwrap_or(0);
    assert_eq!(sent, LENGTH - offset, "seed {seed}");
    let object = edge.sandbox.only_object();
    assert_eq!(object.crc64, source.crc64());
    assert_eq!(sha256(&edge.sandbox.object_bytes(&object.key)), source.sha256());
    Survivor { edge, interrupted }
}

/// Sends a PATCH and queries the offset. Kills the host `delay` after the offset has reached
/// `kill_at`, and returns the last acknowledged offset.
fn send_until_killed(
    edge: &mut Edge,
    upload: &Upload,
    source: &Source,
    begin: u64,
    kill_at: u64,
    delay: Duration,
) -> u64 {
    let client = edge.client();
    let ended = AtomicBool::new(false);
    let seen = AtomicU64::new(begin);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut patch = upload.start_patch(&client, begin, LENGTH - begin).unwrap();
            source.read(begin..(kill_at + IN_FLIGHT).min(LENGTH), |chunk| patch.send(chunk));
            if let Ok(response) = patch.finish()
                && response.is_success()
            {
                seen.fetch_max(response.offset(), Relaxed);
            }
            ended.store(true, Relaxed);
        });
        scope.spawn(|| {
            // Ends when the host is killed.
            while let Ok(response) = client.send(&Request::new("GET", &upload.path)) {
                let durable = response.json()["bytes_durable"].as_u64().expect("an offset");
                seen.fetch_max(durable, Relaxed);
            }
        });
        // Polls without pauses, unlike wait::until, because the timing matters.
        let too_late = Instant::now() + Duration::from_secs(30);
        while seen.load(Relaxed) < kill_at && !ended.load(Relaxed) && Instant::now() < too_late {
            thread::yield_now();
        }
        let at = Instant::now() + delay;
        while Instant::now() < at {
            thread::yield_now();
        }
        edge.kill_host();
    });
    seen.into_inner()
}
