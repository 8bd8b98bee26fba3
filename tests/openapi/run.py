"""openapi.yaml against the worker: what it answers is what is written, and what is written is
answered.

    python run.py --sandbox SANDBOX --devhost DEVHOST --manifest spin.toml --folder FOLDER
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
    for name in ("sandbox", "devhost", "manifest", "folder"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    parser.add_argument("--document", default=DOCUMENT, type=Path)
    arguments = parser.parse_args()
    folder = arguments.folder.absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # So that the servers end with this process.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with worker(
        arguments.sandbox, arguments.devhost, arguments.manifest, folder
    ) as origin:
        finished = check(origin, arguments.document.absolute(), folder)
    host_log = (folder / "host.log").read_text()
    traps = [line for line in host_log.splitlines() if "component trapped" in line]
    written = operations(arguments.document)
    failed = failures(folder / "junit.xml", finished)
    failed.update(unseen(written, folder))
    failed.update({line: "the component trapped" for line in traps})
    labels = written.keys()
    for label in sorted(labels - failed.keys()):
        print(f"ok {label}")
    for label, why in failed.items():
        print(f"FAILED {label}: {why}")
    print(f"{len(labels - failed.keys())} passed, {len(failed)} failed")
    return 1 if failed else 0


def check(origin: str, document: Path, folder: Path) -> int:
    """Runs schemathesis, and returns its exit status."""
    # Of the environment that this interpreter is of.
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
        folder / "junit.xml",
        "--no-color",
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE),
        "OPENAPI_WORKER": origin,
        "OPENAPI_ANSWERED": str(folder / "answered.json"),
    }
    # Whatever it keeps stays in the folder.
    return subprocess.run(command, env=environment, cwd=folder, check=False).returncode


def failures(report: Path, status: int) -> dict[str, str]:
    """What failed, by operation."""
    failed = {}
    if report.exists():
        for case in ElementTree.parse(report).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed[case.get("name", "")] = "see above"
    if status != 0 and not failed:
        failed["schemathesis"] = f"ended with {status}"
    return failed


def unseen(written: dict[str, dict], folder: Path) -> dict[str, str]:
    """The operations that did not succeed in every way that is written."""
    answered = json.loads((folder / "answered.json").read_text())
    found = {}
    for label, operation in written.items():
        successes = {status for status in operation["responses"] if int(status) < 400}
        missing = successes - answered.get(label, {}).keys()
        if missing:
            found[label] = "never answered with " + ", ".join(sorted(missing))
    return found


def operations(document: Path) -> dict[str, dict]:
    """What is written of each operation, such as `GET /path`."""
    paths = yaml.safe_load(document.read_text())["paths"]
    return {
        f"{method.upper()} {path}": item[method]
        for path, item in paths.items()
        for method in METHODS
        if method in item
    }


if __name__ == "__main__":
    sys.exit(main())
