"""Loops that bring a change about one step at a time, as a pipeline would run them: look at the
cluster, render what comes next, deliver it, and look again, until nothing is left."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .api import wait
from .argo import signs, state_of, told
from .course import Course
from .deliver import UNVALIDATED, Files, read
from .fault import Fault
from .paths import path_of
from .repository import Repository
from .snapshot import KINDS, listed, public

# For so long a loop may go on without anything that it delivers.
PATIENCE = 300.0
CREATED_BY = "app.kubernetes.io/created-by"
OURS = "cosmos-render"
# Nobody prunes what is kept elsewhere: keys, and the document itself.
PRUNED = [(version, kind) for version, kind in KINDS if kind not in ("Secret", "CosmosFullNode")]


class Loop:
    """What all loops have in common. They remember nothing: whoever starts one anew begins with
    what lies in Git and in the cluster."""

    target = ""

    def out(self, course: Course) -> Path:
        """Returns the folder that is rendered into."""
        raise NotImplementedError

    def step(self, course: Course) -> bool:
        """Has the next step delivered; returns whether there was one."""
        raise NotImplementedError

    def run(self, course: Course, until: Callable[[], bool] = lambda: False) -> None:
        """Goes on until nothing is left, or until something else holds."""
        end = time.monotonic() + PATIENCE
        while not until() and not self.is_done(course):
            if self.turn(course):
                end = time.monotonic() + PATIENCE
            if time.monotonic() > end:
                raise Fault(f"the next step of {course.name} never comes: {self.said(course)}")

    def turn(self, course: Course) -> bool:
        """Does the next step, or waits a little for something to happen; returns which of both."""
        seen = len(course.events())
        has_step = self.step(course)
        if not has_step:
            wait(lambda: len(course.events()) > seen, 1)
        return has_step

    def render(self, course: Course) -> None:
        """Renders the next step."""
        course.run("render", *self.words(course))

    def words(self, course: Course) -> list[str]:
        """Returns what the program is told."""
        live = course.capture(public)
        items = json.loads(live.read_text())["items"]
        is_new = self.target != "manifests" and not any(each["kind"] == "Pod" for each in items)
        empty = ["--assume-empty", "all"] if is_new else []
        words = ["--target", self.target, "--next", "-o", "json", "--out", str(self.out(course))]
        return [str(course.specs), *words, "--snapshot", str(live), *empty]

    def is_done(self, course: Course) -> bool:
        """Whether nothing is left to do, as the program sees it."""
        return course.run("render", "--check", *self.words(course), codes=(0, 2)).code == 0

    def said(self, course: Course) -> str:
        """Returns what the program says of what is left."""
        return course.program.run("render", "--check", *self.words(course)).err


@dataclass
class Steps(Loop, Files):
    """A commit for each step, which Argo CD applies. A hasty loop does not wait until one is synced,
    and breaks off each time before what it has rendered is committed."""

    policy: dict[str, Any] = field(default_factory=lambda: UNVALIDATED)
    is_hasty: bool = False
    target = "argocd"

    def out(self, course: Course) -> Path:
        """Returns the folder that is rendered into."""
        return self.repositories[course.name].folder

    def write(self, course: Course, repository: Repository) -> None:
        """Writes what is committed."""
        self.render(course)

    def deliver(self, course: Course) -> str:
        """Commits the first step to what the document asks for now."""
        self.step(course)
        return ""

    def settle(self, course: Course, revision: str) -> None:
        """Goes on until nothing is left."""
        self.run(course)

    def step(self, course: Course) -> bool:
        """Commits the next step, if there is one, and has Argo CD look."""
        repository = self.repositories[course.name]
        if self.is_hasty:
            self.write(course, repository)
            repository.forget()
        self.write(course, repository)
        if not repository.is_changed():
            return False
        revision = repository.commit()
        self.argo.refresh(course.name)
        if not self.is_hasty:
            self.synced(course.name, revision)
        return True

    def synced(self, name: str, revision: str) -> None:
        """Waits until a revision is synced; its pods need not be ready."""

        def is_so() -> bool:
            sync, _, of, runs = state_of(self.argo.application(name))
            return (sync, of, runs) == ("Synced", revision, False)

        if not wait(is_so, PATIENCE, sign=lambda: signs(self.argo.application(name))):
            application = self.argo.application(name)
            state = (application.get("status") or {}).get("operationState") or {}
            raise Fault(f"{name} is {state_of(application)}, not synced: {told(state)}")


@dataclass
class Applied(Loop):
    """Plain manifests, each applied by the server's side, and what is no longer rendered deleted, as
    `kubectl` does it. Nothing is waited for."""

    target = "manifests"
    homes: dict[str, Path] = field(default_factory=dict)

    def out(self, course: Course) -> Path:
        """Returns the folder that is rendered into."""
        return course.home / "out"

    def begin(self, course: Course) -> str:
        """Applies the first step."""
        return self.deliver(course)

    def deliver(self, course: Course) -> str:
        """Applies the document, and the first step to what it asks for."""
        course.bed.api.apply(course.document)
        self.step(course)
        return ""

    def settle(self, course: Course, revision: str) -> None:
        """Goes on until nothing is left."""
        self.run(course)

    def step(self, course: Course) -> bool:
        """Applies the next step, or the last one again: somebody may have taken some of it away."""
        out = self.out(course)
        before = read(out)
        self.render(course)
        after = read(out)
        manifests = [json.loads(text) for path, text in after.items() if path.endswith(".json")]
        for manifest in manifests:
            course.bed.api.apply(manifest)
        kept = {path_of(manifest) for manifest in manifests}
        for version, kind in PRUNED:
            for each in listed(course.bed.api, version, kind, course.name):
                self.prune(course, each, kept)
        return before != after

    def prune(self, course: Course, found: dict, kept: set[str]) -> None:
        """Deletes an object of ours that is rendered no more."""
        path, metadata = path_of(found), found["metadata"]
        is_ours = (metadata.get("labels") or {}).get(CREATED_BY) == OURS
        if is_ours and path not in kept and "deletionTimestamp" not in metadata:
            course.bed.api.request("DELETE", path)
