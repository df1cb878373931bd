"""What is tried with the runner and would disturb all others: each is played alone."""

import datetime
import threading
import time
from collections.abc import Callable

from .api import MERGE, wait
from .commanded import last
from .course import Course, Row, Step
from .fault import Fault
from .fleets import changed, document, image, pods
from .runners import Runner
from .tended import IN_PIECES, WHILE, begin_with, looked, mine, nothing_for, own, lease, stopped

OPERATOR = "16e1bc09.strange.love"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{}/leases"


def restarted(course: Course) -> None:
    """Has the API server end in the middle of a rollout, twice, and come again."""
    front, since = looked(course).front, course.bed.version()
    revision = course.push(image("v2"))
    for what, ordinal, pause in (("deleting", 0, 1.0), ("added", 2, 4.0)):
        course.await_event(since, what, pods(ordinal))
        front.restart(pause)
    if not wait(front.is_answering):
        raise Fault("the API server does not come again")
    course.delivery.settle(course, revision)
    if mine(course).has_ended():
        raise Fault(f"the runner has ended: {last(mine(course).said())}")


RESTARTED = Row(
    "api-server-restarted",
    (Step("change", restarted, IN_PIECES), Step("again", image("v3"), IN_PIECES), Step("ends", stopped)),
    start=begin_with(),
)


class Operator:
    """The reference operator, as far as others see it: it renews its Lease."""

    def __init__(self, course: Course, namespace: str) -> None:
        self.api = course.bed.api
        self.path = LEASES.format(course.bed.namespace(namespace))
        self.gone = threading.Event()
        self.renew(True)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        """Renews it until the operator is gone."""
        while not self.gone.wait(2):
            self.renew(False)

    def renew(self, is_new: bool) -> None:
        """Writes the Lease."""
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {
            "holderIdentity": "cosmos-operator-controller-manager-0",
            "leaseDurationSeconds": 15,
            "renewTime": now,
        }
        if is_new:
            body = {"metadata": {"name": OPERATOR}, "spec": spec | {"acquireTime": now}}
            self.api.must("POST", self.path, body)
        else:
            self.api.must("PATCH", f"{self.path}/{OPERATOR}", {"spec": spec}, MERGE)

    def end(self) -> None:
        """Lets go of the Lease without a word, as one that is scaled to 0 does."""
        self.gone.set()


def beside_the_operator(words: Callable[[Course], tuple[str, ...]]) -> Callable[[Course], None]:
    """Returns what starts a runner while the reference operator is there, and has it go later."""

    def act(course: Course) -> None:
        stopped(course)
        operator = Operator(course, f"{course.name}-operator")
        try:
            revision = course.push(image("v2"))
            runner = own(course, *words(course))
            looked(course).own[course.name] = runner
            runner.await_ready()
            if not wait(lambda: "stands back" in runner.said(), 30):
                raise Fault(f"it does not say that it stands back: {last(runner.said())}")
            nothing_for(WHILE, course)
        finally:
            operator.end()
        # Once the Lease has run out, nobody else acts.
        course.delivery.settle(course, revision)

    return act


OPERATOR_THERE = Row(
    "beside-operator",
    (Step("change", beside_the_operator(lease), IN_PIECES), Step("ends", stopped)),
    start=begin_with(),
)

# So many fleets at once.
MANY = 200


def many(course: Course) -> None:
    """Has a runner look after many new fleets, of which it knows all at once."""
    api = course.bed.api
    course.bed.namespace(course.name)
    begun = time.monotonic()
    for number in range(MANY):
        api.apply(small(course.name, f"kelp-{number}"))
    written = time.monotonic() - begun
    runner = own(course, *lease(course))
    looked(course).own[course.name] = runner
    begun = time.monotonic()

    def are_all_there() -> bool:
        return len(course.ready()) == MANY == len(course.pods()) and phases(course) == {"Complete"}

    if not wait(are_all_there, longest=3, sign=course.count):
        there = f"{len(course.ready())} of {MANY} pods are ready, phases are {phases(course)}"
        raise Fault(f"{there}: {last(runner.said())}")
    took = time.monotonic() - begun
    looked(course).notes.append(
        f"{MANY} fleets took {took:.0f} s (their documents {written:.0f} s), {usage(runner)}"
    )
    keys = api.must("GET", f"/api/v1/namespaces/{course.name}/secrets")["items"]
    if len(keys) != MANY:
        raise Fault(f"there are {len(keys)} Secrets")
    runner.stop()


def small(namespace: str, name: str) -> dict:
    """Returns a document of one node."""
    patch = {"metadata": {"name": name}, "spec": {"replicas": 1, "strategy": None}}
    return changed(document(namespace), patch)


def phases(course: Course) -> set[str]:
    """Returns all phases that documents of a namespace are in."""
    path = f"/apis/cosmos.strange.love/v1/namespaces/{course.name}/cosmosfullnodes"
    found = course.bed.api.must("GET", path)["items"]
    return {(each.get("status") or {}).get("phase", "none") for each in found}


def usage(runner: Runner) -> str:
    """Returns how much a runner took so far."""
    used = runner.usage()
    return f"{used.seconds:.1f} s of CPU time and at most {used.peak:.0f} MiB"


MANY_FLEETS = Row("many", (), start=many)

ROWS = [RESTARTED, OPERATOR_THERE, MANY_FLEETS]
OWN = {row.name for row in ROWS}
