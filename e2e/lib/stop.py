"""Whether the tests are being stopped: then nobody begins anything any more."""

import threading

STOPPED = threading.Event()


class Stopped(OSError):
    """The tests are being stopped, as a server that goes away would have it."""


def check() -> None:
    """Ends whatever a thread is at, once the tests are being stopped."""
    if STOPPED.is_set():
        raise Stopped("the tests are being stopped")
