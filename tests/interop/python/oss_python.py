"""The Python clients of Alibaba Cloud against the sandbox: their valid requests must succeed, and
requests that OSS or VOD reject must be rejected.

    python oss_python.py --sandbox http://127.0.0.1:9000
"""

import argparse
import sys

import oss2_checks
import oss_v2_checks
import vod_checks
from checks import Checks
from sandbox import Sandbox


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sandbox", required=True, metavar="ORIGIN")
    parser.add_argument("--access-key-secret", default="sandbox-secret")
    arguments = parser.parse_args()
    sandbox = Sandbox(arguments.sandbox, arguments.access_key_secret)
    checks = Checks()
    oss2_checks.run(checks, sandbox)
    oss_v2_checks.run(checks, sandbox)
    vod_checks.run(checks, sandbox)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
