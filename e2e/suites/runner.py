"""The runner inside a cluster: a real API server, nodes that are played and answer for themselves."""

from pathlib import Path

from lib import alone, foldered, scenarios
from lib import bed as beds
from lib.front import front
from lib.matrix import named, unbatched
from lib.program import Program
from lib.report import Report
from lib.runners import Looked, runner
from lib.tended import OWN, ROWS

SERVERS = beds.PARTS
# What is tried with every way of delivery.
COMMON = unbatched(
    named("image", "config", "in-place", "scale-retain", "scale-delete", "all-at-once")
)


def run(program: Program, parts: dict[str, Path], folder: Path, report: Report) -> None:
    """Runs the suite."""
    if program.lacks("run") or not program.acts():
        report.note("skipped: the program is built without access to clusters")
        return
    with (
        beds.speaking(parts, program, folder) as bed,
        front(bed.cluster, parts) as before,
        foldered.reading(program, before, bed),
    ):
        # The runner of folders has begun without it.
        scenarios.define(bed, program)
        bed.namespace("runner")
        way = Looked(before, program)
        rows = [*ROWS, *COMMON]
        names = [f"runner-{row.name}" for row in rows if row.name not in OWN]
        words = [word for name in names for word in ("--namespace", name)]
        home = bed.cluster.home / "shared"
        with runner(program, before, home, *words, "--lease-namespace", "runner"):
            folders = (foldered.WAY, foldered.Foldered(), foldered.ROWS)
            scenarios.play(bed, program, [("runner", way, rows), folders], report)
        for row in alone.ROWS:
            scenarios.play(bed, program, [("runner", way, [row])], report)
        way.close()
        for note in way.notes:
            report.note(note)
