//! An application that uploads with `vod:uploader`: it responds to the events with credentials from
//! its own server and with bytes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::conversation::{CallResult, Conversation, Event};
use crate::sandbox::{BUCKET, Sandbox};
use crate::source::Source;
use crate::vod::{UploadCredential, credential_for};

/// An application with its own uploader.
#[derive(Debug)]
pub struct Application<'a> {
    /// Its connection to the test app.
    pub app: Conversation,
    /// Every event so far.
    pub events: Vec<Event>,
    /// The credentials that it has supplied, by file, the newest last, as access key IDs.
    pub supplied: Vec<(u64, String)>,
    sandbox: &'a Sandbox,
    mode: Mode,
    files: BTreeMap<u64, OfferedFile>,
    /// The TTL of the temporary access keys that it supplies.
    pub sts_ttl_secs: i64,
}

/// How an application responds to `upload-started`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// With an UploadAuth and an UploadAddress from its own server.
    Credential,
    /// With an STS token, with which the component calls VOD.
    Sts,
    /// With an STS token, without VOD.
    Direct,
}

/// A file that an application offers.
#[derive(Clone, Debug)]
pub struct OfferedFile {
    /// Its name.
    pub name: String,
    /// The seed of its bytes.
    pub seed: u64,
    /// Its size.
    pub size: u64,
    /// The offset at which its stream pauses until it is released.
    pub pause_at: Option<u64>,
    /// More fields of `new-file`.
    pub fields: Value,
}

impl OfferedFile {
    /// A file whose bytes follow from `seed`.
    #[must_use]
    pub fn new(name: &str, seed: u64, size: u64) -> Self {
        Self { name: name.to_owned(), seed, size, pause_at: None, fields: json!({}) }
    }

    /// Adds a field of `new-file`.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.fields[field] = value.into();
        self
    }

    /// Adds a modification time, by which a later uploader identifies the file.
    #[must_use]
    pub fn last_modified(self) -> Self {
        self.with("last_modified", 1_700_000_000_000_u64)
    }

    /// Pauses the stream at `offset`.
    #[must_use]
    pub const fn pause_at(mut self, offset: u64) -> Self {
        self.pause_at = Some(offset);
        self
    }

    /// Its bytes.
    #[must_use]
    pub fn source(&self) -> Source {
        Source::new(self.seed, self.size)
    }
}

impl<'a> Application<'a> {
    /// An application with a new uploader whose events it reads.
    ///
    /// # Panics
    /// If the uploader rejects the options.
    #[must_use]
    pub fn new(mut app: Conversation, sandbox: &'a Sandbox, mode: Mode, options: &Value) -> Self {
        app.call("create", json!({ "options": options })).expect("valid options");
        app.call("events", json!({})).expect("the events");
        Self {
            app,
            events: Vec::new(),
            supplied: Vec::new(),
            sandbox,
            mode,
            files: BTreeMap::new(),
            sts_ttl_secs: 3_600,
        }
    }

    /// Adds a file and returns its ID.
    ///
    /// # Panics
    /// If it is rejected.
    pub fn add(&mut self, file: OfferedFile) -> u64 {
        let mut new = file.fields.clone();
        new["name"] = json!(file.name);
        if new.get("size").is_none() {
            new["size"] = json!(file.size);
        }
        if self.mode == Mode::Direct {
            new["endpoint"] = json!(self.sandbox.origin());
            new["bucket"] = json!(BUCKET);
            new["object"] = json!(format!("direct/{}", file.name));
        }
        let id = self.app.call("add-file", json!({ "file": new })).expect("an accepted file");
        let id = id.as_u64().expect("an id");
        self.files.insert(id, file);
        id
    }

    /// `start-upload`.
    ///
    /// # Panics
    /// If it is rejected.
    pub fn start(&mut self) {
        self.app.call("start-upload", json!({})).expect("a started run");
    }

    /// A call for a file that must succeed.
    ///
    /// # Panics
    /// If it is rejected.
    pub fn call_file(&mut self, call: &str, file: u64) {
        self.try_call_file(call, file).unwrap_or_else(|rejection| panic!("{call}: {rejection:?}"));
    }

    /// A call for a file.
    ///
    /// # Errors
    /// Returns an error if the uploader rejects it.
    pub fn try_call_file(&mut self, call: &str, file: u64) -> CallResult {
        self.app.call(call, json!({ "file": file }))
    }

    /// Handles events until the run ends.
    ///
    /// # Panics
    /// If the events end before.
    pub fn finish(&mut self) {
        self.run_until(|event| event.name == "UploadEnd");
    }

    /// Handles events until the run ends. Stops it if the credential of `file` is rejected for the
    /// third time.
    ///
    /// # Panics
    /// If the events end before.
    pub fn finish_or_stop_after_expiries(&mut self, file: u64) {
        let mut expiries = 0;
        loop {
            let event =
                self.run_up_to(|event| event.is("TokenExpired", file) || event.name == "UploadEnd");
            expiries += 1;
            if event.name == "UploadEnd" {
                return;
            } else if expiries < 3 {
                self.handle_event(&event);
            } else {
                self.app.call("stop-upload", json!({})).expect("a run in progress");
                self.run_until(|event| event.is("Stopped", file));
                return;
            }
        }
    }

    /// Handles events up to and including the one for which `reached` returns true.
    ///
    /// # Panics
    /// If the events end before.
    pub fn run_until(&mut self, reached: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next_event();
            self.handle_event(&event);
            if reached(&event) {
                return event;
            }
        }
    }

    /// Handles events up to the one for which `reached` returns true, which is returned unhandled.
    ///
    /// # Panics
    /// If the events end before.
    pub fn run_up_to(&mut self, reached: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next_event();
            if reached(&event) {
                return event;
            }
            self.handle_event(&event);
        }
    }

    /// Handles events until `file` is durable up to `offset`.
    pub fn run_until_durable(&mut self, file: u64, offset: u64) {
        self.run_until(|event| event.durable(file).is_some_and(|durable| durable >= offset));
    }

    /// Pauses the stream of `file` a few bytes after `offset`, which is returned.
    ///
    /// # Panics
    /// If the file is unknown.
    pub fn pause(&mut self, file: u64, offset: u64) -> u64 {
        self.files.get_mut(&file).expect("a file that was added").pause_at = Some(offset + 9);
        offset
    }

    /// Stops pausing the streams of `file`.
    ///
    /// # Panics
    /// If the file is unknown.
    pub fn offer_all(&mut self, file: u64) {
        self.files.get_mut(&file).expect("a file that was added").pause_at = None;
    }

    /// Resumes the paused stream of `file`.
    ///
    /// # Panics
    /// If it has none.
    pub fn release(&mut self, file: u64) {
        self.offer_all(file);
        self.send(file, self.files[&file].size);
    }

    /// Responds to an event.
    ///
    /// # Panics
    /// If the uploader rejects it.
    pub fn handle_event(&mut self, event: &Event) {
        let Some(file) = event.file() else { return };
        let media_id = event.text("media_id").map(str::to_owned);
        match event.name.as_str() {
            "UploadStarted" => match self.mode {
                Mode::Credential => self.supply_credential(file, media_id.as_deref()),
                Mode::Sts => self.supply_token("set-sts-token", file),
                Mode::Direct => self.supply_token("set-sts-token-directly-upload", file),
            },
            "SourceRequested" => {
                let offset = event.payload["offset"].as_u64().expect("an offset");
                self.supply(file, offset);
            }
            "TokenExpiring" | "TokenExpired" => match (self.mode, media_id) {
                (Mode::Credential, Some(media_id)) => self.supply_auth(file, &media_id),
                // An image upload near its end may still succeed.
                (Mode::Credential, None) if event.name == "TokenExpiring" => {}
                (Mode::Credential, None) => self.supply_credential(file, None),
                _ => self.supply_token("resume-upload-with-sts-token", file),
            },
            _ => {}
        }
    }

    /// The last event of this name for `file`.
    ///
    /// # Panics
    /// If there was none.
    #[must_use]
    pub fn last(&self, name: &str, file: u64) -> &Event {
        let found = self.events.iter().rev().find(|event| event.is(name, file));
        found.unwrap_or_else(|| {
            panic!("no {name} of {file} in {}", self.event_names(file).join(", "))
        })
    }

    /// The names of all events of `file` in order, without repeated progress.
    #[must_use]
    pub fn event_names(&self, file: u64) -> Vec<&str> {
        let of_file = self.events.iter().filter(|event| event.file() == Some(file));
        let mut names: Vec<_> = of_file.map(|event| event.name.as_str()).collect();
        names.dedup_by(|one, before| *one == "Progress" && *before == "Progress");
        names
    }

    /// A new credential for the file from the application's server, for `media_id` if there is one.
    #[must_use]
    pub fn credential(&self, file: u64, media_id: Option<&str>) -> UploadCredential {
        credential_for(self.sandbox, &self.sandbox.nonce(), &self.files[&file].name, media_id)
    }

    /// `set-upload-auth-and-address`.
    ///
    /// # Errors
    /// Returns an error if the uploader rejects it.
    pub fn set_credential(&mut self, file: u64, credential: &UploadCredential) -> CallResult {
        self.supplied.push((file, credential.access_key_id()));
        let arguments = json!({
            "file": file,
            "upload_auth": credential.auth,
            "upload_address": credential.address,
            "media_id": credential.media_id,
        });
        self.app.call("set-upload-auth-and-address", arguments)
    }

    /// A call that supplies a new STS token.
    ///
    /// # Panics
    /// If the uploader rejects it.
    pub fn supply_token(&mut self, call: &str, file: u64) {
        let token = self.sandbox.sts(self.sts_ttl_secs);
        self.supplied.push((file, token["AccessKeyId"].as_str().expect("an id").to_owned()));
        let token = json!({
            "access_key_id": token["AccessKeyId"],
            "access_key_secret": token["AccessKeySecret"],
            "security_token": token["SecurityToken"],
        });
        let supplied = self.app.call(call, json!({ "file": file, "token": token }));
        supplied.unwrap_or_else(|rejection| panic!("{call}: {rejection:?}"));
    }

    /// `supply-source`, with the bytes up to the pause.
    ///
    /// # Panics
    /// If the uploader rejects it.
    pub fn supply(&mut self, file: u64, offset: u64) {
        let OfferedFile { seed, size, pause_at, .. } = self.files[&file];
        let supplied = json!({ "file": file, "offset": offset, "seed": seed, "tells_end": true });
        let supplied = self.app.call("supply-source", supplied);
        supplied.unwrap_or_else(|rejection| panic!("supply-source: {rejection:?}"));
        self.send(file, pause_at.unwrap_or(size));
    }

    fn send(&mut self, file: u64, offset: u64) {
        let sent = self.app.call("send-until", json!({ "file": file, "offset": offset }));
        sent.expect("the file has a source");
        if self.files[&file].pause_at.is_none() {
            self.call_file("end-source", file);
        }
    }

    fn supply_credential(&mut self, file: u64, media_id: Option<&str>) {
        let credential = self.credential(file, media_id);
        let set = self.set_credential(file, &credential);
        set.unwrap_or_else(|rejection| panic!("set-upload-auth-and-address: {rejection:?}"));
    }

    fn supply_auth(&mut self, file: u64, media_id: &str) {
        let credential = self.credential(file, Some(media_id));
        self.supplied.push((file, credential.access_key_id()));
        let arguments = json!({ "file": file, "upload_auth": credential.auth });
        let supplied = self.app.call("resume-upload-with-auth", arguments);
        supplied.unwrap_or_else(|rejection| panic!("resume-upload-with-auth: {rejection:?}"));
    }

    fn next_event(&mut self) -> Event {
        let event = self.app.event();
        let event = event.unwrap_or_else(|| panic!("the events ended: {:?}", self.events.last()));
        self.events.push(event.clone());
        event
    }
}
