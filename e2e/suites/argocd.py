"""Fleets that a real Argo CD delivers, on a real cluster whose nodes are played: whatever syncs, no
node restarts that need not, and nothing is lost that is kept."""

from pathlib import Path

from lib import argo as argocd
from lib import bed as beds
from lib import plugged, scenarios, syncs, verdict_test
from lib import steps as loops_rows
from lib.adoption import ADOPTED
from lib.deliver import ByHand, Files, Plugin
from lib.loops import Steps
from lib.matrix import ROWS, named
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
        plugin = program.run("cmp", "plugin").out
        with argocd.argo(bed.cluster, parts, program, plugin) as argo:
            files, steps = Files(argo), Steps(argo)
            together = [
                ("files", files, ROWS + syncs.AUTOMATED),
                ("by-hand", ByHand(argo), syncs.MANUAL),
                ("plugin", Plugin(argo), named("in-place", "scale-delete", "upgrade")),
                ("plugin", Plugin(argo), plugged.ROWS + [syncs.HEALED, syncs.MIDDLE]),
                ("steps", steps, ROWS + [loops_rows.STUCK]),
                ("hasty", Steps(argo, is_hasty=True), named("image", "scale-delete", "all-at-once")),
            ]
            scenarios.play(bed, program, together, report)
            # one restarts the controller, the other deletes the kind: each would disturb all others
            for row in [*syncs.ALONE, ADOPTED]:
                scenarios.play(bed, program, [("files", files, [row])], report)
