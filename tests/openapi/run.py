"""Verifies the worker against openapi.yaml: every response is documented, and every documented
success occurs.

    python run.py --sandbox SANDBOX --devhost DEVHOST --manifest spin.toml --data DIRECTORY
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import yaml

from servers import worker

HERE = Path(__file__).parent
DOCUMENT = HERE.parent.parent / "openapi.yaml"
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("sandbox", "devhost", "manifest", "data"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    parser.add_argument("--document", default=DOCUMENT, type=Path)
    arguments = parser.parse_args()
    directory = arguments.data.absolute()
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    # The servers end with this process.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with worker(
        arguments.sandbox, arguments.devhost, arguments.manifest, directory
    ) as origin:
        finished = check(origin, arguments.document.absolute(), directory)
    host_log = (directory / "host.log").read_text()
    traps = [line for line in host_log.splitlines() if "component trapped" in line]
    written = operations(arguments.document)
    failed = failures(directory / "junit.xml", finished)
    failed.update(unseen(written, directory))
    failed.update({line: "the component trapped" for line in traps})
    labels = written.keys()
    for label in sorted(labels - failed.keys()):
        print(f"ok {label}")
    for label, why in failed.items():
        print(f"FAILED {label}: {why}")
    print(f"{len(labels - failed.keys())} passed, {len(failed)} failed")
    return 1 if failed else 0


def check(origin: str, document: Path, directory: Path) -> int:
    """Runs schemathesis, and returns its exit status."""
    # From the environment of this interpreter.
    program = Path(sys.executable).with_name("st")
    command = [
        program,
        "--config-file",
        HERE / "schemathesis.toml",
        "run",
        document,
        "--url",
        origin,
    ]
    command += [
        "--report",
        "junit",
        "--report-junit-path",
        directory / "junit.xml",
        "--no-color",
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE),
        "OPENAPI_WORKER": origin,
        "OPENAPI_ANSWERED": str(directory / "answered.json"),
    }
    # It keeps its files in its working directory.
    return subprocess.run(command, env=environment, cwd=directory, check=False).returncode


def failures(report: Path, status: int) -> dict[str, str]:
    """The failures by operation."""
    failed = {}
    if report.exists():
        for case in ElementTree.parse(report).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed[case.get("name", "")] = "see above"
    if status != 0 and not failed:
        failed["schemathesis"] = f"ended with {status}"
    return failed


def unseen(written: dict[str, dict], directory: Path) -> dict[str, str]:
    """The operations with a documented success that did not occur."""
    answered = json.loads((directory / "answered.json").read_text())
    found = {}
    for label, operation in written.items():
        successes = {status for status in operation["responses"] if int(status) < 400}
        missing = successes - answered.get(label, {}).keys()
        if missing:
            found[label] = "never returned " + ", ".join(sorted(missing))
    return found


def operations(document: Path) -> dict[str, dict]:
    """The documented operations by label, such as `GET /path`."""
    paths = yaml.safe_load(document.read_text())["paths"]
    return {
        f"{method.upper()} {path}": item[method]
        for path, item in paths.items()
        for method in METHODS
        if method in item
    }


if __name__ == "__main__":
    sys.exit(main())
