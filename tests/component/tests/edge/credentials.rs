//! Credentials of clients, and the confidentiality of secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::{Edge, SEAL_KEY, Setup};
use vod_uploader_component_tests::key_value;
use vod_uploader_component_tests::sandbox::RAM_SECRET;
use vod_uploader_component_tests::source::{KIB, MIB, Source};
use vod_uploader_component_tests::tus::{self, Upload};
use vod_uploader_component_tests::vod::{UploadCredential, create_upload_video};
use vod_uploader_wire::{Response, contains};

#[test]
fn a_file_is_stored_with_the_clients_credential() {
    let mut edge = Setup::new().without_ram_key().start();
    let source = Source::new(71, 2 * MIB);
    let credential = client_credential(&mut edge, "put");
    let headers = [
        ("upload-address", credential.address.as_str()),
        ("upload-auth", credential.auth.as_str()),
        ("upload-media-id", credential.media_id.as_str()),
    ];
    let created = edge.put(&headers, &Body::Chunked(&source, source.all()));
    assert_eq!(created.status, 201, "{}", created.text());
    let created = created.json();
    assert_eq!(created["object"], credential.object().as_str());
    assert_eq!(created["media_id"], credential.media_id.as_str());
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    assert_eq!(edge.sandbox.requests("CreateUploadVideo"), 1);
    // No client has the address of the upload: nothing remains.
    assert_eq!(key_value::records(&edge.host_dir()).len(), 0);
    assert_no_secret(&edge, &[&credential]);
}

#[test]
fn without_a_seal_key_every_request_needs_a_credential() {
    let mut edge = Setup::new().without_ram_key().start();
    let source = Source::new(72, 3 * MIB);
    let credential = client_credential(&mut edge, "tus");
    let upload = Upload::from_response(&create_with(&edge, &credential, source.length()));
    let rejected = upload.patch(&edge, &source, 0..MIB).unwrap();
    assert_eq!((rejected.status, rejected.code().as_str()), (401, "credential-required"));
    for (begin, end) in [(0, MIB), (MIB, 2 * MIB + 7), (2 * MIB + 7, 3 * MIB)] {
        let body = Body::Range(&source, begin..end);
        let stored = upload.patch_with(&edge, &headers(&credential), begin, &body).unwrap();
        assert_eq!((stored.status, stored.offset()), (204, end), "{}", stored.text());
    }
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    let head = upload.head(&edge);
    assert_eq!(head.header("upload-metadata"), Some("filename Y2xpcC5tcDQ="));
    assert_only_sealed_secrets(&edge, &[&credential]);
}

#[test]
fn a_sealed_credential_is_used_until_completion_also_after_a_restart() {
    let setup = Setup::new().without_ram_key().sealed();
    let mut edge = setup.start();
    edge.forbid_secret(SEAL_KEY);
    let source = Source::new(73, 3 * MIB);
    let credential = client_credential(&mut edge, "sealed");
    let upload = Upload::from_response(&create_with(&edge, &credential, source.length()));
    let stored = upload.patch(&edge, &source, 0..MIB + 5).unwrap();
    assert_eq!((stored.status, stored.offset()), (204, MIB + 5), "{}", stored.text());
    assert_only_sealed_secrets(&edge, &[&credential]);
    edge.kill_host();
    edge.start_host();
    upload.finish(&edge, &source);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    let left = key_value::entries(&edge.host_dir());
    assert!(left.iter().all(|(key, _)| !key.ends_with(".credential")), "it outlives the upload");
    assert_only_sealed_secrets(&edge, &[&credential]);
}

#[test]
fn swapped_credentials_are_distinguished_from_invalid_ones() {
    let mut edge = Setup::new().without_ram_key().start();
    let source = Source::new(74, 200 * KIB);
    let right = client_credential(&mut edge, "right");
    let (address, auth) = (right.address.as_str(), right.auth.as_str());
    let cases = [
        (auth, address, 400, "credentials-swapped"),
        ("bm90IEpTT04=", auth, 400, "credential-invalid"),
        (address, "*", 400, "credential-invalid"),
        (address, "e30=", 400, "credential-invalid"),
    ];
    for (address, auth, status, code) in cases {
        let headers = [("upload-address", address), ("upload-auth", auth)];
        let put = edge.put(&headers, &Body::Range(&source, source.all()));
        assert_eq!((put.status, put.code().as_str()), (status, code), "{}", put.text());
        let metadata = [("upload_address", address), ("upload_auth", auth)];
        let created = tus::create(&edge, source.length(), &metadata, &[]);
        assert_eq!((created.status, created.code().as_str()), (status, code));
    }
    for (half, missing) in [
        (("upload-address", address), "upload-auth-invalid"),
        (("upload-auth", auth), "upload-address-invalid"),
    ] {
        let put = edge.put(&[half], &Body::Range(&source, source.all()));
        assert_eq!((put.status, put.code().as_str()), (400, missing));
    }
    assert!(edge.sandbox.objects().is_empty());
    assert_eq!(key_value::records(&edge.host_dir()).len(), 0);
}

#[test]
fn a_credential_for_another_endpoint_than_that_of_a_store_is_rejected() {
    let mut edge = Setup::new().without_ram_key().start();
    let source = Source::new(79, 2 * MIB);
    let credential = client_credential(&mut edge, "elsewhere");
    edge.sandbox.reset_requests();
    let json = STANDARD.decode(&credential.address).unwrap();
    let mut address: Value = serde_json::from_slice(&json).unwrap();
    address["Endpoint"] = "http://127.0.0.1:1".into();
    let address = STANDARD.encode(address.to_string());
    let headers = [("upload-address", &*address), ("upload-auth", credential.auth.as_str())];
    let put = edge.put(&headers, &Body::Range(&source, source.all()));
    assert_eq!((put.status, put.code().as_str()), (403, "endpoint-not-allowed"));
    assert!(edge.sandbox.operations().is_empty(), "{:?}", edge.sandbox.operations());
}

#[test]
fn a_worker_with_an_access_key_accepts_no_credential_of_a_client_by_default() {
    let mut edge = Setup::new().variable("client_credentials", "").start();
    let credential = client_credential(&mut edge, "mine");
    edge.sandbox.reset_requests();
    let headers = [("upload-address", &*credential.address), ("upload-auth", &*credential.auth)];
    let put = edge.put(&headers, &Body::Bytes(b"12345"));
    assert_eq!((put.status, put.code().as_str()), (403, "client-credentials-off"));
    assert!(edge.sandbox.operations().is_empty(), "{:?}", edge.sandbox.operations());
    assert_eq!(edge.put(&[], &Body::Bytes(b"12345")).status, 201);
}

#[test]
fn without_any_credential_no_upload_is_created() {
    let edge = Setup::new().without_ram_key().start();
    let source = Source::new(75, 200 * KIB);
    let put = edge.put(&[], &Body::Range(&source, source.all()));
    assert_eq!((put.status, put.code().as_str()), (401, "credential-required"));
    let created = tus::create(&edge, source.length(), &[], &[]);
    assert_eq!((created.status, created.code().as_str()), (401, "credential-required"));
    assert!(edge.sandbox.operations().is_empty());
    assert_eq!(key_value::records(&edge.host_dir()).len(), 0);
}

#[test]
fn a_credential_for_another_object_is_rejected() {
    let mut edge = Setup::new().without_ram_key().start();
    let source = Source::new(76, 2 * MIB);
    let (mine, other) =
        (client_credential(&mut edge, "mine"), client_credential(&mut edge, "other"));
    let upload = Upload::from_response(&create_with(&edge, &mine, source.length()));
    let body = Body::Range(&source, source.all());
    let rejected = upload.patch_with(&edge, &headers(&other), 0, &body).unwrap();
    assert_eq!((rejected.status, rejected.code().as_str()), (409, "credential-for-other-object"));
    assert!(edge.sandbox.objects().is_empty());
    let stored = upload.patch_with(&edge, &headers(&mine), 0, &body).unwrap();
    assert_eq!(stored.status, 204);
    assert_eq!(edge.sandbox.only_object().key, mine.object());
}

#[test]
fn a_wrong_access_key_is_reported_without_its_secret() {
    let wrong = "planted-wrong-secret-77";
    let mut edge = Setup::new().variable("vod_access_key_secret", wrong).start();
    edge.forbid_secret(wrong);
    let source = Source::new(77, 200 * KIB);
    let put = edge.put(&[], &Body::Range(&source, source.all()));
    assert_eq!((put.status, put.code().as_str()), (403, "credential-rejected"), "{}", put.text());
    assert_eq!(put.json()["store_code"], "SignatureDoesNotMatch");
    assert!(!put.text().contains("AccessKeyId="), "{}", put.text());
}

#[test]
fn an_invalid_configuration_is_logged_with_its_variable_and_hidden_from_clients() {
    let cases = [
        ("vod_access_key_id", "", "vod_access_key_id: must be set"),
        ("vod_access_key_secret", "", "vod_access_key_secret: must be set"),
        ("part_size_bytes", "1", "part_size_bytes"),
        ("parallel", "0", "parallel"),
        ("parallel", "many", "parallel"),
        ("signature_version", "v3", "signature_version"),
        ("seal_key", "c2hvcnQ=", "seal_key"),
    ];
    let source = Source::new(78, 200 * KIB);
    for (name, value, named) in cases {
        let edge = Setup::new().variable(name, value).start();
        let put = edge.put(&[], &Body::Range(&source, source.all()));
        assert_eq!((put.status, put.code().as_str()), (503, "misconfigured"), "{name}={value}");
        assert!(!put.text().contains(name), "{}", put.text());
        assert!(edge.log().contains(named), "{name}={value}: {}", edge.log());
    }
}

#[test]
fn no_secret_is_stored_in_plain_text() {
    for seal_key in ["", SEAL_KEY] {
        let edge = Setup::new().variable("seal_key", seal_key).start();
        let source = Source::new(79, 3 * MIB);
        let upload = Upload::create(&edge, source.length());
        assert_eq!(upload.patch(&edge, &source, 0..MIB + 9).unwrap().status, 204);
        assert_only_sealed_secrets(&edge, &[]);
        let sealed = key_value::entries(&edge.host_dir());
        let sealed = sealed.iter().filter(|(key, _)| key.ends_with(".credential")).count();
        assert_eq!(sealed, usize::from(!seal_key.is_empty()));
        upload.finish(&edge, &source);
        assert_only_sealed_secrets(&edge, &[]);
    }
}

/// A credential of the application's server, which must not occur in logs or responses.
fn client_credential(edge: &mut Edge, nonce: &str) -> UploadCredential {
    let credential = create_upload_video(&edge.sandbox, nonce);
    edge.forbid_secret(&credential.auth);
    credential
}

fn create_with(edge: &Edge, credential: &UploadCredential, length: u64) -> Response {
    let metadata = [
        ("upload_address", credential.address.as_str()),
        ("upload_auth", credential.auth.as_str()),
    ];
    tus::create(edge, length, &metadata, &[("upload-media-id", credential.media_id.as_str())])
}

fn headers(credential: &UploadCredential) -> [(&str, &str); 2] {
    [("upload-address", &credential.address), ("upload-auth", &credential.auth)]
}

/// Asserts that there are records and that they contain no secret.
fn assert_only_sealed_secrets(edge: &Edge, client_credential: &[&UploadCredential]) {
    let entries = key_value::entries(&edge.host_dir());
    assert!(!entries.is_empty(), "there are records to look at");
    assert_no_secret(edge, client_credential);
}

/// Asserts that neither a value nor a page of the database contains a secret of this run or an
/// UploadAuth.
fn assert_no_secret(edge: &Edge, client_credential: &[&UploadCredential]) {
    let mut secrets = edge.secrets();
    secrets.push(RAM_SECRET.to_owned());
    secrets.extend(client_credential.iter().flat_map(|credential| credential.secrets()));
    assert!(secrets.len() > 2, "there are secrets to look for");
    let entries = key_value::entries(&edge.host_dir());
    let files = key_value::files(&edge.host_dir());
    for secret in secrets {
        for (key, value) in &entries {
            assert!(!contains(value, secret.as_bytes()), "{key} has {secret}");
        }
        assert!(!contains(&files, secret.as_bytes()), "the database has {secret}");
    }
}
