//! The configuration of the worker: the variables of `spin.toml`, validated once.

mod validation;
mod variables;

use std::time::Duration;

use vod_uploader::credential::{AccessKey, SealKey, Secret, check_object_key};
use vod_uploader::http::{AllowedHosts, BasePath, Cors, OperatorAccess, Origins, is_extension};
use vod_uploader::oss::{Bucket, BucketOptions, CredentialPolicy, SignatureVersion};
use vod_uploader::units::{
    ByteCount, OBJECT_SIZE_MAX, PARALLEL_DEFAULT, PART_SIZE_DEFAULT, PART_SIZE_MAX, PART_SIZE_MIN,
};
use vod_uploader::upload::{COMPLETE_TIMEOUT_FACTOR, PARALLEL_MAX, RetryPolicy};
use vod_uploader::vod::VodEndpoint;
use vod_uploader::{Error, ErrorKind, Result};

pub use self::validation::InvalidConfig;
use self::validation::Validation;
pub use self::variables::Variables;
use crate::key_space::KeyPrefix;
use crate::load::LoadLimits;

/// The configuration of the worker.
pub struct Config {
    /// The worker's own access key.
    pub(crate) ram_key: Option<AccessKey>,
    pub(crate) vod_endpoint: VodEndpoint,
    /// The storage and the processing of media that the worker creates.
    pub(crate) template_group_id: Option<String>,
    pub(crate) workflow_id: Option<String>,
    pub(crate) storage_location: Option<String>,
    pub(crate) app_id: Option<String>,
    /// The region of objects whose credential and endpoint do not specify one.
    pub(crate) region: String,
    pub(crate) signature_version: SignatureVersion,
    pub(crate) cname: bool,
    pub(crate) part_size: ByteCount,
    pub(crate) parallel: u8,
    /// The extension of files of unknown format; `None`: they are rejected.
    pub(crate) default_extension: Option<String>,
    /// Largest file that is accepted.
    pub(crate) upload_max: ByteCount,
    pub(crate) request_timeout: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) seal_key: Option<SealKey>,
    /// The prefix of all keys in the key-value store.
    pub(crate) key_prefix: KeyPrefix,
    /// After this time without bytes, an upload expires; `None`: never.
    pub(crate) expire_after: Option<Duration>,
    /// Which pages may use the worker. An error affects pages only.
    pub(crate) cors: Result<Cors>,
    /// The origins that a form may redirect to.
    pub(crate) redirect_origins: Origins,
    pub(crate) temporary: Option<TemporaryStorage>,
    /// The hosts that requests may be for.
    pub(crate) allowed_hosts: AllowedHosts,
    /// The path below which the worker is.
    pub(crate) base_path: BasePath,
    /// Which credentials of clients are used.
    pub(crate) credential_policy: CredentialPolicy,
    pub(crate) load: LoadLimits,
    /// Who may send the requests of an operator.
    pub(crate) operator: OperatorAccess,
    /// Whether `Forwarded` and `X-Forwarded-*` are those of a proxy.
    pub(crate) trusts_proxy: bool,
}

/// The storage of partial uploads until they are concatenated.
pub(crate) struct TemporaryStorage {
    pub(crate) endpoint: String,
    pub(crate) bucket: String,
    /// The prefix of their object keys.
    pub(crate) prefix: String,
}

impl Config {
    /// Validates `variables`.
    ///
    /// # Errors
    /// Returns [`InvalidConfig`] with every variable that is invalid, except those for pages.
    pub fn new(variables: &Variables) -> Result<Self, InvalidConfig> {
        let mut read = Validation::new(variables);
        let region = read.owned("vod_region").unwrap_or_else(|| "cn-shanghai".to_owned());
        let vod_endpoint = match read.text("vod_endpoint") {
            Some(url) => read.accept("vod_endpoint", VodEndpoint::custom(url)),
            None => read.accept("vod_region", VodEndpoint::for_region(&region)),
        };
        let ram_key = ram_key(&mut read);
        let credential_policy = credential_policy(&mut read, ram_key.is_some());
        let part_sizes = PART_SIZE_MIN.bytes()..=PART_SIZE_MAX.bytes();
        let config = Self {
            ram_key,
            vod_endpoint: vod_endpoint.unwrap_or_default(),
            template_group_id: read.owned("template_group_id"),
            workflow_id: read.owned("workflow_id"),
            storage_location: read.owned("storage_location"),
            app_id: read.owned("app_id"),
            signature_version: read.read("signature_version", SignatureVersion::V4, str::parse),
            cname: read.flag("cname"),
            part_size: ByteCount(read.number(
                "part_size_bytes",
                PART_SIZE_DEFAULT.bytes(),
                part_sizes,
            )),
            parallel: read.number("parallel", PARALLEL_DEFAULT, 1..=PARALLEL_MAX),
            default_extension: read.read("default_extension", None, default_extension),
            upload_max: match read.number("upload_max_bytes", 0, 0..=OBJECT_SIZE_MAX.bytes()) {
                0 => OBJECT_SIZE_MAX,
                bytes => ByteCount(bytes),
            },
            request_timeout: Duration::from_millis(read.number(
                "request_timeout_ms",
                60_000,
                TIMEOUT_MS_MIN..=TIMEOUT_MS_MAX,
            )),
            retry: RetryPolicy {
                attempts_max: read.number("retry_attempts", 5, 1..=RETRY_ATTEMPTS_MAX),
                elapsed_max: Duration::from_millis(read.number(
                    "retry_elapsed_max_ms",
                    300_000,
                    0..=RETRY_ELAPSED_MS_MAX,
                )),
                ..RetryPolicy::default()
            },
            seal_key: read.read("seal_key", None, |key| SealKey::parse(key).map(Some)),
            key_prefix: read.read("key_prefix", KeyPrefix::default(), KeyPrefix::parse),
            expire_after: match read.number("expire_after_s", EXPIRE_AFTER_S, 0..=EXPIRE_S_MAX) {
                0 => None,
                seconds => Some(Duration::from_secs(seconds)),
            },
            cors: Cors::parse(
                read.text("cors_origins").unwrap_or_default(),
                read.text("cors_headers").unwrap_or_default(),
            ),
            redirect_origins: redirect_origins(&mut read),
            temporary: temporary_storage(&mut read, &region),
            allowed_hosts: read.read("allowed_hosts", AllowedHosts::default(), AllowedHosts::parse),
            base_path: read.read("base_path", BasePath::default(), BasePath::parse),
            trusts_proxy: read.flag("trust_forwarded"),
            load: LoadLimits {
                active_uploads_max: limit(&mut read, "active_uploads_max", ACTIVE_UPLOADS_MAX),
                creations_per_minute_max: limit(
                    &mut read,
                    "creations_per_minute_max",
                    CREATIONS_PER_MINUTE_MAX,
                ),
            },
            operator: read.read("operator_key", OperatorAccess::default(), OperatorAccess::parse),
            credential_policy,
            region,
        };
        read.finish().map(|()| config)
    }

    /// The problem of the variables for pages, which does not affect other requests.
    #[must_use]
    pub fn page_problem(&self) -> Option<&Error> {
        self.cors.as_ref().err()
    }

    /// Time limit of CompleteMultipartUpload.
    pub(crate) fn complete_timeout(&self) -> Duration {
        self.request_timeout * COMPLETE_TIMEOUT_FACTOR
    }

    /// The storage of partial uploads, if the worker has an access key for it.
    pub(crate) fn usable_temporary(&self) -> Option<&TemporaryStorage> {
        self.temporary.as_ref().filter(|_| self.ram_key.is_some())
    }
}

fn ram_key(read: &mut Validation<'_>) -> Option<AccessKey> {
    let [id, secret] = ["vod_access_key_id", "vod_access_key_secret"];
    match (read.owned(id), read.text(secret)) {
        (None, None) => None,
        (Some(access_key_id), Some(access_key_secret)) => Some(AccessKey {
            access_key_id,
            access_key_secret: Secret::new(access_key_secret),
            security_token: read.text("vod_security_token").map(Secret::new),
        }),
        (None, Some(_)) => {
            read.reject(id, "must be set if vod_access_key_secret is");
            None
        }
        (Some(_), None) => {
            read.reject(secret, "must be set if vod_access_key_id is");
            None
        }
    }
}

/// By default, only a worker without an access key uses the credentials of clients.
fn credential_policy(read: &mut Validation<'_>, has_ram_key: bool) -> CredentialPolicy {
    let accepts_credentials = match read.text("client_credentials") {
        None => !has_ram_key,
        Some(value @ ("on" | "off")) => value == "on",
        Some(_) => {
            read.reject("client_credentials", "must be on or off");
            false
        }
    };
    let policy = |origin: &str| CredentialPolicy::new(accepts_credentials, origin);
    let origin = read.text("store_origin").unwrap_or_default();
    read.accept("store_origin", policy(origin)).unwrap_or_default()
}

/// A limit; 0: none.
fn limit(read: &mut Validation<'_>, name: &str, default: u32) -> Option<u32> {
    match read.number(name, default, 0..=u32::MAX) {
        0 => None,
        limit => Some(limit),
    }
}

fn default_extension(extension: &str) -> Result<Option<String>> {
    match is_extension(extension) {
        true => Ok(Some(extension.to_owned())),
        false => Err(misconfigured("must be an extension such as mp4")),
    }
}

/// Rejects `*`, which would make the worker an open redirect. `allowed_origins` is another name of
/// the variable.
fn redirect_origins(read: &mut Validation<'_>) -> Origins {
    let name = match read.text("redirect_origins") {
        Some(_) => "redirect_origins",
        None => "allowed_origins",
    };
    read.read(name, Origins::default(), |list| {
        let origins = Origins::parse(list)?;
        match origins.has_any() {
            true => Err(misconfigured("must list origins, not *")),
            false => Ok(origins),
        }
    })
}

fn temporary_storage(read: &mut Validation<'_>, region: &str) -> Option<TemporaryStorage> {
    let bucket = read.owned("temporary_bucket")?;
    let endpoint = read.owned("temporary_endpoint");
    let endpoint = endpoint.unwrap_or_else(|| format!("https://oss-{region}.aliyuncs.com"));
    let prefix = read.owned("temporary_prefix").unwrap_or_else(|| TEMPORARY_PREFIX.to_owned());
    // An invalid endpoint or bucket name is reported before anything is stored.
    let options = BucketOptions { region: Some(region.to_owned()), ..BucketOptions::default() };
    read.accept("temporary_bucket", Bucket::new(&endpoint, &bucket, options).map(drop))?;
    read.accept("temporary_prefix", check_object_key(&format!("{prefix}{TEMPORARY_NAME}")))?;
    Some(TemporaryStorage { endpoint, bucket, prefix })
}

fn misconfigured(message: &str) -> Error {
    Error::new(ErrorKind::Misconfigured, message)
}

/// Default of `expire_after_s`: a week.
const EXPIRE_AFTER_S: u64 = 7 * 24 * 60 * 60;

/// The longest time to live that the index of uploads supports: 400 days.
const EXPIRE_S_MAX: u64 = 400 * 24 * 60 * 60;

const ACTIVE_UPLOADS_MAX: u32 = 64;
const CREATIONS_PER_MINUTE_MAX: u32 = 3_000;

const TIMEOUT_MS_MIN: u64 = 100;
const TIMEOUT_MS_MAX: u64 = 3_600_000;
const RETRY_ATTEMPTS_MAX: u32 = 100;
const RETRY_ELAPSED_MS_MAX: u64 = 86_400_000;

const TEMPORARY_PREFIX: &str = "vod-uploader/partial/";

/// A name as long as those of temporary objects.
const TEMPORARY_NAME: &str = "00000000000000000000000000000000";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn config(values: &[(&str, &str)]) -> Result<Config, InvalidConfig> {
        let mut variables = Variables::default();
        for (name, value) in values {
            assert!(Variables::NAMES.contains(name), "{name}");
            variables.set(name, value);
        }
        Config::new(&variables)
    }

    #[test]
    fn without_variables_the_defaults_apply() {
        let config = config(&[]).unwrap();
        assert!(config.ram_key.is_none() && config.seal_key.is_none());
        assert_eq!(config.part_size, PART_SIZE_DEFAULT);
        assert_eq!(config.upload_max, OBJECT_SIZE_MAX);
        assert_eq!(config.expire_after, Some(Duration::from_secs(604_800)));
        assert_eq!(config.default_extension, None);
    }

    #[test]
    fn a_value_of_spaces_counts_as_not_set() {
        assert_eq!(
            config(&[("expire_after_s", "  ")]).unwrap().expire_after.unwrap().as_secs(),
            604_800
        );
        assert_eq!(config(&[("expire_after_s", " 0 ")]).unwrap().expire_after, None);
    }

    #[test]
    fn an_invalid_setting_for_pages_does_not_prevent_other_requests() {
        for (name, value) in [("cors_origins", "a.example"), ("cors_headers", "a:b")] {
            let error = config(&[(name, value)]).unwrap().cors.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misconfigured, "{name}");
            assert!(error.message().contains(name), "{error}");
        }
    }

    #[test]
    fn redirect_origins_has_precedence_over_its_other_name() {
        let (old, new) = ("https://old.example", "https://new.example");
        let both = config(&[("allowed_origins", old), ("redirect_origins", new)]).unwrap();
        assert!(both.redirect_origins.contains(new) && !both.redirect_origins.contains(old));
        assert!(config(&[("allowed_origins", old)]).unwrap().redirect_origins.contains(old));
    }

    #[test]
    fn an_invalid_value_is_a_problem_with_the_name_of_its_variable() {
        for (name, value) in [
            ("parallel", "many"),
            ("parallel", "0"),
            ("parallel", "33"),
            ("part_size_bytes", "102399"),
            ("part_size_bytes", "5368709121"),
            ("upload_max_bytes", "-1"),
            ("request_timeout_ms", "99"),
            ("retry_attempts", "0"),
            ("retry_elapsed_max_ms", "86400001"),
            ("expire_after_s", "34560001"),
            ("cname", "yes"),
            ("vod_region", "Shanghai"),
            ("vod_endpoint", "vod"),
            ("seal_key", "secret-that-is-no-key"),
            ("default_extension", ".mp4"),
            ("redirect_origins", "*"),
            ("allowed_origins", "*"),
            ("allowed_hosts", "https://a.example"),
            ("base_path", "upload"),
            ("trust_forwarded", "yes"),
            ("key_prefix", "a/"),
            ("operator_key", "short"),
            ("client_credentials", "yes"),
            ("active_uploads_max", "-1"),
            ("creations_per_minute_max", "many"),
            ("store_origin", "https://*"),
            ("temporary_bucket", "A"),
            ("vod_access_key_secret", "secret"),
            ("vod_access_key_id", "id"),
            ("signature_version", "v2"),
        ] {
            let invalid = config(&[(name, value)]).err().unwrap();
            let problems: Vec<_> = invalid.problems().collect();
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].contains(name), "{problems:?}");
            assert!(!name.ends_with("key") || !problems[0].contains(value), "{problems:?}");
        }
    }

    #[test]
    fn all_problems_are_found_at_once() {
        let values = [("parallel", "0"), ("vod_region", "?"), ("base_path", "x"), ("cname", "1")];
        let invalid = config(&values).err().unwrap();
        assert_eq!(invalid.problems().count(), 4, "{invalid}");
        assert_eq!(Error::from(invalid).kind(), ErrorKind::Misconfigured);
    }
}
