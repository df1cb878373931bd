"""Fleets that our own command brings into the cluster: it plans against the cluster itself, and
applies what it plans."""

import contextlib
import os
import pty
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .api import wait
from .course import Course
from .fault import Fault
from .process import Server
from .program import Ran

STOPPED = 1
# So much of what was said is told of a fault.
MOST = 2000
WHOLE = ("--until", "done", "--yes")


@dataclass
class Commanded:
    """The command, run to its end: nothing of it goes on in the background."""

    more: tuple[str, ...] = ()
    # How it may end: what is blocked stays undone, and the rest is done.
    codes: tuple[int, ...] = (0,)

    def begin(self, course: Course) -> str:
        """Applies the document for the first time."""
        return self.deliver(course)

    def deliver(self, course: Course) -> str:
        """Applies what the document asks for. Heights and sync stand in the cluster's copy of it."""
        course.bed.api.apply(course.document)
        applied(course, *WHOLE, *self.more, codes=self.codes)
        return ""

    def settle(self, course: Course, revision: str) -> None:
        """Nothing is left to wait for."""


def kubeconfig(course: Course, user: str = "admin") -> dict[str, str]:
    """Returns the environment of somebody who may use the cluster."""
    return {"KUBECONFIG": str(course.bed.cluster.kubeconfig(user))}


def ran(course: Course, *words: str, codes: tuple[int, ...] = (0,)) -> Ran:
    """Runs the program with a way to the cluster; fails where it ends with another code."""
    said = course.program.run(*words, environment=kubeconfig(course))
    if said.code not in codes:
        raise Fault(f"`{' '.join(words)}` ended with code {said.code}: {last(said.err)}")
    return said


def last(text: str) -> str:
    """Returns the end of a long text."""
    return text if len(text) <= MOST else f"...{text[-MOST:]}"


def applied(course: Course, *words: str, codes: tuple[int, ...] = (0,)) -> Ran:
    """Runs `apply` for the documents of a course."""
    return ran(course, "apply", str(course.specs), *words, codes=codes)


@dataclass
class Running:
    """A run of `apply` that goes on beside us."""

    server: Server

    def said(self) -> str:
        """Returns all that it has said so far."""
        return self.server.log.read_text(errors="replace")

    def await_words(self, words: str) -> None:
        """Waits until it has said something."""
        if not wait(lambda: words in self.said() or self.has_ended(), longest=0.1):
            raise Fault(f"it never said `{words}`: {last(self.said())}")
        if words not in self.said():
            raise Fault(f"it ended without having said `{words}`: {last(self.said())}")

    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self.server.process.poll() is not None

    def tell(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        self.server.process.send_signal(number)

    def end(self, code: int) -> None:
        """Waits until it ends, and fails where it does with another code."""
        if not wait(self.has_ended):
            raise Fault(f"it does not end: {last(self.said())}")
        found = self.server.process.returncode
        if found != code:
            raise Fault(f"it ended with code {found}, not {code}: {last(self.said())}")


@contextlib.contextmanager
def running(course: Course, *words: str) -> Iterator[Running]:
    """Runs `apply` beside the block, and kills what is left of it."""
    number = len(list(course.home.glob("apply-*.log")))
    log = course.home / f"apply-{number}.log"
    words = ("apply", str(course.specs), *words)
    server = Server(course.program.path, list(words), log, kubeconfig(course))
    server.start()
    try:
        yield Running(server)
    finally:
        server.kill()


@dataclass
class Asked:
    """A run of `apply` that asks somebody at a terminal, and waits for the answer."""

    process: subprocess.Popen
    terminal: int
    heard: list[bytes] = field(default_factory=list)

    def listen(self) -> None:
        """Reads all that is written to the terminal, until nobody has it open any more."""
        with contextlib.suppress(OSError):
            while piece := os.read(self.terminal, 4096):
                self.heard.append(piece)

    def said(self) -> str:
        """Returns all that was written to the terminal."""
        return b"".join(self.heard).decode(errors="replace")

    def answer(self, word: str) -> int:
        """Answers once it asks; returns the code that it ends with."""
        os.write(self.terminal, f"{word}\n".encode())
        if not wait(lambda: self.process.poll() is not None):
            raise Fault(f"it does not end: {last(self.said())}")
        return self.process.returncode


@contextlib.contextmanager
def asked(course: Course, *words: str) -> Iterator[Asked]:
    """Runs `apply` at a terminal, up to its question."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [course.program.path, "apply", str(course.specs), *words],
        env=os.environ | kubeconfig(course) | {"TERM": "dumb", "NO_COLOR": "1"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    found = Asked(process, ours)
    threading.Thread(target=found.listen, daemon=True).start()
    try:
        if not wait(lambda: "Only `yes`" in found.said(), longest=0.1):
            raise Fault(f"it asks nobody: {last(found.said())}")
        yield found
    finally:
        process.kill()
        process.wait()
        os.close(ours)


