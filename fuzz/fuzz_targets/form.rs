//! Forms with files. Any split of the body has the same events and the same error.
//!
//! The input is the Content-Type, a line end, and the body.

#![no_main]

use std::iter;

use libfuzzer_sys::fuzz_target;
use vod_uploader::http::form::{Boundary, FormEvent, FormFields, FormParser, form_file_name};
use vod_uploader::http::{self, Origins};
use vod_uploader::{ErrorKind, Result};

fuzz_target!(|bytes: &[u8]| {
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (content_type, body) = bytes.split_at(line);
    let body = body.get(1..).unwrap_or_default();
    let content_type = String::from_utf8_lossy(content_type);
    let Ok(boundary) = Boundary::from_content_type(Some(&content_type)) else { return };
    let parsed = read(&boundary, body, iter::repeat(body.len()));
    assert_eq!(parsed, read(&boundary, body, iter::repeat(1)), "byte by byte");
    let lengths = body.iter().map(|byte| usize::from(byte % 17) + 1);
    assert_eq!(parsed, read(&boundary, body, lengths), "in chunks of various sizes");
});

/// The contents of a form, with the bytes of a file concatenated.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Field(String, Vec<u8>),
    File(String, Option<String>, Option<String>),
    Bytes(Vec<u8>),
    FileEnd,
    End,
    Failed(ErrorKind, String),
}

/// Parses a body that arrives in chunks of these lengths.
fn read(boundary: &Boundary, body: &[u8], lengths: impl Iterator<Item = usize>) -> Vec<Seen> {
    let mut seen = Vec::new();
    if let Err(error) = read_into(&mut seen, boundary, body, lengths) {
        seen.push(Seen::Failed(error.kind(), error.message().to_owned()));
    }
    seen
}

fn read_into(
    seen: &mut Vec<Seen>,
    boundary: &Boundary,
    mut body: &[u8],
    mut lengths: impl Iterator<Item = usize>,
) -> Result<()> {
    let mut parser = FormParser::new(boundary);
    let mut fields = FormFields::default();
    while !body.is_empty() {
        let length = lengths.next().unwrap_or(1).min(body.len());
        let (mut piece, rest) = body.split_at(length);
        body = rest;
        while let Some(event) = parser.next(&mut piece)? {
            take(seen, &mut fields, event)?;
        }
    }
    parser.finish()
}

fn take(seen: &mut Vec<Seen>, fields: &mut FormFields, event: FormEvent<'_>) -> Result<()> {
    match event {
        FormEvent::Field(field) => {
            for field in http::metadata_fields(field.clone()) {
                fields.take(&field, &Origins::default())?;
            }
            let _ = http::id_in_body(&field.value);
            seen.push(Seen::Field(field.name, field.value.to_vec()));
        }
        FormEvent::File(head) => {
            if let Some(name) = &head.file_name {
                let _ = form_file_name(name).resolve(None);
            }
            let _ = fields.for_file();
            seen.push(Seen::File(head.field, head.file_name, head.content_type));
        }
        FormEvent::Bytes(bytes) => match seen.last_mut() {
            Some(Seen::Bytes(before)) => before.extend_from_slice(bytes),
            _ => seen.push(Seen::Bytes(bytes.to_vec())),
        },
        FormEvent::FileEnd => seen.push(Seen::FileEnd),
        FormEvent::End => seen.push(Seen::End),
    }
    Ok(())
}
