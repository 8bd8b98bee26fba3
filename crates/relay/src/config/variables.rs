//! The variables of one deployment.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

/// The variables of one deployment, by name. Their values may be secrets.
#[derive(Default)]
pub struct Variables(BTreeMap<String, Zeroizing<String>>);

impl Variables {
    /// The name of every variable that the worker reads.
    pub const NAMES: &'static [&'static str] = &[
        "vod_access_key_id",
        "vod_access_key_secret",
        "vod_security_token",
        "vod_region",
        "vod_endpoint",
        "template_group_id",
        "workflow_id",
        "storage_location",
        "app_id",
        "signature_version",
        "cname",
        "part_size_bytes",
        "parallel",
        "default_extension",
        "upload_max_bytes",
        "request_timeout_ms",
        "retry_attempts",
        "retry_elapsed_max_ms",
        "seal_key",
        "key_prefix",
        "expire_after_s",
        "cors_origins",
        "cors_headers",
        "redirect_origins",
        "allowed_origins",
        "temporary_bucket",
        "temporary_endpoint",
        "temporary_prefix",
        "allowed_hosts",
        "base_path",
        "trust_forwarded",
        "operator_key",
        "active_uploads_max",
        "creations_per_minute_max",
        "client_credentials",
        "store_origin",
    ];

    /// Sets a variable. A value without visible characters counts as not set.
    pub fn set(&mut self, name: &str, value: &str) {
        let value = value.trim();
        if !value.is_empty() {
            self.0.insert(name.to_owned(), Zeroizing::new(value.to_owned()));
        }
    }

    /// The value of a variable that is set.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.as_str())
    }
}
