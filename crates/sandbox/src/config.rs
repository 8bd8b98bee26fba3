//! The configuration of a sandbox.

use std::collections::HashMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// The configuration of a sandbox.
#[derive(Clone)]
pub struct SandboxConfig {
    /// The loopback address to listen on. Port 0 selects a free port.
    pub listen: SocketAddr,
    /// The directory of all data; created if absent.
    pub data_dir: PathBuf,
    /// Whether to store only length and checksums of bodies. ETags are then not MD5s, except for
    /// requests with `Content-MD5`.
    pub discard_bodies: bool,
    /// The long-lived key.
    pub access_key_id: String,
    /// Its secret.
    pub access_key_secret: String,
    /// The existing buckets; VOD stores into the first.
    pub buckets: Vec<String>,
    /// The region, without the prefix `oss-`.
    pub region: String,
    /// The lifetime of credentials issued by VOD, in seconds.
    pub token_ttl_secs: i64,
    /// Host names that are bound to a bucket, as by a CNAME record.
    pub cname_hosts: HashMap<String, String>,
    /// Whether to write a line for each request to standard error.
    pub log: bool,
}

impl SandboxConfig {
    /// The defaults of the command line, on a free port.
    pub fn in_dir(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data_dir: data_dir.into(),
            discard_bodies: false,
            access_key_id: "sandbox-key".to_owned(),
            access_key_secret: "sandbox-secret".to_owned(),
            buckets: vec!["sandbox-bucket".to_owned()],
            region: "cn-shanghai".to_owned(),
            token_ttl_secs: 3600,
            cname_hosts: HashMap::new(),
            log: false,
        }
    }
}

impl fmt::Debug for SandboxConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxConfig")
            .field("listen", &self.listen)
            .field("data_dir", &self.data_dir)
            .field("discard_bodies", &self.discard_bodies)
            .field("access_key_id", &self.access_key_id)
            .field("buckets", &self.buckets)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}
