"""Servers as processes: started, watched and stopped, whatever happens."""

import concurrent.futures
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .fault import Fault

PATIENCE = 300.0
# Servers of Go clean up after themselves less often: that takes more memory, and less of the time.
COLLECT_LATE = {"GOGC": "200"}
# A child that is to die with its parent dies with the parent's thread: all are the children of one
# that lives as long as the process.
STARTER = concurrent.futures.ThreadPoolExecutor(1)
BUSY = "address already in use"


class Taken(Exception):
    """A port was taken between its choice and its use."""


@dataclass
class Server:
    """A server and the file with what it says. It can be stopped and started again."""

    program: Path
    arguments: list[str]
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, and goes on writing to its log."""
        with open(self.log, "ab") as out:
            self.process = STARTER.submit(
                subprocess.Popen,
                # Programs of several names look at what they are called.
                [self.program, *self.arguments],
                cwd=self.log.parent,
                env=os.environ | COLLECT_LATE | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                # A signal from the terminal is for the driver, which stops servers in order.
                start_new_session=True,
                preexec_fn=die_with_parent(),
            ).result()

    def stop(self) -> None:
        """Asks it to end, and makes it."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Ends it as a machine that fails would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def check(self) -> None:
        """Fails where the server has ended."""
        if self.process is None or self.process.poll() is None:
            return
        if BUSY in self.log.read_text(errors="replace"):
            raise Taken
        raise Fault(f"{self.log.stem} ended with code {self.process.returncode}:\n{self.tail()}")

    def tail(self) -> str:
        """Returns the last lines that the server said."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


@contextlib.contextmanager
def server(
    program: Path, arguments: list[str], home: Path, environment: dict[str, str] | None = None
) -> Iterator[Server]:
    """Runs a server for as long as the block takes."""
    running = Server(program, arguments, home / f"{program.name}.log", environment or {})
    running.start()
    try:
        yield running
    finally:
        running.stop()


def wait_until(what: str, servers: list[Server], is_so: Callable[[], bool]) -> None:
    """Waits until something holds that servers bring about; fails where one of them ends."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for each in servers:
            each.check()
        with contextlib.suppress(OSError):
            if is_so():
                return
        time.sleep(0.1)
    words = "\n".join(f"{each.log.stem}:\n{each.tail()}" for each in servers)
    raise Fault(f"it did not come to that within {PATIENCE:.0f} s: {what}\n{words}")


def free_ports(count: int) -> list[int]:
    """Returns ports that nobody has at the moment."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def die_with_parent() -> Callable[[], object] | None:
    """Returns what makes the next process end with this one, even where this one is killed."""
    if not sys.platform.startswith("linux"):
        return None
    set_death_signal = 1
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(set_death_signal, signal.SIGKILL)
