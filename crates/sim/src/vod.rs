//! VOD in memory: media ids, and the credentials to upload them with.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use vod_uploader::credential::{Secret, StsCredential};
use vod_uploader::oss::{Body, HttpResponse, Request};
use vod_uploader::queue::StsToken;
use vod_uploader::units::UnixMillis;

use crate::Random;
use crate::fault::Fault;
use crate::store::{Answered, Store};

/// VOD's state, and what it is to do wrong.
#[derive(Debug)]
pub struct Vod {
    /// Every media, by its id.
    pub media: BTreeMap<String, Media>,
    /// The calls that have arrived, by name, with their parameters.
    pub seen: Vec<(String, HashMap<String, String>)>,
    /// What goes wrong with the next calls, one after another.
    pub faults: Vec<Option<Fault>>,
    /// What goes wrong with any call.
    pub mix: Option<(Random, u64)>,
    /// How long the credentials that it hands out live.
    pub life: Duration,
    /// Access key ids of tokens, and when they expire.
    pub tokens: BTreeMap<String, UnixMillis>,
    made: u32,
}

/// A media that VOD knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// The object key.
    pub object: String,
    /// Whether RefreshUploadVideo knows it.
    pub is_video: bool,
}

/// An UploadAddress, an UploadAuth and a media id, as an app's server passes them on.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The UploadAddress.
    pub address: String,
    /// The UploadAuth.
    pub auth: String,
    /// The media id.
    pub media_id: String,
}

impl Default for Vod {
    fn default() -> Self {
        Self {
            media: BTreeMap::new(),
            seen: Vec::new(),
            faults: Vec::new(),
            mix: None,
            life: Duration::from_secs(3_000),
            tokens: BTreeMap::new(),
            made: 0,
        }
    }
}

impl Vod {
    /// A new media, as the app's server creates it.
    pub fn create(&mut self, store: &mut Store, now: UnixMillis, is_video: bool) -> Grant {
        self.made += 1;
        let media_id = format!("media{:04}", self.made);
        let object = format!("sv/{:04}/file.bin", self.made);
        self.media.insert(media_id.clone(), Media { object, is_video });
        self.grant(store, now, &media_id)
    }

    /// A new credential for a media, as the app's server refreshes it; `None` where VOD does not
    /// know it.
    pub fn refresh(&mut self, store: &mut Store, now: UnixMillis, media_id: &str) -> Option<Grant> {
        let known = self.media.get(media_id).is_some_and(|media| media.is_video);
        known.then(|| self.grant(store, now, media_id))
    }

    /// The same credential with an access key that nobody knows.
    pub fn unknown_to_store(&mut self, grant: &Grant) -> Grant {
        let auth = String::from_utf8(STANDARD.decode(&grant.auth).unwrap()).unwrap();
        Grant { auth: STANDARD.encode(auth.replace("STS.key", "STS.not")), ..grant.clone() }
    }

    /// A token for VOD and for the store that lives so long.
    pub fn token(&mut self, store: &mut Store, now: UnixMillis, life: Duration) -> StsToken {
        self.made += 1;
        let id = format!("STS.token{:04}", self.made);
        self.tokens.insert(id.clone(), now + life);
        store.keys.insert(id.clone(), now + life);
        StsToken {
            credential: StsCredential {
                access_key_id: id,
                access_key_secret: Secret::new(SECRET),
                security_token: Some(Secret::new(TOKEN)),
            },
            expires_at: Some(now + life),
        }
    }

    fn grant(&mut self, store: &mut Store, now: UnixMillis, media_id: &str) -> Grant {
        self.made += 1;
        let id = format!("STS.key{:04}", self.made);
        store.keys.insert(id.clone(), now + self.life);
        let address = json!({
            "Endpoint": ENDPOINT,
            "Bucket": BUCKET,
            "FileName": self.media[media_id].object,
        });
        let auth = json!({
            "AccessKeyId": id,
            "AccessKeySecret": SECRET,
            "SecurityToken": TOKEN,
            "Expiration": self.life.as_secs().to_string(),
            "Region": "cn-shanghai",
        });
        Grant {
            address: STANDARD.encode(address.to_string()),
            auth: STANDARD.encode(auth.to_string()),
            media_id: media_id.to_owned(),
        }
    }

    /// Answers a signed call.
    pub fn call(&mut self, store: &mut Store, now: UnixMillis, request: &Request) -> Answered {
        let Body::Bytes(form) = &request.body else { panic!("a call of VOD's has a form") };
        let form: HashMap<_, _> = url::form_urlencoded::parse(form).into_owned().collect();
        self.seen.push((form["Action"].clone(), form.clone()));
        let fault = if self.faults.is_empty() { self.mixed() } else { self.faults.remove(0) };
        match fault {
            Some(Fault::Broken) => return Answered::Broken,
            Some(Fault::Hang) => return Answered::Never,
            Some(Fault::Refused(status, code)) => {
                return Answered::Response(refusal(status, code));
            }
            _ => {}
        }
        let answer = self.perform(store, now, &form);
        match fault {
            Some(Fault::LostReply) => Answered::Broken,
            Some(Fault::HangAfter) => Answered::Never,
            _ => Answered::Response(answer),
        }
    }

    fn mixed(&mut self) -> Option<Fault> {
        let (random, per_mille) = self.mix.as_mut()?;
        random.chance(*per_mille).then(|| VOD_FAULTS[random.index(VOD_FAULTS.len())])
    }

    /// Whether its last word was that it does not know a media id.
    pub(crate) fn has_just_denied_a_media(&self) -> bool {
        self.seen.last().is_some_and(|(action, form)| {
            action == "RefreshUploadVideo" && !self.media.contains_key(&form["VideoId"])
        })
    }

    /// How often a call has arrived.
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
                return refusal(403, "InvalidSecurityToken.Expired");
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
        let mut answer = json!({
            "RequestId": "R",
            "UploadAddress": grant.address,
            "UploadAuth": grant.auth,
        });
        answer[id_field] = Value::from(grant.media_id.clone());
        if id_field != "VideoId" {
            answer["FileURL"] = Value::from(format!("https://example.com/{}", grant.media_id));
        }
        json_reply(200, &answer)
    }
}

fn refusal(status: u16, code: &str) -> HttpResponse {
    json_reply(status, &json!({"Code": code, "Message": "No.", "RequestId": "R"}))
}

fn json_reply(status: u16, body: &Value) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap();
    HttpResponse { status, headers: HeaderMap::new(), body: body.to_string().into_bytes() }
}

/// Faults of VOD's that another call gets over.
pub const VOD_FAULTS: [Fault; 7] = [
    Fault::Broken,
    Fault::LostReply,
    Fault::Hang,
    Fault::HangAfter,
    Fault::Refused(503, "ServiceUnavailable"),
    Fault::Refused(400, "Throttling.User"),
    Fault::Refused(403, "InvalidSecurityToken.Expired"),
];

/// Texts that no output may show.
pub(crate) const SECRET: &str = "planted-secret";
/// The same, of a security token.
pub(crate) const TOKEN: &str = "planted-token";

/// Where every object goes.
pub(crate) const ENDPOINT: &str = "https://oss-cn-shanghai.aliyuncs.com";
/// The bucket of every object.
pub(crate) const BUCKET: &str = "outin-test";
