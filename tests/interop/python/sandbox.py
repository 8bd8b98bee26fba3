"""The control requests of the sandbox that these scripts use."""

import json
import secrets
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Keys:
    access_key_id: str
    access_key_secret: str
    security_token: str | None = None


class Sandbox:
    """The sandbox at an origin such as http://127.0.0.1:9000."""

    def __init__(self, origin: str, access_key_secret: str) -> None:
        self.origin = origin
        self.port = urllib.parse.urlsplit(origin).port
        config = json.loads(self.call("GET", "config"))
        self.bucket: str = config["buckets"][0]
        self.region: str = config["region"]
        self.owner = Keys(config["access_key_id"], access_key_secret)
        # Several runs may share a sandbox, each with a separate prefix.
        self.prefix = f"python/{secrets.token_hex(4)}"
        self._token_life_secs: int = config["token_life_secs"]

    def call(self, method: str, path: str, body: object = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.origin}/_sandbox/{path}", data=data, method=method
        )
        with urllib.request.urlopen(request) as reply:
            return reply.read()

    def stored(self, key: str) -> bytes:
        """The stored bytes of an object."""
        return self.call("GET", f"objects/{self.bucket}/{urllib.parse.quote(key)}")

    def parts_sent(self) -> list[int]:
        """The numbers of the parts sent since the counts were reset."""
        counts = json.loads(self.call("GET", "requests"))["operations"]
        by_part = counts.get("UploadPart", {}).get("by_part", {})
        return sorted(int(number) for number in by_part)

    def reset_counts(self) -> None:
        self.call("POST", "requests/reset")

    def temporary_keys(self, ttl_secs: int) -> Keys:
        """A temporary credential without restrictions that expires after this many seconds."""
        self.call("POST", "token-life", {"secs": ttl_secs})
        try:
            issued = json.loads(self.call("POST", "sts"))
        finally:
            self.call("POST", "token-life", {"secs": self._token_life_secs})
        return Keys(
            issued["AccessKeyId"], issued["AccessKeySecret"], issued["SecurityToken"]
        )

    @contextmanager
    def fault(self, **fault: object) -> Iterator[None]:
        """Injects a fault for the duration of a `with` block."""
        self.call("POST", "faults", fault)
        try:
            yield
        finally:
            self.call("DELETE", "faults")

    @contextmanager
    def clock_ahead(self, offset_ms: int) -> Iterator[None]:
        """Shifts the sandbox's clock for the duration of a `with` block."""
        self.call("POST", "clock", {"offset_ms": offset_ms})
        try:
            yield
        finally:
            self.call("POST", "clock", {"offset_ms": 0})

    @contextmanager
    def bound(self, host: str) -> Iterator[None]:
        """Binds a host name to the bucket for the duration of a `with` block."""
        self.call("POST", "cname", {"host": host, "bucket": self.bucket})
        try:
            yield
        finally:
            self.call("POST", "cname", {"host": host})
