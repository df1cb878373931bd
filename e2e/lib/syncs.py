"""Ways to sync with Argo CD, ways to disturb one, and what may come of them."""

import time
from collections.abc import Callable
from typing import Any

from .api import MERGE
from .argo import Argo, state_of, told
from .course import PODS, Course, Expect, Row, Step
from .deliver import Files
from .fault import Fault
from .fleets import NAME, image, pods, retention
from .matrix import ALL, BATCHES, ROLL

# What a first batch of the fleet is.
FIRST = pods(0, 1)
# Where something is left undone, until the next sync that is whole.
UNDONE = Expect(whole=False)


def argo_of(course: Course) -> Argo:
    """Returns the Argo CD that delivers a fleet."""
    if not isinstance(course.delivery, Files):
        raise Fault(f"{course.name} is not delivered by Argo CD")
    return course.delivery.argo


def sync(phase: str = "Succeeded", **how: Any) -> Callable[[Course], None]:
    """Returns what syncs, as somebody asks for it, and should end so."""

    def act(course: Course) -> None:
        argo = argo_of(course)
        argo.sync(course.name, **how)
        state = argo.ended(course.name)
        if state["phase"] != phase:
            raise Fault(f"the sync is not {phase} but {told(state)}")

    return act


def nothing(_: Course) -> None:
    """Leaves it to whoever delivers to see what has happened."""


def edit(
    ordinal: int,
    patch: dict,
    healed: Callable[[dict], Any],
    then: Callable[[Course], None] = nothing,
) -> Callable[[Course], None]:
    """Returns what edits a pod by hand, and waits until that is taken back."""

    def act(course: Course) -> None:
        before = healed(course.pod(ordinal))
        path = f"{PODS.format(course.name)}/{NAME}-{ordinal}"
        edited = course.bed.api.must("PATCH", path, patch, MERGE)
        if healed(edited) == before:
            raise Fault("the edit changes nothing")
        then(course)
        if not course.soon(lambda: healed(course.pod(ordinal)) == before):
            raise Fault(f"the edit of {NAME}-{ordinal} is not taken back")

    return act


def delete(
    ordinal: int, then: Callable[[Course], None] = nothing
) -> Callable[[Course], None]:
    """Returns what deletes a pod by hand."""

    def act(course: Course) -> None:
        since = course.bed.version()
        course.bed.api.must("DELETE", f"{PODS.format(course.name)}/{NAME}-{ordinal}")
        course.await_event(since, "gone", pods(ordinal))
        then(course)

    return act


def push(patch: dict) -> Callable[[Course], None]:
    """Returns what commits a change, and does not wait for it."""
    return lambda course: course.push(patch) and None


def push_in_the_middle(course: Course) -> None:
    """Commits another change when the first batch of one has begun."""
    since = course.bed.version()
    course.push(image("v2"))
    course.await_event(since, "gone", FIRST)
    course.change(image("v3"))


def push_never_ready(course: Course) -> None:
    """Commits an image that does not get ready, and sees whether anything comes after its batch."""
    since = course.bed.version()
    course.push(image("never-ready"))
    course.await_event(since, "added", FIRST)
    # As long as a batch takes.
    time.sleep(8)


def push_mended(course: Course) -> None:
    """Commits an image that gets ready. A sync that waits holds on to what it began with, until
    somebody ends it."""
    argo = argo_of(course)
    revision = course.push(image("v2"))
    argo.terminate(course.name)
    argo.settled(course.name, revision)


def restart_in_the_middle(course: Course) -> None:
    """Kills the controller when a batch has begun, and starts it again."""
    since = course.bed.version()
    controller = argo_of(course).controller
    revision = course.push(image("v2"))
    course.await_event(since, "deleting", FIRST)
    controller.kill()
    time.sleep(2)
    controller.start()
    argo_of(course).settled(course.name, revision)


def delete_application(cascade: bool) -> Callable[[Course], None]:
    """Returns what deletes the Application, with or without what it delivered."""

    def act(course: Course) -> None:
        argo_of(course).delete(course.name, cascade)
        # What is deleted without a wait would go now.
        time.sleep(3)

    return act


def create_application(course: Course) -> None:
    """Creates the Application again."""
    delivery = course.delivery
    if isinstance(delivery, Files):
        delivery.create(course)
        delivery.settle(course, delivery.deliver(course))


def stays_in_sync(course: Course) -> None:
    """Looks whether the Application is at rest."""
    found = state_of(argo_of(course).application(course.name))
    if found[:2] != ("Synced", "Healthy"):
        raise Fault(f"the Application is {found[:2]}")


POD = {"group": "", "kind": "Pod", "name": f"{NAME}-1"}
EDITED = {"metadata": {"labels": {"app.kubernetes.io/version": "edited"}}}
REVISED = {"metadata": {"annotations": {"cosmos-render/revision": "edited"}}}

# Syncs where nothing is to be done.
AGAIN = Row(
    "syncs-again",
    (
        Step("manual", sync()),
        Step("pruning", sync(prune=True)),
        Step("selective", sync(resources=[POD])),
        Step("forced", sync(syncStrategy={"hook": {"force": True}})),
        Step("forced-apply", sync(syncStrategy={"apply": {"force": True}})),
        Step("selective-forced", sync(resources=[POD], syncStrategy={"hook": {"force": True}})),
        Step("dry", sync(dryRun=True)),
        Step("out-of-sync-only", sync(syncOptions=["ApplyOutOfSyncOnly=true"])),
        Step("server-side", sync(syncOptions=["ServerSideApply=true"])),
        Step("at-rest", stays_in_sync),
    ),
)
# Syncs where a change is committed and nobody has synced it.
PENDING = Row(
    "syncs-a-change",
    (
        Step("committed", push(image("v2")), UNDONE),
        Step("selective", sync("Failed", resources=[POD]), UNDONE),
        Step("apply", sync("Failed", syncStrategy={"apply": {}}), UNDONE),
        Step("whole", sync(), ROLL),
        Step("committed-anew", push(image("v3")), UNDONE),
        Step("forced", sync(syncStrategy={"hook": {"force": True}}), ROLL),
    ),
)
# The one that does harm: it skips hooks, and leaves what it deletes to the next.
HARM = Row(
    "syncs-with-force",
    (
        Step("committed", push(image("v2")), UNDONE),
        Step(
            "forced-apply",
            sync("Failed", syncStrategy={"apply": {"force": True}}),
            Expect(restarts=FIRST, budget=2, whole=False),
        ),
        Step(
            "whole",
            sync(),
            Expect(restarts=ALL - FIRST, budget=2, batches=BATCHES),
        ),
    ),
)
HEALED = Row(
    "heals",
    (
        Step("label", edit(1, EDITED, lambda pod: pod["metadata"]["labels"])),
        Step("revision", edit(1, REVISED, lambda pod: pod["metadata"]["annotations"])),
        Step("deleted", delete(1), Expect(restarts=pods(1), budget=1)),
    ),
)
MIDDLE = Row(
    "commit-in-the-middle",
    (Step("change", push_in_the_middle, Expect(restarts=ALL, times=2, budget=2)),),
)
STUCK = Row(
    "never-ready",
    (
        Step("change", push_never_ready, Expect(restarts=FIRST, budget=2, whole=False)),
        Step("mended", push_mended, Expect(restarts=ALL, budget=2, batches=BATCHES)),
    ),
)
RESTARTED = Row("controller-restarts", (Step("change", restart_in_the_middle, ROLL),))
DELETED = Row(
    "application-deleted",
    (
        Step("without-cascade", delete_application(False)),
        Step("created-again", create_application),
        Step("with-cascade", delete_application(True), Expect(stops=ALL, whole=False)),
    ),
    base=retention("Retain"),
)

AUTOMATED = [AGAIN, HEALED, MIDDLE, STUCK, DELETED]
MANUAL = [PENDING, HARM]
# Disturbs all others.
ALONE = [RESTARTED]
