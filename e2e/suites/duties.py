"""What the runner does for fleets beside their rollouts: a real API server, nodes and health checks that
are played, snapshots that a test says the state of."""

import functools
import time
from pathlib import Path

from lib import bed as beds
from lib import parallel, scenarios
from lib.duties import SCENES, Scene
from lib.fault import Fault
from lib.front import front
from lib.program import Program
from lib.report import Report
from lib.runners import runner
from lib.snapshots import DEFINITION

SERVERS = beds.PARTS
KINDS = ("CosmosFullNode", "ScheduledVolumeSnapshot", "StatefulJob")
# Tests wait less.
PACE = ("--heal-interval", "1s", "--grow-pause", "5s", "--snapshot-timeout", "8s")


def run(program: Program, parts: dict[str, Path], folder: Path, report: Report) -> None:
    """Runs the suite."""
    if program.lacks("run") or not program.acts():
        report.note("skipped: the program is built without access to clusters")
        return
    with beds.speaking(parts, program, folder) as bed, front(bed.cluster, parts) as before:
        scenarios.define(bed, program, *KINDS)
        bed.api.apply(DEFINITION)
        names = [f"duties-{name}" for name in SCENES if report.wants(f"duties-{name}")]
        for name in names:
            bed.namespace(name)
        bed.namespace("runner")
        words = [word for name in names for word in ("--namespace", name)]
        home = bed.cluster.home / "duties"
        with runner(program, before, home, *words, "--lease-namespace", "runner", *PACE) as found:
            found.await_ready()
            tasks = [functools.partial(play, Scene(bed, name, found), report) for name in names]
            for fault in parallel.run(tasks, scenarios.WIDTH):
                report.case("duties", [fault])


def play(scene: Scene, report: Report) -> None:
    """Plays one."""
    begun, faults = time.monotonic(), []
    try:
        SCENES[scene.name.removeprefix("duties-")](scene)
    except Fault as fault:
        faults.append(str(fault))
    report.case(scene.name, faults, time.monotonic() - begun)
