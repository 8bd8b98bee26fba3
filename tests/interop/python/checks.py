"""Runs checks one after another and counts them."""

from collections.abc import Callable


class Checks:
    """A check is a sentence and a function that raises when the sentence is not true."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def run(self, sentence: str, body: Callable[[], None]) -> None:
        try:
            body()
        except Exception as error:  # whatever goes wrong is the finding
            self.failed += 1
            why = f"{type(error).__name__}: {error}".replace("\n", " ")
            print(f"FAILED {sentence}: {why}", flush=True)
        else:
            self.passed += 1
            print(f"ok {sentence}", flush=True)

    def finish(self) -> int:
        """Prints the totals and returns the exit status."""
        print(f"{self.passed} passed, {self.failed} failed")
        return 0 if self.failed == 0 else 1


def equal(found: object, expected: object) -> None:
    if found != expected:
        raise AssertionError(f"found {found!r:.200}, expected {expected!r:.200}")


def refused(
    action: Callable[[], object],
    read_error: Callable[[Exception], tuple[int, str]],
    status: int,
    code: str,
) -> None:
    """Checks that the action fails with this status and code."""
    try:
        action()
    except Exception as error:
        equal(read_error(error), (status, code))
    else:
        raise AssertionError(f"accepted, though {code} was due")
