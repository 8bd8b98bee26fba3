"""Requests of real clients, which random generation is unlikely to produce."""

import base64
import hashlib
from collections.abc import Callable

from schemathesis import Case
from schemathesis.core import NOT_SET

from uploads import CONTENT, METADATA, Uploads

Scenario = Callable[[Case, Uploads], None]

LENGTH = str(len(CONTENT))
BOUNDARY = "a-boundary-of-a-form"
DRAFTS = ("3", "4", "5", "6", "8")


def sent(
    case: Case,
    headers: dict[str, str],
    media_type: str | None = None,
    body: bytes | None = None,
) -> None:
    """Replaces the headers and the body of `case`."""
    case.headers.clear()
    case.headers.update(headers)
    case.cookies.clear()
    case.media_type = media_type
    case.body = NOT_SET if body is None else body
    if media_type is not None:
        case.headers["Content-Type"] = media_type


def tus(case: Case, headers: dict[str, str], body: bytes | None = None) -> None:
    media_type = None if body is None else "application/offset+octet-stream"
    sent(case, {"Tus-Resumable": "1.0.0", **headers}, media_type, body)


def draft(
    case: Case, version: str, complete: bool, headers: dict[str, str], body: bytes
) -> None:
    """A request of the IETF draft with the headers of its interop version."""
    name = "Upload-Incomplete" if version == "3" else "Upload-Complete"
    said = "?1" if complete != (version == "3") else "?0"
    media_type = (
        "application/partial-upload"
        if case.method == "PATCH"
        else "application/octet-stream"
    )
    sent(
        case,
        {"Upload-Draft-Interop-Version": version, name: said, **headers},
        media_type,
        body,
    )


def form(case: Case, *parts: tuple[str, str], accept: str = "application/json") -> None:
    """A form. A part consists of the parameters after `form-data`, and its content."""
    lines = [
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n"
        for head, text in parts
    ]
    body = "".join(lines) + f"--{BOUNDARY}--\r\n"
    sent(case, {"Accept": accept}, "multipart/form-data", body.encode())
    case.headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"


FILE = ('name="film"; filename="film.mp4"', "0123456789")
EMPTY_FILE = ('name="film"; filename="film.mp4"', "")
REDIRECT = ('name="redirect"', "https://www.example.com/thanks")


def to(upload: str, case: Case) -> None:
    """Directs the request to an upload."""
    if "id" in case.path_parameters:
        case.path_parameters["id"] = upload
    else:
        case.query["patch"] = upload


def tus_final(case: Case, uploads: Uploads) -> None:
    addresses = f"/v1/files/{uploads.partial()} /v1/files/{uploads.partial()}"
    tus(case, {"Upload-Concat": f"final;{addresses}", "Upload-Metadata": METADATA})


def tus_chunk(case: Case, uploads: Uploads) -> None:
    to(uploads.half_way(), case)
    tus(case, {"Upload-Offset": "5"}, CONTENT[5:])


def tus_chunk_with_checksum(case: Case, uploads: Uploads) -> None:
    to(uploads.half_way(), case)
    digest = base64.b64encode(hashlib.sha1(CONTENT[5:]).digest()).decode()
    tus(case, {"Upload-Offset": "5", "Upload-Checksum": f"sha1 {digest}"}, CONTENT[5:])


def tus_chunk_with_wrong_checksum(case: Case, uploads: Uploads) -> None:
    to(uploads.half_way(), case)
    digest = base64.b64encode(hashlib.sha1(CONTENT).digest()).decode()
    tus(case, {"Upload-Offset": "5", "Upload-Checksum": f"sha1 {digest}"}, CONTENT[5:])


def tus_chunk_with_the_length(case: Case, uploads: Uploads) -> None:
    to(uploads.of_unknown_length(), case)
    tus(case, {"Upload-Offset": "0", "Upload-Length": LENGTH}, CONTENT)


def tus_chunk_elsewhere(case: Case, uploads: Uploads) -> None:
    to(uploads.half_way(), case)
    tus(case, {"Upload-Offset": "7"}, CONTENT[7:])


def tus_chunk_while_paused(case: Case, uploads: Uploads) -> None:
    to(uploads.paused(), case)
    tus(case, {"Upload-Offset": "5"}, CONTENT[5:])


def tus_chunk_for_an_upload_of_others(case: Case, uploads: Uploads) -> None:
    to(uploads.waiting(), case)
    tus(case, {"Upload-Offset": "0"}, CONTENT)


def filepond_chunk(case: Case, uploads: Uploads) -> None:
    to(uploads.filepond(), case)
    headers = {"Upload-Offset": "0", "Upload-Length": LENGTH, "Upload-Name": "film.mp4"}
    sent(case, headers, "application/offset+octet-stream", CONTENT)


def filepond_offset(case: Case, uploads: Uploads) -> None:
    to(uploads.filepond(), case)
    sent(case, {})


def filepond_revert(case: Case, uploads: Uploads) -> None:
    upload = uploads.filepond()
    if "id" in case.path_parameters:
        to(upload, case)
    sent(case, {}, "text/plain", upload.encode())


def renewed_token(case: Case, uploads: Uploads) -> None:
    to(uploads.half_way(), case)
    token = b'{"AccessKeyId": "STS.id", "AccessKeySecret": "secret", "SecurityToken": "token"}'
    sent(case, {}, "application/json", token)


def of_kind(make: Callable[[Uploads], str], headers: dict[str, str]) -> Scenario:
    """A request with only these headers to an upload of this kind."""

    def scenario(case: Case, uploads: Uploads) -> None:
        to(make(uploads), case)
        sent(case, headers)

    return scenario


def draft_chunk(version: str, complete: bool) -> Scenario:
    def scenario(case: Case, uploads: Uploads) -> None:
        to(uploads.half_way() if complete else uploads.receiving(), case)
        headers = {"Upload-Offset": "5" if complete else "0"}
        draft(
            case, version, complete, headers, CONTENT[5:] if complete else CONTENT[:5]
        )

    return scenario


def draft_creation(version: str, complete: bool, headers: dict[str, str]) -> Scenario:
    return lambda case, _: draft(case, version, complete, headers, CONTENT)


KINDS = (
    Uploads.receiving,
    Uploads.of_unknown_length,
    Uploads.half_way,
    Uploads.paused,
    Uploads.completed,
    Uploads.aborted,
    Uploads.partial,
    Uploads.waiting,
)
ENDED = (Uploads.completed, Uploads.aborted, Uploads.partial)
TUS = {"Tus-Resumable": "1.0.0"}
NAMED = {"Content-Disposition": 'inline; filename="film.mp4"'}

WHOLE_FILE: list[Scenario] = [
    lambda case, _: sent(case, {}, "video/mp4", CONTENT),
    lambda case, _: sent(case, {}, "application/octet-stream", b""),
    *(
        draft_creation(version, complete, {})
        for version in DRAFTS
        for complete in (False, True)
    ),
]
FILEPOND_POST: list[Scenario] = [
    lambda case, _: sent(case, {"Upload-Length": LENGTH}),
    lambda case, _: form(case, ('name="filepond"', "{}"), FILE),
    lambda case, _: form(
        case, ('name="filepond"', '{"title": "A holiday"}'), EMPTY_FILE
    ),
]

SCENARIOS: dict[str, list[Scenario]] = {
    "POST /v1/uploads": [
        lambda case, _: form(case, ('name="title"', "A holiday"), FILE, FILE),
        lambda case, _: form(case, FILE, accept="text/html"),
        lambda case, _: form(case, FILE, EMPTY_FILE),
        lambda case, _: form(case, EMPTY_FILE, accept="text/html"),
        lambda case, _: form(case, REDIRECT, FILE, EMPTY_FILE),
        lambda case, _: form(
            case, FILE, ('name="redirect"', "https://elsewhere.example")
        ),
        lambda case, _: form(case, ('name="title"', "without a file")),
    ],
    "PUT /v1/uploads/{file-name}": WHOLE_FILE,
    "POST /v1/uploads/{file-name}": WHOLE_FILE,
    "POST /v1/files": [
        lambda case, _: tus(
            case, {"Upload-Length": LENGTH, "Upload-Metadata": METADATA}
        ),
        lambda case, _: tus(
            case, {"Upload-Length": LENGTH, "Upload-Metadata": METADATA}, CONTENT
        ),
        lambda case, _: tus(case, {"Upload-Length": "0", "Upload-Metadata": METADATA}),
        lambda case, _: tus(
            case, {"Upload-Defer-Length": "1", "Upload-Metadata": METADATA}
        ),
        lambda case, _: tus(
            case, {"Upload-Defer-Length": "1", "Upload-Concat": "partial"}
        ),
        tus_final,
        *(
            draft_creation(version, complete, NAMED)
            for version in DRAFTS
            for complete in (False, True)
        ),
    ],
    "HEAD /v1/files/{id}": [
        of_kind(kind, headers) for kind in KINDS for headers in (TUS, {})
    ],
    "GET /v1/files/{id}": [of_kind(kind, {}) for kind in KINDS],
    "PATCH /v1/files/{id}": [
        tus_chunk,
        tus_chunk_with_checksum,
        tus_chunk_with_wrong_checksum,
        tus_chunk_with_the_length,
        tus_chunk_elsewhere,
        tus_chunk_while_paused,
        tus_chunk_for_an_upload_of_others,
        *(
            draft_chunk(version, complete)
            for version in DRAFTS
            for complete in (False, True)
        ),
    ],
    "DELETE /v1/files/{id}": [
        of_kind(kind, headers) for kind in KINDS for headers in (TUS, {})
    ],
    "GET /v1/files/{id}/events": [
        *(of_kind(kind, {}) for kind in ENDED),
        of_kind(Uploads.completed, {"Last-Event-ID": "10"}),
        of_kind(Uploads.completed, {"Last-Event-ID": "10-succeeded"}),
    ],
    "POST /v1/files/{id}/pause": [of_kind(kind, {}) for kind in KINDS],
    "POST /v1/files/{id}/resume": [of_kind(kind, {}) for kind in KINDS],
    "POST /v1/files/{id}/credential": [renewed_token],
    "POST /v1/maintenance/expire": [lambda case, _: sent(case, {})],
    "POST /v1/filepond": FILEPOND_POST,
    "PATCH /v1/filepond": [filepond_chunk],
    "PATCH /v1/filepond/{id}": [filepond_chunk],
    "HEAD /v1/filepond": [filepond_offset],
    "HEAD /v1/filepond/{id}": [filepond_offset],
    "DELETE /v1/filepond": [filepond_revert],
    "DELETE /v1/filepond/{id}": [filepond_revert],
}
"""Scenarios by operation."""
