//! The commands of a test: the calls of `vod:uploader`, one command each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spin_sdk::wasip3::spawn;
use spin_sdk::wit_bindgen::StreamReader;

use crate::bindings::vod::uploader::types::StsToken;
use crate::bindings::vod::uploader::uploader::{Event, NewFile, Options, Uploader};
use crate::bindings::vod::uploader::url_uploads::{self, JobSelection, Submission, VodAccess};
use crate::bindings::vod::uploader::webhooks::{self, Delivery};
use crate::output::Output;
use crate::source::Source;

/// A command, such as `{"call": "cancel-file", "file": 1}`.
#[derive(Deserialize)]
#[serde(tag = "call", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Command {
    /// `uploader.create`; drops the previous uploader.
    Create {
        options: Options,
    },
    /// Drops the uploader.
    Drop,
    /// `uploader.events`; sends a line for each further event.
    Events,
    /// `uploader.events`, without a reader.
    UnreadEvents,
    /// Drops the stream of `UnreadEvents`.
    DropEvents,
    AddFile {
        file: NewFile,
    },
    DeleteFile {
        file: u64,
    },
    CancelFile {
        file: u64,
    },
    ResumeFile {
        file: u64,
    },
    ListFiles,
    State,
    CleanList,
    StartUpload,
    StopUpload,
    GetCheckpoint {
        file: u64,
    },
    ClearCheckpoint {
        file: u64,
    },
    SetUploadAuthAndAddress {
        file: u64,
        upload_auth: String,
        upload_address: String,
        media_id: Option<String>,
    },
    ResumeUploadWithAuth {
        file: u64,
        upload_auth: String,
    },
    SetStsToken {
        file: u64,
        token: StsToken,
    },
    ResumeUploadWithStsToken {
        file: u64,
        token: StsToken,
    },
    SetStsTokenDirectlyUpload {
        file: u64,
        token: StsToken,
    },
    /// `supply-source` with a stream that sends nothing yet, and with a future if `tells_end`.
    SupplySource {
        file: u64,
        offset: u64,
        seed: u64,
        tells_end: bool,
    },
    /// Sends the bytes of the file up to this offset.
    SendUntil {
        file: u64,
        offset: u64,
    },
    /// Ends the stream of the file; resolves its future with this result.
    EndSource {
        file: u64,
        broken: Option<String>,
    },
    /// `webhooks.receive`.
    Receive {
        delivery: Delivery,
        auth_key: String,
        now: u64,
        tolerance: Option<u32>,
    },
    UploadMediaByUrl {
        access: VodAccess,
        submission: Submission,
    },
    GetUrlUploadInfos {
        access: VodAccess,
        jobs: JobSelection,
    },
    CancelUrlUploadJobs {
        access: VodAccess,
        jobs: JobSelection,
    },
}

/// The state of a session.
pub(crate) struct Tester {
    output: Output,
    uploader: Option<Uploader>,
    unread: Option<StreamReader<Event>>,
    sources: BTreeMap<u64, Source>,
}

impl Tester {
    /// A session without an uploader.
    pub(crate) fn new(output: Output) -> Self {
        Self { output, uploader: None, unread: None, sources: BTreeMap::new() }
    }

    /// Executes a command and returns its result or error.
    pub(crate) async fn execute(&mut self, command: Command) -> Result<Value, Value> {
        match command {
            Command::Create { options } => {
                self.uploader = None;
                self.uploader = Some(Uploader::create(options).await.map_err(as_json)?);
                Ok(Value::Null)
            }
            Command::Drop => {
                self.uploader = None;
                Ok(Value::Null)
            }
            Command::Events => {
                let events = self.uploader()?.events().await.map_err(as_json)?;
                spawn(forward(events, self.output.clone()));
                Ok(Value::Null)
            }
            Command::UnreadEvents => {
                self.unread = Some(self.uploader()?.events().await.map_err(as_json)?);
                Ok(Value::Null)
            }
            Command::DropEvents => {
                self.unread = None;
                Ok(Value::Null)
            }
            Command::SupplySource { file, offset, seed, tells_end } => {
                let (source, supply) = Source::start(&self.output, file, offset, seed, tells_end);
                let uploader = self.uploader()?;
                let supplied = uploader.supply_source(file, offset, supply.bytes, supply.end);
                supplied.map_err(as_json)?;
                self.sources.insert(file, source);
                Ok(Value::Null)
            }
            Command::SendUntil { file, offset } => {
                self.source(file)?.send_until(offset);
                Ok(Value::Null)
            }
            Command::EndSource { file, broken } => {
                self.source(file)?.end(broken.map_or(Ok(()), Err));
                Ok(Value::Null)
            }
            Command::Receive { delivery, auth_key, now, tolerance } => {
                to_json(webhooks::receive(&delivery, &auth_key, now, tolerance))
            }
            Command::UploadMediaByUrl { access, submission } => {
                to_json(url_uploads::upload_media_by_url(access, submission).await)
            }
            Command::GetUrlUploadInfos { access, jobs } => {
                to_json(url_uploads::get_url_upload_infos(access, jobs).await)
            }
            Command::CancelUrlUploadJobs { access, jobs } => {
                to_json(url_uploads::cancel_url_upload_jobs(access, jobs).await)
            }
            call => execute_call(self.uploader()?, call).await,
        }
    }

    fn uploader(&self) -> Result<&Uploader, Value> {
        self.uploader.as_ref().ok_or_else(|| json!({ "message": "no uploader" }))
    }

    fn source(&self, file: u64) -> Result<&Source, Value> {
        self.sources.get(&file).ok_or_else(|| json!({ "message": "the file has no source" }))
    }
}

/// Executes a command that needs only the uploader.
async fn execute_call(uploader: &Uploader, command: Command) -> Result<Value, Value> {
    match command {
        Command::AddFile { file } => to_json(uploader.add_file(&file)),
        Command::DeleteFile { file } => to_json(uploader.delete_file(file)),
        Command::CancelFile { file } => to_json(uploader.cancel_file(file)),
        Command::ResumeFile { file } => to_json(uploader.resume_file(file)),
        Command::ListFiles => Ok(as_json(uploader.list_files())),
        Command::State => Ok(as_json(uploader.state())),
        Command::CleanList => {
            uploader.clean_list();
            Ok(Value::Null)
        }
        Command::StartUpload => to_json(uploader.start_upload()),
        Command::StopUpload => to_json(uploader.stop_upload()),
        Command::GetCheckpoint { file } => to_json(uploader.get_checkpoint(file).await),
        Command::ClearCheckpoint { file } => to_json(uploader.clear_checkpoint(file)),
        Command::SetUploadAuthAndAddress { file, upload_auth, upload_address, media_id } => {
            let media_id = media_id.as_deref();
            to_json(uploader.set_upload_auth_and_address(
                file,
                &upload_auth,
                &upload_address,
                media_id,
            ))
        }
        Command::ResumeUploadWithAuth { file, upload_auth } => {
            to_json(uploader.resume_upload_with_auth(file, &upload_auth))
        }
        Command::SetStsToken { file, token } => to_json(uploader.set_sts_token(file, &token)),
        Command::ResumeUploadWithStsToken { file, token } => {
            to_json(uploader.resume_upload_with_sts_token(file, &token))
        }
        Command::SetStsTokenDirectlyUpload { file, token } => {
            to_json(uploader.set_sts_token_directly_upload(file, &token))
        }
        _ => Err(json!({ "message": "not a call of the uploader" })),
    }
}

async fn forward(mut events: StreamReader<Event>, output: Output) {
    while let Some(event) = events.next().await {
        output.send(&json!({ "event": event }));
    }
    output.send(&json!({ "event": null }));
}

fn to_json<T: Serialize, E: Serialize>(result: Result<T, E>) -> Result<Value, Value> {
    result.map(as_json).map_err(as_json)
}

fn as_json(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_else(|cause| json!({ "message": cause.to_string() }))
}
