//! A client that gets its credential from an application server, and sends it with each request.

use std::cell::RefCell;

use crate::relay::client::Client;
use crate::relay::message::Request;
use crate::world::Grant;

/// The credential of one media asset that the application server has created.
pub(super) struct OwnCredential {
    grant: RefCell<Grant>,
}

impl OwnCredential {
    /// The credential of a new media asset.
    pub(super) async fn request(client: &Client) -> Self {
        let environment = &client.environment;
        let grant = response_to(client, || environment.create_media()).await;
        Self { grant: RefCell::new(grant) }
    }

    /// Gets a new credential for the same media asset.
    pub(super) async fn refresh(&self, client: &Client) {
        let media_id = self.media_id();
        let environment = &client.environment;
        let grant = response_to(client, || environment.refresh_media(&media_id)).await;
        self.grant.replace(grant);
    }

    /// The same request with the credential.
    pub(super) fn add_to(&self, request: Request) -> Request {
        let grant = self.grant.borrow();
        request
            .with("upload-address", grant.address.as_str())
            .with("upload-auth", grant.auth.as_str())
            .with("upload-media-id", grant.media_id.as_str())
    }

    /// The same creation with the credential in its metadata.
    pub(super) fn add_to_metadata(&self, request: Request) -> Request {
        let grant = self.grant.borrow();
        let pairs = [
            ("upload_address", grant.address.as_str()),
            ("upload_auth", grant.auth.as_str()),
            ("media_id", grant.media_id.as_str()),
        ];
        request.with_metadata(&pairs)
    }

    fn media_id(&self) -> String {
        self.grant.borrow().media_id.clone()
    }
}

/// The response of the application server to a request, which is repeated until it succeeds. The
/// server fails as often as VOD, half of the time after it has called VOD.
async fn response_to(client: &Client, call: impl Fn() -> Grant) -> Grant {
    let environment = &client.environment;
    loop {
        environment.sleep(environment.latency()).await;
        let fails = client.chance(environment.rates().vod_failed);
        let grant = (!fails || client.chance(500)).then(&call);
        environment.sleep(environment.latency()).await;
        match grant.filter(|_| !fails) {
            Some(grant) => return grant,
            None => client.back_off().await,
        }
    }
}
