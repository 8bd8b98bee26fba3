"""Hooks of schemathesis: direct requests to existing uploads, and count the response statuses."""

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

from scenarios import ENDED, KINDS, SCENARIOS, to
from uploads import Uploads

uploads = Uploads(os.environ["OPENAPI_WORKER"])
answered: dict[str, dict[int, int]] = {}
"""Number of responses by operation and status."""

turns: Counter[str] = Counter()
"""Number of requests by operation."""


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
    """Keeps a third of the generated requests, directs a third to an existing upload, and replaces
    a third by requests of real clients."""
    if case.method != case.operation.method.upper():
        return
    label = case.operation.label
    scenarios = SCENARIOS.get(label, [])
    # In turn, so that every scenario runs.
    chosen, third = divmod(turns[label], 3)
    turns[label] += 1
    if third == 2 and scenarios:
        scenarios[chosen % len(scenarios)](case, uploads)
        return
    upload = (case.path_parameters or {}).get("id") or (case.query or {}).get("patch")
    # The events of an open upload do not end.
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
    """OpenAPI cannot express that responses with the same status may have no body: the response to
    the creation of an incomplete upload has none, which its headers indicate."""
    open_upload = (
        "tus-resumable" in response.headers
        or response.headers.get("upload-complete") == ["?0"]
        or response.headers.get("upload-incomplete") == ["?1"]
    )
    bodiless = response.status_code == 201 and not response.content and open_upload
    return not (bodiless and isinstance(failure, MissingContentType | MalformedJson))
