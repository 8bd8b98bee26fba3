//! Faults of OSS and VOD, with the results of the requests that they hit.

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// A fault and the expected results: [`COMPLETE`] or an error code.
#[derive(Clone, Debug)]
pub struct FaultCase {
    /// The fault without its operation.
    pub fault: Value,
    /// The result if it hits one request.
    pub once: &'static str,
    /// The result if it hits every request.
    pub lasting: &'static str,
}

/// The result of a request that succeeds.
pub const COMPLETE: &str = "complete";

impl FaultCase {
    /// A fault with its results.
    #[must_use]
    pub const fn new(fault: Value, once: &'static str, lasting: &'static str) -> Self {
        Self { fault, once, lasting }
    }

    /// Injects the fault into `times` requests for `operation`; 0: all.
    pub fn inject(&self, sandbox: &Sandbox, operation: &str, times: u64) {
        let mut fault = self.fault.clone();
        fault["operation"] = json!(operation);
        fault["times"] = json!(times);
        sandbox.fault(&fault);
    }
}

/// Faults without a response, or with a temporary error; `code` if they last.
#[must_use]
pub fn unavailable(code: &'static str) -> Vec<FaultCase> {
    let faults = [
        json!({ "kind": "reset-before-body" }),
        json!({ "kind": "reset-mid-body" }),
        json!({ "kind": "reset-after-body" }),
        json!({ "kind": "commit-then-reset" }),
        json!({ "kind": "truncated-reply" }),
        json!({ "kind": "hang" }),
        json!({ "kind": "status", "status": 500 }),
        json!({ "kind": "status", "status": 503, "code": "SlowDown" }),
        json!({ "kind": "status", "status": 502, "html": true }),
        json!({ "kind": "status", "status": 500, "empty": true }),
    ];
    let case = |fault| FaultCase::new(fault, COMPLETE, code);
    let mut cases: Vec<_> = faults.into_iter().map(case).collect();
    let delay = json!({ "kind": "delay", "delay_ms": 50 });
    cases.push(FaultCase::new(delay, COMPLETE, COMPLETE));
    cases
}

/// A response that rejects the request.
#[must_use]
pub fn rejection() -> Value {
    json!({ "kind": "status", "status": 400, "code": "InvalidArgument" })
}
