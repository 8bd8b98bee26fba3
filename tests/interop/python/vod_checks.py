"""The RPC client `aliyun-python-sdk-core` against the VOD API of the sandbox."""

import base64
import json

import oss2
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.auth.credentials import AccessKeyCredential, StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest

from checks import Checks, equal, refused
from sandbox import Keys, Sandbox


def run(checks: Checks, sandbox: Sandbox) -> None:
    VodChecks(checks, sandbox).run()


def read_error(error: Exception) -> tuple[int, str]:
    if not isinstance(error, ServerException):
        raise error
    return error.http_status, error.error_code


class VodChecks:
    """Calls of VOD, and uploads with what they return."""

    def __init__(self, checks: Checks, sandbox: Sandbox) -> None:
        self.checks = checks
        self.sandbox = sandbox

    def check(self, sentence: str, body) -> None:
        self.checks.run(f"aliyun-python-sdk-core {sentence}", body)

    def run(self) -> None:
        self.check("creates a video, uploads it and refreshes its credential", self.video)
        self.check("calls by POST and with a temporary credential", self.other_ways)
        self.check("creates images and attached media", self.other_media)
        self.check("is refused what VOD refuses", self.refusals)

    def call(self, action: str, method: str = "GET", keys: Keys | None = None, **parameters: str):
        keys = keys or self.sandbox.owner
        if keys.security_token is None:
            credential = AccessKeyCredential(keys.access_key_id, keys.access_key_secret)
        else:
            credential = StsTokenCredential(
                keys.access_key_id, keys.access_key_secret, keys.security_token
            )
        client = AcsClient(
            region_id=self.sandbox.region,
            credential=credential,
            auto_retry=False,
            port=self.sandbox.port,
        )
        request = CommonRequest(domain="127.0.0.1", version="2017-03-21", action_name=action)
        request.set_protocol_type("http")
        request.set_method(method)
        request.set_accept_format("JSON")
        for name, value in parameters.items():
            if method == "GET":
                request.add_query_param(name, value)
            else:
                request.add_body_params(name, value)
        return json.loads(client.do_action_with_exception(request))

    def bucket(self, reply: dict) -> tuple[oss2.Bucket, str]:
        """The bucket and key that a credential is for."""
        address = json.loads(base64.b64decode(reply["UploadAddress"]))
        auth = json.loads(base64.b64decode(reply["UploadAuth"]))
        signer = oss2.StsAuth(
            auth["AccessKeyId"],
            auth["AccessKeySecret"],
            auth["SecurityToken"],
            auth_version="v4",
        )
        # This RPC client omits the port in Host, from which the sandbox derives the upload address.
        endpoint = self.sandbox.origin
        bucket = oss2.Bucket(signer, endpoint, address["Bucket"], region=auth["Region"])
        return bucket, address["FileName"]

    def video(self) -> None:
        created = self.call("CreateUploadVideo", Title="片名 (1)*", FileName="a b.MP4")
        bucket, key = self.bucket(created)
        bucket.put_object(key, b"film")
        equal(self.sandbox.stored(key), b"film")
        try:
            bucket.put_object("another-object", b"film")
        except oss2.exceptions.OssError as error:
            equal((error.status, error.code), (403, "AccessDenied"))
        else:
            raise AssertionError("the credential wrote another object")
        refreshed = self.call("RefreshUploadVideo", VideoId=created["VideoId"])
        equal(refreshed["VideoId"], created["VideoId"])
        bucket, same_key = self.bucket(refreshed)
        equal(same_key, key)
        bucket.put_object(key, b"other")
        equal(self.sandbox.stored(key), b"other")

    def other_ways(self) -> None:
        posted = self.call("CreateUploadVideo", "POST", Title="t~!", FileName="é +.mp4")
        equal(len(posted["VideoId"]), 32)
        keys = self.sandbox.temporary_keys(60)
        created = self.call("CreateUploadVideo", keys=keys, Title="t", FileName="a.mp4")
        equal(len(created["VideoId"]), 32)

    def other_media(self) -> None:
        image = self.call("CreateUploadImage", ImageType="cover", ImageExt="jpg")
        bucket, key = self.bucket(image)
        bucket.put_object(key, b"an image")
        equal(self.sandbox.stored(key), b"an image")
        refresh = lambda: self.call("RefreshUploadVideo", VideoId=image["ImageId"])  # noqa: E731
        refused(refresh, read_error, 404, "InvalidVideo.NotFound")
        media = {"BusinessType": "subtitle", "MediaExt": "srt"}
        attached = self.call("CreateUploadAttachedMedia", **media)
        equal(len(attached["MediaId"]), 32)

    def refusals(self) -> None:
        owner = self.sandbox.owner
        video = {"Title": "t", "FileName": "a.mp4"}

        def create(keys: Keys | None = None, **changes: str):
            return lambda: self.call("CreateUploadVideo", keys=keys, **{**video, **changes})

        def is_refused(action, status: int, code: str) -> None:
            refused(action, read_error, status, code)

        wrong = Keys(owner.access_key_id, "wrong")
        is_refused(create(wrong), 400, "SignatureDoesNotMatch")
        unknown = Keys("unknown", "wrong")
        is_refused(create(unknown), 404, "InvalidAccessKeyId.NotFound")
        expired = self.sandbox.temporary_keys(-1)
        is_refused(create(expired), 403, "InvalidSecurityToken.Expired")
        is_refused(create(FileName="no-extension"), 400, "InvalidParameter")
        is_refused(create(Title="t" * 129), 400, "InvalidParameter")
        is_refused(lambda: self.call("NoSuchAction"), 404, "InvalidAction.NotFound")
        with self.sandbox.clock_ahead(16 * 60_000):
            is_refused(create(), 400, "InvalidTimeStamp.Expired")
