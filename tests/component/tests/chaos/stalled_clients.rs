//! Clients that stall within a request while no other request concerns their uploads: the worker
//! ends these requests after its idle time.

use std::time::{Duration, Instant};

use vod_uploader_component_tests::edge::Edge;
use vod_uploader_component_tests::source::{MIB, Source};
use vod_uploader_component_tests::tus::Upload;
use vod_uploader_wire::{Exchange, Framing, Request};

use crate::expected_state::{ExpectedState, Retention};

/// Requests whose clients send nothing more.
pub(crate) struct StalledClients {
    requests: Vec<(Exchange, Instant)>,
    upload: Upload,
}

impl StalledClients {
    /// Sends the first half of two PUT requests, with and without a length, a form, and a PATCH.
    pub(crate) fn stall(edge: &Edge, expected: &ExpectedState) -> Self {
        let source = Source::new(1, 6 * MIB);
        let client = edge.client();
        let mut requests = Vec::new();
        for (number, framing) in
            [Framing::Length(6 * MIB), Framing::Chunked].into_iter().enumerate()
        {
            let name = format!("stalled-{number}.mp4");
            expected.start(&name, &source, Retention::OneRequest);
            let put =
                client.start(&Request::new("PUT", &format!("/v1/uploads/{name}")).framing(framing));
            requests.push(put.expect("a connection"));
        }
        expected.start("stalled-form.mp4", &source, Retention::OneRequest);
        let form_type = ("content-type", "multipart/form-data; boundary=b");
        let mut form = client
            .start(
                &Request::new("POST", "/v1/uploads")
                    .headers(&[form_type])
                    .framing(Framing::Chunked),
            )
            .expect("a connection");
        form.send(
            b"--b\r\nContent-Disposition: form-data; name=\"a\"; \
              filename=\"stalled-form.mp4\"\r\n\r\n",
        );
        requests.push(form);
        expected.start("clip.mp4", &source, Retention::UntilExpired);
        let upload = Upload::create(edge, source.length());
        expected.add_address(&upload.path, Some("clip.mp4"));
        let patch = upload.start_patch(&client, 0, source.length());
        requests.push(patch.expect("a connection"));
        for request in &mut requests {
            source.read(0..SENT_BYTES, |chunk| request.send(chunk));
        }
        let requests = requests.into_iter().map(|request| (request, Instant::now())).collect();
        Self { requests, upload }
    }

    /// Waits until the worker has ended all of them, and the ones in `left`.
    ///
    /// # Panics
    /// If that takes longer than its idle time, or one succeeds.
    pub(crate) fn assert_ended(self, edge: &Edge, left: Vec<(Exchange, Instant)>) {
        for (request, since) in self.requests.into_iter().chain(left) {
            let response = request.response();
            let stalled = since.elapsed();
            assert!(stalled < IDLE_MAX, "{response:?} after {stalled:?}");
            if let Ok(response) = response {
                assert_ne!(response.status, 201, "{}", response.text());
            }
        }
        assert!(self.upload.offset(edge) <= SENT_BYTES);
    }
}

const SENT_BYTES: u64 = 2 * MIB + 300_000;

/// The worker's idle time is 60 s; the rest is for aborting the upload.
const IDLE_MAX: Duration = Duration::from_secs(70);
