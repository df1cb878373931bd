"""The runner as processes, and fleets that it looks after."""

import contextlib
import http.client
import itertools
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .api import wait
from .commanded import last
from .course import Course
from .fault import Fault
from .front import Front
from .process import Server, free_ports
from .program import Program

METRIC = re.compile(r"^(?P<name>[a-z_]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)$")
NUMBERS = itertools.count()
# Nodes are asked more often than by default, and tests wait less.
PROBES = ("--probe-interval", "1s")


@dataclass(frozen=True)
class Usage:
    """What a process took: CPU time in seconds, and the most memory that it had, in MiB."""

    seconds: float
    peak: float


@dataclass
class Runner:
    """A replica of the runner."""

    program: Program
    front: Front
    words: tuple[str, ...]
    home: Path
    port: int = 0
    probes: tuple[str, ...] = PROBES
    environment: dict[str, str] = field(default_factory=dict)
    server: Server = field(init=False)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        (self.port,) = free_ports(1)
        log = self.home / f"runner-{next(NUMBERS)}.log"
        words = ["run", "--listen", f"127.0.0.1:{self.port}", *self.probes, *self.words]
        environment = self.front.kubeconfig() | self.environment
        self.server = Server(self.program.path, words, log, environment)

    def start(self) -> None:
        """Starts it, once more where it has ended."""
        self.server.start()

    def said(self) -> str:
        """Returns all that it has said."""
        return self.server.log.read_text(errors="replace")

    def page(self, path: str) -> tuple[int, str]:
        """Returns one of its own pages; code 0 where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            except (OSError, http.client.HTTPException):
                return 0, ""

    def await_ready(self) -> None:
        """Waits until it says that it is ready."""
        if not wait(lambda: self.has_ended() or self.page("/readyz")[0] == 200, longest=0.2):
            raise Fault(f"the runner never is ready: {self.page('/readyz')}, {last(self.said())}")
        if self.has_ended():
            raise Fault(f"the runner has ended: {last(self.said())}")

    def metrics(self) -> dict[str, float]:
        """Returns what it counts, by name and labels."""
        code, text = self.page("/metrics")
        if code != 200:
            raise Fault(f"the runner's metrics are answered with {code}")
        found = (METRIC.match(line) for line in text.splitlines())
        return {
            f"{each['name']}{{{each['labels'] or ''}}}": float(each["value"])
            for each in found
            if each
        }

    def count(self, name: str) -> float:
        """Returns a number that it counts, over all labels."""
        return sum(value for key, value in self.metrics().items() if key.split("{")[0] == name)

    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self.server.process is not None and self.server.process.poll() is not None

    def leads(self) -> bool:
        """Whether it is the replica that acts."""
        return self.page("/metrics")[0] == 200 and self.count("cosmos_render_leader") == 1

    def stop(self, within: float = 60.0) -> None:
        """Asks it to end, and fails where it does not do so well."""
        self.server.process.send_signal(signal.SIGTERM)
        if not wait(self.has_ended, within):
            raise Fault(f"the runner does not end: {last(self.said())}")
        if self.server.process.returncode != 0:
            code = self.server.process.returncode
            raise Fault(f"the runner ended with code {code}: {last(self.said())}")

    def usage(self) -> "Usage":
        """Returns how much it took so far."""
        base = Path("/proc") / str(self.server.process.pid)
        # Behind the name, which may hold anything: state and so on.
        fields = (base / "stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        peak = re.search(r"^VmHWM:\s+(\d+) kB", (base / "status").read_text(), re.M)
        return Usage(ticks / os.sysconf("SC_CLK_TCK"), int(peak[1]) / 1024 if peak else 0)

    def kill(self) -> None:
        """Ends it as a machine that fails would."""
        self.server.kill()


@contextlib.contextmanager
def runner(
    program: Program, front: Front, home: Path, *words: str, probes: tuple[str, ...] = PROBES
) -> Iterator[Runner]:
    """Runs one for as long as the block takes, and kills what is left of it."""
    found = Runner(program, front, words, home, probes=probes)
    found.start()
    try:
        yield found
    finally:
        found.kill()


@dataclass
class Looked:
    """Fleets that a runner looks after: their documents are applied, and it does the rest."""

    front: Front
    program: Program
    # Runners for one fleet alone, by their namespace.
    own: dict[str, Runner] = field(default_factory=dict)
    all: list[Runner] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def runner(
        self, course: Course, *words: str, environment: dict[str, str] | None = None
    ) -> Runner:
        """Returns a runner for a course alone, which is not started."""
        home = course.home / "runners"
        found = Runner(self.program, self.front, words, home, environment=environment or {})
        self.all.append(found)
        return found

    def close(self) -> None:
        """Ends all runners."""
        for each in self.all:
            each.kill()

    def begin(self, course: Course) -> str:
        """Applies the document for the first time."""
        return self.deliver(course)

    def deliver(self, course: Course) -> str:
        """Applies the document; returns its generation."""
        made = course.bed.api.apply(course.document)
        return str(made["metadata"]["generation"])

    def settle(self, course: Course, revision: str) -> None:
        """Waits until the runner says that nothing is left of what a generation asks for."""

        def is_so() -> bool:
            found = status(course)
            seen = found.get("observedGeneration", 0)
            return seen >= int(revision) and found.get("phase") == "Complete"

        if not wait(is_so, sign=course.count):
            raise Fault(f"{course.name} is never complete: {said_of(course)}")


def status(course: Course) -> dict:
    """Returns what the fleet's document says of it."""
    return (course.bed.api.find(path_of_document(course)) or {}).get("status") or {}


def path_of_document(course: Course) -> str:
    """Returns the path of the fleet's document."""
    base = f"/apis/cosmos.strange.love/v1/namespaces/{course.name}/cosmosfullnodes"
    return f"{base}/{course.fleet}"


def said_of(course: Course) -> str:
    """Returns in a line what the document says, and who is not ready."""
    found = status(course)
    sync = {name: each.get("error") or each.get("inSync") for name, each in found.get("sync", {}).items()}
    return "; ".join(
        [f"{found.get('phase')} {found.get('status', '')} {sync}", *course.waiting()]
    )
