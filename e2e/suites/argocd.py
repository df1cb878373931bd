"""Fleets that a real Argo CD delivers, on a real cluster whose nodes are played: whatever syncs, no
node restarts that need not, and nothing is lost that is kept."""

from pathlib import Path

from lib import argo as argocd
from lib import bed as beds
from lib import plugged, scenarios, syncs, verdict_test
from lib import steps as loops
from lib.adoption import ADOPTED
from lib.deliver import UNVALIDATED, ByHand, Files, Plugin
from lib.loops import Steps
from lib.matrix import named, unbatched, without
from lib.program import Program
from lib.report import Report

SERVERS = beds.PARTS + argocd.PARTS

# What is tried of the matrix with each way that is no other than rendered files in the end.
PLUGGED = ("in-place", "scale-delete", "upgrade")
STEPPED = ("config", "scale-delete", "all-at-once", "upgrade")
# What is rolled out here has every kind of object in it.
VALIDATED = ("image", "all-at-once")
INTERRUPTED = ("scale-delete", "all-at-once")


def run(program: Program, parts: dict[str, Path], folder: Path, report: Report) -> None:
    """Runs the suite."""
    verdict_test.run(report)
    if lacking := program.lacks("argocd", "roll"):
        report.note(f"skipped: the program knows no {', '.join(lacking)}")
        return
    with beds.bed(parts, program, folder) as bed:
        scenarios.define(bed, program)
        plugin = program.run("cmp", "plugin").out
        with argocd.argo(bed.cluster, parts, program, plugin) as argo:
            files = Files(argo, policy=UNVALIDATED)
            together = [
                # First what takes the longest.
                ("steps", Steps(argo), unbatched([loops.STUCK, *named(*STEPPED)])),
                ("hasty", Steps(argo, is_hasty=True), unbatched(named(*INTERRUPTED))),
                ("plugin", Plugin(argo), plugged.ROWS + named(*PLUGGED)),
                ("plugin", Plugin(argo), [syncs.HEALED, syncs.MIDDLE]),
                ("files", files, [*syncs.AUTOMATED, *without(*VALIDATED)]),
                ("files", Files(argo), named(*VALIDATED)),
                ("by-hand", ByHand(argo), syncs.MANUAL),
            ]
            scenarios.play(bed, program, together, report)
            # one restarts the controller, the other deletes the kind: each would disturb all others
            for row in [*syncs.ALONE, ADOPTED]:
                scenarios.play(bed, program, [("files", files, [row])], report)
