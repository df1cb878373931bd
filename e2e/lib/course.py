"""The course of a fleet through a scenario: its document changes, what is rendered of it is
delivered, and what came of that is judged from outside."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from . import fleets, verdict
from .api import APPLY, wait
from .bed import Bed
from .fault import Fault
from .nodes import is_ready
from .program import Program, Ran
from .snapshot import captured, is_of_job

PODS = "/api/v1/namespaces/{}/pods"
CLAIMS = "/api/v1/namespaces/{}/persistentvolumeclaims"


@dataclass(frozen=True)
class Expect:
    """What a step should bring about, and what it may."""

    # Pods that are deleted and made anew, and how often at most: once, where nothing went wrong.
    restarts: frozenset[str] | set[str] = frozenset()
    times: int = 1
    # How many of the pods that stay may be away at any moment.
    budget: int = 0
    # What restarts or comes only when all of the former are ready.
    batches: tuple[set[str], ...] = ()
    # Pods that are stopped for good, and claims that are deleted with their volumes.
    stops: frozenset[str] | set[str] = frozenset()
    loses: frozenset[str] | set[str] = frozenset()
    # Whether afterwards every pod is there and ready, and a plan has nothing to do.
    whole: bool = True


# A patch of the document, or something else that is done to a fleet.
Act = dict | Callable[["Course"], None]


@dataclass(frozen=True)
class Step:
    """Something that is done, and what may come of it."""

    name: str
    act: Act
    expect: Expect = Expect()


@dataclass(frozen=True)
class Row:
    """A scenario: a fleet, and what is done to it, one after the other."""

    name: str
    steps: tuple[Step, ...]
    base: dict = field(default_factory=dict)
    # How the fleet comes to be, where it is not made anew.
    start: Callable[["Course"], None] | None = None


class Delivery(Protocol):
    """A way from a document to the cluster."""

    def begin(self, course: "Course") -> str:
        """Sets up what delivers a fleet, which nobody has seen yet; returns the revision."""

    def deliver(self, course: "Course") -> str:
        """Has what the document asks for now delivered; returns the revision."""

    def settle(self, course: "Course", revision: str) -> None:
        """Waits until a revision is there."""


@dataclass
class Course:
    """A fleet in a namespace of its own."""

    name: str
    bed: Bed
    program: Program
    delivery: Delivery
    home: Path
    fleet: str = fleets.NAME
    document: dict = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def begin(self, patch: dict | None = None) -> None:
        """Makes a fleet, from its keys to its last pod."""
        self.bed.namespace(self.name)
        self.specs.mkdir(parents=True, exist_ok=True)
        self.document = fleets.document(self.name)
        self.write(patch or {})
        self.keys()
        self.step(Course.first, Expect(), "begin")

    def first(self) -> None:
        """Has the fleet delivered for the first time, and waits until it is there."""
        self.delivery.settle(self, self.delivery.begin(self))

    def play(self, row: Row) -> None:
        """Goes through a scenario, from the beginning to its end or to where it breaks off."""
        what = "begin"
        try:
            if row.start is None:
                self.begin(row.base)
            else:
                row.start(self)
            for step in row.steps:
                what = step.name
                self.step(step.act, step.expect, what)
        except Fault as fault:
            self.say(what, ["; ".join([str(fault), *self.waiting()])])
            self.faults += self.bed.feed.faults

    @property
    def specs(self) -> Path:
        """Where its documents are."""
        return self.home / "specs"

    def write(self, patch: dict) -> None:
        """Changes the document."""
        self.document = fleets.changed(self.document, patch)
        fleets.write(self.specs, self.document)

    def keys(self) -> None:
        """Makes the keys of nodes that have none, and brings them into the cluster."""
        path = f"/api/v1/namespaces/{self.name}/secrets/{self.fleet}-node-keys"
        known = self.bed.api.find(path)
        more = []
        if known is not None:
            # What the cluster holds goes in, with what is new it comes out.
            file = self.home / "known-keys.json"
            file.write_text(json.dumps({"apiVersion": "v1", "kind": "Secret"} | bare(known)))
            more = ["--secret", str(file)]
        ran = self.run("keys", "init", "--new-identities", str(self.specs), *more)
        if ran.out.strip():
            query = "?fieldManager=e2e&force=true"
            applied = self.bed.api.request("PATCH", path + query, ran.out, APPLY)
            if not applied.accepted:
                raise Fault(f"the keys of {self.name} are refused: {applied.message}")

    def capture(self, of: Callable[[dict], dict] = lambda live: live) -> Path:
        """Writes what the cluster holds, or a part of it, into a file; returns its path."""
        file = self.home / "live.json"
        file.write_text(json.dumps(of(captured(self.bed.api, self.name))))
        return file

    def run(self, *words: str, codes: tuple[int, ...] = (0,)) -> Ran:
        """Runs the program, and fails where it ends with another code."""
        ran = self.program.run(*words)
        if ran.code not in codes:
            raise Fault(f"`{' '.join(words)}` ended with code {ran.code}: {ran.err}")
        return ran

    def step(self, act: Act, expect: Expect, what: str) -> None:
        """Does something, and judges what happens: changes the document and has it delivered, or
        whatever else it is."""
        since, before = self.bed.version(), self.pods()
        if isinstance(act, dict):
            self.change(act)
        else:
            act(self)
        self.judge(since, before, expect, what)

    def change(self, patch: dict) -> None:
        """Changes the document, and waits until what it asks for is there."""
        self.delivery.settle(self, self.push(patch))

    def push(self, patch: dict) -> str:
        """Changes the document, and has what it asks for delivered; returns the revision."""
        self.write(patch)
        self.keys()
        return self.delivery.deliver(self)

    def judge(self, since: int, before: set[str], expect: Expect, what: str) -> None:
        """Judges what happened after a version, when some pods were there."""
        stay = before - expect.stops
        if expect.whole and not wait(self.is_whole, sign=self.count):
            here = f"{sorted(self.ready())} of {sorted(self.pods())}"
            self.say(what, [f"{here} are ready, {sorted(self.wanted())} are wanted"])
            self.say(what, self.waiting())
        loses = set(expect.loses)
        wait(lambda: not verdict.not_deleted(self.events(), since, loses))
        events = self.events()
        allowed = dict.fromkeys(expect.restarts, expect.times) | dict.fromkeys(expect.stops, 1)
        self.say(what, verdict.beyond_budget(events, since, stay, expect.budget))
        self.say(what, verdict.wrongly_replaced(events, since, allowed))
        self.say(what, verdict.out_of_order(events, since, list(expect.batches)))
        self.say(what, verdict.lost(events, since, loses))
        self.say(what, verdict.not_deleted(events, since, loses))
        if expect.whole:
            self.say(what, self.left())

    def is_whole(self) -> bool:
        """Whether the pods that the document asks for, and no others, are there and ready."""
        return self.ready() == self.wanted() == self.pods()

    def say(self, what: str, faults: list[str]) -> None:
        """Notes what is wrong."""
        self.faults += [f"{what}: {fault}" for fault in faults]

    def left(self) -> list[str]:
        """Returns what a plan would still do."""
        words = ["plan", str(self.specs), "--snapshot", str(self.capture()), "-o", "json"]
        ran = self.run(*words, "--detailed-exitcode", codes=(0, 2, 3))
        steps = [
            f"{step['action']} {step['object']['kind']}/{step['object']['name']}"
            for found in json.loads(ran.out)["fleets"]
            for wave in found["waves"]
            for step in wave["steps"]
        ]
        return [f"a plan would still {', '.join(steps)}"] if steps else []

    def wanted(self) -> set[str]:
        """Returns the names of the pods that the document asks for."""
        return {f"{self.fleet}-{each}" for each in range(self.document["spec"]["replicas"])}

    def pods(self) -> set[str]:
        """Returns the names of the fleet's pods."""
        return {each["metadata"]["name"] for each in self.own_pods()}

    def ready(self) -> set[str]:
        """Returns the names of pods that are ready and stay."""
        return {
            each["metadata"]["name"]
            for each in self.own_pods()
            if is_ready(each) and "deletionTimestamp" not in each["metadata"]
        }

    def waiting(self) -> list[str]:
        """Returns what pods and claims that are not there yet say of themselves."""
        claims = self.bed.api.must("GET", CLAIMS.format(self.name))["items"]
        found = [each for each in self.own_pods() if not is_ready(each)]
        found += [each for each in claims if each["status"].get("phase") != "Bound"]
        return [told(each) for each in found]

    def own_pods(self) -> list[dict]:
        """Returns the fleet's pods."""
        listed = self.bed.api.must("GET", PODS.format(self.name))["items"]
        return [each for each in listed if not is_of_job(each)]

    def pod(self, ordinal: int) -> dict:
        """Returns a pod."""
        return self.bed.api.must("GET", f"{PODS.format(self.name)}/{self.fleet}-{ordinal}")

    def claim(self, ordinal: int) -> dict:
        """Returns a claim."""
        return self.bed.api.must("GET", f"{CLAIMS.format(self.name)}/pvc-{self.fleet}-{ordinal}")

    def volume(self, claim: dict) -> dict:
        """Returns the volume of a claim."""
        return self.bed.api.must("GET", f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}")

    def soon(self, is_so: Callable[[], bool]) -> bool:
        """Waits until something holds; returns whether it came to that."""
        return wait(is_so, sign=self.count)

    def await_event(self, since: int, what: str, names: set[str]) -> None:
        """Waits until something has happened to each of some pods."""

        def is_so() -> bool:
            events = self.events()
            return all(verdict.moments(events, since, name, what) for name in names)

        # What is done then has to be done at once, and nobody is asked.
        if not wait(is_so, longest=0.05, sign=self.count):
            raise Fault(f"it did not come to that: {sorted(names)} {what}")

    def count(self) -> int:
        """Returns how much has happened to the fleet."""
        return len(self.events())

    def events(self) -> list:
        """Returns all that happened to the fleet."""
        self.bed.feed.check()
        return self.bed.timeline.of(self.name)


def told(found: dict) -> str:
    """Returns in a line what an object says of itself."""
    status = found.get("status") or {}
    conditions = status.get("conditions") or []
    words = [each.get("message") or each.get("reason") or each["type"] for each in conditions]
    return f"{found['metadata']['name']} is {status.get('phase')} ({', '.join(words)})"


def bare(found: dict) -> dict:
    """Returns an object without what the server keeps of it."""
    kept = ("name", "namespace", "labels", "annotations")
    metadata = {key: found["metadata"][key] for key in kept if key in found["metadata"]}
    return found | {"metadata": metadata}
