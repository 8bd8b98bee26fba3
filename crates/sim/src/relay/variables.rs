//! The configuration of every instance.

use std::time::Duration;

use vod_uploader_relay::Variables;

use super::setting::Setting;
use crate::world::{SECRET, TOKEN, World};

/// The start of the keys of temporary objects.
pub(crate) const TEMPORARY_PREFIX: &str = "temporary/";

/// The start of all keys in the key-value store.
pub(crate) const KEY_PREFIX: &str = "sim-1_a.";

/// Base64 of 32 bytes.
pub(crate) const SEAL_KEY: &str = "c2VhbC1rZXktc2VhbC1rZXktc2VhbC1rZXktc2VhbCE=";

/// A relay with an access key, small parts and short deadlines.
pub(super) fn variables(world: &mut World, setting: &Setting) -> Variables {
    world.app_server.token_ttl = Duration::from_secs(10 * 365 * 24 * 3_600);
    let token = world.issue_token();
    let mut variables = Variables::default();
    for (name, value) in [
        ("vod_access_key_id", token.credential.access_key_id.as_str()),
        ("vod_access_key_secret", SECRET),
        ("vod_security_token", TOKEN),
        ("part_size_bytes", "102400"),
        ("parallel", "3"),
        ("request_timeout_ms", "2000"),
        ("retry_attempts", "4"),
        ("retry_elapsed_max_ms", "20000"),
        ("seal_key", SEAL_KEY),
        ("key_prefix", KEY_PREFIX),
        ("client_credentials", "on"),
        ("expire_after_s", &setting.expire_after.as_secs().to_string()),
        ("temporary_bucket", "temporary"),
        ("temporary_prefix", TEMPORARY_PREFIX),
    ] {
        assert!(Variables::NAMES.contains(&name), "{name}");
        variables.set(name, value);
    }
    if let Some(max) = setting.upload_bytes_max {
        variables.set("upload_max_bytes", &max.to_string());
    }
    variables
}
