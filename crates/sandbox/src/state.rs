//! The state that requests share: the store, the clock, faults, counters and settings.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::config::SandboxConfig;
use crate::counters::Counters;
use crate::credential::{Credential, Grant};
use crate::fault::Faults;
use crate::sign::Authenticator;
use crate::store::Store;

/// The shared state of one sandbox.
#[derive(Debug)]
pub(crate) struct SandboxState {
    pub(crate) config: SandboxConfig,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) counters: Counters,
    token_ttl_secs: AtomicI64,
    denied_operations: Mutex<Vec<String>>,
    bound_domains: Mutex<HashMap<String, String>>,
    used_nonces: Mutex<HashSet<(String, String)>>,
}

impl SandboxState {
    /// Opens the data directory; blocking.
    pub(crate) fn open(config: SandboxConfig) -> io::Result<Self> {
        Ok(Self {
            store: Store::open(&config.data_dir, config.discard_bodies)?,
            clock: Clock::default(),
            faults: Faults::default(),
            counters: Counters::default(),
            token_ttl_secs: AtomicI64::new(config.token_ttl_secs),
            denied_operations: Mutex::default(),
            bound_domains: Mutex::new(config.cname_hosts.clone()),
            used_nonces: Mutex::default(),
            config,
        })
    }

    /// An authenticator for the long-lived key at the current time.
    pub(crate) fn authenticator(&self) -> Authenticator<'_> {
        Authenticator {
            access_key_id: &self.config.access_key_id,
            access_key_secret: &self.config.access_key_secret,
            region: &self.config.region,
            now: self.clock.now(),
        }
    }

    /// Returns true if the bucket exists.
    pub(crate) fn has_bucket(&self, bucket: &str) -> bool {
        self.config.buckets.iter().any(|name| name == bucket)
    }

    /// The bucket that VOD stores into.
    pub(crate) fn vod_bucket(&self) -> &str {
        self.config.buckets.first().map_or("", String::as_str)
    }

    /// Issues and stores a temporary credential with the default lifetime.
    pub(crate) fn issue(&self, grant: Grant) -> io::Result<Credential> {
        self.issue_with_ttl(grant, self.token_ttl_secs())
    }

    /// Issues and stores a temporary credential with this lifetime.
    pub(crate) fn issue_with_ttl(&self, grant: Grant, ttl_secs: i64) -> io::Result<Credential> {
        let credential = Credential::issue(grant, self.expires_in(ttl_secs)?);
        self.store.put_credential(credential.clone())?;
        Ok(credential)
    }

    /// Sets the remaining lifetime of a temporary credential. Returns false if there is none with
    /// this access key ID.
    pub(crate) fn set_ttl(&self, access_key_id: &str, ttl_secs: i64) -> io::Result<bool> {
        let Some(credential) = self.store.credential(access_key_id) else {
            return Ok(false);
        };
        let expires_at = self.expires_in(ttl_secs)?;
        self.store.put_credential(Credential { expires_at, ..credential })?;
        Ok(true)
    }

    fn expires_in(&self, secs: i64) -> io::Result<jiff::Timestamp> {
        let ttl = jiff::SignedDuration::from_secs(secs);
        self.clock.now().saturating_add(ttl).map_err(io::Error::other)
    }

    /// The lifetime of new credentials, in seconds.
    pub(crate) fn token_ttl_secs(&self) -> i64 {
        self.token_ttl_secs.load(Ordering::Relaxed)
    }

    pub(crate) fn set_token_ttl_secs(&self, seconds: i64) {
        self.token_ttl_secs.store(seconds, Ordering::Relaxed);
    }

    /// The operations that are denied to temporary credentials.
    pub(crate) fn denied_operations(&self) -> Vec<String> {
        lock(&self.denied_operations).clone()
    }

    pub(crate) fn deny_operations(&self, names: Vec<String>) {
        *lock(&self.denied_operations) = names;
    }

    /// The buckets by bound host name.
    pub(crate) fn bound_domains(&self) -> HashMap<String, String> {
        lock(&self.bound_domains).clone()
    }

    /// Binds a host name to a bucket; `None` removes the binding.
    pub(crate) fn bind_domain(&self, host: &str, bucket: Option<String>) {
        let host = host.to_ascii_lowercase();
        let mut bound = lock(&self.bound_domains);
        match bucket {
            Some(bucket) => bound.insert(host, bucket),
            None => bound.remove(&host),
        };
    }

    /// Marks a nonce of this key as used. Returns false if it already was.
    pub(crate) fn use_nonce(&self, access_key_id: &str, nonce: &str) -> bool {
        lock(&self.used_nonces).insert((access_key_id.to_owned(), nonce.to_owned()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
