"""What is tried with `apply`, beside what is tried with every way of delivery."""

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import verdict
from .api import APPLY, wait
from .commanded import STOPPED, WHOLE, applied, asked, last, ran, running
from .course import CLAIMS, PODS, Course, Expect, Row, Step, bare
from .fault import Fault
from .fleets import NAME, changed, claims, document, image, label, pods, replicas, retention
from .matrix import ALL, BATCHES, ROLL
from .snapshot import KINDS, listed

HELD = 3
SERVICES = "/api/v1/namespaces/{}/services"
MAPS = "/api/v1/namespaces/{}/configmaps"
BUDGETS = "/apis/policy/v1/namespaces/{}/poddisruptionbudgets"
# For so long something is looked at that should not happen.
WHILE = 6.0


def says(words: str, text: str) -> None:
    """Fails where a text lacks words."""
    if words not in text:
        raise Fault(f"it does not say `{words}`: {last(text)}")


def state(course: Course) -> dict[str, str]:
    """Returns the version of every object of a namespace, by kind and name."""
    return {
        f"{kind}/{each['metadata']['name']}": each["metadata"]["resourceVersion"]
        for version, kind in KINDS
        for each in listed(course.bed.api, version, kind, course.name)
        # A controller puts it there, at some moment.
        if not each["metadata"]["name"].startswith("kube-root-ca")
    }


def unchanged(act: Callable[[Course], None]) -> Callable[[Course], None]:
    """Returns what does something, and fails where any object is another afterwards."""

    def check(course: Course) -> None:
        before = state(course)
        act(course)
        after = state(course)
        if after != before:
            keys = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
            raise Fault(f"something was written: {keys}")

    return check


# Without keys nothing is made.


def without_keys(course: Course) -> None:
    """Applies a fleet whose nodes have no keys, and then one that has."""
    course.bed.namespace(course.name)
    course.specs.mkdir(parents=True)
    course.document = document(course.name)
    course.write({})
    unchanged(refused_without_keys)(course)
    said = ran(course, "keys", "init", str(course.specs), "--snapshot", "cluster")
    path = f"/api/v1/namespaces/{course.name}/secrets/{NAME}-node-keys"
    course.bed.api.must("PATCH", f"{path}?fieldManager=e2e", said.out, APPLY)


def refused_without_keys(course: Course) -> None:
    """Applies a fleet whose nodes have no keys."""
    said = applied(course, *WHOLE, codes=(1,)).err
    says("no-identity", said)
    says("keys init", said)


NEW = Row(
    "new",
    (
        Step("applied", {}),
        Step("again", unchanged(lambda course: applied(course, *WHOLE) and None)),
    ),
    start=without_keys,
)


# Wave by wave.


def wave(*ready: int) -> Callable[[Course], None]:
    """Returns what applies one wave, after which some pods are ready and of the new image. Waves
    before it that concern no pods are applied one by one too."""

    def act(course: Course) -> None:
        since = course.bed.version()
        said = applied(course, "--yes").err
        if ready == (0, 1):
            for title in ("Configs", "Claims", "Restart, batch 1"):
                if course.bed.timeline and verdict.after(course.events(), since):
                    raise Fault(f"something happened to pods before their wave: {said}")
                said = applied(course, "--yes").err
                says(title, said)
        found = [each for each in course.own_pods() if node_image(each).endswith(":v2")]
        new = {each["metadata"]["name"] for each in found}
        # Behind the last wave nothing waits for it.
        is_last = new == ALL
        if new != pods(*ready) or not (is_last or new <= course.ready()):
            raise Fault(f"{sorted(new)} are new, {sorted(course.ready())} are ready")

    return act


def node_image(pod: dict) -> str:
    """Returns the image of a pod's node."""
    containers = pod["spec"]["containers"]
    return next(each["image"] for each in containers if each["name"] == "node")


def part(*ordinals: int) -> Expect:
    """Returns what a wave of a rollout may do."""
    return Expect(restarts=pods(*ordinals), budget=2, whole=False)


WAVES = Row(
    "waves",
    (
        Step("asked-for", lambda course: course.write(image("v2")), Expect(whole=False)),
        Step("first", wave(0, 1), part(0, 1)),
        Step("second", wave(0, 1, 2, 3), part(2, 3)),
        Step("third", wave(0, 1, 2, 3, 4), Expect(restarts=pods(4), budget=2)),
        Step("nothing-left", unchanged(lambda course: applied(course, "--yes") and None)),
    ),
)


# Stopped in the middle.


def interrupted(course: Course) -> None:
    """Stops a rollout again and again, at another moment each time, and goes on."""
    since = course.bed.version()
    course.write(image("v2"))
    moments = ("deleting", "gone", "added", "ready", "deleting", "gone")
    for what, ordinal in zip(moments, (0, 1, 0, 1, 3, 4)):
        with running(course, *WHOLE) as run:
            # Before that there is nothing to stop.
            run.await_words("Plan:")
            course.await_event(since, what, pods(ordinal))
            run.tell(signal.SIGINT)
            run.end(STOPPED)
            says("error[stopped]", run.said())
    applied(course, *WHOLE)


# Whoever goes on finds some nodes away, and need not wait for the others of their batch.
IN_PIECES = Expect(restarts=ALL, budget=2)
INTERRUPTED = Row("interrupted", (Step("change", interrupted, IN_PIECES), Step("again", {})))


def killed(course: Course) -> None:
    """Kills a rollout again and again, as a machine that fails would."""
    since = course.bed.version()
    course.write(image("v2"))
    for what, ordinal in (("deleting", 0), ("gone", 0), ("added", 2), ("gone", 4)):
        with running(course, *WHOLE):
            course.await_event(since, what, pods(ordinal))
    applied(course, *WHOLE)


KILLED = Row("killed", (Step("change", killed, IN_PIECES), Step("again", {})))


# Somebody else's pod has the name of one of ours.


def foreign(course: Course) -> None:
    """Puts a pod of somebody else in the place of the next node."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{NAME}-5", "namespace": course.name},
        "spec": {"containers": [{"name": "theirs", "image": "registry.example.com/theirs"}]},
    }
    course.bed.api.apply(pod, "somebody")


def beside_the_foreign(course: Course) -> None:
    """Asks for a node whose name is taken, and another image for all."""
    before = course.pod(5)["metadata"]["uid"]
    course.write(changed(replicas(6), image("v2")))
    course.keys()
    said = applied(course, *WHOLE, codes=(HELD,))
    says(f"{NAME}-5", said.out)
    if course.pod(5)["metadata"]["uid"] != before or node_image_of(course.pod(5)):
        raise Fault("the pod of somebody else was touched")


def node_image_of(pod: dict) -> list[str]:
    """Returns the images of a pod's containers that are nodes."""
    return [each["image"] for each in pod["spec"]["containers"] if each["name"] == "node"]


FOREIGN = Row(
    "foreign",
    (
        Step("comes", foreign, Expect(whole=False)),
        Step("stays", beside_the_foreign, Expect(restarts=ALL, budget=2, whole=False)),
    ),
)


# A PodDisruptionBudget.


def disruption_budget(course: Course, least: int) -> str:
    """Writes how many pods must be there at least; returns its path. Their controller looks at it."""
    selector = {"matchLabels": {"app.kubernetes.io/name": NAME}}
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "least", "namespace": course.name},
        "spec": {"minAvailable": least, "selector": selector},
    }
    path = f"{BUDGETS.format(course.name)}/least"
    generation = course.bed.api.must(
        "PATCH", f"{path}?fieldManager=e2e&force=true", json.dumps(budget), APPLY
    )["metadata"]["generation"]

    def is_seen() -> bool:
        status = course.bed.api.must("GET", path).get("status") or {}
        healthy = status.get("currentHealthy")
        return status.get("observedGeneration") == generation and healthy == len(ALL)

    if not wait(is_seen):
        raise Fault(f"nobody counts the pods of the budget: {course.bed.api.find(path)}")
    return path


def held_by_a_budget(course: Course) -> None:
    """Rolls an image out while no pod may go, and then while they may."""
    path = disruption_budget(course, len(ALL))
    since = course.bed.version()
    course.write(image("v2"))
    with running(course, *WHOLE) as run:
        run.await_words("not yet")
        seen = len(course.events())
        if wait(lambda: len(course.events()) > seen, WHILE):
            raise Fault(f"something happened all the same: {course.events()[-1]}")
        if verdict.after(course.events(), since):
            raise Fault(f"something happened before: {verdict.after(course.events(), since)[0]}")
        says("disruption budget", run.said())
        course.bed.api.must("DELETE", path)
        run.end(0)


def narrowed_by_a_budget(course: Course) -> None:
    """Rolls an image out while fewer pods may go than the document allows."""
    path = disruption_budget(course, len(ALL) - 1)
    course.write(image("v3"))
    applied(course, *WHOLE)
    course.bed.api.must("DELETE", path)


BUDGET = Row(
    "disruption-budget",
    (
        # Of a batch some may go before the others may.
        Step("held", held_by_a_budget, IN_PIECES),
        Step("narrowed", narrowed_by_a_budget, Expect(restarts=ALL, budget=1)),
    ),
)


# What is denied.


def denied(course: Course) -> None:
    """Asks for what loses volumes, and forbids that."""
    course.write(changed(replicas(3), image("v2")))
    said = applied(course, *WHOLE, "--deny", "data-loss", codes=(HELD,))
    says("denied", said.out)


def unanswered(course: Course) -> None:
    """Applies without a word of leave, where nobody can be asked."""
    says("--yes", applied(course, codes=(1,)).err)
    with asked(course) as question:
        if question.answer("no") != 1:
            raise Fault(f"it does not end with code 1: {last(question.said())}")


DENIED = Row(
    "denied",
    (
        Step("data-loss", unchanged(denied), Expect(whole=False)),
        Step("unanswered", unchanged(unanswered), Expect(whole=False)),
    ),
    base=retention("Delete"),
)


# What does not get ready.


def not_in_time(course: Course) -> None:
    """Waits for a node that does not get ready, and no longer than it was told."""
    course.write(image("never-ready"))
    said = applied(course, *WHOLE, "--timeout", "5s", codes=(1,))
    says("gate-not-met", said.err)


STUCK = Row(
    "never-ready",
    (
        Step("change", not_in_time, Expect(restarts=pods(0, 1), budget=2, whole=False)),
        Step("mended", image("v2"), Expect(restarts=ALL, budget=2, batches=BATCHES)),
    ),
)


# The plan is of yesterday.


def behind_the_plan(course: Course) -> None:
    """Has all done that a plan holds while somebody still thinks about it."""
    course.write(image("v2"))
    with asked(course, "--until", "done") as question:
        applied(course, *WHOLE)
        after = unchanged(lambda _: answered(question))
        after(course)


def answered(question: Any) -> None:
    """Says yes to a plan that is of yesterday."""
    code = question.answer("yes")
    if code != 0:
        raise Fault(f"it ended with code {code}: {last(question.said())}")


BEHIND = Row("behind", (Step("change", behind_the_plan, ROLL),))


# Fields that somebody else has written too.


def co_written(course: Course) -> None:
    """Has somebody else write what the owner asks for, and then the owner ask for it no more."""
    api = course.bed.api
    course.change(changed(label("one"), with_port(9191)))
    for ordinal in range(len(ALL)):
        also = {"metadata": {"labels": {"e2e": "one"}}}
        write_too(course, "Pod", f"{NAME}-{ordinal}", also)
    port = {"name": "more", "port": 9191, "protocol": "TCP", "targetPort": "rpc"}
    write_too(course, "Service", f"{NAME}-rpc", {"spec": {"ports": [port]}})
    write_too(course, "ConfigMap", f"{NAME}-0", {"data": {"more.toml": "a = 1"}})
    no_label = {"podTemplate": {"metadata": {"labels": None}}}
    course.change({"spec": no_label | {"service": {"rpcTemplate": None}}})
    service = api.must("GET", f"{SERVICES.format(course.name)}/{NAME}-rpc")
    found = [each["name"] for each in service["spec"]["ports"]]
    if "more" in found:
        raise Fault(f"the Service still has ports {found}")
    data = api.must("GET", f"{MAPS.format(course.name)}/{NAME}-0")["data"]
    if "more.toml" in data:
        raise Fault(f"the ConfigMap still has {sorted(data)}")


def with_port(port: int) -> dict:
    """One more port of the RPC service."""
    ports = [{"name": "more", "port": port, "protocol": "TCP", "targetPort": "rpc"}]
    return {"spec": {"service": {"rpcTemplate": {"ports": ports}}}}


def write_too(course: Course, kind: str, name: str, fields: dict) -> None:
    """Applies fields as somebody else, who then owns them too."""
    metadata = {"name": name, "namespace": course.name} | fields.get("metadata", {})
    manifest = {"apiVersion": "v1", "kind": kind} | fields | {"metadata": metadata}
    course.bed.api.apply(manifest, "somebody")


CO_WRITTEN = Row("co-written", (Step("change", co_written),))


ROWS = [NEW, WAVES, INTERRUPTED, KILLED, FOREIGN, BUDGET, DENIED, STUCK, BEHIND, CO_WRITTEN]
