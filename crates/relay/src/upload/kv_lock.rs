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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use std::cell::RefCell;
    use std::collections::BTreeMap;
    use std::pin::Pin;
    use std::rc::Rc;
    use std::task::Poll;

    use futures::FutureExt as _;
    use futures::channel::oneshot;
    use futures::future::{LocalBoxFuture, pending, poll_fn};
    use vod_uploader::oss::{HttpResponse, Request};
    use vod_uploader::units::UnixMillis;

    use super::*;
    use crate::config::{Config, Variables};
    use crate::ports::{
        Clock, HttpClient, KeyValue, KeyValueError, Log, Ports, Random, SendBody, SendError, Spawn,
    };

    /// A store whose write of one key may wait, and a clock.
    #[derive(Default)]
    struct Host {
        values: RefCell<BTreeMap<String, Vec<u8>>>,
        waiting_write: RefCell<Option<String>>,
        operations: Cell<u32>,
        elapsed: Cell<Duration>,
        timers: RefCell<Vec<(Duration, oneshot::Sender<()>)>>,
        bits: Cell<u64>,
    }

    impl Host {
        /// An endless loop fails instead of blocking the test.
        fn count_operation(&self) {
            self.operations.set(self.operations.get() + 1);
            assert!(self.operations.get() < 10_000);
        }

        fn keys(&self) -> Vec<String> {
            let keys = self.values.borrow();
            keys.keys().filter(|key| key.contains(".x.")).cloned().collect()
        }

        fn pass(&self, millis: u64) {
            self.elapsed.set(self.elapsed.get() + Duration::from_millis(millis));
        }

        /// Runs `future` to its end, and the clock from one timer to the next one.
        fn run<T>(&self, future: impl Future<Output = T>) -> T {
            let mut future = pin!(future);
            loop {
                if let Some(done) = future.as_mut().now_or_never() {
                    return done;
                }
                let mut timers = self.timers.borrow_mut();
                timers.retain(|(_, timer)| !timer.is_canceled());
                let next = (0..timers.len()).min_by_key(|index| timers[*index].0).unwrap();
                let (end, timer) = timers.swap_remove(next);
                self.elapsed.set(self.elapsed.get().max(end));
                timer.send(()).unwrap();
            }
        }
    }

    impl KeyValue for Host {
        fn get<'a>(
            &'a self,
            key: &'a str,
        ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, KeyValueError>> {
            self.count_operation();
            let value = self.values.borrow().get(key).cloned();
            async { Ok(value) }.boxed_local()
        }

        fn set<'a>(
            &'a self,
            key: &'a str,
            value: &'a [u8],
        ) -> LocalBoxFuture<'a, Result<(), KeyValueError>> {
            self.count_operation();
            poll_fn(move |_| {
                let waiting = self.waiting_write.borrow();
                if waiting.as_ref().is_some_and(|waiting| key.ends_with(waiting)) {
                    return Poll::Pending;
                }
                self.values.borrow_mut().insert(key.to_owned(), value.to_vec());
                Poll::Ready(Ok(()))
            })
            .boxed_local()
        }

        fn delete<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Result<(), KeyValueError>> {
            self.count_operation();
            self.values.borrow_mut().remove(key);
            async { Ok(()) }.boxed_local()
        }
    }

    impl Clock for Host {
        fn now(&self) -> UnixMillis {
            UnixMillis(1_800_000_000_000) + self.elapsed.get()
        }

        fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
            let (sender, receiver) = oneshot::channel();
            self.timers.borrow_mut().push((self.elapsed.get() + duration, sender));
            receiver.map(drop).boxed_local()
        }
    }

    impl Random for Host {
        fn bits64(&self) -> u64 {
            self.bits.set(self.bits.get() + 1);
            u64::MAX / 2 + self.bits.get()
        }
    }

    impl HttpClient for Host {
        fn send(
            &self,
            _request: Request,
            _body: SendBody,
            _response_bytes_max: usize,
        ) -> LocalBoxFuture<'static, Result<HttpResponse, SendError>> {
            pending().boxed_local()
        }
    }

    impl Spawn for Host {
        fn spawn(&self, _task: LocalBoxFuture<'static, ()>) {}
    }

    impl Log for Host {
        fn warn(&self, _line: &str) {}
    }

    /// An instance whose holders may take 3 seconds.
    fn instance() -> (Rc<Host>, Instance) {
        let host = Rc::new(Host::default());
        let ports = Ports {
            key_value: host.clone(),
            http: host.clone(),
            clock: host.clone(),
            random: host.clone(),
            spawn: host.clone(),
            log: host.clone(),
        };
        let mut variables = Variables::default();
        variables.set("request_timeout_ms", "1000");
        variables.set("retry_elapsed_max_ms", "2000");
        let config = Config::new(&variables).unwrap();
        (host, Instance::new(ports, config))
    }

    fn lock(instance: &Instance) -> KvLock<'_> {
        KvLock::new(instance, "x".to_owned())
    }

    /// Whether another request acquires the lock now.
    fn is_free(host: &Host, instance: &Instance) -> bool {
        host.run(lock(instance).try_acquire()).unwrap().is_some()
    }

    /// Acquires and releases the lock.
    fn use_once(host: &Host, instance: &Instance) {
        let lock = lock(instance);
        let guard = host.run(lock.try_acquire()).unwrap().unwrap();
        host.run(guard.release()).unwrap();
    }

    #[test]
    fn one_of_two_requests_holds_the_lock_until_it_releases_it() {
        let (host, instance) = instance();
        let first = lock(&instance);
        let guard = host.run(first.try_acquire()).unwrap().unwrap();
        assert!(!is_free(&host, &instance));
        host.run(guard.release()).unwrap();
        assert!(is_free(&host, &instance));
    }

    #[test]
    fn a_holder_that_crashed_blocks_the_lock_for_its_lease_and_the_grace() {
        let (host, instance) = instance();
        let crashed = lock(&instance);
        assert!(host.run(crashed.try_acquire()).unwrap().is_some());
        host.pass(8_000);
        assert!(!is_free(&host, &instance), "a lease of 3 s and a grace of 5 s");
        host.pass(1);
        assert!(is_free(&host, &instance));
    }

    #[test]
    fn a_request_waits_until_the_lease_of_a_crashed_holder_has_expired() {
        let (host, instance) = instance();
        let crashed = lock(&instance);
        assert!(host.run(crashed.try_acquire()).unwrap().is_some());
        let waiting = lock(&instance);
        let acquired = host.run(waiting.acquire(Duration::from_secs(60)));
        assert!(acquired.is_ok());
        let waited = host.elapsed.get().as_millis();
        assert!((8_001..8_300).contains(&waited), "{waited} ms");
    }

    #[test]
    fn a_request_stops_waiting_for_a_lock_that_is_held_for_too_long() {
        let (host, instance) = instance();
        let holder = lock(&instance);
        let _guard = host.run(holder.try_acquire()).unwrap().unwrap();
        let waiting = lock(&instance);
        let error = host.run(waiting.acquire(Duration::from_secs(2))).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Busy);
        let waited = host.elapsed.get().as_millis();
        assert!((2_000..2_200).contains(&waited), "{waited} ms");
    }

    #[test]
    fn attempts_are_100_to_200_ms_apart_and_vary() {
        let (host, instance) = instance();
        let lock = lock(&instance);
        let pauses: Vec<_> = (0..150).map(|_| host.run(lock.pause()).as_millis()).collect();
        assert!(pauses.iter().all(|pause| (100..200).contains(pause)), "{pauses:?}");
        assert!(pauses.contains(&100) && pauses.contains(&199), "{pauses:?}");
        assert_eq!(host.elapsed.get().as_millis(), pauses.iter().sum());
    }

    #[test]
    fn the_work_is_attempted_32_times() {
        let (host, instance) = instance();
        (0..32).for_each(|_| use_once(&host, &instance));
        let error = host.run(lock(&instance).try_acquire()).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::UploadLost);
        host.run(lock(&instance).clear()).unwrap();
        assert_eq!(host.keys(), Vec::<String>::new());
    }

    #[test]
    fn the_registers_of_all_rounds_are_deleted() {
        let (host, instance) = instance();
        (0..3).for_each(|_| use_once(&host, &instance));
        assert_eq!(host.keys().len(), 9, "{:?}", host.keys());
        host.run(lock(&instance).clear()).unwrap();
        assert_eq!(host.keys(), Vec::<String>::new());
    }

    #[test]
    fn a_request_deletes_its_registers_if_another_deletion_stopped_halfway() {
        let (host, instance) = instance();
        use_once(&host, &instance);
        let lock = lock(&instance);
        assert!(host.run(lock.try_acquire()).unwrap().is_some());
        host.values.borrow_mut().retain(|key, _| !key.contains("x.b."));
        host.run(lock.clear()).unwrap();
        assert_eq!(host.keys(), Vec::<String>::new());
    }

    #[test]
    fn a_winner_that_was_too_slow_does_not_hold_the_lock() {
        let (host, instance) = instance();
        let (slow, fast) = (lock(&instance), lock(&instance));
        *host.waiting_write.borrow_mut() = Some("x.w.0".to_owned());
        let mut acquisition: Pin<Box<_>> = Box::pin(slow.try_acquire());
        assert!(acquisition.as_mut().now_or_never().is_none());
        host.pass(500);
        assert!(!is_free(&host, &instance), "the winner may still become the holder");
        host.pass(1);
        let guard = host.run(fast.try_acquire()).unwrap();
        assert!(guard.is_some());
        *host.waiting_write.borrow_mut() = None;
        assert!(host.run(acquisition).unwrap().is_none(), "two requests hold the lock");
        assert!(!is_free(&host, &instance));
    }

    #[test]
    fn the_winner_of_the_next_round_yields_to_a_holder_that_did_not_see_it() {
        let (host, instance) = instance();
        let (slow, late) = (lock(&instance), lock(&instance));
        *host.waiting_write.borrow_mut() = Some("x.w.0".to_owned());
        let mut first: Pin<Box<_>> = Box::pin(slow.try_acquire());
        assert!(first.as_mut().now_or_never().is_none());
        host.pass(501);
        *host.waiting_write.borrow_mut() = Some("x.b.1".to_owned());
        let mut second: Pin<Box<_>> = Box::pin(late.try_acquire());
        assert!(second.as_mut().now_or_never().is_none());
        assert!(host.run(first).unwrap().is_some());
        *host.waiting_write.borrow_mut() = None;
        assert!(host.run(second).unwrap().is_none(), "two requests hold the lock");
    }
}
