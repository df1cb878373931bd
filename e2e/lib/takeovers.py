"""Fleets that `apply` takes over: from an operator, and from their former name."""

import dataclasses
import json

from . import verdict
from .adoption import FLEET, OWNED, VERSION, KIND, run_by_an_operator
from .api import APPLY, wait
from .applies import HELD, says, unchanged
from .commanded import WHOLE, applied, ran
from .course import CLAIMS, Course, Expect, Row, Step
from .fault import Fault
from .fleets import NAME, changed, claims, pods
from .matrix import ALL
from .paths import collection
from .snapshot import listed

HEIR = "fucus"


def keys_come(course: Course) -> None:
    """Brings the keys of a fleet under its name of now."""
    said = ran(course, "keys", "import", str(course.specs), "--snapshot", "cluster")
    path = f"/api/v1/namespaces/{course.name}/secrets/{course.fleet}-node-keys"
    course.bed.api.must("PATCH", f"{path}?fieldManager=e2e", said.out, APPLY)


def owned(course: Course) -> list[str]:
    """Returns which objects a document owns."""
    return [
        f"{kind}/{each['metadata']['name']}"
        for version, kind in OWNED
        for each in listed(course.bed.api, version, kind, course.name)
        if any(owner["kind"] == KIND for owner in each["metadata"].get("ownerReferences") or [])
    ]


def adopt(course: Course) -> None:
    """Takes a fleet over whose operator is gone: its objects lose their owner, and no node restarts."""
    if not owned(course):
        raise Fault("the captured fleet has no owner")
    keys_come(course)
    applied(course, *WHOLE, "--adopt", "--deny", "restart")
    if left := owned(course):
        raise Fault(f"the document still owns {left}")


def delete_the_document(course: Course) -> None:
    """Deletes the document as whoever does not think of what hangs on it."""
    api = course.bed.api
    path = f"{collection(VERSION, KIND, course.name)}/{FLEET}"
    api.must("DELETE", path, {"propagationPolicy": "Background"})
    if not course.soon(lambda: api.find(path) is None):
        raise Fault("the document is still there")
    # The collector of garbage looks at what has lost its owner within seconds.
    if wait(lambda: not course.is_whole(), 6):
        raise Fault("pods went with the document")


ADOPTED = Row(
    "adopted",
    (
        Step("taken-over", adopt),
        Step("again", unchanged(lambda course: applied(course, *WHOLE, "--adopt") and None)),
        Step("owner-deleted", delete_the_document),
    ),
    start=run_by_an_operator,
)


def volumes(course: Course) -> dict[str, str]:
    """Returns the volume of each claim that the fleet has under its name of now."""
    found = course.bed.api.must("GET", CLAIMS.format(course.name))["items"]
    return {
        each["metadata"]["name"].rpartition("-")[2]: each["spec"]["volumeName"]
        for each in found
        if each["metadata"]["name"].startswith(f"pvc-{course.fleet}-")
    }


def rename(course: Course) -> None:
    """Gives the fleet another name: its nodes go on with their volumes under it."""
    api, since, before = course.bed.api, course.bed.version(), volumes(course)
    former = f"{collection(VERSION, KIND, course.name)}/{course.fleet}"
    course.fleet = HEIR
    course.write({"metadata": {"name": HEIR, "annotations": {"cosmos-render/renamed-from": NAME}}})
    # The same IDs under two names would be two nodes with one key.
    (course.specs / f"{NAME}-identities.yaml").unlink()
    keys_come(course)
    api.apply(course.document)
    applied(course, *WHOLE)
    api.request("DELETE", former)
    if volumes(course) != before:
        raise Fault(f"volumes are {volumes(course)}, not {before}")
    as_one = [
        dataclasses.replace(event, name=event.name.replace(HEIR, NAME)) for event in course.events()
    ]
    course.say("renamed", verdict.beyond_budget(as_one, since, ALL, 2))
    for path in (f"/api/v1/persistentvolumes/{name}" for name in before.values()):
        found = api.must("GET", path)
        if found["status"]["phase"] != "Bound" or "deletionTimestamp" in found["metadata"]:
            raise Fault(f"a volume is not bound: {json.dumps(found['status'])}")


RENAMED = Row(
    "renamed",
    (
        Step("renamed", rename, Expect(stops=ALL, loses=claims(0, 1, 2, 3, 4))),
        Step("again", unchanged(lambda course: applied(course, *WHOLE) and None)),
    ),
)

ROWS = [ADOPTED, RENAMED]
