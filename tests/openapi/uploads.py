"""Uploads at the worker that requests are sent to."""

import http.client
import urllib.parse

CONTENT = b"0123456789"
"""The complete content of each upload."""

METADATA = "filename ZmlsbS5tcDQ="
"""The metadata of film.mp4."""

TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = {**TUS, "Content-Type": "application/offset+octet-stream"}


class Uploads:
    """Creates uploads at the worker of an origin such as http://127.0.0.1:3000."""

    def __init__(self, origin: str) -> None:
        self._address = urllib.parse.urlsplit(origin).netloc
        self.known: set[str] = set()
        """The IDs of all uploads created here."""

    def receiving(self) -> str:
        """An upload that has no bytes yet."""
        return self._created(
            {"Upload-Length": str(len(CONTENT)), "Upload-Metadata": METADATA}
        )

    def of_unknown_length(self) -> str:
        return self._created({"Upload-Defer-Length": "1", "Upload-Metadata": METADATA})

    def half_way(self) -> str:
        upload = self.receiving()
        self._append(upload, CONTENT[:5])
        return upload

    def paused(self) -> str:
        upload = self.half_way()
        self._expect(200, "POST", f"/v1/files/{upload}/pause")
        return upload

    def completed(self) -> str:
        upload = self.receiving()
        self._append(upload, CONTENT)
        return upload

    def aborted(self) -> str:
        upload = self.half_way()
        self._expect(204, "DELETE", f"/v1/files/{upload}", TUS)
        return upload

    def partial(self) -> str:
        """A complete partial upload."""
        upload = self._created(
            {"Upload-Length": str(len(CONTENT)), "Upload-Concat": "partial"}
        )
        self._append(upload, CONTENT)
        return upload

    def waiting(self) -> str:
        """A final upload, one of whose partial uploads is incomplete."""
        part = self._created(
            {"Upload-Length": str(len(CONTENT)), "Upload-Concat": "partial"}
        )
        return self._created(
            {"Upload-Concat": f"final;/v1/files/{part}", "Upload-Metadata": METADATA}
        )

    def filepond(self) -> str:
        """A chunked FilePond file without a chunk."""
        headers = {"Upload-Length": str(len(CONTENT)), "Content-Length": "0"}
        location = self._expect(201, "POST", "/v1/filepond", headers).headers[
            "Location"
        ]
        return self._remember(location)

    def _created(self, headers: dict[str, str]) -> str:
        answer = self._expect(
            201, "POST", "/v1/files", {**TUS, "Content-Length": "0", **headers}
        )
        return self._remember(answer.headers["Location"])

    def _append(self, upload: str, content: bytes) -> None:
        headers = {**CHUNK, "Upload-Offset": "0"}
        self._expect(204, "PATCH", f"/v1/files/{upload}", headers, content)

    def _remember(self, location: str) -> str:
        upload = location.rsplit("/", 1)[1]
        self.known.add(upload)
        return upload

    def _expect(
        self,
        status: int,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self._address, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != status:
            raise RuntimeError(
                f"{method} {path} was answered with {answer.status}: {text!r:.300}"
            )
        return answer
