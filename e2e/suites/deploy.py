"""What is below `deploy/`, before a real API server: every object is taken as it stands, and a runner
that has it alone looks after a fleet."""

from pathlib import Path

from lib import bed as beds
from lib import deployed, rendered
from lib.program import Program
from lib.report import Report

SERVERS = [*beds.PARTS, *rendered.PARTS, "prometheus-crds"]


def run(program: Program, parts: dict[str, Path], folder: Path, report: Report) -> None:
    """Runs the suite."""
    if program.lacks("run") or not program.acts():
        report.note("skipped: the program is built without access to clusters")
        return
    with beds.speaking(parts, program, folder) as bed:
        deployed.taken(bed, parts, report)
        deployed.play(bed, program, parts, report)
