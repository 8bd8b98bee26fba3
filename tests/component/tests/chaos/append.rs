//! One request that brings bytes, and what its client does in its middle.

use std::io;
use std::ops::Range;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use vod_uploader_component_tests::source::Source;
use vod_uploader_wire::{Exchange, Response};

use crate::client::Client;
use crate::ledger::Told;
use crate::remote::{Remote, Standing, Words};
use crate::trouble::Trouble;
use crate::world::count;

/// What a client learns from a request that brings bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// All of them are stored, up to this offset.
    Stored(u64),
    /// The file is whole.
    Whole,
    /// Nothing for sure: it has to ask.
    Nothing,
    /// The client has deleted the upload.
    Deleted,
    /// The upload is not there any more; the status.
    Gone(u16),
}

/// A request in whose middle its client fell silent.
pub(crate) struct Asleep {
    exchange: Exchange,
    range: Range<u64>,
    unsent: Range<u64>,
    since: Instant,
}

/// The bytes of one request.
pub(crate) struct Request<'a> {
    pub(crate) remote: &'a Remote,
    pub(crate) source: &'a Source,
    pub(crate) range: Range<u64>,
}

impl Client<'_> {
    /// Appends the bytes of `range`, with a checksum where they are `checked`.
    ///
    /// # Errors
    /// Where the worker breaks a rule.
    pub(crate) fn append(
        &mut self,
        remote: &Remote,
        source: &Source,
        range: Range<u64>,
        told: &mut Told,
        checked: bool,
    ) -> Result<Heard, String> {
        count(&self.world.counts.requests);
        let length = range.end - range.start;
        let trouble = match length > 0 && self.is_tempted(2) {
            true => Trouble::drawn(&mut self.random, remote, range.start, checked),
            false => Trouble::None,
        };
        self.notes(&format!("PATCH {} {range:?} {trouble:?}", remote.path));
        let request = Request { remote, source, range: range.clone() };
        let mut bytes = request.bytes(range.clone());
        let checksum = format!("sha1 {}", STANDARD.encode(Sha1::digest(&bytes)));
        let more = checked.then_some(("upload-checksum", checksum.as_str()));
        let Ok(mut exchange) = remote.begin_append(&self.world.http(), &range, more) else {
            return Ok(self.unanswered());
        };
        let middle = usize::try_from(self.random.below(length.max(1))).expect("it is in memory");
        if trouble == Trouble::Falsify {
            count(&self.world.counts.falsified);
            bytes[middle] ^= 1;
        }
        self.send(&mut exchange, &bytes[..middle]);
        let superseded = match trouble {
            Trouble::None | Trouble::Falsify => None,
            Trouble::Cut => {
                count(&self.world.counts.cut);
                drop(exchange);
                return self.after_none_of(checked, &request, told);
            }
            Trouble::Silence => {
                count(&self.world.counts.silent);
                let unsent = range.start + middle as u64..range.end;
                self.asleep.push(Asleep { exchange, range, unsent, since: Instant::now() });
                self.rest(300);
                return Ok(Heard::Nothing);
            }
            Trouble::Ask => {
                count(&self.world.counts.asked);
                self.ask(remote, told)?;
                Some(Heard::Nothing)
            }
            Trouble::Rival => Some(self.rival(&request, told)?),
            Trouble::Pause => Some(self.pause(&request, told)?),
            Trouble::Delete => Some(self.delete(remote)?),
        };
        self.send(&mut exchange, &bytes[middle..]);
        let answer = exchange.finish();
        let Some(meanwhile) = superseded else {
            if trouble == Trouble::Falsify {
                return self.after_false(&request, &answer, told);
            }
            return self.judge(&request, answer, told);
        };
        if trouble == Trouble::Pause {
            self.resume(remote)?;
        }
        match (meanwhile, self.judge(&request, answer, told)?) {
            (Heard::Deleted, Heard::Stored(_) | Heard::Whole) => {
                Err("a request succeeded whose upload was deleted before its end".to_owned())
            }
            (Heard::Deleted, _) => Ok(Heard::Deleted),
            (Heard::Whole, _) | (_, Heard::Whole) => Ok(Heard::Whole),
            (_, Heard::Gone(status)) => Ok(Heard::Gone(status)),
            _ => Ok(Heard::Nothing),
        }
    }

    /// Where the upload stands.
    ///
    /// # Errors
    /// Where that is before what was acknowledged.
    pub(crate) fn ask(&mut self, remote: &Remote, told: &mut Told) -> Result<Standing, String> {
        let Ok(standing) = remote.standing(&self.world.http()) else {
            return Ok(Standing::Later(0));
        };
        let standing = standing?;
        self.notes(&format!("HEAD {} {standing:?}", remote.path));
        if let Standing::At(offset) = standing {
            told.answered(offset, remote.granularity())?;
        }
        Ok(standing)
    }

    /// Lets the requests go on in which the client fell silent: the upload has been continued over
    /// other connections, so that they are to end now. Some are left as they are.
    ///
    /// # Errors
    /// Where one is held, or `is_deleted` and one succeeds.
    pub(crate) fn wake(
        &mut self,
        remote: &Remote,
        source: &Source,
        told: &mut Told,
        is_deleted: bool,
    ) -> Result<(), String> {
        for mut asleep in std::mem::take(&mut self.asleep) {
            if self.world.elapsed() < ASLEEP_BEFORE && self.random.below(2) == 0 {
                self.world.leaves_asleep(asleep.exchange, asleep.since);
                continue;
            }
            let request = Request { remote, source, range: asleep.range };
            let since = Instant::now();
            let unsent = request.bytes(asleep.unsent);
            self.send(&mut asleep.exchange, &unsent);
            let answer = asleep.exchange.response();
            let held = since.elapsed();
            self.notes(&format!("the request {:?} that slept ended after {held:?}", request.range));
            if held > HELD_MAX {
                return Err(format!("a request that was superseded was held for {held:?}"));
            }
            let heard = self.judge(&request, answer, told)?;
            if is_deleted && matches!(heard, Heard::Stored(_) | Heard::Whole) {
                return Err("a silent request succeeded after its upload was deleted".to_owned());
            }
        }
        Ok(())
    }

    /// Counts a request without an answer, and waits until the worker may be there again.
    pub(crate) fn unanswered(&mut self) -> Heard {
        count(&self.world.counts.unanswered);
        self.notes("no answer");
        self.rest(100);
        Heard::Nothing
    }

    /// What an answer says, and whether it may.
    pub(crate) fn judge(
        &mut self,
        request: &Request<'_>,
        answer: io::Result<Response>,
        told: &mut Told,
    ) -> Result<Heard, String> {
        let Ok(answer) = answer else {
            return Ok(self.unanswered());
        };
        let offset = answer.header("upload-offset").and_then(|value| value.parse().ok());
        let code = answer.code();
        self.notes(&format!("{} {code} at {offset:?} to {:?}", answer.status, request.range));
        if answer.is_success() {
            let end = request.range.end;
            if offset != Some(end) {
                return Err(format!("success at {offset:?} for {:?}", request.range));
            }
            told.heard(end);
            return Ok(if end == request.remote.length {
                Heard::Whole
            } else {
                Heard::Stored(end)
            });
        }
        // FilePond's own client goes by what HEAD tells alone.
        if let (Some(offset), Words::Tus | Words::Ietf(_)) = (offset, request.remote.words) {
            told.heard(offset);
        }
        match (answer.status, code.as_str()) {
            (404 | 410, _) => Ok(Heard::Gone(answer.status)),
            (409, "taken-over" | "offset-mismatch" | "upload-ended")
            | (400, "upload-ended" | "length-mismatch") => Ok(Heard::Nothing),
            (409, "upload-paused") => {
                self.resume(request.remote)?;
                Ok(Heard::Nothing)
            }
            (502 | 503, _) => {
                count(&self.world.counts.refused);
                self.rest(200);
                Ok(Heard::Nothing)
            }
            (status, _) => Err(format!("{status}: {}", answer.text())),
        }
    }

    /// After bytes that were not those of their checksum.
    fn after_false(
        &mut self,
        request: &Request<'_>,
        answer: &io::Result<Response>,
        told: &mut Told,
    ) -> Result<Heard, String> {
        match answer {
            Ok(answer) if answer.is_success() => {
                return Err("bytes with a wrong checksum were taken".to_owned());
            }
            Ok(answer) => self.notes(&format!("{} {}", answer.status, answer.code())),
            Err(_) => drop(self.unanswered()),
        }
        self.after_none_of(true, request, told)
    }

    /// After a request that did not come to its end. Where it was checked, nothing of it counts.
    fn after_none_of(
        &mut self,
        checked: bool,
        request: &Request<'_>,
        told: &mut Told,
    ) -> Result<Heard, String> {
        if !checked {
            self.rest(100);
            return Ok(Heard::Nothing);
        }
        loop {
            self.check_time()?;
            match self.ask(request.remote, told)? {
                Standing::At(offset) if offset == request.range.start => return Ok(Heard::Nothing),
                Standing::At(offset) => {
                    return Err(format!("{offset} after {:?} without its end", request.range));
                }
                Standing::Gone(status) => return Ok(Heard::Gone(status)),
                Standing::Later(_) => self.rest(100),
            }
        }
    }
}

impl Request<'_> {
    /// The bytes of `range`, an offset of the upload.
    pub(crate) fn bytes(&self, range: Range<u64>) -> Vec<u8> {
        let base = self.remote.base;
        self.source.bytes(base + range.start..base + range.end)
    }
}

/// Requests that fall silent later go on at last: the worker lets the others wait for its idle time,
/// and the run would last as much longer.
const ASLEEP_BEFORE: Duration = Duration::from_secs(11);

/// How long a request may last whose upload goes on elsewhere: its own calls to the store have
/// their time limits.
const HELD_MAX: Duration = Duration::from_secs(20);
