"""What Flux does by itself or is told to, ways to disturb it, and what may come of them."""

import time

from .course import Course, Expect, Row, Step
from .deliver import ROOT, Artifacts
from .fault import Fault
from .fleets import image, pods, retention
from .flux import KUSTOMIZATION, Flux, path
from .matrix import ALL, BATCHES, ROLL
from .syncs import EDITED, FIRST, delete, edit, push_in_the_middle, push_never_ready


def flux_of(course: Course) -> Flux:
    """Returns the Flux that delivers a fleet."""
    if not isinstance(course.delivery, Artifacts):
        raise Fault(f"{course.name} is not delivered by Flux")
    return course.delivery.flux


def reconcile(course: Course) -> None:
    """Asks for everything to be looked at again, and gives it the time."""
    flux = flux_of(course)
    for each in flux.api.must("GET", path(course.name))["items"]:
        flux.reconcile(course.name, each["metadata"]["name"])
    time.sleep(5)


def push_mended(course: Course) -> None:
    """Publishes an image that gets ready."""
    course.change(image("v2"))


def restart_in_the_middle(course: Course) -> None:
    """Kills the controller when a batch has begun, and starts it again."""
    since = course.bed.version()
    controller = flux_of(course).controller
    revision = course.push(image("v2"))
    course.await_event(since, "deleting", FIRST)
    controller.kill()
    time.sleep(2)
    controller.start()
    flux_of(course).settled(course.name, revision)


def delete_root(course: Course) -> None:
    """Deletes the Kustomization that all others come from."""
    course.bed.api.must("DELETE", path(course.name, ROOT))
    if not course.soon(lambda: not course.bed.api.must("GET", path(course.name))["items"]):
        raise Fault(f"{KUSTOMIZATION} objects are still there")


AUTOMATED = [
    Row("reconciles", (Step("again", reconcile),)),
    Row(
        "heals",
        (
            Step("edited", edit(1, EDITED, lambda pod: pod["metadata"]["labels"], reconcile)),
            Step("deleted", delete(1, reconcile), Expect(restarts=pods(1), budget=1)),
        ),
    ),
    Row(
        "commit-in-the-middle",
        (Step("change", push_in_the_middle, Expect(restarts=ALL, times=2, budget=2)),),
    ),
    Row(
        "never-ready",
        (
            Step("change", push_never_ready, Expect(restarts=FIRST, budget=2, whole=False)),
            Step("mended", push_mended, Expect(restarts=ALL, budget=2, batches=BATCHES)),
        ),
    ),
    Row(
        "root-deleted",
        (Step("deleted", delete_root, Expect(stops=ALL, whole=False)),),
        base=retention("Retain"),
    ),
]
ALONE = [Row("controller-restarts", (Step("change", restart_in_the_middle, ROLL),))]
