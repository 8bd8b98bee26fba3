"""Uploads a file with tuspy, resuming where an earlier run stopped.

Prints the address of the upload, the offset at the start, and the media ID, as JSON.
"""

import argparse
import json

from tusclient.client import TusClient
from tusclient.storage.filestorage import FileStorage

parser = argparse.ArgumentParser()
parser.add_argument("endpoint")
parser.add_argument("file")
parser.add_argument("--storage", required=True, help="remembers the address of the upload")
parser.add_argument("--chunk-size", type=int, required=True, help="in bytes")
parser.add_argument("--retries", type=int, default=0)
parser.add_argument("--checksum", action="store_true")
arguments = parser.parse_args()

uploader = TusClient(arguments.endpoint).uploader(
    arguments.file,
    chunk_size=arguments.chunk_size,
    metadata={"filename": arguments.file},
    retries=arguments.retries,
    retry_delay=1,
    store_url=True,
    url_storage=FileStorage(arguments.storage),
    upload_checksum=arguments.checksum,
)
begin = uploader.offset
uploader.upload()
print(
    json.dumps(
        {
            "url": uploader.url,
            "resumed_at": begin,
            "media_id": uploader.request.response_headers.get("media-id"),
        }
    )
)
