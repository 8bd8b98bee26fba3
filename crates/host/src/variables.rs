//! The variables of `spin.toml`.

use futures::future::try_join_all;
use spin_sdk::variables;
use vod_uploader::{Error, ErrorKind, Result};
use vod_uploader_relay::Variables;

/// Reads every variable of the worker. A variable that the manifest does not define is not set.
///
/// # Errors
/// Returns [`ErrorKind::Misconfigured`] if the host cannot provide a variable.
pub(crate) async fn read() -> Result<Variables> {
    let reads = Variables::NAMES.iter().map(|name| async move {
        match variables::get(name).await {
            Ok(value) => Ok((*name, value)),
            Err(variables::Error::Undefined(_)) => Ok((*name, String::new())),
            Err(error) => {
                let message = format!("{name} cannot be read: {error}");
                Err(Error::new(ErrorKind::Misconfigured, message))
            }
        }
    });
    let mut read = Variables::default();
    for (name, value) in try_join_all(reads).await? {
        read.set(name, &value);
    }
    Ok(read)
}
