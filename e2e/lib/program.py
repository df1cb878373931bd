"""The program that is tested, as a process."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import stop
from .fault import Fault

DIAGNOSTIC = re.compile(r"^(error|warning)\[(?P<code>[a-z-]+)\]: (?P<message>.*)$")
# In seconds: it takes moments, on a machine that has time for it.
PATIENCE = 300
PATH = re.compile(r"^ *= path: (?P<path>.*)$")


@dataclass(frozen=True)
class Said:
    """One diagnostic."""

    severity: str
    code: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path or '(no path)'}: {self.message} [{self.code}]"


@dataclass(frozen=True)
class Ran:
    """How a run of the program ended."""

    code: int
    out: str
    err: str

    @property
    def accepted(self) -> bool:
        """Whether the inputs were taken: a plan that is held back is a plan."""
        return self.code != 1

    @property
    def said(self) -> list[Said]:
        """The diagnostics, in order."""
        found: list[Said] = []
        for line in self.err.splitlines():
            if match := DIAGNOSTIC.match(line):
                found.append(Said(match[1], match["code"], "", match["message"]))
            elif (match := PATH.match(line)) and found:
                last = found.pop()
                found.append(Said(last.severity, last.code, match["path"], last.message))
        return found


class Program:
    """The program at a path."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        if not self.path.is_file():
            raise Fault(f"{path} is not there: build it with `cargo build --release`")

    def lacks(self, *commands: str) -> list[str]:
        """Returns which of these it does not know yet: what to do, or whom to render for."""
        known = self.run("--help").out + self.run("render", "--help").out
        return [each for each in commands if not re.search(rf"^ +(- )?{each}\b", known, re.M)]

    def acts(self) -> bool:
        """Whether it is built with access to clusters."""
        return "no-cluster-access" not in self.run("snapshot", "--context", "none").err

    def run(self, *arguments: str | Path, environment: dict[str, str] | None = None) -> Ran:
        """Runs it without anything on standard input."""
        stop.check()
        words = " ".join(str(argument) for argument in arguments)
        try:
            ran = subprocess.run(
                [self.path, *arguments],
                env=os.environ | (environment or {}),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            raise Fault(f"`{words}` did not end within {PATIENCE} s") from None
        if ran.returncode not in (0, 1, 2, 3):
            raise Fault(f"`{words}` ended with code {ran.returncode}: {ran.stderr}")
        return Ran(ran.returncode, ran.stdout, ran.stderr)
