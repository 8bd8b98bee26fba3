//! Faults that a test plants: which requests they hit, and what they do to them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// One planted fault. Every field but `operation` and `kind` may be left out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fault {
    /// The operation it hits, as in `GET /_sandbox/requests`, or `*` for any.
    pub operation: String,
    /// Only this part number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u16>,
    /// Begin with the nth matching request, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// How many requests it hits; 0 for ever.
    #[serde(default = "once")]
    pub times: u64,
    /// Hits a matching request with this probability, 0 to 1; without it, always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// The seed of the random numbers that `probability` is compared with.
    #[serde(default)]
    pub seed: u64,
    /// What happens to the request.
    #[serde(flatten)]
    pub kind: FaultKind,
}

impl Fault {
    /// Reads a fault, and refuses a misspelt field, which would make it hit something else.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with the JSON.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        let value: serde_json::Value =
            serde_json::from_slice(json).map_err(|error| format!("not JSON: {error}"))?;
        let unknown = value
            .as_object()
            .into_iter()
            .flat_map(|fields| fields.keys())
            .find(|field| !FIELDS.contains(&field.as_str()));
        if let Some(field) = unknown {
            return Err(format!("a fault has no field `{field}`"));
        }
        let fault: Self =
            serde_json::from_value(value).map_err(|error| format!("not a fault: {error}"))?;
        match fault.kind {
            FaultKind::Status { status, .. } if !(200..=599).contains(&status) => {
                Err(format!("{status} is not a status that a reply can have"))
            }
            _ => Ok(fault),
        }
    }
}

/// What a fault does to the request that it hits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FaultKind {
    /// RST once the head is read.
    ResetBeforeBody,
    /// RST after about half of the body.
    ResetMidBody,
    /// RST once the body is read; nothing is stored.
    ResetAfterBody,
    /// The request takes effect, then RST instead of a reply.
    CommitThenReset,
    /// The body is read and no reply comes until the client leaves.
    Hang {
        /// RST after this many milliseconds if the client has not left by then.
        #[serde(default)]
        hang_ms: Option<u64>,
    },
    /// The request is served as usual, but later.
    Delay {
        /// How much later, in milliseconds.
        delay_ms: u64,
    },
    /// The body is read, nothing is stored, and this status is the reply.
    Status {
        /// The HTTP status.
        status: u16,
        /// The error code in the body.
        #[serde(default)]
        code: Option<String>,
        /// Send an HTML page as a proxy would, instead of the service's own form.
        #[serde(default)]
        html: bool,
        /// Send no body.
        #[serde(default)]
        empty: bool,
    },
    /// The request takes effect; the reply promises more bytes than are sent before the close.
    TruncatedReply,
    /// 403 `SecurityTokenExpired`.
    ExpiredToken,
    /// 403 `RequestTimeTooSkewed` with the sandbox's time.
    Skewed,
    /// The right bytes are stored; the reply carries a wrong `x-oss-hash-crc64ecma`.
    WrongCrc,
    /// A byte is flipped before it is stored; the reply carries the true CRC of what is stored.
    CorruptBody,
    /// 403 `AccessDenied`.
    AccessDenied,
    /// 404 `NoSuchUpload`.
    NoSuchUpload,
}

/// A planted fault and what it did so far.
#[derive(Debug, Clone, Serialize)]
pub struct FaultReport {
    /// The fault as planted.
    #[serde(flatten)]
    pub fault: Fault,
    /// Requests that matched operation and part.
    pub matched: u64,
    /// Requests that it hit.
    pub hits: u64,
}

/// The faults planted at present, in the order planted.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    planted: Mutex<Vec<InjectedFault>>,
}

impl Faults {
    /// Plants a fault.
    pub(crate) fn inject(&self, fault: Fault) {
        let random = fastrand::Rng::with_seed(fault.seed);
        self.lock().push(InjectedFault { fault, random, matched: 0, hits: 0 });
    }

    /// Removes all faults.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// What is planted, with hit counts.
    pub(crate) fn report(&self) -> Vec<FaultReport> {
        self.lock()
            .iter()
            .map(|planted| FaultReport {
                fault: planted.fault.clone(),
                matched: planted.matched,
                hits: planted.hits,
            })
            .collect()
    }

    /// The fault that hits this request, if any: the first that is due. All that match count it.
    pub(crate) fn take_matching(&self, operation: &str, part: Option<u16>) -> Option<FaultKind> {
        let mut struck = None;
        for planted in self.lock().iter_mut() {
            if planted.matches(operation, part) && planted.is_due() && struck.is_none() {
                planted.hits += 1;
                struck = Some(planted.fault.kind.clone());
            }
        }
        struck
    }

    fn lock(&self) -> MutexGuard<'_, Vec<InjectedFault>> {
        self.planted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct InjectedFault {
    fault: Fault,
    random: fastrand::Rng,
    matched: u64,
    hits: u64,
}

impl InjectedFault {
    fn matches(&mut self, operation: &str, part: Option<u16>) -> bool {
        let fault = &self.fault;
        let matches = (fault.operation == "*" || fault.operation == operation)
            && (fault.part.is_none() || fault.part == part);
        self.matched += u64::from(matches);
        matches
    }

    /// Whether the request just counted is to be hit. Draws one random number per call, so that
    /// a seed gives the same hits whatever the other conditions are.
    fn is_due(&mut self) -> bool {
        let chosen = match self.fault.probability {
            Some(probability) => self.random.f64() < probability,
            None => true,
        };
        let begun = self.matched >= self.fault.nth.unwrap_or(1);
        let left = self.fault.times == 0 || self.hits < self.fault.times;
        chosen && begun && left
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

    fn planted(json: &str) -> Faults {
        let faults = Faults::default();
        faults.inject(Fault::from_json(json.as_bytes()).unwrap());
        faults
    }

    fn hits(faults: &Faults, requests: u64) -> Vec<u64> {
        (1..=requests).filter(|_| faults.take_matching("UploadPart", Some(2)).is_some()).collect()
    }

    #[test]
    fn a_fault_hits_the_nth_matching_request_as_often_as_told() {
        let faults =
            planted(r#"{"operation":"UploadPart","nth":3,"times":2,"kind":"reset-before-body"}"#);
        assert!(faults.take_matching("InitiateMultipartUpload", None).is_none());
        assert_eq!(hits(&faults, 6), [3, 4]);
        assert_eq!(faults.report()[0].matched, 6);
        assert_eq!(faults.report()[0].hits, 2);
    }

    #[test]
    fn a_fault_of_one_part_spares_the_others() {
        let faults = planted(r#"{"operation":"*","part":2,"times":0,"kind":"no-such-upload"}"#);
        assert!(faults.take_matching("UploadPart", Some(1)).is_none());
        assert_eq!(hits(&faults, 2), [1, 2]);
    }

    #[test]
    fn the_same_seed_hits_the_same_requests() {
        let fault = r#"{"operation":"*","times":0,"probability":0.3,"seed":7,"kind":"skewed"}"#;
        let first = hits(&planted(fault), 100);
        assert_eq!(first, hits(&planted(fault), 100));
        assert!((15..45).contains(&first.len()), "{first:?}");
    }

    #[test]
    fn a_fault_of_unknown_kind_or_without_its_parameter_or_misspelt_is_refused() {
        let misspelt = br#"{"operation":"*","kind":"skewed","tims":2}"#;
        assert!(Fault::from_json(br#"{"operation":"*","kind":"melt"}"#).is_err());
        assert!(Fault::from_json(br#"{"operation":"*","kind":"delay"}"#).is_err());
        assert!(Fault::from_json(misspelt).unwrap_err().contains("tims"));
    }
}
