//! What an event may say, by what was said before and by what the services hold.

use vod_uploader::queue::{CheckpointLookup, FileFingerprint};
use vod_uploader::queue::{Event, FileId, FileState, NewFile, Progress, Succeeded};
use vod_uploader::vod::MediaKind;

use super::end_name;
use crate::Credentials;
use crate::content::crc64;
use crate::simulation::Simulation;

impl Simulation {
    /// Checks an event in the order of its file, and its claims against the services.
    pub(crate) fn note_event(&mut self, event: &Event) {
        let Some(file) = event.file() else { return self.note_upload_end() };
        let name = self.files[&file].new.name.clone();
        let planned_kind = self.files[&file].new.kind.unwrap_or(MediaKind::Video);
        let is_direct = self.app.credentials == Some(Credentials::Direct);
        let life = self.checker.lives.entry(file).or_default();
        let begins = matches!(event, Event::FileAdded(_) | Event::UploadStarted { .. });
        // What was completed before the queue began is found without a credential.
        let found_whole = matches!(event, Event::Progress { progress, .. } if is_whole(progress));
        let is_first = life.end.is_none() && !life.is_started;
        let ends_again = matches!(life.end, Some("failure" | "canceled" | "stopped"));
        assert!(
            life.end.is_none()
                || begins
                || found_whole
                || (end_name(event).is_some() && ends_again),
            "{event:?} after the file's last event"
        );
        assert!(!life.is_whole || matches!(event, Event::Succeeded(_)), "{event:?} after 100 %");
        match event {
            Event::FileAdded(info) => {
                assert!(is_first, "{name} is added twice");
                assert_eq!(info.state, FileState::Ready);
            }
            Event::UploadStarted { durable, media_id, kind, .. } => {
                life.is_started = true;
                life.is_expired = false;
                life.durable = None;
                life.supplied_to = None;
                life.wanted = None;
                life.end = None;
                assert!(media_id.is_none() || kind.can_refresh(), "a picture has no refresh");
                if self.vod.has_just_denied_a_media() {
                    self.checker.may_start_again(&name);
                }
                self.note_durable(file, durable.bytes());
                if !kind.can_refresh() && !is_direct {
                    // The credential of a picture will be for another object.
                    self.checker.may_start_again(&name);
                    self.checker.allow_orphans(&name);
                }
            }
            Event::SourceRequested { offset, .. } => {
                assert!(life.is_started, "bytes are wanted before a credential");
                life.wanted = Some(offset.bytes());
                // A write of a queue that is gone may have raised what is stored meanwhile.
                let stored = self.stored_offset(&self.files[&file].new);
                let life = &self.checker.lives[&file];
                let known = [life.durable, life.supplied_to, stored, Some(0)];
                assert!(known.contains(&Some(offset.bytes())), "{name}: {offset:?} of {life:?}");
            }
            Event::Progress { progress, .. } => self.note_progress(file, &name, progress),
            Event::TokenExpiring(_) => assert!(life.is_started),
            Event::TokenExpired(_) => {
                assert!(life.is_started, "a credential ends before one was asked for");
                life.is_expired = true;
                if !planned_kind.can_refresh() && !is_direct {
                    // The next credential of a picture will be for another object.
                    self.checker.may_start_again(&name);
                    self.checker.allow_orphans(&name);
                }
            }
            Event::Succeeded(succeeded) => {
                assert!(life.is_whole, "a success before 100 %");
                self.note_success(&name, succeeded);
            }
            Event::Failed { durable, error, .. } => {
                // Before, nobody has looked how far the file is.
                if life.is_started {
                    self.note_durable(file, durable.bytes());
                }
                self.checker.no_secret_in(&error.to_string());
            }
            Event::Stopped { durable, .. } => {
                if life.is_started {
                    self.note_durable(file, durable.bytes());
                }
            }
            Event::Canceled { leftover_error, .. } => {
                // A picture may have had another object before, whose parts nobody drops.
                let binds = planned_kind.can_refresh() || is_direct;
                self.note_canceled(&name, leftover_error.is_none() && binds);
            }
            Event::UploadEnd => {}
        }
        if let Some(end) = end_name(event) {
            let life = self.checker.lives.entry(file).or_default();
            *life =
                super::QueueObservations { end: Some(end), ..super::QueueObservations::default() };
        }
    }

    fn note_upload_end(&mut self) {
        assert!(self.checker.run_is_open, "a run ends that was not begun, or has ended");
        self.checker.run_is_open = false;
        let under_way =
            |state: &FileState| matches!(state, FileState::Ready | FileState::Uploading(_));
        let listed = self.queue.list_files();
        assert!(listed.iter().all(|info| !under_way(&info.state)), "a run ends before its files");
    }

    /// An offset is told as durable: it never goes back, and the key-value store knows it.
    fn note_durable(&mut self, file: FileId, durable: u64) {
        let planned = &self.files[&file];
        let name = planned.new.name.clone();
        assert!(durable <= planned.content.len(), "{name} is longer than it is");
        let stored = self.stored_offset(&planned.new);
        let life = self.checker.lives.entry(file).or_default();
        life.durable = Some(durable);
        let told = self.checker.told.entry(name.clone()).or_default();
        let before = told.durable;
        if durable < before {
            // A picture's next credential, which may come unasked from VOD, is for another object.
            let is_picture = planned.new.kind.is_some_and(|kind| !kind.can_refresh());
            let is_replaced = is_picture && self.app.credentials != Some(Credentials::Direct);
            let excused = told.may_go_back || self.checker.forgets_old_files || is_replaced;
            assert!(excused, "{name} went back from {before} to {durable}");
            told.may_go_back = false;
        }
        told.durable = durable;
        if let Some(stored) = stored.filter(|_| !self.checker.forgets_old_files) {
            assert!(stored >= durable, "{name}: {durable} is told and {stored} is stored");
        }
    }

    fn note_progress(&mut self, file: FileId, name: &str, progress: &Progress) {
        let planned = &self.files[&file];
        assert!(progress.sent >= progress.durable);
        assert!(progress.sent.bytes() <= planned.content.len());
        if planned.new.size.is_some() {
            assert_eq!(progress.total, planned.new.size);
        }
        let whole = is_whole(progress);
        let life = self.checker.lives.entry(file).or_default();
        if whole {
            assert_eq!(progress.durable.bytes(), planned.content.len());
            life.is_whole = true;
            life.end = None;
        } else {
            assert!(life.is_started, "{name} goes on before a credential is there");
            assert!(progress.fraction.is_none_or(|fraction| fraction < 1.0));
            self.note_durable(file, progress.durable.bytes());
        }
    }

    fn note_success(&mut self, name: &str, succeeded: &Succeeded) {
        let planned = &self.files[&succeeded.file];
        let stored = &self.store.objects[&succeeded.object];
        assert!(stored.bytes == planned.content.bytes(), "the object of {name} is not the file");
        assert_eq!(succeeded.crc64, crc64(planned.content.bytes()));
        assert_eq!(succeeded.size.bytes(), planned.content.len());
        if let Some(id) = &succeeded.media_id
            && let Some(media) = self.vod.media.get(id)
            && planned.new.object.is_none()
        {
            assert_eq!(media.object, succeeded.object, "the media id of {name} is another's");
        }
        if let Some(object) = &planned.new.object {
            assert_eq!(*object, succeeded.object);
        }
        self.checker.told.remove(name);
        self.checker.uploads.retain(|_, of| of != name);
        self.checker.succeeded.insert(name.to_owned());
    }

    fn note_canceled(&mut self, name: &str, nothing_left: bool) {
        self.checker.told.remove(name);
        let of_file = |(id, of): (&String, &String)| (of == name).then(|| id.clone());
        let uploads: Vec<_> = self.checker.uploads.iter().filter_map(of_file).collect();
        self.checker.uploads.retain(|_, of| of != name);
        if nothing_left {
            self.checker.said_to_be_gone.extend(uploads);
        } else {
            self.checker.orphans_allowed = true;
            // What is stored may still be there, and gone at any time.
            self.checker.may_start_again(name);
        }
    }

    /// From which offset another queue would continue a file: `None` where it would not know it.
    fn stored_offset(&self, new: &NewFile) -> Option<u64> {
        let identity = FileFingerprint::from_file(self.options.user_id.as_deref(), new)?;
        let mut lookup = CheckpointLookup::new(Some(&identity), None);
        while let Some(key) = lookup.next_key() {
            lookup.feed(self.kv.values.get(&key).cloned()).unwrap();
        }
        let upload = lookup.finish().upload;
        Some(upload.map_or(0, |upload| upload.checkpoint.durable().bytes()))
    }
}

fn is_whole(progress: &Progress) -> bool {
    progress.fraction == Some(1.0)
}
