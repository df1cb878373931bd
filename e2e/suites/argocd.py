"""Fleets that a real Argo CD delivers, on a real cluster whose nodes are played: whatever syncs, no
node restarts that need not, and nothing is lost that is kept."""

from pathlib import Path

from lib import argo as argocd
from lib import bed as beds
from lib import scenarios, syncs, verdict_test
from lib.adoption import ADOPTED
from lib.deliver import ByHand, Files
from lib.matrix import ROWS
from lib.program import Program
from lib.report import Report

SERVERS = beds.PARTS + argocd.PARTS


def run(program: Program, parts: dict[str, Path], folder: Path, report: Report) -> None:
    """Runs the suite."""
    verdict_test.run(report)
    if lacking := program.lacks("argocd", "roll"):
        report.note(f"skipped: the program knows no {', '.join(lacking)}")
        return
    with beds.bed(parts, program, folder) as bed:
        scenarios.define(bed, program)
        with argocd.argo(bed.cluster, parts, program, None) as argo:
            files, by_hand = Files(argo), ByHand(argo)
            together = [
                ("files", files, ROWS + syncs.AUTOMATED),
                ("by-hand", by_hand, syncs.MANUAL),
            ]
            scenarios.play(bed, program, together, report)
            # one restarts the controller, the other deletes the kind: each would disturb all others
            for row in [*syncs.ALONE, ADOPTED]:
                scenarios.play(bed, program, [("files", files, [row])], report)
