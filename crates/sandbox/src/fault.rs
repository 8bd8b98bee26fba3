//! Injected faults: the requests they match, and their effects.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// A fault to inject. All fields except `operation` and `kind` are optional.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fault {
    /// The operation it applies to, as in `GET /_sandbox/requests`, or `*` for all.
    pub operation: String,
    /// Restricts the fault to this part number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u16>,
    /// The first matching request to hit, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// How many requests it hits; 0 means all.
    #[serde(default = "once")]
    pub times: u64,
    /// The probability of a hit, 0 to 1; 1 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// The seed of the random numbers for `probability`.
    #[serde(default)]
    pub seed: u64,
    /// The effect on the request.
    #[serde(flatten)]
    pub kind: FaultKind,
}

impl Fault {
    /// Parses a fault. Unknown fields are rejected: a misspelled one would change its effect.
    ///
    /// # Errors
    /// Returns a description of the error in the JSON.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        let value: serde_json::Value =
            serde_json::from_slice(json).map_err(|error| format!("not JSON: {error}"))?;
        let unknown = value
            .as_object()
            .into_iter()
            .flat_map(|fields| fields.keys())
            .find(|field| !FIELDS.contains(&field.as_str()));
        if let Some(field) = unknown {
            return Err(format!("unknown field `{field}`"));
        }
        let fault: Self =
            serde_json::from_value(value).map_err(|error| format!("not a fault: {error}"))?;
        match fault.kind {
            FaultKind::Status { status, .. } if !(200..=599).contains(&status) => {
                Err(format!("invalid status {status}; expected 200 to 599"))
            }
            _ => Ok(fault),
        }
    }
}

/// The effect of a fault on a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FaultKind {
    /// RST after the head was read.
    ResetBeforeBody,
    /// RST after about half of the body.
    ResetMidBody,
    /// RST after the body was read; nothing is stored.
    ResetAfterBody,
    /// The request takes effect, then RST instead of a response.
    CommitThenReset,
    /// The body is read, and no response is sent.
    Hang {
        /// RST after this many milliseconds; never if absent.
        #[serde(default)]
        hang_ms: Option<u64>,
    },
    /// The request is delayed.
    Delay {
        /// The delay in milliseconds.
        delay_ms: u64,
    },
    /// The body is read, nothing is stored, and this status is returned.
    Status {
        /// The HTTP status.
        status: u16,
        /// The error code in the body.
        #[serde(default)]
        code: Option<String>,
        /// Send an HTML page, as a proxy does, instead of the service's format.
        #[serde(default)]
        html: bool,
        /// Send no body.
        #[serde(default)]
        empty: bool,
    },
    /// The request takes effect; the response is truncated.
    TruncatedReply,
    /// 403 `SecurityTokenExpired`.
    ExpiredToken,
    /// 403 `RequestTimeTooSkewed` with the sandbox's time.
    Skewed,
    /// The request takes effect; the response has a wrong `x-oss-hash-crc64ecma`.
    WrongCrc,
    /// A byte is inverted before it is stored; the response has the CRC of the stored bytes.
    CorruptBody,
    /// 403 `AccessDenied`.
    AccessDenied,
    /// 404 `NoSuchUpload`.
    NoSuchUpload,
}

/// An injected fault with its counts.
#[derive(Debug, Clone, Serialize)]
pub struct FaultReport {
    /// The fault.
    #[serde(flatten)]
    pub fault: Fault,
    /// Requests that match operation and part.
    pub matched: u64,
    /// Requests with the effect of the fault.
    pub hits: u64,
}

/// The injected faults in order of injection.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    injected: Mutex<Vec<InjectedFault>>,
}

impl Faults {
    /// Injects a fault.
    pub(crate) fn inject(&self, fault: Fault) {
        let random = fastrand::Rng::with_seed(fault.seed);
        let report = FaultReport { fault, matched: 0, hits: 0 };
        self.lock().push(InjectedFault { report, random });
    }

    /// Removes all faults.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// The injected faults with their counts.
    pub(crate) fn report(&self) -> Vec<FaultReport> {
        self.lock().iter().map(|injected| injected.report.clone()).collect()
    }

    /// The effect on this request, if any: that of the first due fault. All matching faults count
    /// it.
    pub(crate) fn take_matching(&self, operation: &str, part: Option<u16>) -> Option<FaultKind> {
        let mut hit = None;
        for injected in self.lock().iter_mut() {
            if injected.matches(operation, part) && injected.is_due() && hit.is_none() {
                injected.report.hits += 1;
                hit = Some(injected.report.fault.kind.clone());
            }
        }
        hit
    }

    fn lock(&self) -> MutexGuard<'_, Vec<InjectedFault>> {
        self.injected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct InjectedFault {
    report: FaultReport,
    random: fastrand::Rng,
}

impl InjectedFault {
    fn matches(&mut self, operation: &str, part: Option<u16>) -> bool {
        let fault = &self.report.fault;
        let matches = (fault.operation == "*" || fault.operation == operation)
            && (fault.part.is_none() || fault.part == part);
        self.report.matched += u64::from(matches);
        matches
    }

    /// Returns true if the fault hits the request counted last. Generates one random number per
    /// call, so that the hits of a seed are independent of the other conditions.
    fn is_due(&mut self) -> bool {
        let FaultReport { fault, matched, hits } = &self.report;
        let selected = match fault.probability {
            Some(probability) => self.random.f64() < probability,
            None => true,
        };
        let started = *matched >= fault.nth.unwrap_or(1);
        let remaining = fault.times == 0 || *hits < fault.times;
        selected && started && remaining
    }
}

fn once() -> u64 {
    1
}

const FIELDS: [&str; 13] = [
    "operation",
    "part",
    "nth",
    "times",
    "probability",
    "seed",
    "kind",
    "hang_ms",
    "delay_ms",
    "status",
    "code",
    "html",
    "empty",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn injected(json: &str) -> Faults {
        let faults = Faults::default();
        faults.inject(Fault::from_json(json.as_bytes()).unwrap());
        faults
    }

    fn hits(faults: &Faults, requests: u64) -> Vec<u64> {
        (1..=requests).filter(|_| faults.take_matching("UploadPart", Some(2)).is_some()).collect()
    }

    #[test]
    fn a_fault_hits_the_nth_matching_request_the_given_number_of_times() {
        let faults =
            injected(r#"{"operation":"UploadPart","nth":3,"times":2,"kind":"reset-before-body"}"#);
        assert!(faults.take_matching("InitiateMultipartUpload", None).is_none());
        assert_eq!(hits(&faults, 6), [3, 4]);
        assert_eq!(faults.report()[0].matched, 6);
        assert_eq!(faults.report()[0].hits, 2);
    }

    #[test]
    fn a_fault_for_one_part_does_not_hit_others() {
        let faults = injected(r#"{"operation":"*","part":2,"times":0,"kind":"no-such-upload"}"#);
        assert!(faults.take_matching("UploadPart", Some(1)).is_none());
        assert_eq!(hits(&faults, 2), [1, 2]);
    }

    #[test]
    fn the_same_seed_hits_the_same_requests() {
        let fault = r#"{"operation":"*","times":0,"probability":0.3,"seed":7,"kind":"skewed"}"#;
        let first = hits(&injected(fault), 100);
        assert_eq!(first, hits(&injected(fault), 100));
        assert!((15..45).contains(&first.len()), "{first:?}");
    }

    #[test]
    fn an_unknown_kind_a_missing_parameter_and_an_unknown_field_are_rejected() {
        let misspelled = br#"{"operation":"*","kind":"skewed","tims":2}"#;
        assert!(Fault::from_json(br#"{"operation":"*","kind":"melt"}"#).is_err());
        assert!(Fault::from_json(br#"{"operation":"*","kind":"delay"}"#).is_err());
        assert!(Fault::from_json(misspelled).unwrap_err().contains("tims"));
    }
}
