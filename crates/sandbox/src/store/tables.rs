//! The state described by the journal. Only this module changes it.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::record::{Media, Object, Part, Upload, UrlJob};
use crate::credential::Credential;

/// A change: one line of the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum JournalEntry {
    ObjectStored(Object),
    ObjectDeleted { bucket: String, key: String },
    UploadStarted(Upload),
    PartStored { upload_id: String, part: Part },
    UploadAborted(String),
    UploadCompleted { upload_id: String, object: Object },
    CredentialMinted(Credential),
    MediaCreated(Media),
    MediaDeleted(String),
    UrlJobChanged(UrlJob),
}

/// The records by name.
#[derive(Debug, Default)]
pub(super) struct Tables {
    objects: BTreeMap<(String, String), Object>,
    uploads: HashMap<String, Upload>,
    credentials: HashMap<String, Credential>,
    key_ids_by_token: HashMap<String, String>,
    media: HashMap<String, Media>,
    url_jobs: HashMap<String, UrlJob>,
}

impl Tables {
    /// Applies a change. Returns the IDs of bodies that are no longer referenced.
    pub(super) fn apply(&mut self, entry: JournalEntry) -> Vec<String> {
        match entry {
            JournalEntry::ObjectStored(object) => self.replace_object(object),
            JournalEntry::ObjectDeleted { bucket, key } => {
                let removed = self.objects.remove(&(bucket, key));
                removed.iter().flat_map(object_bodies).collect()
            }
            JournalEntry::UploadStarted(upload) => {
                self.uploads.insert(upload.id.clone(), upload);
                Vec::new()
            }
            JournalEntry::PartStored { upload_id, part } => {
                let Some(upload) = self.uploads.get_mut(&upload_id) else {
                    return part.body.into_iter().collect();
                };
                let replaced = upload.parts.insert(part.number, part);
                replaced.and_then(|old| old.body).into_iter().collect()
            }
            JournalEntry::UploadAborted(id) => {
                let removed = self.uploads.remove(&id);
                removed.iter().flat_map(upload_bodies).collect()
            }
            JournalEntry::UploadCompleted { upload_id, object } => {
                let used: HashSet<_> = object_bodies(&object).collect();
                let removed = self.uploads.remove(&upload_id);
                let unused = removed
                    .iter()
                    .flat_map(upload_bodies)
                    .filter(|body| !used.contains(body))
                    .collect::<Vec<_>>();
                let mut orphans = self.replace_object(object);
                orphans.extend(unused);
                orphans
            }
            JournalEntry::CredentialMinted(credential) => {
                self.key_ids_by_token
                    .insert(credential.security_token.clone(), credential.access_key_id.clone());
                self.credentials.insert(credential.access_key_id.clone(), credential);
                Vec::new()
            }
            JournalEntry::MediaCreated(media) => {
                self.media.insert(media.id.clone(), media);
                Vec::new()
            }
            JournalEntry::MediaDeleted(id) => {
                self.media.remove(&id);
                Vec::new()
            }
            JournalEntry::UrlJobChanged(job) => {
                self.url_jobs.insert(job.id.clone(), job);
                Vec::new()
            }
        }
    }

    /// The shortest list of changes that produces this state.
    pub(super) fn snapshot(&self) -> Vec<JournalEntry> {
        let objects = self.objects.values().cloned().map(JournalEntry::ObjectStored);
        let uploads = self.uploads.values().cloned().map(JournalEntry::UploadStarted);
        let credentials = self.credentials.values().cloned();
        let media = self.media.values().cloned().map(JournalEntry::MediaCreated);
        let url_jobs = self.url_jobs.values().cloned().map(JournalEntry::UrlJobChanged);
        objects
            .chain(uploads)
            .chain(credentials.map(JournalEntry::CredentialMinted))
            .chain(media)
            .chain(url_jobs)
            .collect()
    }

    /// The IDs of all referenced bodies.
    pub(super) fn body_ids(&self) -> HashSet<String> {
        let of_objects = self.objects.values().flat_map(object_bodies);
        let of_uploads = self.uploads.values().flat_map(upload_bodies);
        of_objects.chain(of_uploads).collect()
    }

    pub(super) fn object(&self, bucket: &str, key: &str) -> Option<&Object> {
        self.objects.get(&(bucket.to_owned(), key.to_owned()))
    }

    pub(super) fn objects_in(&self, bucket: &str) -> impl Iterator<Item = &Object> {
        self.objects
            .range((bucket.to_owned(), String::new())..)
            .map(|(_, object)| object)
            .take_while(move |object| object.bucket == bucket)
    }

    pub(super) fn upload(&self, id: &str) -> Option<&Upload> {
        self.uploads.get(id)
    }

    pub(super) fn uploads(&self) -> impl Iterator<Item = &Upload> {
        let mut uploads: Vec<_> = self.uploads.values().collect();
        uploads.sort_by(|a, b| (&a.key, &a.id).cmp(&(&b.key, &b.id)));
        uploads.into_iter()
    }

    pub(super) fn credential(&self, access_key_id: &str) -> Option<&Credential> {
        self.credentials.get(access_key_id)
    }

    pub(super) fn credential_of_token(&self, token: &str) -> Option<&Credential> {
        self.credentials.get(self.key_ids_by_token.get(token)?)
    }

    pub(super) fn media(&self, id: &str) -> Option<&Media> {
        self.media.get(id)
    }

    /// All media, oldest first.
    pub(super) fn all_media(&self) -> impl Iterator<Item = &Media> {
        let mut media: Vec<_> = self.media.values().collect();
        media.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        media.into_iter()
    }

    pub(super) fn url_job(&self, id: &str) -> Option<&UrlJob> {
        self.url_jobs.get(id)
    }

    /// All jobs, oldest first.
    pub(super) fn url_jobs(&self) -> impl Iterator<Item = &UrlJob> {
        let mut jobs: Vec<_> = self.url_jobs.values().collect();
        jobs.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        jobs.into_iter()
    }

    fn replace_object(&mut self, object: Object) -> Vec<String> {
        let name = (object.bucket.clone(), object.key.clone());
        let replaced = self.objects.insert(name, object);
        replaced.iter().flat_map(object_bodies).collect()
    }
}

fn object_bodies(object: &Object) -> impl Iterator<Item = String> {
    object.segments.iter().filter_map(|segment| segment.body.clone())
}

fn upload_bodies(upload: &Upload) -> impl Iterator<Item = String> {
    upload.parts.values().filter_map(|part| part.body.clone())
}
