"""Loaded by schemathesis: sends requests to uploads that there are, and notes what was answered."""

import atexit
import json
import os
from collections import Counter
from pathlib import Path

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import Failure, MalformedJson
from schemathesis.openapi.checks import MissingContentType

from stories import ENDED, KINDS, STORIES, to
from uploads import Uploads

uploads = Uploads(os.environ["OPENAPI_WORKER"])
answered: dict[str, dict[int, int]] = {}
"""How often an operation was answered with a status."""

turns: Counter[str] = Counter()
"""How many requests an operation has had."""


@atexit.register
def note_answered() -> None:
    Path(os.environ["OPENAPI_ANSWERED"]).write_text(json.dumps(answered))


for media_type in (
    "application/offset+octet-stream",
    "application/partial-upload",
    "video/mp4",
):
    schemathesis.openapi.media_type(media_type, st.binary(max_size=64))


@schemathesis.deserializer("text/html")
def page(_context: schemathesis.DeserializationContext, response: Response) -> str:
    return response.content.decode()


@schemathesis.hook
def before_call(_context: HookContext, case: Case, _kwargs: dict) -> None:
    """Leaves a third of the requests as they were generated, sends a third to an upload that there
    is, and makes the others what a client sends."""
    if case.method != case.operation.method.upper():
        return
    label = case.operation.label
    stories = STORIES.get(label, [])
    # In turn, so that every story is played.
    chosen, third = divmod(turns[label], 3)
    turns[label] += 1
    if third == 2 and stories:
        stories[chosen % len(stories)](case, uploads)
        return
    upload = (case.path_parameters or {}).get("id") or (case.query or {}).get("patch")
    # Who follows an open upload is told of it without an end.
    follows = label == "GET /v1/files/{id}/events"
    if upload is not None and (follows if upload in uploads.known else third == 1):
        kinds = ENDED if follows else KINDS
        to(kinds[chosen % len(kinds)](uploads), case)


@schemathesis.hook
def after_call(_context: HookContext, case: Case, response: Response) -> None:
    for location in response.headers.get("location", []):
        uploads.known.add(location.rsplit("/", 1)[-1])
    if response.request.method == case.operation.method.upper():
        by_status = answered.setdefault(case.operation.label, {})
        by_status[response.status_code] = by_status.get(response.status_code, 0) + 1


@schemathesis.hook
def filter_failure(
    _context: HookContext, failure: Failure, _case: Case, response: Response
) -> bool:
    """OpenAPI cannot say that an answer of a status has a body or none: an upload that was created
    and is not complete has none, and says so in its headers."""
    open_upload = (
        "tus-resumable" in response.headers
        or response.headers.get("upload-complete") == ["?0"]
        or response.headers.get("upload-incomplete") == ["?1"]
    )
    bodiless = response.status_code == 201 and not response.content and open_upload
    return not (bodiless and isinstance(failure, MissingContentType | MalformedJson))
