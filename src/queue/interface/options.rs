//! Options of an uploader: those of the SDK, with their defaults and limits.

use std::time::Duration;

use crate::credential::UploadCredential;
use crate::error::{Error, Result};
use crate::oss::SignatureVersion;
use crate::units::{
    ByteCount, PARALLEL_DEFAULT, PART_SIZE_DEFAULT, PART_SIZE_MAX, PART_SIZE_MIN, UnixMillis,
};
use crate::upload::{PARALLEL_MAX, RetryPolicy, Target};
use crate::vod::VodEndpoint;

/// Default region of the VOD service, as in the SDK.
pub const REGION_DEFAULT: &str = "cn-shanghai";

/// Options before validation; `None` selects the default.
#[derive(Clone, Debug, Default)]
pub struct OptionsInput {
    /// The account ID: 1 to 32 digits.
    pub user_id: Option<String>,
    /// The region of the VOD service.
    pub region: Option<String>,
    /// Part size: 100 KiB to 5 GiB.
    pub part_size: Option<ByteCount>,
    /// Parts of one file in flight: 1 to 32.
    pub parallel: Option<u8>,
    /// Files uploaded concurrently: 1 to 16.
    pub parallel_files: Option<u8>,
    /// Retries per request: 0 to 100.
    pub retry_count: Option<u32>,
    /// Upper bound of the delay before the first retry: 0 to 3,600 s.
    pub retry_duration_secs: Option<u32>,
    /// Response timeout: 100 ms to one hour.
    pub timeout_ms: Option<u64>,
    /// Whether endpoints are custom domains that are bound to the bucket.
    pub cname: Option<bool>,
    /// Signature version of OSS requests.
    pub signature_version: Option<SignatureVersion>,
    /// Time limit per file: 1 s to one year.
    pub deadline_secs: Option<u32>,
    /// Time after its last write during which a checkpoint can be resumed: 60 s to one year.
    pub checkpoint_ttl_secs: Option<u32>,
    /// The URL of the VOD service.
    pub vod_endpoint: Option<String>,
}

/// Validated options.
#[derive(Clone, Debug)]
pub struct Options {
    user_id: Option<String>,
    region: String,
    part_size: ByteCount,
    parallel: u8,
    parallel_files: usize,
    retry: RetryPolicy,
    timeout: Duration,
    cname: bool,
    signature_version: SignatureVersion,
    deadline: Option<Duration>,
    checkpoint_ttl: Duration,
    vod_endpoint: VodEndpoint,
}

impl Options {
    /// Applies the defaults and checks the limits.
    ///
    /// # Errors
    /// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) with the option and its range
    /// as [`Error::field`].
    pub fn new(input: OptionsInput) -> Result<Self> {
        if let Some(id) = &input.user_id {
            let digits = id.bytes().all(|byte| byte.is_ascii_digit());
            check_range("user-id", digits && (1..=32).contains(&id.len()), "1 to 32 digits")?;
        }
        let region = input.region.unwrap_or_else(|| REGION_DEFAULT.to_owned());
        let vod_endpoint = vod_endpoint(&region, input.vod_endpoint.as_deref())?;
        let part_size = input.part_size.unwrap_or(PART_SIZE_DEFAULT);
        check_range(
            "part-size",
            (PART_SIZE_MIN..=PART_SIZE_MAX).contains(&part_size),
            "102,400 to 5,368,709,120 bytes",
        )?;
        let parallel = input.parallel.unwrap_or(PARALLEL_DEFAULT);
        check_range("parallel", (1..=PARALLEL_MAX).contains(&parallel), "1 to 32 parts")?;
        let parallel_files = input.parallel_files.unwrap_or(1);
        let range = 1..=PARALLEL_FILES_MAX;
        check_range("parallel-files", range.contains(&parallel_files), "1 to 16 files")?;
        let deadline = input.deadline_secs;
        check_range(
            "deadline",
            deadline.is_none_or(|secs| (1..=YEAR_SECS).contains(&secs)),
            DEADLINE_RANGE,
        )?;
        let ttl = input.checkpoint_ttl_secs;
        check_range(
            "checkpoint-ttl",
            ttl.is_none_or(|secs| (60..=YEAR_SECS).contains(&secs)),
            "60 to 31,536,000 seconds",
        )?;
        Ok(Self {
            user_id: input.user_id,
            region,
            part_size,
            parallel,
            parallel_files: usize::from(parallel_files),
            retry: retry_policy(input.retry_count, input.retry_duration_secs)?,
            timeout: timeout(input.timeout_ms)?,
            cname: input.cname.unwrap_or_default(),
            signature_version: input.signature_version.unwrap_or(SignatureVersion::V4),
            deadline: deadline.map(|secs| Duration::from_secs(u64::from(secs))),
            checkpoint_ttl: ttl
                .map_or(CHECKPOINT_TTL_DEFAULT, |secs| Duration::from_secs(u64::from(secs))),
            vod_endpoint,
        })
    }

    pub(in crate::queue) fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    pub(in crate::queue) const fn part_size(&self) -> ByteCount {
        self.part_size
    }

    pub(in crate::queue) const fn parallel(&self) -> u8 {
        self.parallel
    }

    pub(in crate::queue) const fn parallel_files(&self) -> usize {
        self.parallel_files
    }

    pub(in crate::queue) const fn retry(&self) -> RetryPolicy {
        self.retry
    }

    /// Returns the response timeout.
    pub(in crate::queue) const fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(in crate::queue) const fn vod_endpoint(&self) -> &VodEndpoint {
        &self.vod_endpoint
    }

    /// Returns the deadline of a file that starts at `now`, if there is a time limit.
    pub(in crate::queue) fn deadline_from(&self, now: UnixMillis) -> Option<UnixMillis> {
        self.deadline.map(|deadline| now + deadline)
    }

    /// Returns true if a checkpoint last written at `written_at` can no longer be resumed.
    pub(in crate::queue) fn is_checkpoint_expired(
        &self,
        written_at: UnixMillis,
        now: UnixMillis,
    ) -> bool {
        now.since(written_at) > self.checkpoint_ttl
    }

    /// Returns the upload target for a credential.
    pub(in crate::queue) fn target(&self, credential: &UploadCredential) -> Target {
        Target::new(credential, &self.region, self.cname, self.signature_version)
    }
}

/// Returns the endpoint of the VOD service in `region`, or the one at `url` if given.
///
/// # Errors
/// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) with the field.
pub fn vod_endpoint(region: &str, url: Option<&str>) -> Result<VodEndpoint> {
    let of_region = VodEndpoint::for_region(region)
        .map_err(|_| Error::field_invalid("region", "a region ID such as cn-shanghai"))?;
    match url {
        None => Ok(of_region),
        Some(url) => VodEndpoint::custom(url)
            .map_err(|_| Error::field_invalid("vod-endpoint", "an http or https URL of a host")),
    }
}

/// Returns the retry policy of requests.
///
/// # Errors
/// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) with the field.
pub fn retry_policy(count: Option<u32>, duration_secs: Option<u32>) -> Result<RetryPolicy> {
    let count = count.unwrap_or(RETRY_COUNT_DEFAULT);
    check_range("retry-count", count <= 100, "0 to 100 retries")?;
    let duration =
        duration_secs.map_or(RETRY_DURATION_DEFAULT, |secs| Duration::from_secs(u64::from(secs)));
    check_range("retry-duration", duration <= Duration::from_secs(3_600), "0 to 3,600 seconds")?;
    let default = RetryPolicy::default();
    Ok(RetryPolicy {
        attempts_max: count + 1,
        // As in the SDK, only the number of retries is limited.
        elapsed_max: Duration::MAX,
        delay_base: duration,
        delay_max: default.delay_max.max(duration),
    })
}

/// Returns the response timeout.
///
/// # Errors
/// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) with the field.
pub fn timeout(ms: Option<u64>) -> Result<Duration> {
    let timeout = ms.map_or(TIMEOUT_DEFAULT, Duration::from_millis);
    let range = Duration::from_millis(100)..=Duration::from_secs(3_600);
    check_range("timeout", range.contains(&timeout), "100 to 3,600,000 milliseconds")?;
    Ok(timeout)
}

fn check_range(name: &str, holds: bool, allowed: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::field_invalid(name, allowed)) }
}

const YEAR_SECS: u32 = 365 * 24 * 3_600;
const DEADLINE_RANGE: &str = "1 to 31,536,000 seconds";

/// Default number of retries per request (the SDK's `retryCount`).
const RETRY_COUNT_DEFAULT: u32 = 3;

/// Default upper bound of the delay before the first retry (the SDK's `retryDuration`).
const RETRY_DURATION_DEFAULT: Duration = Duration::from_secs(2);

/// Default response timeout: that of the OSS client in the SDK.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(60);

/// Default time after its last write during which a checkpoint can be resumed.
const CHECKPOINT_TTL_DEFAULT: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Maximum number of files that are uploaded concurrently.
const PARALLEL_FILES_MAX: u8 = 16;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_sdk() {
        let options = Options::new(OptionsInput::default()).unwrap();
        assert_eq!(options.region, "cn-shanghai");
        assert_eq!(options.part_size, ByteCount(1_048_576));
        assert_eq!(options.parallel, 5);
        assert_eq!(options.parallel_files, 1);
        assert_eq!(options.retry.attempts_max, 4);
        assert_eq!(options.retry.delay_base, Duration::from_secs(2));
        assert_eq!(options.timeout, Duration::from_secs(60));
        assert_eq!(options.deadline, None);
    }

    #[test]
    fn values_at_the_limits_are_accepted_and_values_beyond_them_are_rejected() {
        type Set = fn(&mut OptionsInput, u64);
        let cases: &[(&str, Set, &[u64], &[u64])] = &[
            (
                "part-size",
                |input, n| input.part_size = Some(ByteCount(n)),
                &[102_400, 5 << 30],
                &[0, 102_399, (5 << 30) + 1],
            ),
            ("parallel", |input, n| input.parallel = Some(n as u8), &[1, 32], &[0, 33]),
            ("parallel-files", |input, n| input.parallel_files = Some(n as u8), &[1, 16], &[0, 17]),
            ("retry-count", |input, n| input.retry_count = Some(n as u32), &[0, 100], &[101]),
            (
                "retry-duration",
                |input, n| input.retry_duration_secs = Some(n as u32),
                &[0, 3_600],
                &[3_601],
            ),
            ("timeout", |input, n| input.timeout_ms = Some(n), &[100, 3_600_000], &[99, 3_600_001]),
            (
                "deadline",
                |input, n| input.deadline_secs = Some(n as u32),
                &[1, 31_536_000],
                &[0, 31_536_001],
            ),
            (
                "checkpoint-ttl",
                |input, n| input.checkpoint_ttl_secs = Some(n as u32),
                &[60, 31_536_000],
                &[59, 31_536_001],
            ),
        ];
        for (name, set, accepted, rejected) in cases {
            let with = |value: u64| {
                let mut input = OptionsInput::default();
                set(&mut input, value);
                Options::new(input)
            };
            for value in *accepted {
                assert!(with(*value).is_ok(), "{name} {value}");
            }
            for value in *rejected {
                let error = with(*value).unwrap_err();
                assert_eq!(error.field().unwrap().name, *name, "{value}");
            }
        }
    }

    #[test]
    fn an_invalid_text_is_rejected_with_its_field() {
        let rejected =
            |input: OptionsInput| Options::new(input).unwrap_err().field().unwrap().name.clone();
        for id in ["", "12a", "123456789012345678901234567890123"] {
            let input = OptionsInput { user_id: Some(id.into()), ..OptionsInput::default() };
            assert_eq!(rejected(input), "user-id", "{id}");
        }
        let input = OptionsInput { region: Some("Shanghai".into()), ..OptionsInput::default() };
        assert_eq!(rejected(input), "region");
        let input = OptionsInput { vod_endpoint: Some("vod".into()), ..OptionsInput::default() };
        assert_eq!(rejected(input), "vod-endpoint");
    }

    #[test]
    fn zero_retries_allow_one_attempt() {
        assert_eq!(retry_policy(Some(0), None).unwrap().attempts_max, 1);
    }
}
