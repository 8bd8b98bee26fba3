//! A lock in a key-value store without compare-and-swap.
//!
//! The lock has rounds. At most one request acquires a round, by the
//! [`election`](vod_uploader::upload::election) that also decides the writer of an upload. It then
//! writes the holder register, and reads the candidate register of the next round and the holder
//! registers of earlier rounds. If another request may hold the lock, it releases the lock.
//!
//! A round may have no winner. The next round starts if a round has no winner in time, if its
//! winner has released the lock, or if the lease of its winner has expired. A request that enters
//! the next round writes its candidate register first and reads earlier holder registers last. A
//! holder whose register it does not see reads the candidate register later, and sees it.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select, try_join_all};

use vod_uploader::upload::election::{Election, ElectionOutcome, Registers};
use vod_uploader::{Error, ErrorKind, Result};

use super::records::decode_instant;
use super::run_election::run_election;
use crate::instance::Instance;

/// A lock.
pub(crate) struct KvLock<'a> {
    instance: &'a Instance,
    /// The prefix of its keys.
    name: String,
    /// Number of rounds that this request has entered.
    rounds: Cell<u32>,
}

/// The lock, held by this request.
pub(crate) struct KvLockGuard<'a> {
    lock: &'a KvLock<'a>,
    round: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RoundState {
    /// It can be acquired.
    Open,
    /// It has a holder, or may soon have one.
    Held,
    /// It has no holder and will have none.
    Expired,
}

impl<'a> KvLock<'a> {
    pub(crate) const fn new(instance: &'a Instance, name: String) -> Self {
        Self { instance, name, rounds: Cell::new(1) }
    }

    /// Tries to acquire the lock. `None` if another request holds it, or no request has acquired
    /// the round yet: the caller retries later, unless the work has been done.
    ///
    /// The holder must also check whether the work has been done.
    ///
    /// # Errors
    /// Returns [`ErrorKind::UploadLost`] after too many rounds.
    pub(crate) async fn try_acquire(&self) -> Result<Option<KvLockGuard<'_>>> {
        for round in 0..ROUNDS_MAX {
            match self.round_state(round).await? {
                RoundState::Open => return self.enter(round).await,
                RoundState::Held => return Ok(None),
                RoundState::Expired => {}
            }
        }
        let message = format!("creating the upload failed after {ROUNDS_MAX} attempts");
        Err(Error::new(ErrorKind::UploadLost, message))
    }

    /// Waits for the lock.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Busy`] if another request holds it for longer than `wait_max`, and the
    /// errors of [`KvLock::try_acquire`].
    pub(crate) async fn acquire(&self, wait_max: Duration) -> Result<KvLockGuard<'_>> {
        let mut waited = Duration::ZERO;
        loop {
            if let Some(guard) = self.try_acquire().await? {
                return Ok(guard);
            }
            if waited >= wait_max {
                return Err(Error::new(ErrorKind::Busy, "another request is doing the same"));
            }
            waited += self.pause().await;
        }
    }

    /// Waits between two attempts, and returns for how long. Requests that repeat their attempts at
    /// the same instants could contend in every round, so the time varies.
    pub(crate) async fn pause(&self) -> Duration {
        let jitter = self.instance.ports.random.bits64() % POLL_JITTER_MS;
        let pause = POLL + Duration::from_millis(jitter);
        self.instance.sleep(pause).await;
        pause
    }

    /// Deletes the registers once the work is done or no longer needed, which later holders must
    /// check.
    pub(crate) async fn clear(&self) -> Result<()> {
        let kv = self.instance.kv();
        // At least the rounds of this request: another request may clear at the same time.
        let mut rounds = self.rounds.get();
        while rounds < ROUNDS_MAX && kv.get(self.registers(rounds).candidate()).await?.is_some() {
            rounds += 1;
        }
        let names = (0..rounds).flat_map(|round| {
            let [candidate, closed] = self.registers(round).into_keys();
            [self.holder_key(round), closed, candidate]
        });
        try_join_all(names.map(|name| async move { kv.delete(&name).await })).await?;
        Ok(())
    }

    async fn round_state(&self, round: u32) -> Result<RoundState> {
        let kv = self.instance.kv();
        if let Some(held_at) = kv.get(&self.holder_key(round)).await? {
            return Ok(self.state_of_holder(&held_at));
        }
        let Some(closed_at) = kv.get(self.registers(round).closed()).await? else {
            return Ok(RoundState::Open);
        };
        let is_recent = self.is_within(&closed_at, ACQUIRE_TIMEOUT);
        Ok(if is_recent { RoundState::Held } else { RoundState::Expired })
    }

    fn state_of_holder(&self, held_at: &[u8]) -> RoundState {
        let is_current = self.is_within(held_at, self.lease_duration() + LEASE_GRACE);
        if is_current { RoundState::Held } else { RoundState::Expired }
    }

    /// How long a holder may take: as long as VOD may take to respond.
    fn lease_duration(&self) -> Duration {
        let config = &self.instance.config;
        (config.retry.elapsed_max + config.request_timeout).min(LEASE_DURATION_MAX)
    }

    async fn enter(&self, round: u32) -> Result<Option<KvLockGuard<'_>>> {
        self.rounds.set(self.rounds.get().max(round + 1));
        let kv = self.instance.kv();
        let id = self.instance.ports.random.bits64().to_le_bytes().to_vec();
        let election = Election::new(self.registers(round), id, self.now_bytes().to_vec());
        if run_election(self.instance, election).await? != ElectionOutcome::Acquired {
            return Ok(None);
        }
        kv.set(&self.holder_key(round), &self.now_bytes()).await?;
        let guard = KvLockGuard { lock: self, round };
        if self.is_contested(round).await? {
            guard.release().await?;
            return Ok(None);
        }
        Ok(Some(guard))
    }

    /// Returns true if another request may hold the lock that was just acquired in `round`.
    async fn is_contested(&self, round: u32) -> Result<bool> {
        let kv = self.instance.kv();
        if kv.get(self.registers(round + 1).candidate()).await?.is_some() {
            return Ok(true);
        }
        for earlier in 0..round {
            let held_at = kv.get(&self.holder_key(earlier)).await?;
            if held_at.is_some_and(|at| self.state_of_holder(&at) == RoundState::Held) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn registers(&self, round: u32) -> Registers {
        Registers::new(&format!("{}.b", self.name), &format!("{}.d", self.name), round)
    }

    fn holder_key(&self, round: u32) -> String {
        format!("{}.w.{round}", self.name)
    }

    fn now_bytes(&self) -> [u8; 8] {
        self.instance.now().0.to_le_bytes()
    }

    /// Returns true if `stored` is an instant that is not longer ago than `duration`.
    fn is_within(&self, stored: &[u8], duration: Duration) -> bool {
        decode_instant(stored).is_some_and(|at| self.instance.now().since(at) <= duration)
    }
}

impl KvLockGuard<'_> {
    /// Runs `work`. If it fails, the lock is released.
    ///
    /// # Errors
    /// Returns the errors of `work`, and [`ErrorKind::Busy`] once the lease has expired.
    pub(crate) async fn run<T>(self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let lease = pin!(self.lock.instance.sleep(self.lock.lease_duration()));
        // The lease is polled first: no work may be done after the machine was suspended.
        match select(lease, pin!(work)).await {
            Either::Left(((), _)) => {
                Err(Error::new(ErrorKind::Busy, "creating the upload took too long"))
            }
            Either::Right((Ok(done), _)) => Ok(done),
            Either::Right((Err(error), _)) => {
                // If this fails, other requests wait for the end of the lease.
                let _ = self.release().await;
                Err(error)
            }
        }
    }

    /// Runs `work`, and releases the lock: the next holder does its own.
    ///
    /// # Errors
    /// Returns those of [`KvLockGuard::run`].
    pub(crate) async fn run_and_release<T>(
        self,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let (lock, round) = (self.lock, self.round);
        let done = self.run(work).await?;
        // If this fails, other requests wait for the end of the lease.
        let _ = KvLockGuard { lock, round }.release().await;
        Ok(done)
    }

    async fn release(self) -> Result<()> {
        let name = self.lock.holder_key(self.round);
        Ok(self.lock.instance.kv().set(&name, RELEASED).await?)
    }
}

/// Interval between two attempts, and its random variation.
const POLL: Duration = Duration::from_millis(100);
const POLL_JITTER_MS: u64 = 100;

/// The value of a holder register after the lock is released.
const RELEASED: &[u8] = b"";

/// A round that was closed longer ago than this and has no holder will have none: the winner writes
/// its holder register two key-value operations later. A slower winner sees that the next round has
/// started.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(500);

/// The longest time that a holder may take, for which its crash blocks the lock.
const LEASE_DURATION_MAX: Duration = Duration::from_secs(30);

/// How much longer than its lease a holder is assumed to hold the lock: its clock may differ, and
/// its lease starts a few key-value operations after it writes the register.
const LEASE_GRACE: Duration = Duration::from_secs(5);

/// Bounds the keys that a client can create by repeating a request that always fails.
const ROUNDS_MAX: u32 = 32;
