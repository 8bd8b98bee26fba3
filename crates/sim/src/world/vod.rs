//! VOD: media, and the credentials to upload them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use vod_uploader::credential::{AccessKey, Secret};
use vod_uploader::oss::{Body, HttpResponse, Request};
use vod_uploader::queue::StsToken;
use vod_uploader::units::UnixMillis;

use super::fault::Fault;
use super::oss::{Response, Store};
use super::random::Random;

/// The state of VOD and its faults.
#[derive(Debug)]
pub struct Vod {
    /// Media by ID.
    pub media: BTreeMap<String, Media>,
    /// Calls in the order of their arrival: the action and its parameters.
    pub seen: Vec<(String, HashMap<String, String>)>,
    /// The faults of the next calls, in order.
    pub faults: Vec<Option<Fault>>,
    /// How many of a thousand calls fail.
    pub mix: Option<(Random, u64)>,
    /// When a fault has rejected the token of a caller.
    pub token_rejected_at: Vec<UnixMillis>,
    /// How long upload credentials are valid.
    pub credential_ttl: Duration,
    /// When the access key ID of each STS token expires.
    pub tokens: BTreeMap<String, UnixMillis>,
    id_count: u32,
}

/// A media asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// The object key.
    pub object: String,
    /// Whether RefreshUploadVideo accepts it.
    pub is_video: bool,
}

/// An UploadAddress, an UploadAuth and a media ID, as an application server passes them on.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The UploadAddress.
    pub address: String,
    /// The UploadAuth.
    pub auth: String,
    /// The media ID.
    pub media_id: String,
}

impl Default for Vod {
    fn default() -> Self {
        Self {
            media: BTreeMap::new(),
            seen: Vec::new(),
            faults: Vec::new(),
            mix: None,
            token_rejected_at: Vec::new(),
            credential_ttl: Duration::from_secs(3_000),
            tokens: BTreeMap::new(),
            id_count: 0,
        }
    }
}

impl Vod {
    /// Creates a media asset.
    pub(super) fn create(&mut self, store: &mut Store, now: UnixMillis, is_video: bool) -> Grant {
        self.id_count += 1;
        let media_id = format!("media{:04}", self.id_count);
        let object = format!("sv/{:04}/file.bin", self.id_count);
        self.media.insert(media_id.clone(), Media { object, is_video });
        self.grant(store, now, &media_id)
    }

    /// A new credential of a media asset; `None` if there is no such video.
    pub(super) fn refresh(
        &mut self,
        store: &mut Store,
        now: UnixMillis,
        media_id: &str,
    ) -> Option<Grant> {
        let known = self.media.get(media_id).is_some_and(|media| media.is_video);
        known.then(|| self.grant(store, now, media_id))
    }

    /// The same credential with an access key ID that OSS does not accept.
    #[must_use]
    pub fn with_unknown_key(grant: &Grant) -> Grant {
        let auth = String::from_utf8(STANDARD.decode(&grant.auth).unwrap()).unwrap();
        Grant { auth: STANDARD.encode(auth.replace("STS.key", "STS.not")), ..grant.clone() }
    }

    /// An STS token for VOD and OSS.
    pub(crate) fn issue_token(
        &mut self,
        store: &mut Store,
        now: UnixMillis,
        ttl: Duration,
    ) -> StsToken {
        self.id_count += 1;
        let id = format!("STS.token{:04}", self.id_count);
        self.tokens.insert(id.clone(), now + ttl);
        store.keys.insert(id.clone(), now + ttl);
        StsToken {
            credential: AccessKey {
                access_key_id: id,
                access_key_secret: Secret::new(SECRET),
                security_token: Some(Secret::new(TOKEN)),
            },
            expires_at: Some(now + ttl),
        }
    }

    fn grant(&mut self, store: &mut Store, now: UnixMillis, media_id: &str) -> Grant {
        self.id_count += 1;
        let id = format!("STS.key{:04}", self.id_count);
        store.keys.insert(id.clone(), now + self.credential_ttl);
        let address = json!({
            "Endpoint": ENDPOINT,
            "Bucket": BUCKET,
            "FileName": self.media[media_id].object,
        });
        let auth = json!({
            "AccessKeyId": id,
            "AccessKeySecret": SECRET,
            "SecurityToken": TOKEN,
            "Expiration": self.credential_ttl.as_secs().to_string(),
            "Region": "cn-shanghai",
        });
        let address = address.to_string();
        assert!(address.starts_with(ADDRESS_START), "{address}");
        Grant {
            address: STANDARD.encode(address),
            auth: STANDARD.encode(auth.to_string()),
            media_id: media_id.to_owned(),
        }
    }

    /// Executes a signed call.
    pub(super) fn call(
        &mut self,
        store: &mut Store,
        now: UnixMillis,
        request: &Request,
    ) -> Response {
        let Body::Bytes(form) = &request.body else { panic!("a call of VOD has a form") };
        let form: HashMap<_, _> = url::form_urlencoded::parse(form).into_owned().collect();
        self.seen.push((form["Action"].clone(), form.clone()));
        let fault = if self.faults.is_empty() { self.mixed() } else { self.faults.remove(0) };
        match fault {
            Some(Fault::Broken) => return Response::Interrupted,
            Some(Fault::Hang) => return Response::Never,
            Some(Fault::Refused(status, code)) => {
                if code == TOKEN_EXPIRED {
                    self.token_rejected_at.push(now);
                }
                return Response::Received(refusal(status, code));
            }
            _ => {}
        }
        let response = self.perform(store, now, &form);
        match fault {
            Some(Fault::LostReply) => Response::Interrupted,
            Some(Fault::HangAfter) => Response::Never,
            _ => Response::Received(response),
        }
    }

    /// Removes all faults.
    pub(super) fn clear_faults(&mut self) {
        self.faults.clear();
        self.mix = None;
    }

    fn mixed(&mut self) -> Option<Fault> {
        let (random, per_mille) = self.mix.as_mut()?;
        random.chance(*per_mille).then(|| VOD_FAULTS[random.index(VOD_FAULTS.len())])
    }

    /// Returns `true` if the last call was the refresh of an unknown media ID.
    pub(crate) fn has_just_rejected_media(&self) -> bool {
        self.seen.last().is_some_and(|(action, form)| {
            action == "RefreshUploadVideo" && !self.media.contains_key(&form["VideoId"])
        })
    }

    /// How often an action was requested.
    #[must_use]
    pub fn count(&self, action: &str) -> usize {
        self.seen.iter().filter(|(seen, _)| seen == action).count()
    }

    fn perform(
        &mut self,
        store: &mut Store,
        now: UnixMillis,
        form: &HashMap<String, String>,
    ) -> HttpResponse {
        match self.tokens.get(&form["AccessKeyId"]) {
            None => return refusal(404, "InvalidAccessKeyId.NotFound"),
            Some(expires) if *expires <= now => {
                return refusal(403, TOKEN_EXPIRED);
            }
            Some(_) => {}
        }
        let action = form["Action"].as_str();
        let (grant, id_field) = match action {
            "CreateUploadVideo" => (Some(self.create(store, now, true)), "VideoId"),
            "CreateUploadImage" => (Some(self.create(store, now, false)), "ImageId"),
            "CreateUploadAttachedMedia" => (Some(self.create(store, now, false)), "MediaId"),
            "RefreshUploadVideo" => (self.refresh(store, now, &form["VideoId"]), "VideoId"),
            other => panic!("{other}"),
        };
        let Some(grant) = grant else { return refusal(404, "InvalidVideo.NotFound") };
        let mut response = json!({
            "RequestId": "R",
            "UploadAddress": grant.address,
            "UploadAuth": grant.auth,
        });
        response[id_field] = Value::from(grant.media_id.clone());
        if id_field != "VideoId" {
            response["FileURL"] = Value::from(format!("https://example.com/{}", grant.media_id));
        }
        json_reply(200, &response)
    }
}

fn refusal(status: u16, code: &str) -> HttpResponse {
    json_reply(status, &json!({"Code": code, "Message": "No.", "RequestId": "R"}))
}

fn json_reply(status: u16, body: &Value) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap();
    HttpResponse { status, headers: HeaderMap::new(), body: body.to_string().into_bytes() }
}

/// Faults of VOD that a retry overcomes.
pub const VOD_FAULTS: [Fault; 7] = [
    Fault::Broken,
    Fault::LostReply,
    Fault::Hang,
    Fault::HangAfter,
    Fault::Refused(503, "ServiceUnavailable"),
    Fault::Refused(400, "Throttling.User"),
    Fault::Refused(403, TOKEN_EXPIRED),
];

/// The code for an STS token that has expired.
const TOKEN_EXPIRED: &str = "InvalidSecurityToken.Expired";

/// The secret of every credential, which no output may contain. Its percent-encoding differs.
pub(crate) const SECRET: &str = "planted+secret/value";
/// The security token of every credential, which no output may contain.
pub(crate) const TOKEN: &str = "planted+token/value";
/// The start of the JSON of every UploadAddress.
pub(crate) const ADDRESS_START: &str = "{\"Bucket\":\"outin-test\",\"Endpoint\":";

/// The endpoint of every object.
pub(crate) const ENDPOINT: &str = "https://oss-cn-shanghai.aliyuncs.com";
/// The bucket of every object.
pub(crate) const BUCKET: &str = "outin-test";
