//! Settings that can be changed while the sandbox runs.

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::credentials::TokenLifetime;
use super::response::{bad_request, done, parse};
use crate::clock::oss_time;
use crate::http::{RequestHead, Response, json as json_response};
use crate::oss::Operation;
use crate::state::SandboxState;

/// The current settings, without the secret.
pub(super) fn show(state: &SandboxState, head: &RequestHead) -> Response {
    json_response(
        StatusCode::OK,
        &json!({
            "endpoint": format!("http://{}", head.host),
            "access_key_id": state.config.access_key_id,
            "buckets": state.config.buckets,
            "region": state.config.region,
            "cname_hosts": state.bound_domains(),
            "token_life_secs": state.token_ttl_secs(),
            "denied_operations": state.denied_operations(),
            "clock_offset_ms": state.clock.offset_ms(),
            "now": oss_time(state.clock.now()),
            "keeps_bodies": state.store.stores_bodies(),
        }),
    )
}

/// Changes the setting `area`.
pub(super) fn change(state: &SandboxState, area: &str, body: &[u8]) -> Response {
    let changed = match area {
        "clock" => parse(body).map(|new: ClockOffset| state.clock.set_offset_ms(new.offset_ms)),
        "policy" => parse(body).and_then(|new: Policy| deny(state, new.deny)),
        "token-life" => parse(body).map(|new: TokenLifetime| state.set_token_ttl_secs(new.secs)),
        "cname" => parse(body).map(|new: Cname| state.bind_domain(&new.host, new.bucket)),
        _ => Err(format!("unknown setting `{area}`")),
    };
    match changed {
        Ok(()) => done(),
        Err(why) => bad_request(&why),
    }
}

/// Denies operations to temporary credentials. Unknown names are rejected.
fn deny(state: &SandboxState, names: Vec<String>) -> Result<(), String> {
    let unknown =
        names.iter().find(|name| !Operation::ALL.iter().any(|known| known.name() == *name));
    match unknown {
        Some(name) => Err(format!("unknown operation `{name}`")),
        None => {
            state.deny_operations(names);
            Ok(())
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockOffset {
    offset_ms: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    deny: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cname {
    host: String,
    /// `null` or absent to remove the binding.
    #[serde(default)]
    bucket: Option<String>,
}
