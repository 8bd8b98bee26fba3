//! DeleteObject: deletes an object.

use http::Method;

use super::Action;
use crate::error::Error;
use crate::oss::{Bucket, HttpResponse, UnsignedRequest, error_response};

/// Deletes an object
/// (<https://www.alibabacloud.com/help/en/oss/developer-reference/deleteobject>).
///
/// Idempotent: OSS returns 204 for a missing object as well.
#[derive(Clone, Copy, Debug)]
pub struct DeleteObject<'a> {
    /// The object key.
    pub key: &'a str,
}

impl Action for DeleteObject<'_> {
    type Output = ();

    const NAME: &'static str = "DeleteObject";

    fn request(&self, _bucket: &Bucket) -> UnsignedRequest {
        UnsignedRequest::new(Method::DELETE, self.key)
    }

    fn parse(&self, response: &HttpResponse) -> Result<(), Error> {
        if response.is_success() {
            return Ok(());
        }
        let error = error_response::parse(response);
        match error.service().map(|store| store.code.as_str()) {
            // A gateway or an OSS-compatible server may report a missing object.
            Some("NoSuchKey") => Ok(()),
            _ => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{bucket, path_and_query, response};
    use super::*;
    use crate::error::ErrorKind;

    const DELETE: DeleteObject<'_> = DeleteObject { key: "tmp/a b" };

    #[test]
    fn the_request_deletes_the_object_by_its_key() {
        assert_eq!(path_and_query(&DELETE.request(&bucket())), "DELETE /tmp/a%20b");
    }

    #[test]
    fn a_missing_object_counts_as_deleted() {
        let missing = "<Error><Code>NoSuchKey</Code></Error>";
        assert_eq!(DELETE.parse(&response(204, &[], "")), Ok(()));
        assert_eq!(DELETE.parse(&response(404, &[], missing)), Ok(()));
    }

    #[test]
    fn a_rejection_is_an_error() {
        for (status, code, kind) in [
            (403, "AccessDenied", ErrorKind::AccessDenied),
            (404, "NoSuchBucket", ErrorKind::StoreRejected),
        ] {
            let body = format!("<Error><Code>{code}</Code></Error>");
            let error = DELETE.parse(&response(status, &[], &body)).map_err(|error| error.kind());
            assert_eq!(error, Err(kind));
        }
    }
}
