"""The newer Python client, `alibabacloud-oss-v2`, against the sandbox."""

import datetime
import os
import tempfile

import alibabacloud_oss_v2 as oss
import requests

from checks import Checks, equal, refused
from sandbox import Keys, Sandbox

KIB = 1024


def run(checks: Checks, sandbox: Sandbox) -> None:
    for version in ("v4", "v1"):
        OssV2Checks(checks, sandbox, version).run()


def read_error(error: Exception) -> tuple[int, str]:
    while hasattr(error, "unwrap"):
        error = error.unwrap()
    if not isinstance(error, oss.exceptions.ServiceError):
        raise error
    return error.status_code, error.code


class OssV2Checks:
    """All checks with one signature version."""

    def __init__(self, checks: Checks, sandbox: Sandbox, version: str) -> None:
        self.sandbox = sandbox
        self.version = version
        self.bucket = sandbox.bucket
        self.client = self.new_client(sandbox.owner)
        self.name = f"alibabacloud-oss-v2 with {version.upper()}"
        self.prefix = f"{sandbox.prefix}/oss-v2/{version}/"
        self.key = f"{self.prefix}dir 1/é&<测试>+a%20b.bin"
        self.content = os.urandom(1024 * KIB + 77)
        self.checks = checks

    def new_client(self, keys: Keys, **options: object) -> oss.Client:
        config = oss.config.load_default()
        config.credentials_provider = oss.credentials.StaticCredentialsProvider(
            keys.access_key_id, keys.access_key_secret, keys.security_token
        )
        config.endpoint = self.sandbox.origin
        config.region = self.sandbox.region
        config.signature_version = self.version
        # A rejection must be reported, not retried.
        config.retry_max_attempts = 1
        for name, value in options.items():
            setattr(config, name, value)
        return oss.Client(config)

    def check(self, sentence: str, body) -> None:
        self.checks.run(f"{self.name} {sentence}", body)

    def refused(self, action, status: int, code: str) -> None:
        refused(action, read_error, status, code)

    def run(self) -> None:
        self.check("uploads a file in parts and gets the same bytes back", self.multipart)
        self.check("resumes from its checkpoint file and sends only what is missing", self.resume)
        self.check("lists parts page by page", self.lists)
        self.check(
            "completes all parts by header, and overwrites only if allowed", self.complete_all
        )
        self.check("aborts an upload, which is then gone", self.abort)
        self.check("puts and gets by presigned URL with a temporary credential", self.presigned)
        self.check("uploads to a bound domain", self.bound_domain)
        self.check("is refused when its clock is far off", self.skew)
        self.check("repeats after one error of the server", self.repeats)
        self.check("notices a wrong CRC", self.wrong_crc)
        self.check("is refused with a wrong secret", self.wrong_secret)
        if self.version == "v1":
            # OSS does not document the header `security-token`, in which this client sends it.
            print("skipped: V1 with wrong tokens: this client does not send x-oss-security-token")
        else:
            self.check("is refused with wrong tokens and a wrong region", self.wrong_tokens)
        self.check("cannot complete what OSS would not complete", self.wrong_completions)

    def upload_file(self, key: str, parallel: int, directory: str | None = None) -> None:
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.content)
            file.flush()
            # The checkpoint is bound to the path and time of the file.
            path = file.name if directory is None else os.path.join(directory, "source")
            if directory is not None and not os.path.exists(path):
                with open(path, "wb") as source:
                    source.write(self.content)
            self.client.uploader(
                part_size=200 * KIB,
                parallel_num=parallel,
                enable_checkpoint=directory is not None,
                checkpoint_dir=directory,
                leave_parts_on_error=directory is not None,
            ).upload_file(oss.PutObjectRequest(self.bucket, key), filepath=path)

    def multipart(self) -> None:
        self.upload_file(self.key, parallel=3)
        result = self.client.get_object(oss.GetObjectRequest(self.bucket, self.key))
        equal(result.body.read(), self.content)
        equal(self.sandbox.stored(self.key), self.content)

    def resume(self) -> None:
        key = f"{self.key}.resumed"
        directory = tempfile.mkdtemp()
        fault = {"operation": "UploadPart", "part": 4, "kind": "access-denied"}
        with self.sandbox.fault(**fault):
            self.refused(lambda: self.upload_file(key, 1, directory), 403, "AccessDenied")
        self.sandbox.reset_counts()
        self.upload_file(key, 1, directory)
        equal(self.sandbox.parts_sent(), [4, 5, 6])
        equal(self.sandbox.stored(key), self.content)

    def start(self, key: str, sizes: list[int]) -> tuple[str, list[oss.UploadPart]]:
        request = oss.InitiateMultipartUploadRequest(self.bucket, key)
        upload_id = self.client.initiate_multipart_upload(request).upload_id
        parts = []
        for number, size in enumerate(sizes, start=1):
            sent = self.client.upload_part(
                oss.UploadPartRequest(
                    self.bucket,
                    key,
                    part_number=number,
                    upload_id=upload_id,
                    body=self.content[:size],
                )
            )
            parts.append(oss.UploadPart(part_number=number, etag=sent.etag))
        return upload_id, parts

    def complete(self, key: str, upload_id: str, parts: list[oss.UploadPart]) -> None:
        self.client.complete_multipart_upload(
            oss.CompleteMultipartUploadRequest(
                self.bucket,
                key,
                upload_id=upload_id,
                complete_multipart_upload=oss.CompleteMultipartUpload(parts=parts),
            )
        )

    def lists(self) -> None:
        key = f"{self.key}.listed"
        upload_id, _parts = self.start(key, [102400] * 3)
        pages = self.client.list_parts_paginator(limit=2).iter_page(
            oss.ListPartsRequest(self.bucket, key, upload_id)
        )
        numbers = [[part.part_number for part in page.parts] for page in pages]
        equal(numbers, [[1, 2], [3]])
        names = self.client.list_objects_v2_paginator(limit=1).iter_page(
            oss.ListObjectsV2Request(self.bucket, prefix=self.prefix)
        )
        equal(self.key in [page.contents[0].key for page in names], True)

    def complete_all(self) -> None:
        key = f"{self.key}.all"
        upload_id, _parts = self.start(key, [102400, 5])
        request = oss.CompleteMultipartUploadRequest(
            self.bucket, key, upload_id=upload_id, complete_all="yes"
        )
        self.client.complete_multipart_upload(request)
        equal(len(self.sandbox.stored(key)), 102405)
        again = oss.PutObjectRequest(self.bucket, key, body=b"x", forbid_overwrite=True)
        self.refused(lambda: self.client.put_object(again), 409, "FileAlreadyExists")

    def abort(self) -> None:
        key = f"{self.key}.aborted"
        upload_id, parts = self.start(key, [10])
        request = oss.AbortMultipartUploadRequest(self.bucket, key, upload_id=upload_id)
        self.client.abort_multipart_upload(request)
        gone = (404, "NoSuchUpload")
        self.refused(lambda: self.client.abort_multipart_upload(request), *gone)
        self.refused(lambda: self.complete(key, upload_id, parts), *gone)

    def presigned(self) -> None:
        client = self.new_client(self.sandbox.temporary_keys(3600))
        key = f"{self.key}.presigned"
        ttl = datetime.timedelta(seconds=60)
        put = client.presign(oss.PutObjectRequest(self.bucket, key), expires=ttl)
        sent = requests.put(put.url, data=b"signed", headers=put.signed_headers, timeout=10)
        equal(sent.status_code, 200)
        get = client.presign(oss.GetObjectRequest(self.bucket, key), expires=ttl)
        equal(requests.get(get.url, timeout=10).content, b"signed")

    def bound_domain(self) -> None:
        with self.sandbox.bound("localhost"):
            endpoint = f"http://localhost:{self.sandbox.port}"
            client = self.new_client(self.sandbox.owner, endpoint=endpoint, use_cname=True)
            request = oss.PutObjectRequest(self.bucket, "by-cname-v2", body=self.content)
            client.put_object(request)
        equal(self.sandbox.stored("by-cname-v2"), self.content)

    def skew(self) -> None:
        request = oss.PutObjectRequest(self.bucket, "x", body=b"x")
        with self.sandbox.clock_ahead(16 * 60_000):
            self.refused(lambda: self.client.put_object(request), 403, "RequestTimeTooSkewed")

    def repeats(self) -> None:
        client = self.new_client(self.sandbox.owner, retry_max_attempts=2)
        request = oss.PutObjectRequest(self.bucket, f"{self.key}.repeated", body=b"again")
        for kind in ("skewed", "reset-mid-body", "commit-then-reset", "truncated-reply"):
            with self.sandbox.fault(operation="PutObject", kind=kind):
                client.put_object(request)
                equal(self.sandbox.stored(f"{self.key}.repeated"), b"again")

    def wrong_crc(self) -> None:
        request = oss.PutObjectRequest(self.bucket, "x", body=b"some bytes")
        with self.sandbox.fault(operation="PutObject", kind="wrong-crc"):
            try:
                self.client.put_object(request)
            except Exception as error:
                equal("crc is inconsistent" in str(error), True)
            else:
                raise AssertionError("the client did not notice")

    def wrong_secret(self) -> None:
        wrong = Keys(self.sandbox.owner.access_key_id, "wrong")
        self.refused(lambda: self.put(wrong), 403, "SignatureDoesNotMatch")

    def wrong_tokens(self) -> None:
        expired = self.sandbox.temporary_keys(-1)
        self.refused(lambda: self.put(expired), 403, "SecurityTokenExpired")
        one, other = self.sandbox.temporary_keys(60), self.sandbox.temporary_keys(60)
        mixed = Keys(one.access_key_id, one.access_key_secret, other.security_token)
        self.refused(lambda: self.put(mixed), 403, "AccessKeyIdAndSecurityTokenNotMatch")
        elsewhere = {"region": "cn-beijing"}
        self.refused(lambda: self.put(self.sandbox.owner, **elsewhere), 400, "InvalidArgument")

    def put(self, keys: Keys, **options: object) -> None:
        request = oss.PutObjectRequest(self.bucket, "x", body=b"x")
        self.new_client(keys, **options).put_object(request)

    def wrong_completions(self) -> None:
        key = f"{self.key}.refused"
        upload_id, (large, small, last) = self.start(key, [102400, 102399, 1])

        def complete(*parts: oss.UploadPart) -> None:
            self.complete(key, upload_id, list(parts))

        wrong = oss.UploadPart(part_number=1, etag=last.etag)
        self.refused(lambda: complete(wrong, last), 400, "InvalidPart")
        self.refused(lambda: complete(large, small, last), 400, "EntityTooSmall")
        self.refused(lambda: complete(last, large), 400, "InvalidPartOrder")
        complete(large, last)
        equal(len(self.sandbox.stored(key)), 102401)
        self.refused(lambda: complete(large, last), 404, "NoSuchUpload")
