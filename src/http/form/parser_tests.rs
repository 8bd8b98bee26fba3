#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;

/// The result of a form, regardless of how its bytes are split.
#[derive(Debug, Default, PartialEq, Eq)]
struct Read {
    fields: Vec<(String, Vec<u8>)>,
    files: Vec<(PartHeaders, Vec<u8>, bool)>,
    ended: bool,
    error: Option<Error>,
}

/// Parses `body` in chunks whose lengths are those of `cuts`, repeated.
fn read(body: &[u8], cuts: &[usize]) -> Read {
    let boundary = Boundary::from_content_type(Some("multipart/form-data; boundary=xyz")).unwrap();
    let mut parser = FormParser::new(&boundary);
    let mut read = Read::default();
    let mut cuts = cuts.iter().cycle();
    let mut rest = body;
    while !rest.is_empty() {
        let (mut chunk, after) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
        rest = after;
        loop {
            match parser.next(&mut chunk) {
                Ok(None) => break,
                Ok(Some(FormEvent::Field(Field { name, value }))) => {
                    read.fields.push((name, value.to_vec()));
                }
                Ok(Some(FormEvent::File(head))) => read.files.push((head, Vec::new(), false)),
                Ok(Some(FormEvent::Bytes(bytes))) => {
                    assert!(!bytes.is_empty());
                    read.files.last_mut().unwrap().1.extend_from_slice(bytes);
                }
                Ok(Some(FormEvent::FileEnd)) => read.files.last_mut().unwrap().2 = true,
                Ok(Some(FormEvent::End)) => read.ended = true,
                Err(error) => {
                    read.error = Some(error);
                    assert_eq!(parser.next(&mut chunk), Ok(None));
                    return read;
                }
            }
        }
    }
    read.error = parser.finish().err();
    read
}

fn part(disposition: &str, bytes: &[u8]) -> Vec<u8> {
    let mut part =
        format!("--xyz\r\nContent-Disposition: form-data; {disposition}\r\n\r\n").into_bytes();
    part.extend_from_slice(bytes);
    part.extend_from_slice(b"\r\n");
    part
}

fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat().as_slice(), b"--xyz--\r\n"].concat()
}

fn file(bytes: &[u8]) -> Vec<u8> {
    part("name=\"v\"; filename=\"a.mp4\"", bytes)
}

#[track_caller]
fn rejected(body: &[u8], field: &str) {
    for cut in [1, 7, body.len()] {
        let error = read(body, &[cut]).error.unwrap();
        assert_eq!(error.kind(), ErrorKind::RequestInvalid, "{error}");
        assert_eq!(error.field().unwrap().name, field, "{error}");
    }
}

#[test]
fn fields_and_files_are_parsed_with_any_split_of_the_body() {
    let parts =
        [part("name=title", b"Holiday"), file(b"\r\n\r\n--xy\r\n--\r\n"), part("name=e", b"")];
    let body =
        [b"preamble\r\n--xy\r\n".to_vec(), form(&parts), b"epilogue --xyz".to_vec()].concat();
    for cut in 1..=body.len() {
        let read = read(&body, &[cut]);
        assert_eq!(read.error, None, "{cut}");
        assert!(read.ended);
        assert_eq!(read.fields, [("title".into(), b"Holiday".to_vec()), ("e".into(), vec![])]);
        let [(head, bytes, complete)] = &read.files[..] else { panic!("{read:?}") };
        assert_eq!((head.field.as_str(), head.file_name.as_deref()), ("v", Some("a.mp4")));
        assert_eq!((bytes.as_slice(), *complete), (&b"\r\n\r\n--xy\r\n--\r\n"[..], true), "{cut}");
    }
}

#[test]
fn a_form_without_parts_is_complete() {
    for body in [&b"--xyz--"[..], b"--xyz--\r\n", b"\r\n--xyz--\r\n"] {
        assert_eq!(read(body, &[1]), Read { ended: true, ..Read::default() });
    }
}

#[test]
fn an_empty_part_may_omit_its_line_end() {
    let body = b"--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\n--xyz--";
    let read = read(body, &[3]);
    assert_eq!((read.fields, read.error), (vec![("a".into(), vec![])], None));
}

#[test]
fn white_space_after_a_boundary_is_ignored() {
    let body = String::from_utf8(form(&[file(b"x")])).unwrap().replacen("--xyz\r", "--xyz \t\r", 1);
    assert_eq!(read(body.as_bytes(), &[2]).files[0].1, b"x");
}

#[test]
fn a_truncated_form_is_incomplete_and_only_delimited_files_are_complete() {
    let first = file(b"0123456789");
    let body = form(&[first.clone(), file(b"abc")]);
    for length in 0..body.len() - b"-\r\n".len() {
        let read = read(&body[..length], &[5]);
        assert!(!read.ended && read.error.is_some(), "{length}");
        let complete = read.files.iter().filter(|(_, _, complete)| *complete).count();
        assert_eq!(complete, usize::from(length >= first.len() + b"--xyz\r\n".len()), "{length}");
    }
    assert_eq!(read(&body[..60], &[60]).error.unwrap().kind(), ErrorKind::LengthMismatch);
    rejected(b"no boundary at all", "boundary");
}

#[test]
fn a_line_that_only_starts_with_the_boundary_does_not_end_a_file() {
    let body = form(&[file(b"bytes\r\n--xyzzy\r\nmore")]);
    rejected(&body, "boundary");
    let read = read(&body, &[9]);
    assert_eq!((read.files[0].1.as_slice(), read.files[0].2), (&b"bytes"[..], false));
}

#[test]
fn part_headers_without_line_ends_end_or_disposition_are_rejected() {
    rejected(b"--xyz\r\nContent-Disposition: form-data; name=a\n\nx\r\n--xyz--", "form");
    rejected(b"--xyz\r\n\r\nx\r\n--xyz--", "content-disposition");
    let long = vec![b'x'; PART_HEAD_BYTES_MAX + 1];
    rejected(&[b"--xyz\r\n".to_vec(), long].concat(), "form");
    let mut line = b"--xyz\r\nContent-Disposition: form-data; name=a\r\nX: ".to_vec();
    line.resize(b"--xyz\r\n".len() + PART_HEAD_BYTES_MAX - 4, b'x');
    let body = [line, b"\r\n\r\nv\r\n--xyz--".to_vec()].concat();
    assert_eq!(read(&body, &[1000]).fields, [("a".into(), b"v".to_vec())]);
}

#[test]
fn fields_and_files_are_accepted_up_to_the_limits() {
    let fields = vec![part("name=a", b"1"); FIELDS_MAX as usize];
    assert_eq!(read(&form(&fields), &[100]).error, None);
    rejected(&form(&[fields, vec![part("name=a", b"1")]].concat()), "form");
    let files = vec![file(b""); FILES_MAX as usize];
    assert_eq!(read(&form(&files), &[100]).error, None);
    rejected(&form(&[files, vec![file(b"")]].concat()), "form");
    let value = vec![b'v'; FIELD_BYTES_MAX];
    assert_eq!(read(&form(&[part("name=a", &value)]), &[999]).error, None);
    rejected(&form(&[part("name=a", &[value, vec![b'v']].concat())]), "form");
}

#[test]
fn values_of_fields_are_not_printed() {
    let field = Field { name: "upload_auth".into(), value: b"secret".to_vec().into() };
    let mut parser = FormParser::new(
        &Boundary::from_content_type(Some("multipart/form-data; boundary=xyz")).unwrap(),
    );
    let body = part("name=upload_auth", b"secret");
    assert_eq!(parser.next(&mut &body[..]), Ok(None));
    assert!(format!("{field:?}").contains("upload_auth"));
    assert!(!format!("{field:?} {parser:?}").contains("secret"));
    assert!(!format!("{parser:?}").contains("115, 101, 99"));
}

/// Bytes that often resemble the boundary.
fn tricky_bytes() -> impl Strategy<Value = Vec<u8>> {
    let chunk = prop::sample::select(vec![
        "\r",
        "\r\n",
        "\r\n-",
        "\r\n--",
        "--xyz",
        "\r\n--xy",
        "\n--xyz",
        "\r\r\n--x",
        "yz--",
        "a",
    ]);
    prop::collection::vec(chunk, 0..12).prop_map(|chunks| chunks.concat().into_bytes())
}

proptest! {
    #[test]
    fn any_split_of_any_bytes_has_the_same_result(
        contents in prop::collection::vec((any::<bool>(), tricky_bytes()), 0..4),
        cuts in prop::collection::vec(1_usize..9, 1..6),
        length in any::<prop::sample::Index>(),
    ) {
        let parts: Vec<_> = contents
            .iter()
            .map(|(is_file, bytes)| if *is_file { file(bytes) } else { part("name=a", bytes) })
            .collect();
        let body = form(&parts);
        let complete = read(&body, &[body.len()]);
        prop_assert_eq!(&complete, &read(&body, &cuts));
        let is_unambiguous = contents.iter().all(|(_, bytes)| {
            !bytes.starts_with(b"--xyz") && !bytes.windows(7).any(|window| window == b"\r\n--xyz")
        });
        if is_unambiguous {
            prop_assert_eq!(complete.error, None);
            let files: Vec<_> = complete.files.into_iter().map(|(_, bytes, _)| bytes).collect();
            let sent = contents.into_iter().filter_map(|(is_file, sent)| is_file.then_some(sent));
            let sent: Vec<_> = sent.collect();
            prop_assert_eq!(files, sent);
        }
        let truncated = &body[..length.index(body.len())];
        prop_assert_eq!(read(truncated, &[truncated.len().max(1)]), read(truncated, &cuts));
    }
}
