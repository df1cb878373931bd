"""Fleets that a real Flux delivers, on a real cluster whose nodes are played: whatever reconciles,
no node restarts that need not, and nothing is lost that is kept."""

from pathlib import Path

from lib import bed as beds
from lib import flux as fluxcd
from lib import reconciliations, scenarios, verdict_test
from lib.adoption import ADOPTED
from lib.deliver import Artifacts
from lib.matrix import ROWS
from lib.program import Program
from lib.report import Report

SERVERS = beds.PARTS + fluxcd.PARTS


def run(program: Program, parts: dict[str, Path], folder: Path, report: Report) -> None:
    """Runs the suite."""
    verdict_test.run(report)
    if lacking := program.lacks("flux"):
        report.note(f"skipped: the program knows no {', '.join(lacking)}")
        return
    with beds.bed(parts, program, folder) as bed:
        scenarios.define(bed, program)
        with fluxcd.flux(bed.cluster, parts) as flux:
            artifacts = Artifacts(flux)
            together = [("flux", artifacts, ROWS + reconciliations.AUTOMATED)]
            scenarios.play(bed, program, together, report)
            # one restarts the controller, the other deletes the kind: each would disturb all others
            for row in [*reconciliations.ALONE, ADOPTED]:
                scenarios.play(bed, program, [("flux", artifacts, [row])], report)
