"""The older Python client, `oss2`, against the sandbox."""

import logging
import os
import tempfile

import oss2
import requests
from oss2.models import PartInfo

from checks import Checks, equal, refused
from sandbox import Keys, Sandbox

KIB = 1024


def run(checks: Checks, sandbox: Sandbox) -> None:
    logging.getLogger("oss2").setLevel(logging.CRITICAL)
    for version in ("v4", "v1"):
        Oss2Checks(checks, sandbox, version).run()


def read_error(error: Exception) -> tuple[int, str]:
    if not isinstance(error, oss2.exceptions.OssError):
        raise error
    return error.status, error.code


class Oss2Checks:
    """All checks with one signature version."""

    def __init__(self, checks: Checks, sandbox: Sandbox, version: str) -> None:
        self.sandbox = sandbox
        self.version = version
        self.bucket = self.client(sandbox.owner)
        self.name = f"oss2 with {version.upper()}"
        self.prefix = f"{sandbox.prefix}/oss2/{version}/"
        self.key = f"{self.prefix}dir 1/é&<测试>+a%20b.bin"
        self.content = os.urandom(1024 * KIB + 77)
        self.checks = checks

    def client(self, keys: Keys, **options: object) -> oss2.Bucket:
        if keys.security_token is None:
            signer = {"v1": oss2.Auth, "v4": oss2.AuthV4}[self.version]
            auth = signer(keys.access_key_id, keys.access_key_secret)
        else:
            auth = oss2.StsAuth(
                keys.access_key_id,
                keys.access_key_secret,
                keys.security_token,
                auth_version=self.version,
            )
        settings = {
            "endpoint": self.sandbox.origin,
            "bucket_name": self.sandbox.bucket,
            "region": self.sandbox.region,
        }
        return oss2.Bucket(auth, **{**settings, **options})

    def check(self, sentence: str, body) -> None:
        self.checks.run(f"{self.name} {sentence}", body)

    def refused(self, action, status: int, code: str) -> None:
        refused(action, read_error, status, code)

    def run(self) -> None:
        self.check("uploads a file in parts and gets the same bytes back", self.multipart)
        self.check("puts, gets a range, heads and deletes an object", self.small)
        self.check("resumes and sends only what is missing", self.resume)
        self.check("lists parts, uploads and objects page by page", self.lists)
        self.check("copies a range of an object into a part", self.copy)
        self.check("aborts an upload, which is then gone", self.abort)
        self.check("uploads with a temporary credential", self.temporary)
        self.check("puts and gets by presigned URL until it expires", self.presigned)
        self.check("is refused with a wrong secret or an unknown key", self.wrong_keys)
        self.check("is refused with a wrong, foreign or expired token", self.wrong_token)
        self.check("is refused when its clock is far off", self.skew)
        self.check("cannot complete what OSS would not complete", self.wrong_completions)
        if self.version == "v4":
            self.check("is refused with a region that is not the bucket's", self.region)

    def upload_parts(self, key: str, sizes: list[int]) -> tuple[str, list[PartInfo]]:
        upload_id = self.bucket.init_multipart_upload(key).upload_id
        parts = []
        for number, size in enumerate(sizes, start=1):
            sent = self.bucket.upload_part(key, upload_id, number, self.content[:size])
            parts.append(PartInfo(number, sent.etag, size=size, part_crc=sent.crc))
        return upload_id, parts

    def multipart(self) -> None:
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.content)
            file.flush()
            oss2.resumable_upload(
                self.bucket,
                self.key,
                file.name,
                store=oss2.ResumableStore(root=tempfile.mkdtemp()),
                multipart_threshold=200 * KIB,
                part_size=200 * KIB,
                num_threads=3,
            )
        equal(self.bucket.get_object(self.key).read(), self.content)
        equal(self.sandbox.stored(self.key), self.content)

    def small(self) -> None:
        key = f"{self.key}.small"
        self.bucket.put_object(key, b"0123456789", headers={"x-oss-meta-author": "me"})
        equal(self.bucket.get_object(key, byte_range=(3, 5)).read(), b"345")
        head = self.bucket.head_object(key)
        equal((head.content_length, head.headers["x-oss-meta-author"]), (10, "me"))
        self.bucket.delete_object(key)
        self.refused(lambda: self.bucket.get_object(key), 404, "NoSuchKey")
        equal(self.bucket.object_exists(key), False)

    def resume(self) -> None:
        key = f"{self.key}.resumed"
        store = oss2.ResumableStore(root=tempfile.mkdtemp())

        def upload(path: str) -> None:
            oss2.resumable_upload(
                self.bucket,
                key,
                path,
                store=store,
                multipart_threshold=200 * KIB,
                part_size=200 * KIB,
                num_threads=1,
            )

        with tempfile.NamedTemporaryFile() as file:
            file.write(self.content)
            file.flush()
            fault = {"operation": "UploadPart", "part": 4, "kind": "access-denied"}
            with self.sandbox.fault(**fault):
                self.refused(lambda: upload(file.name), 403, "AccessDenied")
            self.sandbox.reset_counts()
            upload(file.name)
        equal(self.sandbox.parts_sent(), [4, 5, 6])
        equal(self.sandbox.stored(key), self.content)

    def lists(self) -> None:
        key = f"{self.key}.listed"
        upload_id, _parts = self.upload_parts(key, [102400] * 3)
        page = self.bucket.list_parts(key, upload_id, max_parts=2)
        equal([part.part_number for part in page.parts], [1, 2])
        equal(page.is_truncated, True)
        rest = self.bucket.list_parts(key, upload_id, marker=page.next_marker)
        equal([(part.part_number, part.size) for part in rest.parts], [(3, 102400)])
        uploads = self.bucket.list_multipart_uploads(prefix=key).upload_list
        equal([(upload.key, upload.upload_id) for upload in uploads], [(key, upload_id)])
        prefix = self.prefix
        self.bucket.put_object(f"{prefix}other", b"x")
        names = [found.key for found in oss2.ObjectIterator(self.bucket, prefix, "/", max_keys=1)]
        equal(names, [f"{prefix}dir 1/", f"{prefix}other"])
        names = [found.key for found in oss2.ObjectIteratorV2(self.bucket, prefix, max_keys=1)]
        equal(f"{prefix}other" in names and self.key in names, True)

    def copy(self) -> None:
        key = f"{self.key}.copy"
        upload_id = self.bucket.init_multipart_upload(key).upload_id
        name = self.sandbox.bucket
        sent = self.bucket.upload_part_copy(name, self.key, (10, 1009), key, upload_id, 1)
        self.bucket.complete_multipart_upload(key, upload_id, [PartInfo(1, sent.etag)])
        equal(self.sandbox.stored(key), self.content[10:1010])

    def abort(self) -> None:
        key = f"{self.key}.aborted"
        upload_id, parts = self.upload_parts(key, [1000])
        self.bucket.abort_multipart_upload(key, upload_id)
        gone = (404, "NoSuchUpload")
        self.refused(lambda: self.bucket.list_parts(key, upload_id), *gone)
        self.refused(lambda: self.bucket.upload_part(key, upload_id, 1, b"x"), *gone)
        self.refused(lambda: self.bucket.abort_multipart_upload(key, upload_id), *gone)
        self.refused(
            lambda: self.bucket.complete_multipart_upload(key, upload_id, parts), *gone
        )

    def temporary(self) -> None:
        bucket = self.client(self.sandbox.temporary_keys(3600))
        bucket.put_object(f"{self.key}.sts", self.content)
        equal(bucket.get_object(f"{self.key}.sts").read(), self.content)

    def presigned(self) -> None:
        bucket = self.client(self.sandbox.temporary_keys(3600))
        key = f"{self.key}.presigned"
        put = bucket.sign_url("PUT", key, 60, slash_safe=True)
        equal(requests.put(put, data=b"signed", timeout=10).status_code, 200)
        get = bucket.sign_url("GET", key, 60)
        equal(requests.get(get, timeout=10).content, b"signed")
        with self.sandbox.clock_ahead(61_000):
            equal(requests.get(get, timeout=10).status_code, 403)

    def wrong_keys(self) -> None:
        owner = self.sandbox.owner
        wrong = self.client(Keys(owner.access_key_id, "wrong"))
        self.refused(lambda: wrong.put_object("x", b""), 403, "SignatureDoesNotMatch")
        unknown = self.client(Keys("unknown", owner.access_key_secret))
        self.refused(lambda: unknown.put_object("x", b""), 403, "InvalidAccessKeyId")

    def wrong_token(self) -> None:
        one, other = self.sandbox.temporary_keys(60), self.sandbox.temporary_keys(60)

        def put(token: str | None) -> None:
            keys = Keys(one.access_key_id, one.access_key_secret, token)
            self.client(keys).put_object("x", b"")

        foreign = (403, "AccessKeyIdAndSecurityTokenNotMatch")
        self.refused(lambda: put(other.security_token), *foreign)
        self.refused(lambda: put("forged"), 403, "InvalidSecurityToken")
        self.refused(lambda: put(None), 403, "InvalidAccessKeyId")
        expired = self.client(self.sandbox.temporary_keys(-1))
        self.refused(lambda: expired.put_object("x", b""), 403, "SecurityTokenExpired")

    def skew(self) -> None:
        with self.sandbox.clock_ahead(16 * 60_000):
            put = lambda: self.bucket.put_object("x", b"")  # noqa: E731
            self.refused(put, 403, "RequestTimeTooSkewed")

    def wrong_completions(self) -> None:
        key = f"{self.key}.refused"
        upload_id, (large, small, last) = self.upload_parts(key, [102400, 102399, 1])

        def complete(*parts: PartInfo) -> None:
            self.bucket.complete_multipart_upload(key, upload_id, list(parts))

        wrong = PartInfo(1, last.etag)
        # The client sorts its list and keeps duplicates.
        self.refused(lambda: complete(large, large), 400, "InvalidPartOrder")
        self.refused(lambda: complete(wrong, last), 400, "InvalidPart")
        self.refused(lambda: complete(large, PartInfo(9, last.etag)), 400, "InvalidPart")
        self.refused(lambda: complete(large, small, last), 400, "EntityTooSmall")
        self.refused(lambda: complete(), 400, "MalformedXML")
        complete(large, last)
        equal(len(self.sandbox.stored(key)), 102401)
        self.refused(lambda: complete(large, last), 404, "NoSuchUpload")

    def region(self) -> None:
        bucket = self.client(self.sandbox.owner, region="cn-beijing")
        self.refused(lambda: bucket.put_object("x", b""), 400, "InvalidArgument")
