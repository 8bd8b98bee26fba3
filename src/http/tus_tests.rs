#![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

use super::*;

const SIZE_MAX: ByteCount = ByteCount(1000);

fn head(headers: &[(&str, &str)]) -> Head {
    Head {
        method: "POST".into(),
        path: "/v1/files".into(),
        headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
    }
}

fn creation_kind(headers: &[(&str, &str)]) -> ErrorKind {
    Creation::parse(&head(headers), SIZE_MAX).unwrap_err().kind()
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(sent, _)| *sent == name).map(|(_, value)| value.as_str())
}

const NAME: (&str, &str) = ("Upload-Metadata", "filename YS5tcDQ=,filetype dmlkZW8vbXA0");

#[test]
fn a_creation_names_its_length_and_its_file() {
    let creation = Creation::parse(&head(&[("Upload-Length", "1000"), NAME]), SIZE_MAX).unwrap();
    assert_eq!(creation.length, ByteCount(1000));
    assert_eq!(creation.file_name.as_str(), "a.mp4");
    assert_eq!(creation.content_type.as_deref(), Some("video/mp4"));
}

#[test]
fn creations_that_cannot_succeed_are_refused_by_field() {
    assert_eq!(creation_kind(&[NAME]), ErrorKind::RequestInvalid);
    assert_eq!(creation_kind(&[NAME, ("Upload-Length", "-1")]), ErrorKind::RequestInvalid);
    assert_eq!(creation_kind(&[NAME, ("Upload-Length", "+1")]), ErrorKind::RequestInvalid);
    assert_eq!(
        creation_kind(&[NAME, ("Upload-Length", "99999999999999999999")]),
        ErrorKind::RequestInvalid
    );
    assert_eq!(creation_kind(&[NAME, ("Upload-Length", "0")]), ErrorKind::FileEmpty);
    assert_eq!(creation_kind(&[NAME, ("Upload-Length", "1001")]), ErrorKind::FileTooLarge);
    assert_eq!(creation_kind(&[("Upload-Length", "1")]), ErrorKind::RequestInvalid);
    assert_eq!(creation_kind(&[NAME, ("Upload-Defer-Length", "1")]), ErrorKind::RequestInvalid);
}

#[test]
fn a_chunk_needs_its_content_type_and_its_offset() {
    let typed = ("Content-Type", CHUNK_CONTENT_TYPE);
    let chunk =
        Chunk::parse(&head(&[typed, ("Upload-Offset", "5"), ("Content-Length", "7")])).unwrap();
    assert_eq!(chunk, Chunk { offset: ByteCount(5), length: Some(ByteCount(7)) });
    let kind = |headers: &[(&str, &str)]| Chunk::parse(&head(headers)).unwrap_err().kind();
    assert_eq!(kind(&[("Upload-Offset", "5")]), ErrorKind::MediaTypeUnsupported);
    assert_eq!(kind(&[typed]), ErrorKind::RequestInvalid);
}

#[test]
fn another_version_of_the_protocol_is_refused_with_the_one_that_is_spoken() {
    assert_eq!(wrong_version(&head(&[("Tus-Resumable", "1.0.0")])), None);
    for headers in [&[][..], &[("Tus-Resumable", "0.2.2")][..]] {
        let refused = wrong_version(&head(headers)).unwrap();
        assert_eq!(refused.status, 412);
        assert_eq!(header(&refused, "tus-version"), Some("1.0.0"));
    }
}

#[test]
fn discovery_names_version_extensions_and_the_largest_file() {
    let response = discovered(SIZE_MAX);
    assert_eq!(response.status, 204);
    assert_eq!(header(&response, "tus-extension"), Some("creation,termination"));
    assert_eq!(header(&response, "tus-max-size"), Some("1000"));
}

#[test]
fn a_refused_chunk_says_where_to_go_on() {
    let error = Error::new(ErrorKind::OffsetMismatch, "elsewhere");
    let response = chunk_ended(&error, Some(ByteCount(3)), "vid");
    assert_eq!(response.status, 409);
    assert_eq!(header(&response, "upload-offset"), Some("3"));
    assert_eq!(header(&response, "tus-resumable"), Some("1.0.0"));
}
