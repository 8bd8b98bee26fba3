//! The worker's configuration: the variables of spin.toml, read once an instance.

use std::cell::RefCell;
use std::rc::Rc;
use std::str::FromStr;
use std::time::Duration;

use spin_sdk::variables;
use vod_uploader::credential::{SealKey, Secret};
use vod_uploader::http::{Origins, is_extension};
use vod_uploader::oss::{Bucket, BucketOptions, SignatureVersion};
use vod_uploader::units::{ByteCount, OBJECT_SIZE_MAX, PARALLEL_DEFAULT, PART_SIZE_DEFAULT};
use vod_uploader::upload::{Plan, RetryPolicy};
use vod_uploader::vod::{RamKey, VodEndpoint};
use vod_uploader::{Error, ErrorKind, Result};

/// How long an upload is kept that nobody sends bytes to: a week, in seconds.
const EXPIRE_AFTER_S: u64 = 7 * 24 * 60 * 60;

const TEMPORARY_PREFIX: &str = "vod-uploader/partial/";

/// What the operator has configured.
pub(crate) struct Config {
    /// The worker's own access key, where it has one.
    pub(crate) ram_key: Option<RamKey>,
    pub(crate) vod_endpoint: VodEndpoint,
    /// Where media that the worker creates is stored and how it is processed.
    pub(crate) template_group_id: Option<String>,
    pub(crate) workflow_id: Option<String>,
    pub(crate) storage_location: Option<String>,
    pub(crate) app_id: Option<String>,
    /// The region of objects whose credential and endpoint do not name one.
    pub(crate) region: String,
    pub(crate) signature_version: SignatureVersion,
    pub(crate) cname: bool,
    pub(crate) part_size: ByteCount,
    pub(crate) parallel: u8,
    /// The extension of files whose format nothing else names; `None`: they are refused.
    pub(crate) default_extension: Option<String>,
    /// Largest file that is taken.
    pub(crate) upload_max: ByteCount,
    pub(crate) request_timeout: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) seal_key: Option<SealKey>,
    /// How long an upload is kept that nobody sends bytes to; `None`: for ever.
    pub(crate) expire_after: Option<Duration>,
    /// Whose pages may use the worker.
    pub(crate) cors_origins: Origins,
    /// Where a form may send its user to.
    pub(crate) redirect_origins: Origins,
    /// Where partial uploads are kept until they are joined, where they may be.
    pub(crate) temporary: Option<TemporaryStorage>,
}

/// Where partial uploads are kept until they are joined.
pub(crate) struct TemporaryStorage {
    pub(crate) endpoint: String,
    pub(crate) bucket: String,
    /// What the keys of their objects begin with.
    pub(crate) prefix: String,
}

thread_local! {
    static CONFIG: RefCell<Option<Rc<Config>>> = const { RefCell::new(None) };
}

impl Config {
    /// The configuration of this instance.
    pub(crate) async fn of_instance() -> Result<Rc<Self>> {
        if let Some(config) = CONFIG.with_borrow(Clone::clone) {
            return Ok(config);
        }
        let config = Rc::new(Self::read().await?);
        CONFIG.set(Some(Rc::clone(&config)));
        Ok(config)
    }

    async fn read() -> Result<Self> {
        let region = text("vod_region").await?.unwrap_or_else(|| "cn-shanghai".to_owned());
        let vod_endpoint = match text("vod_endpoint").await? {
            Some(url) => VodEndpoint::custom(&url)?,
            None => VodEndpoint::for_region(&region)?,
        };
        let upload_max = number("upload_max_bytes", 0).await?;
        let part_size = ByteCount(number("part_size_bytes", PART_SIZE_DEFAULT.bytes()).await?);
        let parallel = parsed("parallel", PARALLEL_DEFAULT).await?;
        // Before any media is created for an upload that could not be cut into parts.
        Plan::new(None, part_size, parallel)?;
        let seal_key = text("seal_key").await?.map(|key| SealKey::parse(&key)).transpose()?;
        Ok(Self {
            ram_key: ram_key().await?,
            vod_endpoint,
            template_group_id: text("template_group_id").await?,
            workflow_id: text("workflow_id").await?,
            storage_location: text("storage_location").await?,
            app_id: text("app_id").await?,
            signature_version: parsed("signature_version", SignatureVersion::V4).await?,
            cname: parsed("cname", false).await?,
            part_size,
            parallel,
            default_extension: default_extension().await?,
            upload_max: match upload_max {
                0 => OBJECT_SIZE_MAX,
                bytes => ByteCount(bytes).min(OBJECT_SIZE_MAX),
            },
            request_timeout: Duration::from_millis(number("request_timeout_ms", 60_000).await?),
            retry: RetryPolicy {
                attempts_max: parsed("retry_attempts", 5_u32).await?.max(1),
                elapsed_max: Duration::from_millis(number("retry_elapsed_max_ms", 300_000).await?),
                ..RetryPolicy::default()
            },
            seal_key,
            expire_after: match number("expire_after_s", EXPIRE_AFTER_S).await? {
                0 => None,
                seconds => Some(Duration::from_secs(seconds)),
            },
            cors_origins: origins("cors_origins").await?,
            redirect_origins: redirect_origins().await?,
            temporary: temporary_storage(&region).await?,
            region,
        })
    }
}

async fn ram_key() -> Result<Option<RamKey>> {
    let id = text("vod_access_key_id").await?;
    let secret = text("vod_access_key_secret").await?.map(Secret::new);
    match (id, secret) {
        (None, None) => Ok(None),
        (Some(access_key_id), Some(access_key_secret)) => Ok(Some(RamKey {
            access_key_id,
            access_key_secret,
            security_token: text("vod_security_token").await?.map(Secret::new),
        })),
        (None, Some(_)) => Err(misconfigured("vod_access_key_id is empty beside its secret")),
        (Some(_), None) => Err(misconfigured("vod_access_key_secret is empty beside its id")),
    }
}

async fn origins(name: &str) -> Result<Origins> {
    let list = text(name).await?.unwrap_or_default();
    Origins::parse(&list).map_err(|error| error.while_doing(name))
}

async fn default_extension() -> Result<Option<String>> {
    match text("default_extension").await? {
        Some(extension) if !is_extension(&extension) => {
            Err(misconfigured("default_extension is not an extension such as mp4"))
        }
        extension => Ok(extension),
    }
}

/// Any origin would make the worker a way to anywhere for whoever writes a form.
async fn redirect_origins() -> Result<Origins> {
    let origins = origins("allowed_origins").await?;
    if origins.has_any() {
        return Err(misconfigured("allowed_origins: * is no origin that a form may lead to"));
    }
    Ok(origins)
}

async fn temporary_storage(region: &str) -> Result<Option<TemporaryStorage>> {
    let Some(bucket) = text("temporary_bucket").await? else { return Ok(None) };
    let endpoint = text("temporary_endpoint").await?;
    let endpoint = endpoint.unwrap_or_else(|| format!("https://oss-{region}.aliyuncs.com"));
    let prefix = text("temporary_prefix").await?.unwrap_or_else(|| TEMPORARY_PREFIX.to_owned());
    // Before anything is stored: an endpoint or a bucket's name that is none.
    let options = BucketOptions { region: Some(region.to_owned()), ..BucketOptions::default() };
    Bucket::new(&endpoint, &bucket, options)
        .map_err(|error| misconfigured(&format!("temporary_bucket: {}", error.message())))?;
    Ok(Some(TemporaryStorage { endpoint, bucket, prefix }))
}

/// A variable's text; `None` where it is empty or not defined.
async fn text(name: &str) -> Result<Option<String>> {
    match variables::get(name).await {
        Ok(value) => Ok(Some(value.trim().to_owned()).filter(|value| !value.is_empty())),
        Err(variables::Error::Undefined(_)) => Ok(None),
        Err(error) => Err(misconfigured(&format!("{name} cannot be read: {error}"))),
    }
}

async fn number(name: &str, default: u64) -> Result<u64> {
    parsed(name, default).await
}

async fn parsed<T: FromStr>(name: &str, default: T) -> Result<T> {
    match text(name).await? {
        None => Ok(default),
        Some(value) => {
            value.parse().map_err(|_| misconfigured(&format!("{name} cannot be understood")))
        }
    }
}

fn misconfigured(message: &str) -> Error {
    Error::new(ErrorKind::Misconfigured, message)
}
