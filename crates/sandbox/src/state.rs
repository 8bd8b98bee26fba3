//! Everything that requests share: the store, the clock, faults, counters and settings.

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

/// What all requests of one sandbox share.
#[derive(Debug)]
pub(crate) struct SandboxState {
    pub(crate) config: SandboxConfig,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) counters: Counters,
    token_life_secs: AtomicI64,
    denied_operations: Mutex<Vec<String>>,
    bound_domains: Mutex<HashMap<String, String>>,
    used_nonces: Mutex<HashSet<(String, String)>>,
}

impl SandboxState {
    /// Opens the data folder. Blocks.
    pub(crate) fn open(config: SandboxConfig) -> io::Result<Self> {
        Ok(Self {
            store: Store::open(&config.data_dir, config.discard_bodies)?,
            clock: Clock::default(),
            faults: Faults::default(),
            counters: Counters::default(),
            token_life_secs: AtomicI64::new(config.token_life_secs),
            denied_operations: Mutex::default(),
            bound_domains: Mutex::new(config.cname_hosts.clone()),
            used_nonces: Mutex::default(),
            config,
        })
    }

    /// Checks signatures against the long-lived key, at the present time.
    pub(crate) fn authenticator(&self) -> Authenticator<'_> {
        Authenticator {
            access_key_id: &self.config.access_key_id,
            access_key_secret: &self.config.access_key_secret,
            region: &self.config.region,
            now: self.clock.now(),
        }
    }

    /// Whether the bucket exists.
    pub(crate) fn has_bucket(&self, bucket: &str) -> bool {
        self.config.buckets.iter().any(|name| name == bucket)
    }

    /// The bucket that VOD stores into.
    pub(crate) fn vod_bucket(&self) -> &str {
        self.config.buckets.first().map_or("", String::as_str)
    }

    /// Mints and keeps a temporary credential of the usual life.
    pub(crate) fn mint(&self, grant: Grant) -> io::Result<Credential> {
        self.mint_for(grant, self.token_life_secs())
    }

    /// Mints and keeps a temporary credential with this life.
    pub(crate) fn mint_for(&self, grant: Grant, life_secs: i64) -> io::Result<Credential> {
        let credential = Credential::mint(grant, self.in_secs(life_secs)?);
        self.store.put_credential(credential.clone())?;
        Ok(credential)
    }

    /// Changes what is left of a temporary credential's life. `false` if there is none of this key
    /// id.
    pub(crate) fn set_life(&self, access_key_id: &str, life_secs: i64) -> io::Result<bool> {
        let Some(credential) = self.store.credential(access_key_id) else {
            return Ok(false);
        };
        let expires_at = self.in_secs(life_secs)?;
        self.store.put_credential(Credential { expires_at, ..credential })?;
        Ok(true)
    }

    fn in_secs(&self, secs: i64) -> io::Result<jiff::Timestamp> {
        let life = jiff::SignedDuration::from_secs(secs);
        self.clock.now().saturating_add(life).map_err(io::Error::other)
    }

    /// How long credentials minted from now on are good for, in seconds.
    pub(crate) fn token_life_secs(&self) -> i64 {
        self.token_life_secs.load(Ordering::Relaxed)
    }

    pub(crate) fn set_token_life_secs(&self, seconds: i64) {
        self.token_life_secs.store(seconds, Ordering::Relaxed);
    }

    /// The operations that temporary credentials may not do.
    pub(crate) fn denied_operations(&self) -> Vec<String> {
        lock(&self.denied_operations).clone()
    }

    pub(crate) fn deny_operations(&self, names: Vec<String>) {
        *lock(&self.denied_operations) = names;
    }

    /// Which bucket each bound host name stands for.
    pub(crate) fn bound_domains(&self) -> HashMap<String, String> {
        lock(&self.bound_domains).clone()
    }

    /// Binds a host name to a bucket, or with `None` ends the binding.
    pub(crate) fn bind_domain(&self, host: &str, bucket: Option<String>) {
        let host = host.to_ascii_lowercase();
        let mut bound = lock(&self.bound_domains);
        match bucket {
            Some(bucket) => bound.insert(host, bucket),
            None => bound.remove(&host),
        };
    }

    /// Whether this key has not used the nonce before; from now on it has.
    pub(crate) fn use_nonce(&self, access_key_id: &str, nonce: &str) -> bool {
        lock(&self.used_nonces).insert((access_key_id.to_owned(), nonce.to_owned()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
