"""What is tried with the runner, beside what is tried with every way of delivery."""

import random
import time
from collections.abc import Callable

from . import verdict
from .api import wait
from .applies import state
from .comet import START
from .commanded import last
from .course import CLAIMS, Course, Expect, Row, Step
from .fault import Fault
from .fleets import changed, claims, document, image, label, pods, replicas, retention
from .front import counted
from .matrix import ALL
from .runners import Looked, Runner, path_of_document, status
from .traces import collector

NONE = Expect(whole=False)
ONE_AT_A_TIME = {"spec": {"strategy": {"maxUnavailable": 1}}}
IN_PIECES = Expect(restarts=ALL, budget=2)
# For so long something is looked at that should not happen.
WHILE = 8.0
# What is no news of a phase is written once a minute.
PATIENCE = 90.0
# How often the runner is killed, in how many rollouts.
KILLS = 50


def looked(course: Course) -> Looked:
    """Returns how a runner looks after a fleet."""
    if not isinstance(course.delivery, Looked):
        raise Fault(f"no runner looks after {course.name}")
    return course.delivery


def own(course: Course, *words: str, environment: dict[str, str] | None = None) -> Runner:
    """Starts a runner for a course alone."""
    words = ("--namespace", course.name, *words)
    found = looked(course).runner(course, *words, environment=environment)
    found.start()
    return found


def lease(course: Course, name: str = "own") -> tuple[str, ...]:
    """Returns what names a Lease of the course's own."""
    return ("--lease-namespace", course.name, "--lease-name", name)


def begin_with(*words: str, base: dict | None = None) -> Callable[[Course], None]:
    """Returns what makes a fleet with a runner of its own."""

    def start(course: Course) -> None:
        course.bed.namespace(course.name)
        course.delivery.own[course.name] = own(course, *(words or lease(course)))
        course.begin(base)

    return start


def mine(course: Course) -> Runner:
    """Returns the runner that looks after a course alone."""
    return looked(course).own[course.name]


def stopped(course: Course) -> None:
    """Stops the course's own runner."""
    mine(course).stop()


def nothing_for(seconds: float, course: Course) -> None:
    """Sees whether anything happens to the fleet."""
    seen = len(course.events())
    if wait(lambda: len(course.events()) > seen, seconds):
        raise Fault(f"something happened all the same: {course.events()[-1]}")


# Pages, metrics, the end.


def pages(course: Course) -> None:
    """Reads the runner's own pages, and the fleet's status and Events."""
    runner = mine(course)
    runner.await_ready()
    for path, code in (("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/none", 404)):
        if runner.page(path)[0] != code:
            raise Fault(f"{path} is answered with {runner.page(path)}")
    counts = runner.metrics()
    for name in ("cosmos_render_leader{}", "cosmos_render_fleets{}"):
        if counts.get(name) != 1:
            raise Fault(f"{name} is {counts.get(name)}: {counts}")
    if not wait(lambda: tells_all(status(course)), PATIENCE):
        raise Fault(f"the status is {status(course)}")
    events = course.bed.api.must("GET", f"/apis/events.k8s.io/v1/namespaces/{course.name}/events")
    told = [each for each in events["items"] if each["regarding"].get("kind") == "CosmosFullNode"]
    if not told:
        raise Fault("no Event tells of the fleet")


def tells_all(found: dict) -> bool:
    """Whether a status says of every node that it is in sync, and how high."""
    heights, sync = found.get("height") or {}, found.get("sync") or {}
    in_sync = {name for name, each in sync.items() if each.get("inSync")}
    high = {name for name, height in heights.items() if height >= START}
    return found.get("phase") == "Complete" and in_sync == high == ALL


def steady(course: Course) -> None:
    """Looks for 20 s whether anything is written of a fleet of which nothing is to be done."""
    front = looked(course).front
    # What was begun before, a status perhaps, is done.
    time.sleep(3)
    mark = front.mark()
    before = state(course)
    asked = course.bed.comet.count(course.name)
    time.sleep(20)
    calls = [call for call in front.calls(mark, course.name) if call.resource != "leases"]
    if writes := [call for call in calls if call.is_write]:
        raise Fault(f"something was written: {counted(writes)}, first {writes[0]}")
    if reads := [call for call in calls if call.verb not in ("watch",)]:
        raise Fault(f"something was asked for: {counted(reads)}, first {reads[0]}")
    if state(course) != before:
        raise Fault("something is another than before")
    if course.bed.comet.count(course.name) == asked:
        raise Fault("no node was asked how it is")


PAGES = Row(
    "steady",
    (
        Step("pages", pages),
        Step("writes-nothing", steady),
        Step("changes", image("v2"), IN_PIECES),
        Step("ends", stopped),
    ),
    start=begin_with(),
)


# Traces.


def traced(course: Course) -> None:
    """Has a rollout traced, and looks at what is told of it."""
    with collector() as taken:
        runner = own(course, *lease(course), environment=taken.environment())
        course.delivery.settle(course, course.push(image("v3")))
        runner.stop()
    steps = taken.named("step")
    if {each.service for each in taken.spans} != {"cosmos-render"}:
        raise Fault(f"traces are of {sorted({each.service for each in taken.spans})}")
    told = {each.attributes["object"].rpartition("/")[2] for each in steps}
    if not ALL <= told:
        raise Fault(f"traces tell of {sorted(told)} alone")
    if wrong := [each for each in steps if taken.above(each) != ["step", "act", "turn"]]:
        raise Fault(f"a step is a part of {taken.above(wrong[0])}")
    if failed := [each for each in steps if each.is_failed]:
        raise Fault(f"a step failed: {failed[0].attributes}")
    calls = [taken.above(each) for each in taken.spans if "http.url" in each.attributes]
    if not any(names[1:2] == ["step"] for names in calls):
        raise Fault(f"no request is a part of a step: {calls}")
    if nobodys := [names for names in calls if len(names) == 1]:
        raise Fault(f"{len(nobodys)} requests are nobody's: {nobodys[0]}")


TRACED = Row(
    "traced",
    (Step("ends", stopped), Step("traces", traced, IN_PIECES)),
    start=begin_with(),
)


# A node that never is in sync.


def stuck(tag: str, **what: object) -> Callable[[Course], None]:
    """Returns what rolls an image out to a first node that does not get in sync with it."""

    def act(course: Course) -> None:
        since = course.bed.version()
        course.push(image(tag))
        course.await_event(since, "deleting", pods(0))
        course.bed.comet.say(course.name, "kelp-0", **what)
        course.await_event(since, "ready", pods(0))
        nothing_for(WHILE, course)
        if not wait(lambda: "kelp-0" in status(course).get("status", ""), PATIENCE):
            raise Fault(f"the status does not say why: {status(course)}")
        if status(course).get("phase") == "Complete":
            raise Fault("the status says that it is complete")

    return act


def mended(course: Course) -> None:
    """Has the node get in sync."""
    course.bed.comet.hush(course.name, "kelp-0")
    generation = course.bed.api.must("GET", path_of_document(course))["metadata"]["generation"]
    course.delivery.settle(course, str(generation))


def never_in_sync(name: str, **what: object) -> Row:
    """Returns a scenario with a node that is ready and not in sync."""
    return Row(
        name,
        (
            Step("stops", stuck("v2", **what), Expect(restarts=pods(0), budget=1, whole=False)),
            Step("goes-on", mended, Expect(restarts=ALL - pods(0), budget=1)),
        ),
        base=ONE_AT_A_TIME,
    )


OUT_OF_SYNC = [
    never_in_sync("catching-up", catching_up=True),
    never_in_sync("silent", is_silent=True),
    never_in_sync("lagging", block_age=180.0),
    never_in_sync("failing", code=500),
]


# Killed at random.


def killed(patch: dict, seed: int) -> Callable[[Course], None]:
    """Returns what changes the fleet while the runner is killed all the time."""

    def act(course: Course) -> None:
        chance = random.Random(seed)
        runner = mine(course)
        revision = course.push(patch)
        for _ in range(KILLS // 5):
            time.sleep(chance.uniform(0.1, 1.8))
            runner.kill()
            runner.start()
        course.delivery.settle(course, revision)

    return act


FEWER = changed(replicas(4), image("v4"))
KILLED = Row(
    "killed",
    (
        Step("image", killed(image("v2"), 1), IN_PIECES),
        Step("image-and-more", killed(changed(replicas(7), image("v3")), 2), IN_PIECES),
        Step(
            "image-and-fewer",
            killed(FEWER, 3),
            Expect(
                restarts=pods(0, 1, 2, 3), budget=2, stops=pods(4, 5, 6), loses=claims(4, 5, 6)
            ),
        ),
        Step("label", killed(label("one"), 4)),
        Step("image-again", killed(image("v5"), 5), Expect(restarts=pods(0, 1, 2, 3), budget=2)),
        Step("ends", stopped),
    ),
    base=retention("Delete"),
    start=begin_with("--no-lease", base=retention("Delete")),
)


# Two replicas.


def hand_over(course: Course) -> None:
    """Has one replica stop in the middle, and the next one die."""
    first = mine(course)
    first.await_ready()
    second = own(course, *lease(course))
    second.await_ready()
    if not wait(first.leads) or second.leads():
        raise Fault("it is not the first replica that acts")
    since = course.bed.version()
    revision = course.push(image("v2"))
    course.await_event(since, "gone", pods(0))
    begun = time.monotonic()
    first.stop()
    if not wait(second.leads, longest=0.1):
        raise Fault(f"the second replica does not take over: {last(second.said())}")
    took = time.monotonic() - begun
    third = own(course, *lease(course))
    third.await_ready()
    course.await_event(since, "gone", pods(2))
    begun = time.monotonic()
    second.kill()
    if not wait(third.leads, longest=0.1):
        raise Fault(f"the third replica does not take over: {last(third.said())}")
    took_after_death = time.monotonic() - begun
    course.delivery.settle(course, revision)
    looked(course).own[course.name] = third
    looked(course).notes.append(
        f"hand-over took {took:.1f} s after SIGTERM, {took_after_death:.1f} s after SIGKILL"
    )
    # A Lease lasts 15 s; who gives it back makes nobody wait for that.
    if took > 10:
        raise Fault(f"the hand-over took {took:.1f} s")


HAND_OVER = Row(
    "hand-over", (Step("change", hand_over, IN_PIECES), Step("ends", stopped)), start=begin_with()
)


# Fleets that go.


def deleted(policy: str) -> Callable[[Course], None]:
    """Returns what deletes the document, and looks what goes, and in which order."""

    def act(course: Course) -> None:
        api, since = course.bed.api, course.bed.version()
        # Ours keep a document until its fleet is gone.
        document = api.must("GET", path_of_document(course))
        if not document["metadata"].get("finalizers"):
            raise Fault("nothing keeps the document")
        api.must("DELETE", path_of_document(course))
        if not course.soon(lambda: api.find(path_of_document(course)) is None):
            raise Fault(f"the document is still there: {status(course)}")
        course.soon(lambda: not course.pods())
        events = verdict.after(course.events(), since)
        gone = [each.version for each in events if (each.kind, each.what) == ("Pod", "gone")]
        if len(gone) != len(ALL):
            raise Fault(f"{len(gone)} pods are gone")
        for each in events:
            is_claim = each.kind == "PersistentVolumeClaim" and each.what == "deleting"
            if is_claim and each.version < pods_gone(events, each.name):
                raise Fault(f"{each.name} went before its pod was gone")
        time.sleep(4)
        left = api.must("GET", CLAIMS.format(course.name))["items"]
        if len(left) != (len(ALL) if policy == "Retain" else 0):
            raise Fault(f"{len(left)} claims are left")
        if owners := [each for each in left if each["metadata"].get("ownerReferences")]:
            raise Fault(f"{len(owners)} claims have owners")
        rest = {
            key
            for key in state(course)
            if key.startswith(("Service/", "ConfigMap/", "RoleBinding/", "Pod/"))
        }
        if rest:
            raise Fault(f"left: {sorted(rest)}")

    return act


def pods_gone(events: list, claim: str) -> int:
    """Returns when the pod of a claim was gone."""
    pod = claim.removeprefix("pvc-")
    return next(
        each.version
        for each in events
        if (each.kind, each.what, each.name) == ("Pod", "gone", pod)
    )


def comes_back(course: Course) -> None:
    """Creates the document again: nodes find their volumes."""
    before = {each["metadata"]["uid"] for each in claims_of(course)}
    course.change({})
    if {each["metadata"]["uid"] for each in claims_of(course)} != before:
        raise Fault("other claims are used")


def claims_of(course: Course) -> list[dict]:
    """Returns the claims of a namespace."""
    return course.bed.api.must("GET", CLAIMS.format(course.name))["items"]


DELETED = [
    Row(
        "deleted-retain",
        (
            Step("gone", deleted("Retain"), Expect(stops=ALL, whole=False)),
            Step("back", comes_back),
        ),
        base=retention("Retain"),
    ),
    Row(
        "deleted-delete",
        (
            Step(
                "gone",
                deleted("Delete"),
                Expect(stops=ALL, loses=claims(0, 1, 2, 3, 4), whole=False),
            ),
        ),
        base=retention("Delete"),
    ),
]


# Plans that nobody carries out.


def dry(course: Course) -> None:
    """Starts a runner that does nothing, and asks for much."""
    front = looked(course).front
    course.bed.namespace(course.name)
    course.specs.mkdir(parents=True)
    mark = front.mark()
    looked(course).own[course.name] = own(course, "--dry-run")
    course.document = document(course.name)
    course.write({})
    course.bed.api.apply(course.document)
    runner = mine(course)
    runner.await_ready()
    if not wait(lambda: "would do" in runner.said()):
        raise Fault(f"it does not say what it would do: {last(runner.said())}")
    time.sleep(WHILE)
    runner.stop()
    calls = front.calls(mark, course.name)
    if writes := [call for call in calls if call.is_write]:
        raise Fault(f"something was written: {counted(writes)}")
    found = [key for key in state(course) if not key.startswith(("CosmosFullNode/", "ServiceAccount/default"))]
    if found:
        raise Fault(f"something was made: {found}")


DRY = Row("dry-run", (), start=dry)


# Others who act.


def beside_another(course: Course) -> None:
    """Starts a runner with another Lease: it stands back until the first one ends."""
    first = mine(course)
    second = own(course, *lease(course, "another"))
    second.await_ready()
    if not wait(lambda: "stands back" in second.said()):
        raise Fault(f"it does not say that it stands back: {last(second.said())}")
    revision = course.push(image("v2"))
    course.delivery.settle(course, revision)
    if second.count("cosmos_render_steps_total"):
        raise Fault(f"the second runner acts: {second.metrics()}")
    first.stop()
    looked(course).own[course.name] = second
    course.delivery.settle(course, course.push(label("one")))


BESIDE_ANOTHER = Row(
    "beside-another",
    (Step("change", beside_another, IN_PIECES), Step("ends", stopped)),
    start=begin_with(),
)

ROWS = [KILLED, HAND_OVER, *OUT_OF_SYNC, BESIDE_ANOTHER, PAGES, TRACED, *DELETED, DRY]
# Those that have a runner of their own, or none.
OWN = {row.name for row in (KILLED, HAND_OVER, BESIDE_ANOTHER, PAGES, TRACED, DRY)}
