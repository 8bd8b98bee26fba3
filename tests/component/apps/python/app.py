"""Streams the files of a server to ApsaraVideo VOD.

`POST /http://127.0.0.1:8000` requests from that server

- `/files`: a JSON list of `{"name": …, "size": …}`;
- `/credentials/NAME` and `/credentials/NAME?media_id=…`: what CreateUploadVideo (or the call of the
  file's kind) and RefreshUploadVideo return, as `{"media_id": …, "auth": …, "address": …}`;
- `/files/NAME` with `Range`: the bytes;

and returns the result of each file and the names of all events.
"""

import json
from dataclasses import fields

import wit_world
from componentize_py_async_support import spawn
from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import client
from wit_world.imports.uploader import (
    Event_Failed,
    Event_SourceRequested,
    Event_Succeeded,
    Event_TokenExpired,
    Event_UploadEnd,
    Event_UploadStarted,
    NewFile,
    Options,
    Uploader,
)
from wit_world.imports.wasi_http_types import Fields, Request, Response, Scheme_Http


class Handler(exports.Handler):
    async def handle(self, request: Request) -> Response:
        server = (request.get_path_with_query() or "").removeprefix("/http://")
        try:
            return respond(200, await upload(server))
        except Err as error:
            return respond(502, {"error": str(error.value)})


async def upload(server: str) -> dict:
    """Uploads every file of the server."""
    results, event_names = {}, []
    with await Uploader.create(record(Options, part_size=102_400, parallel_files=2)) as uploader:
        with await uploader.events() as events:
            names = {}
            for file in await get_json(server, "/files"):
                new = record(NewFile, name=file["name"], size=file["size"])
                names[uploader.add_file(new)] = file["name"]
            uploader.start_upload()
            while "UploadEnd" not in event_names:
                for event in await events.read(16):
                    event_names.append(type(event).__name__.removeprefix("Event_"))
                    await handle_event(uploader, event, server, names, results)
    return {"files": results, "events": event_names}


async def handle_event(uploader, event, server, names, results) -> None:
    match event:
        case Event_UploadStarted(file):
            credential = await get_credential(server, names[file.file], file.media_id)
            uploader.set_upload_auth_and_address(
                file.file, credential["auth"], credential["address"], credential["media_id"]
            )
        case Event_TokenExpired(token):
            credential = await get_credential(server, names[token.file], token.media_id)
            if token.media_id:
                uploader.resume_upload_with_auth(token.file, credential["auth"])
            else:
                uploader.set_upload_auth_and_address(
                    token.file, credential["auth"], credential["address"], credential["media_id"]
                )
        case Event_SourceRequested(source):
            path, offset = f"/files/{names[source.file]}", source.offset
            body = await get(server, path, [("range", f"bytes={offset}-".encode())])
            uploader.supply_source(source.file, offset, body, None)
        case Event_Succeeded(done):
            results[names[done.file]] = {
                "media_id": done.media_id,
                "object": done.object,
                "size": done.size,
                "crc64": str(done.crc64),
            }
        case Event_Failed(failed):
            results[names[failed.file]] = {"error": failed.error.message}
        case Event_UploadEnd():
            assert len(results) == len(names), "a file has no result"


async def get_credential(server: str, name: str, media_id: str | None) -> dict:
    query = f"?media_id={media_id}" if media_id else ""
    return await get_json(server, f"/credentials/{name}{query}")


async def get_json(server: str, path: str):
    """The JSON document of the server at the path."""
    text = bytearray()
    with await get(server, path) as body:
        while not body.writer_dropped:
            text += await body.read(65_536)
    return json.loads(text)


async def get(server: str, path: str, headers=()):
    """The response body of the server for the path, as a stream."""
    request, _ = Request.new(Fields.from_list(list(headers)), None, no_trailers(), None)
    request.set_scheme(Scheme_Http())
    request.set_authority(server)
    request.set_path_with_query(path)
    response = await client.send(request)
    status = response.get_status_code()
    assert status < 300, f"{path}: {status}"
    read, result = wit_world.result_unit_wasi_http_types_error_code_future(lambda: Ok(None))
    with read:
        body, _ = Response.consume_body(response, result)
    return body


def respond(status: int, value) -> Response:
    writer, body = wit_world.byte_stream()
    headers = Fields.from_list([("content-type", b"application/json")])
    response, _ = Response.new(headers, body, no_trailers())
    response.set_status_code(status)
    spawn(write(writer, json.dumps(value).encode()))
    return response


async def write(writer, text: bytes) -> None:
    with writer:
        await writer.write_all(text)


def no_trailers():
    future = wit_world.result_option_wasi_http_types_fields_wasi_http_types_error_code_future
    writer, trailers = future(lambda: Ok(None))
    with writer:
        return trailers


def record(kind, **given):
    """A record in which all other fields are absent."""
    return kind(**{field.name: None for field in fields(kind)} | given)
