"""Fleets that a loop delivers as `kubectl` does it, on a real cluster whose nodes are played: plain
manifests, one step after the other."""

from pathlib import Path

from lib import bed as beds
from lib import scenarios, steps
from lib.loops import Applied
from lib.matrix import ROWS, unbatched
from lib.program import Program
from lib.report import Report

SERVERS = beds.PARTS


def run(program: Program, parts: dict[str, Path], folder: Path, report: Report) -> None:
    """Runs the suite."""
    with beds.bed(parts, program, folder) as bed:
        scenarios.define(bed, program)
        rows = unbatched(ROWS + [steps.STUCK])
        scenarios.play(bed, program, [("manifests", Applied(), rows)], report)
