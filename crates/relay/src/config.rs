//! The configuration of the worker: the variables of `spin.toml`, validated once.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use vod_uploader::credential::{AccessKey, SealKey, Secret};
use vod_uploader::http::{AllowedHosts, BasePath, Cors, OperatorAccess, Origins, is_extension};
use vod_uploader::oss::{Bucket, BucketOptions, CredentialPolicy, SignatureVersion};
use vod_uploader::units::{ByteCount, OBJECT_SIZE_MAX, PARALLEL_DEFAULT, PART_SIZE_DEFAULT};
use vod_uploader::upload::{COMPLETE_TIMEOUT_FACTOR, Plan, RetryPolicy};
use vod_uploader::vod::VodEndpoint;
use vod_uploader::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

use crate::key_space::KeyPrefix;

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

    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| String::clone(value))
    }

    fn parse<T: FromStr>(&self, name: &str, default: T) -> Result<T> {
        match self.0.get(name) {
            None => Ok(default),
            Some(value) => {
                value.parse().map_err(|_| misconfigured(&format!("{name} has an invalid value")))
            }
        }
    }

    /// The value as `parse` reads it; that of an unset variable is empty.
    fn read<T>(&self, name: &str, parse: fn(&str) -> Result<T>) -> Result<T> {
        let value = self.text(name).unwrap_or_default();
        parse(&value).map_err(|error| error.with_context(name))
    }
}

impl Config {
    /// Validates `variables`.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Misconfigured`] with the name of the variable.
    pub fn new(variables: &Variables) -> Result<Self> {
        let region = variables.text("vod_region").unwrap_or_else(|| "cn-shanghai".to_owned());
        let vod_endpoint = match variables.text("vod_endpoint") {
            Some(url) => VodEndpoint::custom(&url)?,
            None => VodEndpoint::for_region(&region)?,
        };
        let upload_max = variables.parse("upload_max_bytes", 0)?;
        let part_size = variables.parse("part_size_bytes", PART_SIZE_DEFAULT.bytes())?;
        let part_size = ByteCount(part_size);
        let parallel = variables.parse("parallel", PARALLEL_DEFAULT)?;
        // Rejects sizes with which no upload could be split into parts.
        Plan::new(None, part_size, parallel)?;
        let seal_key = variables.text("seal_key").map(|key| SealKey::parse(&key)).transpose()?;
        let timeout_ms = variables.parse("request_timeout_ms", 60_000)?;
        let retry_ms = variables.parse("retry_elapsed_max_ms", 300_000)?;
        let ram_key = ram_key(variables)?;
        Ok(Self {
            credential_policy: credential_policy(variables, ram_key.is_some())?,
            ram_key,
            vod_endpoint,
            template_group_id: variables.text("template_group_id"),
            workflow_id: variables.text("workflow_id"),
            storage_location: variables.text("storage_location"),
            app_id: variables.text("app_id"),
            signature_version: variables.parse("signature_version", SignatureVersion::V4)?,
            cname: variables.parse("cname", false)?,
            part_size,
            parallel,
            default_extension: default_extension(variables)?,
            upload_max: match upload_max {
                0 => OBJECT_SIZE_MAX,
                bytes => ByteCount(bytes).min(OBJECT_SIZE_MAX),
            },
            request_timeout: Duration::from_millis(timeout_ms),
            retry: RetryPolicy {
                attempts_max: variables.parse("retry_attempts", 5_u32)?.max(1),
                elapsed_max: Duration::from_millis(retry_ms),
                ..RetryPolicy::default()
            },
            seal_key,
            key_prefix: match variables.text("key_prefix") {
                Some(_) => variables.read("key_prefix", KeyPrefix::parse)?,
                None => KeyPrefix::default(),
            },
            expire_after: match variables.parse("expire_after_s", EXPIRE_AFTER_S)? {
                0 => None,
                seconds => Some(Duration::from_secs(seconds)),
            },
            cors: Cors::parse(
                &variables.text("cors_origins").unwrap_or_default(),
                &variables.text("cors_headers").unwrap_or_default(),
            ),
            redirect_origins: redirect_origins(variables)?,
            temporary: temporary_storage(variables, &region)?,
            allowed_hosts: variables.read("allowed_hosts", AllowedHosts::parse)?,
            base_path: match variables.text("base_path") {
                Some(_) => variables.read("base_path", BasePath::parse)?,
                None => BasePath::default(),
            },
            trusts_proxy: variables.parse("trust_forwarded", false)?,
            operator: variables.read("operator_key", OperatorAccess::parse)?,
            region,
        })
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

fn ram_key(variables: &Variables) -> Result<Option<AccessKey>> {
    let id = variables.text("vod_access_key_id");
    let secret = variables.text("vod_access_key_secret").map(Secret::new);
    match (id, secret) {
        (None, None) => Ok(None),
        (Some(access_key_id), Some(access_key_secret)) => Ok(Some(AccessKey {
            access_key_id,
            access_key_secret,
            security_token: variables.text("vod_security_token").map(Secret::new),
        })),
        (None, Some(_)) => Err(misconfigured("vod_access_key_secret requires vod_access_key_id")),
        (Some(_), None) => Err(misconfigured("vod_access_key_id requires vod_access_key_secret")),
    }
}

/// By default, only a worker without an access key uses the credentials of clients.
fn credential_policy(variables: &Variables, has_ram_key: bool) -> Result<CredentialPolicy> {
    let accepts_credentials = match variables.text("client_credentials").as_deref() {
        None => !has_ram_key,
        Some("on") => true,
        Some("off") => false,
        Some(_) => return Err(misconfigured("client_credentials must be on or off")),
    };
    let origin = variables.text("store_origin").unwrap_or_default();
    CredentialPolicy::new(accepts_credentials, &origin)
        .map_err(|error| error.with_context("store_origin"))
}

fn default_extension(variables: &Variables) -> Result<Option<String>> {
    match variables.text("default_extension") {
        Some(extension) if !is_extension(&extension) => {
            Err(misconfigured("default_extension must be an extension such as mp4"))
        }
        extension => Ok(extension),
    }
}

/// Rejects `*`, which would make the worker an open redirect. `allowed_origins` is another name of
/// the variable.
fn redirect_origins(variables: &Variables) -> Result<Origins> {
    let name = match variables.text("redirect_origins") {
        Some(_) => "redirect_origins",
        None => "allowed_origins",
    };
    let origins = variables.read(name, Origins::parse)?;
    if origins.has_any() {
        return Err(misconfigured(&format!("{name} must list origins, not *")));
    }
    Ok(origins)
}

fn temporary_storage(variables: &Variables, region: &str) -> Result<Option<TemporaryStorage>> {
    let Some(bucket) = variables.text("temporary_bucket") else { return Ok(None) };
    let endpoint = variables.text("temporary_endpoint");
    let endpoint = endpoint.unwrap_or_else(|| format!("https://oss-{region}.aliyuncs.com"));
    let prefix = variables.text("temporary_prefix").unwrap_or_else(|| TEMPORARY_PREFIX.to_owned());
    // An invalid endpoint or bucket name is reported before anything is stored.
    let options = BucketOptions { region: Some(region.to_owned()), ..BucketOptions::default() };
    Bucket::new(&endpoint, &bucket, options)
        .map_err(|error| misconfigured(&format!("temporary_bucket: {}", error.message())))?;
    Ok(Some(TemporaryStorage { endpoint, bucket, prefix }))
}

fn misconfigured(message: &str) -> Error {
    Error::new(ErrorKind::Misconfigured, message)
}

/// Default of `expire_after_s`: a week.
const EXPIRE_AFTER_S: u64 = 7 * 24 * 60 * 60;

const TEMPORARY_PREFIX: &str = "vod-uploader/partial/";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn config(values: &[(&str, &str)]) -> Result<Config> {
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
    fn an_invalid_value_is_an_error_with_the_name_of_its_variable() {
        for (name, value) in [
            ("parallel", "many"),
            ("default_extension", ".mp4"),
            ("redirect_origins", "*"),
            ("allowed_origins", "*"),
            ("allowed_hosts", "https://a.example"),
            ("base_path", "upload"),
            ("key_prefix", "a/"),
            ("operator_key", "short"),
            ("client_credentials", "yes"),
            ("store_origin", "https://*"),
            ("trust_forwarded", "yes"),
            ("vod_access_key_id", "id"),
            ("signature_version", "v2"),
        ] {
            let error = config(&[(name, value)]).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Misconfigured, "{name}");
            assert!(error.message().contains(name), "{error}");
        }
    }
}
