"""Ways from a document to the cluster: rendered files in Git, or our plugin, for Argo CD, and
rendered files for Flux."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .argo import Argo
from .course import Course
from .flux import SOURCE_NAME, Flux
from .repository import Repository
from .snapshot import captured, public

AUTOMATED = {"prune": True, "selfHeal": True}
# Retries take what is newest: a failed one would hold on to what it failed with.
BACKOFF = {"duration": "2s", "factor": 2, "maxDuration": "10s"}
RETRY = {"limit": 5, "refresh": True, "backoff": BACKOFF}
POLICY = {"automated": AUTOMATED, "retry": RETRY}
# To have every object's form validated takes most of a sync's time. What is applied is the same with
# every way: it is validated with the first.
UNVALIDATED = POLICY | {"syncOptions": ["Validate=false"]}
OPTIONS = {"argocd.argoproj.io/compare-options": "ServerSideDiff=false"}
ROOT = "root"
# How our plugin is called, and where it finds what the cluster holds.
PLUGIN = "cosmos-render"
SNAPSHOT = "live.json"
PARAMETERS = [{"name": "snapshot", "array": [SNAPSHOT]}]


@dataclass
class Files:
    """Rendered files in Git, which Argo CD applies."""

    argo: Argo
    repositories: dict[str, Repository] = field(default_factory=dict)
    policy: dict[str, Any] = field(default_factory=lambda: POLICY)

    def begin(self, course: Course) -> str:
        """Commits the first files, and creates the Application."""
        repository = Repository(course.home / "git")
        self.repositories[course.name] = repository
        self.write(course, repository)
        revision = repository.commit()
        self.create(course)
        return revision

    def create(self, course: Course) -> None:
        """Creates the Application."""
        repository = self.repositories[course.name]
        more = {"syncPolicy": self.policy, "source": self.source(course)}
        metadata = {"annotations": OPTIONS}
        self.argo.create(course.name, repository, metadata=metadata, **more)

    def source(self, course: Course) -> dict:
        """Returns what an Application says of its source."""
        # Argo CD takes every file with such an ending for a manifest, and refuses all for one.
        return {"directory": {"recurse": True}}

    def write(self, course: Course, repository: Repository) -> None:
        """Writes what is committed."""
        live = captured(course.bed.api, course.name)
        known = any(each["kind"] == "Pod" for each in live["items"])
        more = [] if known else ["--assume-empty", "all"]
        render(course, "argocd", repository.folder, *more)

    def deliver(self, course: Course) -> str:
        """Commits what the document asks for now, and has Argo CD look."""
        repository = self.repositories[course.name]
        self.write(course, repository)
        revision = repository.commit()
        self.argo.refresh(course.name)
        return revision

    def settle(self, course: Course, revision: str) -> None:
        """Waits until the Application is in sync, healthy and at rest."""
        self.argo.settled(course.name, revision)


@dataclass
class ByHand(Files):
    """Rendered files in Git, which Argo CD applies when it is told to."""

    policy: dict[str, Any] = field(default_factory=dict)

    def settle(self, course: Course, revision: str) -> None:
        """Syncs, and waits until the Application is in sync, healthy and at rest."""
        self.argo.sync(course.name, prune=True)
        self.argo.settled(course.name, revision)


@dataclass
class Plugin(Files):
    """Documents and a snapshot in Git, which Argo CD renders with our plugin."""

    policy: dict[str, Any] = field(default_factory=lambda: UNVALIDATED)

    def source(self, course: Course) -> dict:
        """Returns what an Application says of its source."""
        return {"plugin": {"name": PLUGIN, "parameters": PARAMETERS}}

    def write(self, course: Course, repository: Repository) -> None:
        """Writes what is committed."""
        shutil.copytree(course.specs, repository.folder, dirs_exist_ok=True)
        live = public(captured(course.bed.api, course.name))
        (repository.folder / SNAPSHOT).write_text(json.dumps(live))


@dataclass
class Artifacts:
    """Rendered files, which Flux applies."""

    flux: Flux

    def begin(self, course: Course) -> str:
        """Has the root Kustomization read what is published."""
        (course.home / "out").mkdir()
        (course.specs / "cosmos-render.toml").write_text(SETTINGS.format(course.name))
        revision = self.publish(course)
        self.flux.kustomization(course.name, ROOT, path="./kustomizations")
        return revision

    def publish(self, course: Course) -> str:
        """Publishes what the document asks for now; returns the revision."""
        live = captured(course.bed.api, course.name)
        known = any(each["kind"] == "Pod" for each in live["items"])
        more = [] if known else ["--assume-empty", "all"]
        render(course, "flux", course.home / "out", *more)
        return self.flux.publish(course.name, read(course.home / "out"))

    def deliver(self, course: Course) -> str:
        """Publishes what the document asks for now, and has Flux look."""
        revision = self.publish(course)
        self.flux.reconcile(course.name, ROOT)
        return revision

    def settle(self, course: Course, revision: str) -> None:
        """Waits until every Kustomization has made it so."""
        self.flux.settled(course.name, revision)


SETTINGS = f"""\
[flux]
namespace = "{{}}"
source-name = "{SOURCE_NAME}"
path = "."
"""


def render(course: Course, target: str, out: Path, *more: str) -> None:
    """Renders what a document asks for, with what the cluster holds, into a folder."""
    words = ["--target", target, "--snapshot", str(course.capture()), "--out", str(out), *more]
    course.run("render", str(course.specs), *words)


def read(folder: Path) -> dict[str, str]:
    """Returns the files of a folder, by their paths in it."""
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    return {str(each.relative_to(folder)): each.read_text() for each in files}
