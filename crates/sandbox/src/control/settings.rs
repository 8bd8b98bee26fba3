//! Settings that a test changes while the sandbox runs.

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::response::{bad_request, done, parse};
use crate::clock::oss_time;
use crate::http::{Reply, RequestHead, json as json_reply};
use crate::oss::Operation;
use crate::state::SandboxState;

/// The settings as they are, without the secret.
pub(super) fn show(state: &SandboxState, head: &RequestHead) -> Reply {
    json_reply(
        StatusCode::OK,
        &json!({
            "endpoint": format!("http://{}", head.host),
            "access_key_id": state.config.access_key_id,
            "buckets": state.config.buckets,
            "region": state.config.region,
            "cname_hosts": state.bound_domains(),
            "token_life_secs": state.token_life_secs(),
            "denied_operations": state.denied_operations(),
            "clock_offset_ms": state.clock.offset_ms(),
            "now": oss_time(state.clock.now()),
            "keeps_bodies": state.store.keeps_bodies(),
        }),
    )
}

/// Changes the setting that `area` names.
pub(super) fn change(state: &SandboxState, area: &str, body: &[u8]) -> Reply {
    let changed = match area {
        "clock" => parse(body).map(|new: ClockOffset| state.clock.shift_to(new.offset_ms)),
        "policy" => parse(body).and_then(|new: Policy| deny(state, new.deny)),
        "token-life" => parse(body).map(|new: TokenLife| state.set_token_life_secs(new.secs)),
        "cname" => parse(body).map(|new: Cname| state.bind_domain(&new.host, new.bucket)),
        _ => Err(format!("there is no setting `{area}`")),
    };
    match changed {
        Ok(()) => done(),
        Err(why) => bad_request(&why),
    }
}

/// Takes the operations from temporary credentials; a misspelt name would take nothing.
fn deny(state: &SandboxState, names: Vec<String>) -> Result<(), String> {
    let unknown =
        names.iter().find(|name| !Operation::ALL.iter().any(|known| known.name() == *name));
    match unknown {
        Some(name) => Err(format!("there is no operation `{name}`")),
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
struct TokenLife {
    secs: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cname {
    host: String,
    /// `null` or nothing ends the binding.
    #[serde(default)]
    bucket: Option<String>,
}
