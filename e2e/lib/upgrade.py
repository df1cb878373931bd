"""An upgrade of the chain by its height. Nobody runs a chain here: heights are recorded as the
version check of a pod does it, and a node that halts is shown as its kubelet shows it. Whoever
delivers captures the cluster again and again, as a schedule has it: nothing else tells of heights."""

import datetime
from collections.abc import Callable

from .api import MERGE
from .course import PODS, Course, Expect, Row, Step
from .fault import Fault
from .fleets import NAME, REPOSITORY, pods

DOCUMENT = "/apis/cosmos.strange.love/v1/namespaces/{}/cosmosfullnodes/" + NAME
HEIGHT = 1000
VERSIONS = {
    "spec": {
        "chain": {
            "versions": [
                {"height": 0, "image": f"{REPOSITORY}:v1"},
                {"height": HEIGHT, "image": f"{REPOSITORY}:v2", "setHaltHeight": True},
            ]
        }
    }
}


def recorded(height: int) -> Callable[[Course], None]:
    """Returns what records a height for every node, and has the cluster looked at again."""

    def act(course: Course) -> None:
        heights = dict.fromkeys(sorted(course.wanted()), height)
        # What else a status must have stays as it is where nobody follows the document.
        status = {"observedGeneration": 0, "phase": "", "height": heights}
        path = f"{DOCUMENT.format(course.name)}/status"
        course.bed.api.must("PATCH", path, {"status": status}, MERGE)
        course.change({})

    return act


def halted(*ordinals: int) -> Callable[[Course], None]:
    """Returns what has nodes halt, and the cluster looked at again."""

    def act(course: Course) -> None:
        for ordinal in ordinals:
            halt(course, ordinal)
        course.change({})

    return act


def halt(course: Course, ordinal: int) -> None:
    """Shows a node as one whose process has ended by itself and is started in vain."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    pod = course.pod(ordinal)
    ended = {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}
    statuses = [
        each
        if each["name"] != "node"
        else each
        | {
            "ready": False,
            "restartCount": 1,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": ended},
        }
        for each in pod["status"]["containerStatuses"]
    ]
    conditions = [
        each | {"status": "False", "reason": "ContainersNotReady", "lastTransitionTime": now}
        if each["type"] in ("Ready", "ContainersReady")
        else each
        for each in pod["status"]["conditions"]
    ]
    status = {"containerStatuses": statuses, "conditions": conditions}
    path = f"{PODS.format(course.name)}/{NAME}-{ordinal}/status"
    course.bed.api.must("PATCH", path, {"status": status}, MERGE)


def run(version: str, *ordinals: int) -> Callable[[Course], None]:
    """Returns what checks the version that nodes run."""

    def check(course: Course) -> None:
        for ordinal in ordinals:
            containers = course.pod(ordinal)["spec"]["containers"]
            image = next(each["image"] for each in containers if each["name"] == "node")
            if image != f"{REPOSITORY}:{version}":
                raise Fault(f"{NAME}-{ordinal} runs {image}, not {version}")

    return check


# A node at the height still works on the last block of its version: it goes when it has halted.
# Those that have halted serve nobody, and need no budget.
UPGRADE = Row(
    "upgrade",
    (
        Step("below", recorded(HEIGHT - 10)),
        Step("at-the-height", recorded(HEIGHT)),
        Step("some-have-halted", halted(0, 1, 2), Expect(restarts=pods(0, 1, 2), budget=3)),
        Step("run-the-next", run("v2", 0, 1, 2)),
        Step("run-the-first", run("v1", 3, 4)),
        Step("all-have-halted", halted(3, 4), Expect(restarts=pods(3, 4), budget=2)),
        Step("beyond", recorded(HEIGHT + 200)),
        Step("all-run-the-next", run("v2", 0, 1, 2, 3, 4)),
    ),
    base=VERSIONS,
)
