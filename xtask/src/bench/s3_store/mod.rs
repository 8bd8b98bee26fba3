//! A store that speaks as much of S3 as `@tus/s3-store` needs, keeps no part, and counts.
//!
//! Objects that are put whole are kept in memory, because the server reads them back. No signature
//! is checked: this is a yardstick and no test of the server.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>

mod objects;
mod operation;
mod reply;

use std::io::{self, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use self::objects::Objects;
use self::operation::Operation;
use super::listener::{Listener, lock};
use super::request::{self, Head};
use super::store_requests::StoreRequests;
use crate::command_error::CommandError;

/// A running store on a free port. It stops taking connections when dropped.
#[derive(Debug)]
pub(super) struct S3Store {
    listener: Listener,
    state: Arc<ServerState>,
}

#[derive(Debug, Default)]
struct ServerState {
    objects: Mutex<Objects>,
    requests: Mutex<StoreRequests>,
}

impl S3Store {
    /// Starts it.
    pub(super) fn start() -> Result<Self, CommandError> {
        let state = Arc::default();
        let listener = Listener::start("the S3 store", &state, serve)?;
        Ok(Self { listener, state })
    }

    /// Where it listens.
    pub(super) const fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// What it was asked for.
    pub(super) fn requests(&self) -> StoreRequests {
        *lock(&self.state.requests)
    }

    /// Counts from zero.
    pub(super) fn reset_requests(&self) {
        *lock(&self.state.requests) = StoreRequests::default();
    }
}

/// Answers requests until the connection ends.
fn serve(mut stream: BufReader<TcpStream>, state: &ServerState) -> io::Result<()> {
    while let Some(head) = Head::read(&mut stream)? {
        let operation = Operation::identify(&head);
        let body = match operation {
            Operation::PutObject => request::read_body(&mut stream, &head)?,
            // No request asks for these bytes again.
            _ => request::discard_body(&mut stream, &head).map(|()| Vec::new())?,
        };
        lock(&state.requests).count(&format!("{operation:?}"), 1, head.content_length);
        let reply = lock(&state.objects).answer(operation, &head, body);
        reply.write(stream.get_mut(), head.method == "HEAD")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use std::io::{Read as _, Write as _};

    use super::*;

    /// Sends a request on a new connection and returns the entire response.
    fn exchange(store: &S3Store, method: &str, target: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(store.address()).unwrap();
        let length = body.len();
        let meta = "x-amz-meta-upload-id: 7";
        write!(stream, "{method} {target} HTTP/1.1\r\ncontent-length: {length}\r\n{meta}\r\n\r\n")
            .unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn an_object_can_be_read_back_with_its_metadata_until_it_is_deleted() {
        let store = S3Store::start().unwrap();
        exchange(&store, "PUT", "/bench/a.info?x-id=PutObject", "hello");
        let found = exchange(&store, "GET", "/bench/a.info?x-id=GetObject", "");
        assert!(found.starts_with("HTTP/1.1 200 ") && found.ends_with("\r\n\r\nhello"), "{found}");
        assert!(found.contains("x-amz-meta-upload-id: 7\r\n"), "{found}");
        let head = exchange(&store, "HEAD", "/bench/a.info", "");
        assert!(head.contains("content-length: 5\r\n") && head.ends_with("\r\n\r\n"), "{head}");
        exchange(&store, "DELETE", "/bench/a.info?x-id=DeleteObject", "");
        let gone = exchange(&store, "GET", "/bench/a.info?x-id=GetObject", "");
        assert!(gone.starts_with("HTTP/1.1 404 ") && gone.contains("NoSuchKey"), "{gone}");
        let expected = StoreRequests {
            put: 1,
            get: 2,
            head: 1,
            delete: 1,
            written_bytes: 5,
            ..StoreRequests::default()
        };
        assert_eq!(store.requests(), expected);
    }

    #[test]
    fn parts_are_listed_with_their_sizes_until_the_upload_is_complete() {
        let store = S3Store::start().unwrap();
        let created = exchange(&store, "POST", "/bench/a?uploads", "");
        assert!(created.contains("<UploadId>1</UploadId>"), "{created}");
        for (number, body) in [(2, "12345"), (1, "123")] {
            let target = format!("/bench/a?partNumber={number}&uploadId=1&x-id=UploadPart");
            let stored = exchange(&store, "PUT", &target, body);
            assert!(stored.contains("etag: "), "{stored}");
        }
        let listed = exchange(&store, "GET", "/bench/a?uploadId=1", "");
        let first = listed.find("<PartNumber>1</PartNumber>").unwrap();
        let second = listed.find("<PartNumber>2</PartNumber>").unwrap();
        assert!(first < second && listed[first..second].contains("<Size>3</Size>"), "{listed}");
        let rest = exchange(&store, "GET", "/bench/a?part-number-marker=1&uploadId=1", "");
        assert!(!rest.contains("<PartNumber>1<") && rest.contains("<Size>5</Size>"), "{rest}");
        exchange(&store, "POST", "/bench/a?uploadId=1", "<CompleteMultipartUpload/>");
        let gone = exchange(&store, "GET", "/bench/a?uploadId=1", "");
        assert!(gone.starts_with("HTTP/1.1 404 ") && gone.contains("NoSuchUpload"), "{gone}");
        store.reset_requests();
        assert_eq!(store.requests(), StoreRequests::default());
    }
}
