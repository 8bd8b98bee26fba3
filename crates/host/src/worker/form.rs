//! `POST /v1/uploads`: a form with files, which are stored one after the other as they arrive.

use vod_uploader::credential::Secret;
use vod_uploader::http::form::{
    Boundary, FailedMedia, FormAnswer, FormFields, PartHead, form_file_name, no_file,
};
use vod_uploader::http::{
    self, Head, MEDIA_ID_HEADER, MEDIA_TOKEN_HEADER, Metadata, UPLOAD_ADDRESS_HEADER,
    UPLOAD_AUTH_HEADER,
};
use vod_uploader::upload::{FinishedObject, Role};
use vod_uploader::{Error, ErrorKind, Result};

use super::Worker;
use super::create::{Created, NewUpload};
use super::plain::WholeFile;
use crate::form_body::{FileBytes, FormBody, FormPart};
use crate::request_body::RequestBody;
use crate::source::Source;

/// A file that was not stored.
pub(super) struct Unstored {
    pub(super) error: Error,
    /// The media that a new upload may continue.
    pub(super) media: FailedMedia,
}

impl Worker {
    /// `POST /v1/uploads`.
    pub(crate) async fn form(&self, head: &Head, body: RequestBody) -> Result<http::Response> {
        let boundary = Boundary::of_content_type(head.header("content-type"))?;
        let form = FormBody::new(body, &boundary);
        let mut fields = FormFields::default();
        let mut answer = FormAnswer::default();
        if let Err(error) = self.take_parts(head, &form, &mut fields, &mut answer).await {
            answer.broke_off(error);
        } else if answer.is_empty() {
            answer.broke_off(no_file());
        }
        Ok(answer.response(head, fields.redirect()))
    }

    /// Takes all parts of the form. A file that cannot be stored does not keep the next ones from
    /// it.
    ///
    /// # Errors
    /// Where the form cannot be read on; what was stored before stays.
    async fn take_parts(
        &self,
        head: &Head,
        form: &FormBody,
        fields: &mut FormFields,
        answer: &mut FormAnswer,
    ) -> Result<()> {
        let mut head = head.clone();
        while let Some(part) = form.next_part().await? {
            let part = match part {
                FormPart::Field(field) => {
                    fields.take(&field, &self.config.redirect_origins)?;
                    continue;
                }
                FormPart::File(part) => part,
            };
            let metadata = fields.for_file();
            let stored = match self.chosen_file(form, &part).await {
                Ok(None) => continue,
                Ok(Some(source)) => self.store_part(&head, &part, metadata, source, false).await,
                Err(error) => Err(Unstored { error, media: FailedMedia::default() }),
            };
            match stored {
                Ok((created, object)) => answer.stored(&part.field, &created.record, &object),
                Err(Unstored { error, media }) => {
                    let name = part.file_name.as_deref().unwrap_or_default();
                    answer.failed(&part.field, name, error, media);
                }
            }
            // A credential in the request's head is for one object, too.
            head.headers.retain(|(name, _)| {
                let credential = [
                    UPLOAD_ADDRESS_HEADER,
                    UPLOAD_AUTH_HEADER,
                    MEDIA_ID_HEADER,
                    MEDIA_TOKEN_HEADER,
                ];
                !credential.iter().any(|header| name.eq_ignore_ascii_case(header))
            });
        }
        Ok(())
    }

    /// The bytes of a part that is a file; `None` for an input in which nobody chose one, which
    /// browsers send without a name and without bytes.
    ///
    /// # Errors
    /// Where it has no bytes. Nothing is made for such a file.
    pub(super) async fn chosen_file(
        &self,
        form: &FormBody,
        part: &PartHead,
    ) -> Result<Option<Source<FileBytes>>> {
        let mut source = Source::new(form.file(), None, Some(self.upload_max()));
        if source.has_bytes().await {
            return Ok(Some(source));
        }
        if !form.is_file_whole() {
            let message = "the request broke off before its end";
            return Err(Error::new(ErrorKind::LengthMismatch, message));
        }
        match part.file_name.as_deref() {
            None | Some("") => Ok(None),
            Some(_) => Err(Error::new(ErrorKind::FileEmpty, "the file has no bytes")),
        }
    }

    /// Stores one file of a form. `addressed`: its client is told the upload's id.
    pub(super) async fn store_part(
        &self,
        head: &Head,
        part: &PartHead,
        metadata: Metadata,
        source: Source<FileBytes>,
        addressed: bool,
    ) -> Result<(Created, FinishedObject), Unstored> {
        let unmade = |error| Unstored { error, media: FailedMedia::default() };
        let hint = form_file_name(part.file_name.as_deref().unwrap_or_default())
            .or_media_type(part.content_type.as_deref());
        let new = NewUpload {
            file_name: self.file_name(&hint).map_err(unmade)?,
            length: None,
            content_type: part.content_type.clone(),
            metadata,
            role: Role::Whole,
        };
        let file = WholeFile { new, source, addressed };
        let (created, outcome) = self.whole_file(head, file).await.map_err(unmade)?;
        match outcome {
            Ok(object) => Ok((created, object)),
            Err(error) => {
                let token = self.media_token(&created.record).map(Secret::new);
                let media = FailedMedia { media_id: created.record.media_id, token };
                Err(Unstored { error, media })
            }
        }
    }
}
