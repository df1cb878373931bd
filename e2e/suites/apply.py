"""What the program does to a cluster itself: `snapshot` and `apply`, before a real API server and
nodes that are played."""

from pathlib import Path

from lib import bed as beds
from lib import applies, captures, scenarios, takeovers
from lib.commanded import Commanded
from lib.matrix import named, unbatched
from lib.program import Program
from lib.report import Report

SERVERS = beds.PARTS


def run(program: Program, parts: dict[str, Path], folder: Path, report: Report) -> None:
    """Runs the suite."""
    if program.lacks("apply") or not program.acts():
        report.note("skipped: the program is built without access to clusters")
        return
    with beds.bed(parts, program, folder) as bed:
        scenarios.define(bed, program)
        way = Commanded()
        common = named("image", "in-place", "scale-retain", "scale-delete", "all-at-once")
        # The longest first.
        rows = unbatched(takeovers.ROWS + applies.ROWS + captures.ROWS + common)
        scenarios.play(bed, program, [("apply", way, rows)], report)
