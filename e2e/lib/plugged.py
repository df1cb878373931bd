"""What is tried with our plugin behind Argo CD's plugin server. It renders what lies in Git: a fault
in that must stop everything, and a snapshot that grows old must start nothing."""

import base64
import json
from pathlib import Path

from .api import MERGE
from .argo import APPLICATIONS, Argo
from .course import Course, Expect, Row, Step
from .deliver import PARAMETERS, SNAPSHOT, Plugin
from .fault import Fault
from .fleets import FILE, changed, image, replicas
from .matrix import ROLL
from .snapshot import captured
from .syncs import POD, UNDONE, stays_in_sync, sync

# A slip beside changes that could be rolled out: nodes would go, and all others restart.
SLIP = "maxUnavailble"
BAD = changed(changed(image("v2"), replicas(3)), {"spec": {"strategy": {SLIP: 2}}})
GOOD = {"spec": {"replicas": 5, "strategy": {SLIP: None}}}
ESCAPE = "\x1b"


def plugin_of(course: Course) -> tuple[Plugin, Argo]:
    """Returns the plugin that delivers a fleet, and its Argo CD."""
    if not isinstance(course.delivery, Plugin):
        raise Fault(f"{course.name} is not delivered by the plugin")
    return course.delivery, course.delivery.argo


def push_bad(course: Course) -> None:
    """Commits a document with a slip, and in a careless moment a snapshot with the keys."""
    plugin, argo = plugin_of(course)
    course.write(BAD)
    repository = plugin.repositories[course.name]
    plugin.write(course, repository)
    live = captured(course.bed.api, course.name)
    (repository.folder / SNAPSHOT).write_text(json.dumps(live))
    repository.commit()
    argo.refresh(course.name)
    refused(course, f"{FILE}:{place(course.specs / FILE)}", SLIP)


def place(file: Path) -> str:
    """Returns the line and the column of the slip."""
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if SLIP in line:
            return f"{number}:{line.index(SLIP)}"
    raise Fault(f"{SLIP} is not in {file}")


def refused(course: Course, *words: str) -> None:
    """Waits until the Application says that it can't be compared, and why: readable for people, and
    without what nobody may know."""
    _, argo = plugin_of(course)
    found: list[str] = []

    def is_so() -> bool:
        conditions = (argo.application(course.name).get("status") or {}).get("conditions") or []
        found[:] = [each["message"] for each in conditions if each["type"] == "ComparisonError"]
        return bool(found)

    if not course.soon(is_so):
        raise Fault("the Application says nothing of the fault")
    faults = [f"{word} is not told" for word in words if word not in found[0]]
    if ESCAPE in found[0]:
        faults.append("colours are told")
    if faults:
        raise Fault(f"{', '.join(faults)}: {found[0]}")
    keeps_secrets(course)


def keeps_secrets(course: Course) -> None:
    """Looks for keys in all that Argo CD says."""
    _, argo = plugin_of(course)
    secret = course.bed.api.must(
        "GET", f"/api/v1/namespaces/{course.name}/secrets/{course.fleet}-node-keys"
    )
    told = {"the Application": json.dumps(argo.application(course.name))}
    told |= {each.log.name: each.log.read_text() for each in [argo.controller, *argo.others]}
    for entry, value in secret["data"].items():
        key = json.loads(base64.b64decode(value))["priv_key"]["value"]
        for where, text in told.items():
            if value in text or key in text:
                raise Fault(f"the key of {entry} is told by {where}")


def hard_refresh(course: Course) -> None:
    """Has everything rendered anew, though nothing is new in Git."""
    _, argo = plugin_of(course)
    argo.refresh(course.name, "hard")


def refresh_bad(course: Course) -> None:
    """Has the fault rendered anew: it is still one."""
    hard_refresh(course)
    refused(course, SLIP)


def nothing_is_gone(course: Course) -> None:
    """Looks whether all is there that Argo CD has delivered, and not just pods."""
    _, argo = plugin_of(course)
    known = argo.application(course.name)["status"]["resources"]
    delivered = {(each["kind"], each["name"]) for each in known}
    live = captured(course.bed.api, course.name)["items"]
    gone = delivered - {(each["kind"], each["metadata"]["name"]) for each in live}
    if gone or not delivered:
        raise Fault(f"{sorted(gone)} are gone of {len(delivered)} objects")


def misspell_parameter(course: Course) -> None:
    """Gives the Application a parameter that there is not."""
    _, argo = plugin_of(course)
    give(course, [*PARAMETERS, {"name": "snapshott", "array": [SNAPSHOT]}])
    argo.refresh(course.name)
    refused(course, "there is no parameter `snapshott`", "there is specs, snapshot")


def mend_parameter(course: Course) -> None:
    """Takes it away."""
    plugin, argo = plugin_of(course)
    give(course, PARAMETERS)
    argo.refresh(course.name)
    revision = plugin.repositories[course.name].git("rev-parse", "HEAD")
    argo.settled(course.name, revision)


def give(course: Course, found: list[dict]) -> None:
    """Gives the Application parameters."""
    _, argo = plugin_of(course)
    patch = {"spec": {"source": {"plugin": {"parameters": found}}}}
    argo.api.must("PATCH", f"{APPLICATIONS}/{course.name}", patch, MERGE)


def push_document_alone(course: Course) -> None:
    """Commits a change and no newer snapshot: what is there shows the fleet before its last one."""
    plugin, argo = plugin_of(course)
    repository = plugin.repositories[course.name]
    before = (repository.folder / SNAPSHOT).read_text()
    course.write(image("v3"))
    plugin.write(course, repository)
    (repository.folder / SNAPSHOT).write_text(before)
    revision = repository.commit()
    argo.refresh(course.name)
    argo.settled(course.name, revision)


# The snapshot in Git is that of the fleet before the change.
AGAIN = Row(
    "syncs-an-old-snapshot",
    (
        Step("change", image("v2"), ROLL),
        Step("hard-refresh", hard_refresh),
        Step("manual", sync(prune=True)),
        Step("selective-forced", sync(resources=[POD], syncStrategy={"hook": {"force": True}})),
        Step("at-rest", stays_in_sync),
        Step("document-alone", push_document_alone, ROLL),
    ),
)
REFUSED = Row(
    "bad-document",
    (
        Step("committed", push_bad, UNDONE),
        Step("synced", sync("Error", prune=True), UNDONE),
        Step("hard-refresh", refresh_bad, UNDONE),
        Step("nothing-is-gone", nothing_is_gone, UNDONE),
        Step("mended", GOOD, ROLL),
    ),
)
MISSPELT = Row(
    "bad-parameter",
    (
        Step("misspelt", misspell_parameter),
        Step("synced", sync("Error", prune=True)),
        Step("mended", mend_parameter),
    ),
)

ROWS = [AGAIN, REFUSED, MISSPELT]
