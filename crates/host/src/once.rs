//! The right to do something that must be done once, however many requests want to do it.
//!
//! The key-value store has no compare-and-swap, so the right goes by rounds, each of which is won
//! by one request at most, with the splitter of [`vod_uploader::upload`]'s leases:
//!
//! ```text
//! write my id to the bid → read the door: closed, then lost
//!                        → close the door → read the bid: still my id, then won
//!                        → write the win → there is a bid for the next round, or an earlier win
//!                          that stands: give the right back
//! ```
//!
//! A round may have no winner. Then the next one begins; and so it does where the winner has given
//! its right back, or where its term has passed, because it is gone. Whoever goes on to the next
//! round bids there first, and looks at the wins before it last: of a win that is written too late
//! to be seen, the winner sees the bid.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select, try_join_all};
use vod_uploader::units::UnixMillis;
use vod_uploader::{Error, ErrorKind, Result};

use crate::key_value::KeyValue;
use crate::{clock, random};

/// Something that is to be done once.
pub(crate) struct Once<'a> {
    kv: &'a KeyValue,
    /// What its keys begin with.
    name: String,
    /// How long the one who has the right may take.
    term: Duration,
    /// How many rounds this request knows of.
    rounds: Cell<u32>,
}

/// The right to do it.
pub(crate) struct Right<'a> {
    once: &'a Once<'a>,
    round: u32,
}

/// How a round stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It can be won.
    Open,
    /// Somebody has won it, or may be about to.
    Taken,
    /// It has no winner, or none any more.
    Over,
}

impl<'a> Once<'a> {
    pub(crate) const fn new(kv: &'a KeyValue, name: String, term: Duration) -> Self {
        Self { kv, name, term, rounds: Cell::new(1) }
    }

    /// Tries to win the right; `None` where another request has it, or nobody yet. Then ask again a
    /// little later, after a look at whether it is done.
    ///
    /// The one who wins must look at that, too: it may have been done before.
    ///
    /// # Errors
    /// [`ErrorKind::UploadLost`] where it was tried too often in vain.
    pub(crate) async fn win(&self) -> Result<Option<Right<'_>>> {
        for round in 0..ROUNDS_MAX {
            match self.standing(round).await? {
                Standing::Open => return self.bid_in(round).await,
                Standing::Taken => return Ok(None),
                Standing::Over => {}
            }
        }
        let message = "it was tried too often in vain to begin the upload";
        Err(Error::new(ErrorKind::UploadLost, message))
    }

    /// Forgets who had the right, once it is done or not wanted any more, which those who win from
    /// then on have to see.
    pub(crate) async fn forget(&self) -> Result<()> {
        // Its own rounds in any case: another's forgetting may have gone ahead of its last key.
        let mut rounds = self.rounds.get();
        while rounds < ROUNDS_MAX && self.kv.get(&self.bid(rounds)).await?.is_some() {
            rounds += 1;
        }
        let names =
            (0..rounds).flat_map(|round| [self.won(round), self.door(round), self.bid(round)]);
        try_join_all(names.map(|name| async move { self.kv.delete(&name).await })).await.map(drop)
    }

    async fn standing(&self, round: u32) -> Result<Standing> {
        if let Some(won) = self.kv.get(&self.won(round)).await? {
            return Ok(self.standing_of_win(&won));
        }
        let Some(closed_at) = self.kv.get(&self.door(round)).await? else {
            return Ok(Standing::Open);
        };
        Ok(if is_within(&closed_at, WIN_WITHIN) { Standing::Taken } else { Standing::Over })
    }

    fn standing_of_win(&self, won: &[u8]) -> Standing {
        if is_within(won, self.term + TERM_GRACE) { Standing::Taken } else { Standing::Over }
    }

    async fn bid_in(&self, round: u32) -> Result<Option<Right<'_>>> {
        self.rounds.set(self.rounds.get().max(round + 1));
        let id = random::bits64().to_le_bytes();
        self.kv.set(&self.bid(round), &id).await?;
        if self.kv.get(&self.door(round)).await?.is_some() {
            return Ok(None);
        }
        self.kv.set(&self.door(round), &now_bytes()).await?;
        if self.kv.get(&self.bid(round)).await?.as_deref() != Some(&id[..]) {
            return Ok(None);
        }
        self.kv.set(&self.won(round), &now_bytes()).await?;
        let right = Right { once: self, round };
        if self.is_contested(round).await? {
            right.give_back().await?;
            return Ok(None);
        }
        Ok(Some(right))
    }

    /// Whether somebody else may have the right that was just won in `round`.
    async fn is_contested(&self, round: u32) -> Result<bool> {
        if self.kv.get(&self.bid(round + 1)).await?.is_some() {
            return Ok(true);
        }
        for earlier in 0..round {
            let won = self.kv.get(&self.won(earlier)).await?;
            if won.is_some_and(|won| self.standing_of_win(&won) == Standing::Taken) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn bid(&self, round: u32) -> String {
        format!("{}.b.{round}", self.name)
    }

    fn door(&self, round: u32) -> String {
        format!("{}.d.{round}", self.name)
    }

    fn won(&self, round: u32) -> String {
        format!("{}.w.{round}", self.name)
    }
}

impl Right<'_> {
    /// Does it. Where `work` fails, the next one may try.
    ///
    /// # Errors
    /// Those of `work`, which ends with the term: [`ErrorKind::Busy`].
    pub(crate) async fn exercise<T>(self, work: impl Future<Output = Result<T>>) -> Result<T> {
        // The term first: after a standstill of the machine, nothing more may be done.
        match select(pin!(clock::sleep(self.once.term)), pin!(work)).await {
            Either::Left(((), _)) => {
                let message = "it took too long to begin the upload";
                Err(Error::new(ErrorKind::Busy, message))
            }
            Either::Right((Ok(done), _)) => Ok(done),
            Either::Right((Err(error), _)) => {
                // Without it, the others wait for the end of the term.
                let _ = self.give_back().await;
                Err(error)
            }
        }
    }

    async fn give_back(self) -> Result<()> {
        self.once.kv.set(&self.once.won(self.round), GIVEN_BACK).await
    }
}

fn now_bytes() -> [u8; 8] {
    clock::now().0.to_le_bytes()
}

/// Whether the stored instant is one, and is no longer ago than `duration`.
fn is_within(stored: &[u8], duration: Duration) -> bool {
    <[u8; 8]>::try_from(stored)
        .is_ok_and(|bytes| clock::now().since(UnixMillis(u64::from_le_bytes(bytes))) <= duration)
}

/// In place of the instant of a win.
const GIVEN_BACK: &[u8] = b"";

/// A round whose door was closed longer ago than this, and whose winner has not written its win,
/// has none: that is two key-value operations later. A winner that needs longer sees that others
/// went on.
const WIN_WITHIN: Duration = Duration::from_millis(500);

/// How much longer than its term a winner is waited for: its clock may be another one, and its term
/// begins a few key-value operations after the win is written.
const TERM_GRACE: Duration = Duration::from_secs(5);

/// Bounds the keys that a client can cause by sending again what fails each time.
const ROUNDS_MAX: u32 = 32;
