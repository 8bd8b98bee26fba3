"""The sandbox and the worker in front of it, for the duration of a `with` block."""

import base64
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_LIMIT_S = 120
"""The first start compiles the component."""


@contextmanager
def worker(sandbox: Path, devhost: Path, manifest: Path, directory: Path) -> Iterator[str]:
    """Runs both with their state in `directory`. Yields the worker's origin."""
    arguments = ["--listen", "127.0.0.1:0", "--data"]
    with started(
        [sandbox, *arguments, directory / "sandbox"], {}, directory / "sandbox.log"
    ) as store:
        variables = {
            "VOD_ACCESS_KEY_ID": "sandbox-key",
            "VOD_ACCESS_KEY_SECRET": "sandbox-secret",
            "VOD_ENDPOINT": store,
            "STORE_ORIGIN": store,
            "CLIENT_CREDENTIALS": "on",
            "SEAL_KEY": base64.b64encode(bytes(32)).decode(),
            "TEMPORARY_BUCKET": "sandbox-bucket",
            "TEMPORARY_ENDPOINT": store,
            "CORS_ORIGINS": "*",
            "ALLOWED_ORIGINS": "https://www.example.com",
        }
        environment = {
            f"SPIN_VARIABLE_{name}": value for name, value in variables.items()
        }
        command = [devhost, "--manifest", manifest, *arguments, directory / "host"]
        with started(command, environment, directory / "host.log") as origin:
            wait_until_healthy(origin)
            yield origin


@contextmanager
def started(
    command: list[str | Path], environment: dict[str, str], log: Path
) -> Iterator[str]:
    """Starts a program that prints `listening <origin>`, and ends it after the block."""
    with log.open("ab") as errors:
        child = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        assert child.stdout is not None
        line = child.stdout.readline().strip()
        if not line.startswith("listening "):
            raise RuntimeError(
                f"{command[0]} said {line!r} instead of where it listens: see {log}"
            )
        yield line.removeprefix("listening ")
    finally:
        child.kill()
        child.wait()


def wait_until_healthy(origin: str) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while True:
        try:
            urllib.request.urlopen(f"{origin}/healthz", timeout=START_LIMIT_S).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
