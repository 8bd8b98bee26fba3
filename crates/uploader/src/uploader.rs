//! The interface `uploader`.

use spin_sdk::wasip3::spawn;
use spin_sdk::wit_bindgen::{FutureReader, StreamReader};
use vod_uploader_host as host;
use vod_uploader_host::engine::queue::FileId;
use vod_uploader_host::engine::units::ByteCount;

use crate::Component;
use crate::bindings::exports::vod::uploader::types::{Error, StsToken};
use crate::bindings::exports::vod::uploader::uploader as wit;
use crate::bindings::wit_stream;
use crate::convert::{checkpoint, error, event, file, options, token};

type Result<T> = std::result::Result<T, Error>;

impl wit::Guest for Component {
    type Uploader = Uploader;
}

pub(crate) struct Uploader(host::Uploader);

impl wit::GuestUploader for Uploader {
    async fn create(input: wit::Options) -> Result<wit::Uploader> {
        let created = host::Uploader::create(options::from_wit(input)).map_err(error::to_wit)?;
        Ok(wit::Uploader::new(Self(created)))
    }

    async fn events(&self) -> Result<StreamReader<wit::Event>> {
        let events = self.0.events().map_err(error::to_wit)?;
        let (writer, reader) = wit_stream::new();
        spawn(events.write_to(writer, event::to_wit));
        Ok(reader)
    }

    fn add_file(&self, new: wit::NewFile) -> Result<wit::FileId> {
        self.0.add_file(file::from_wit(new)).map(|id| id.0).map_err(error::to_wit)
    }

    fn delete_file(&self, id: wit::FileId) -> Result<()> {
        self.0.delete_file(FileId(id)).map_err(error::to_wit)
    }

    fn cancel_file(&self, id: wit::FileId) -> Result<()> {
        self.0.cancel_file(FileId(id)).map_err(error::to_wit)
    }

    fn resume_file(&self, id: wit::FileId) -> Result<()> {
        self.0.resume_file(FileId(id)).map_err(error::to_wit)
    }

    fn list_files(&self) -> Vec<wit::FileInfo> {
        self.0.list_files().into_iter().map(file::to_wit).collect()
    }

    fn state(&self) -> wit::QueueState {
        file::queue_state_to_wit(self.0.state())
    }

    fn clean_list(&self) {
        self.0.clean_list();
    }

    fn start_upload(&self) -> Result<()> {
        self.0.start_upload().map_err(error::to_wit)
    }

    fn stop_upload(&self) -> Result<()> {
        self.0.stop_upload().map_err(error::to_wit)
    }

    async fn get_checkpoint(&self, id: wit::FileId) -> Result<Option<wit::Checkpoint>> {
        self.0.checkpoint(FileId(id)).await.map(checkpoint::to_wit).map_err(error::to_wit)
    }

    fn clear_checkpoint(&self, id: wit::FileId) -> Result<()> {
        self.0.clear_checkpoint(FileId(id)).map_err(error::to_wit)
    }

    fn set_upload_auth_and_address(
        &self,
        id: wit::FileId,
        upload_auth: String,
        upload_address: String,
        media_id: Option<String>,
    ) -> Result<()> {
        self.0
            .set_upload_auth_and_address(FileId(id), &upload_auth, &upload_address, media_id)
            .map_err(error::to_wit)
    }

    fn resume_upload_with_auth(&self, id: wit::FileId, upload_auth: String) -> Result<()> {
        self.0.resume_upload_with_auth(FileId(id), &upload_auth).map_err(error::to_wit)
    }

    fn set_sts_token(&self, id: wit::FileId, sts: StsToken) -> Result<()> {
        self.0.set_sts_token(FileId(id), token::from_wit(sts)).map_err(error::to_wit)
    }

    fn resume_upload_with_sts_token(&self, id: wit::FileId, sts: StsToken) -> Result<()> {
        self.0.resume_upload_with_sts_token(FileId(id), token::from_wit(sts)).map_err(error::to_wit)
    }

    fn set_sts_token_directly_upload(&self, id: wit::FileId, sts: StsToken) -> Result<()> {
        self.0
            .set_sts_token_directly_upload(FileId(id), token::from_wit(sts))
            .map_err(error::to_wit)
    }

    fn supply_source(
        &self,
        id: wit::FileId,
        offset: u64,
        bytes: StreamReader<u8>,
        end: Option<FutureReader<std::result::Result<(), String>>>,
    ) -> Result<()> {
        self.0.supply_source(FileId(id), ByteCount(offset), bytes, end).map_err(error::to_wit)
    }
}
