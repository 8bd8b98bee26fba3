//! Clients of tus.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::join;

use super::own_credential::OwnCredential;
use crate::relay::client::Client;
use crate::relay::message::{Reply, Request};
use crate::world::Content;

/// Variants of a tus upload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TusOptions {
    /// Length of a PATCH in bytes; 0: as much as is missing.
    pub patch_bytes: u64,
    /// Length of the body of the POST in bytes.
    pub creation_bytes: u64,
    /// Whether the length is declared with the last PATCH.
    pub is_deferred: bool,
    /// Whether each PATCH has a checksum.
    pub has_checksum: bool,
}

/// A file that is uploaded by tus.
pub(super) struct TusFile {
    content: Content,
    options: TusOptions,
    is_partial: bool,
    credential: Option<OwnCredential>,
    /// Whether the client sends its requests about when the upload expires.
    is_slow: bool,
}

/// How appending to an upload ended.
enum Appended {
    /// The upload is complete: its media ID.
    Completed(String),
    /// The upload is gone.
    Gone,
}

/// A media asset that the client may continue: its ID and its token.
type OwnedMedia = (String, String);

impl TusFile {
    pub(super) const fn new(content: Content, options: TusOptions) -> Self {
        Self { content, options, is_partial: false, credential: None, is_slow: false }
    }

    /// The same file of a slow client.
    pub(super) fn slow(self) -> Self {
        Self { is_slow: true, ..self }
    }

    /// The same file with the client's own credential.
    pub(super) fn with_credential(self, credential: OwnCredential) -> Self {
        Self { credential: Some(credential), ..self }
    }

    async fn send(&self, client: &Client, request: Request) -> Option<Reply> {
        let Some(credential) = &self.credential else { return client.send(request).await };
        let in_metadata = request.header("upload-metadata").is_some() && client.chance(500);
        let request = if in_metadata {
            credential.add_to_metadata(request)
        } else {
            credential.add_to(request)
        };
        let reply = client.send(request).await?;
        if matches!(reply.status, 401 | 403) {
            credential.refresh(client).await;
        }
        Some(reply)
    }

    /// Uploads the file, and starts again if the upload is gone.
    pub(super) async fn upload(&self, client: &Client) {
        self.upload_at(client, None).await;
    }

    /// As [`TusFile::upload`], and stores the path of the upload in `path`. Returns the path of the
    /// complete one.
    pub(super) async fn upload_at(
        &self,
        client: &Client,
        path: Option<&RefCell<String>>,
    ) -> String {
        let mut owned = None;
        loop {
            let (created, media) = self.create(client, owned.take()).await;
            if let Some(path) = path {
                path.borrow_mut().clone_from(&created);
            }
            if self.has_completed(client, &created).await {
                return created;
            }
            client.restart([created.as_str()]);
            owned = media.filter(|_| client.chance(500));
        }
    }

    /// Uploads the file to the upload at `path`. Returns `false` if the upload is gone.
    async fn has_completed(&self, client: &Client, path: &str) -> bool {
        match self.append_all(client, path).await {
            Appended::Gone => false,
            Appended::Completed(media_id) => {
                if !self.is_partial {
                    client.environment.check_object(&media_id, &self.content);
                }
                true
            }
        }
    }

    /// Two clients upload the same file to the same upload.
    pub(super) async fn upload_twice(&self, first: &Client, second: &Client) {
        loop {
            let (path, _) = self.create(first, None).await;
            let both = join(self.has_completed(first, &path), self.has_completed(second, &path));
            if both.await != (false, false) {
                return;
            }
            first.restart([path.as_str()]);
        }
    }

    /// Creates an upload and appends the first half of the file, once. Returns the path.
    pub(super) async fn send_half(&self, client: &Client) -> Option<String> {
        let (path, _) = self.create(client, None).await;
        let half = self.content.len() / 2;
        self.send(client, self.patch(&path, 0, half)).await;
        Some(path)
    }

    /// The path of a new upload, and its media.
    async fn create(
        &self,
        client: &Client,
        mut owned: Option<OwnedMedia>,
    ) -> (String, Option<OwnedMedia>) {
        loop {
            let reply = self.send(client, self.creation(owned.as_ref())).await;
            if let Some(reply) = reply {
                if let Some(path) = reply.header("location") {
                    let token = reply.header("media-token").map(str::to_owned);
                    return (path.to_owned(), token.map(|token| (reply.media_id(), token)));
                }
                expect_transient(&reply, owned.is_some() || self.credential.is_some());
                owned = None;
            }
            client.back_off().await;
        }
    }

    fn creation(&self, owned: Option<&OwnedMedia>) -> Request {
        let mut pairs = vec![("filename", "clip.mp4")];
        if let Some((id, token)) = owned {
            pairs.extend([("media_id", id.as_str()), ("media_token", token.as_str())]);
        }
        let mut request = Request::tus("POST", "/v1/files").with_metadata(&pairs);
        if self.is_partial {
            request = request.with("upload-concat", "partial");
        }
        request = if self.options.is_deferred {
            request.with("upload-defer-length", "1")
        } else {
            request.with("upload-length", self.content.len().to_string())
        };
        match self.options.creation_bytes.min(self.content.len()) {
            0 => request,
            len => request.with("content-type", CHUNK).with_body(self.content.range(0, len)),
        }
    }

    async fn append_all(&self, client: &Client, path: &str) -> Appended {
        let len = self.content.len();
        loop {
            let Some(head) = self.send(client, Request::tus("HEAD", path)).await else {
                client.back_off().await;
                continue;
            };
            if head.is_gone() {
                return Appended::Gone;
            }
            let mut offset = head.offset().filter(|_| head.status == 200);
            if offset == Some(len) && head.header("upload-defer-length").is_none() {
                return Appended::Completed(head.media_id());
            }
            while let Some(from) = offset {
                let to = match self.options.patch_bytes {
                    0 => len,
                    bytes => len.min(from + bytes),
                };
                let mut patch = self.patch(path, from, to);
                if self.is_slow {
                    patch = wait_for_expiry(client, patch).await;
                }
                let Some(reply) = self.send(client, patch).await else { break };
                if reply.is_gone() {
                    return Appended::Gone;
                }
                offset = reply.offset().filter(|_| reply.status == 204);
                if offset == Some(len) {
                    return Appended::Completed(reply.media_id());
                }
            }
            client.back_off().await;
        }
    }

    fn patch(&self, path: &str, from: u64, to: u64) -> Request {
        let bytes = self.content.range(from, to);
        let mut request = Request::tus("PATCH", path)
            .with("content-type", CHUNK)
            .with("upload-offset", from.to_string())
            .with_body(bytes);
        if self.options.is_deferred && to == self.content.len() {
            request = request.with("upload-length", to.to_string());
        }
        if self.options.has_checksum {
            let checksum = STANDARD.encode(crc32(bytes).to_be_bytes());
            request = request.with("upload-checksum", format!("crc32 {checksum}"));
        }
        request
    }
}

/// Waits for about as long as the upload is kept, or lets the request take longer than that, until
/// all faults end.
async fn wait_for_expiry(client: &Client, patch: Request) -> Request {
    if client.environment.is_calm() {
        return patch;
    }
    let ttl_ms = client.environment.setting.expire_after.as_millis() as u64;
    let wait_ms = match client.below(8) {
        0 => return patch.with_pause(Duration::from_millis(ttl_ms + client.below(ttl_ms))),
        1 => client.below(ttl_ms),
        2 => ttl_ms + client.below(200),
        _ => ttl_ms - client.below(400),
    };
    client.environment.sleep(Duration::from_millis(wait_ms)).await;
    patch
}

/// Pauses and resumes an upload a few times, and resumes it until it is complete or gone.
pub(super) async fn pause_and_resume(client: &Client, path: &Rc<RefCell<String>>) {
    let mut pauses = 0;
    loop {
        client.back_off().await;
        let path = path.borrow().clone();
        if path.is_empty() {
            continue;
        }
        if pauses < PAUSES_MAX {
            pauses += 1;
            client.send(Request::new("POST", format!("{path}/pause"))).await;
            client.back_off().await;
        }
        match client.send(Request::new("POST", format!("{path}/resume"))).await {
            // 409: the upload has ended. After a success, a pause that was applied late can follow.
            Some(reply) if reply.status == 409 || reply.is_gone() => return,
            _ => {}
        }
    }
}

/// Uploads half of a file and terminates the upload.
pub(super) async fn terminate(client: &Client, file: &TusFile) {
    let Some(path) = file.send_half(client).await else { return };
    loop {
        match client.send(Request::tus("DELETE", path.as_str())).await {
            Some(reply) if reply.status == 204 || reply.is_gone() => break,
            _ => client.back_off().await,
        }
    }
    loop {
        match client.send(Request::tus("HEAD", path.as_str())).await {
            Some(reply) if reply.is_gone() => return,
            Some(reply) if reply.status == 200 => panic!("{path} exists after it was terminated"),
            _ => client.back_off().await,
        }
    }
}

/// Reads the state of an upload until it is complete or gone.
pub(super) async fn watch(client: &Client, path: &Rc<RefCell<String>>) {
    loop {
        client.environment.sleep(WATCH_INTERVAL).await;
        let path = path.borrow().clone();
        if path.is_empty() {
            continue;
        }
        match client.send(Request::new("GET", path)).await {
            Some(reply) if reply.json()["state"] == "completed" || reply.is_gone() => return,
            _ => {}
        }
    }
}

/// Reads the events of an upload until it is complete or gone.
pub(super) async fn read_events(client: &Client, path: &Rc<RefCell<String>>) {
    loop {
        client.back_off().await;
        let path = path.borrow().clone();
        if !path.is_empty() && client.read_events(&path).await {
            return;
        }
    }
}

/// Uploads two partial uploads and a final one, until the final one is complete.
pub(super) async fn concatenate(
    client: &Client,
    pieces: &[Content; 2],
    joined: &Content,
    is_early: bool,
) {
    let partials = pieces.clone().map(|content| TusFile {
        content,
        options: TusOptions::default(),
        is_partial: true,
        credential: None,
        is_slow: false,
    });
    'again: loop {
        let mut paths = Vec::new();
        for partial in &partials {
            paths.push(match is_early {
                true => partial.create(client, None).await.0,
                false => partial.upload_at(client, None).await,
            });
        }
        let restart = || client.restart(paths.iter().map(String::as_str));
        let Some(path) = create_final(client, &paths).await else {
            restart();
            continue;
        };
        if is_early {
            for (partial, path) in partials.iter().zip(&paths) {
                // The last one is deleted as soon as the final upload is complete.
                let is_complete = partial.has_completed(client, path).await;
                if !is_complete && path != &paths[1] {
                    restart();
                    continue 'again;
                }
            }
        }
        loop {
            match client.send(Request::tus("HEAD", path.as_str())).await {
                Some(reply) if reply.offset() == Some(joined.len()) => {
                    client.environment.check_object(&reply.media_id(), joined);
                    return;
                }
                Some(reply) if reply.is_gone() => {
                    client.restart([path.as_str()]);
                    continue 'again;
                }
                _ => client.back_off().await,
            }
        }
    }
}

/// The path of the final upload; `None` if the partial uploads are gone.
async fn create_final(client: &Client, paths: &[String]) -> Option<String> {
    loop {
        let request = Request::tus("POST", "/v1/files")
            .with_metadata(&[("filename", "clip.mp4")])
            .with("upload-concat", format!("final;{}", paths.join(" ")));
        if let Some(reply) = client.send(request).await {
            if let Some(path) = reply.header("location") {
                return Some(path.to_owned());
            }
            // An earlier request, whose response was lost, may have concatenated the partial
            // uploads.
            if matches!(reply.status, 400 | 410) {
                return None;
            }
            expect_transient(&reply, false);
        }
        client.back_off().await;
    }
}

/// Checks that a creation failed because of a service, unless it continues a media asset.
fn expect_transient(reply: &Reply, continues: bool) {
    let is_transient = reply.status >= 500 || reply.status == 401 || continues;
    assert!(is_transient, "a creation is rejected: {} {}", reply.status, reply.text());
}

/// CRC-32 as in zlib.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |register, byte| {
        let mut register = register ^ u32::from(*byte);
        for _ in 0..8 {
            register = (register >> 1) ^ (0xedb8_8320 & (register & 1).wrapping_neg());
        }
        register
    })
}

/// How often a client pauses an upload.
const PAUSES_MAX: u32 = 2;

/// How often a client that watches an upload reads its state.
const WATCH_INTERVAL: Duration = Duration::from_secs(5);

const CHUNK: &str = "application/offset+octet-stream";
