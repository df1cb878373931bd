"""What is tried with the duties of the runner: each scene has a namespace and a fleet of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from . import fleets, snapshots
from .api import wait
from .bed import Bed
from .comet import START
from .fault import Fault
from .nodes import is_ready
from .runners import Runner

GIB = 1 << 30
UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}
DUTIES = "/apis/cosmos.strange.love/v1alpha1/namespaces"
# For so long something is looked at that should not happen.
WHILE = 6.0
PATIENCE = 60.0
ONE = {"strategy": {"maxUnavailable": 1}}


@dataclass
class Scene:
    """A fleet, and what is done to it."""

    bed: Bed
    name: str
    runner: Runner

    def begin(self, replicas: int, spec: dict) -> None:
        """Makes the fleet, and waits until all of it serves."""
        document = fleets.document(self.name)
        self.bed.api.apply(fleets.changed(document, {"spec": ONE | {"replicas": replicas} | spec}))
        self.until(lambda: self.serves(replicas), "the fleet never serves")

    def serves(self, replicas: int) -> bool:
        """Whether all pods are ready, and the document says so."""
        ready = [each for each in self.pods().values() if is_ready(each)]
        return len(ready) == replicas and self.document()["status"].get("phase") == "Complete"

    def until(self, what: Callable[[], bool], otherwise: str, patience: float = PATIENCE) -> None:
        """Waits until something holds."""
        if not wait(what, patience, 0.3, lambda: len(self.bed.timeline.of(self.name))):
            raise Fault(f"{otherwise}; {self.state()}")

    def never(self, what: Callable[[], bool], why: str, seconds: float = WHILE) -> None:
        """Sees that something does not happen."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if what():
                raise Fault(f"{why}; {self.state()}")
            time.sleep(0.2)

    def state(self) -> str:
        """Returns what is worth knowing where something went wrong."""
        documents = [self.document(), *self.all("scheduledvolumesnapshots"), *self.all("statefuljobs")]
        said = [{"name": each["metadata"]["name"]} | (each.get("status") or {}) for each in documents]
        return f"the documents say {said}, pods are {sorted(self.pods())}"

    def all(self, plural: str) -> list[dict]:
        """Returns all documents of a duty."""
        return self.bed.api.must("GET", f"{DUTIES}/{self.name}/{plural}")["items"]

    def document(self) -> dict:
        """Returns the fleet's document."""
        path = f"/apis/cosmos.strange.love/v1/namespaces/{self.name}/cosmosfullnodes"
        found = self.bed.api.must("GET", f"{path}/{fleets.NAME}")
        return {"status": {}} | found

    def pods(self) -> dict[str, dict]:
        """Returns the fleet's pods."""
        found = self.bed.api.must("GET", f"/api/v1/namespaces/{self.name}/pods")["items"]
        return {
            each["metadata"]["name"]: each
            for each in found
            if each["metadata"]["name"].startswith(f"{fleets.NAME}-")
        }

    def uids(self) -> dict[str, str]:
        """Returns the UIDs of pods that are ready."""
        pods = self.pods().items()
        return {name: each["metadata"]["uid"] for name, each in pods if is_ready(each)}

    def claims(self) -> dict[str, dict]:
        """Returns all claims."""
        found = self.bed.api.must("GET", f"/api/v1/namespaces/{self.name}/persistentvolumeclaims")
        return {each["metadata"]["name"]: each for each in found["items"]}

    def size(self, ordinal: int = 0) -> float:
        """Returns how much a claim asks for, in GiB."""
        claim = self.claims()[f"pvc-{fleets.NAME}-{ordinal}"]
        return amount(claim["spec"]["resources"]["requests"]["storage"]) / GIB

    def told(self, reason: str) -> list[str]:
        """Returns what Events tell for a reason."""
        path = f"/apis/events.k8s.io/v1/namespaces/{self.name}/events"
        found = self.bed.api.must("GET", path)["items"]
        return [each.get("note", "") for each in found if each.get("reason") == reason]

    def fill(self, percent: int | None, ordinal: int = 0) -> None:
        """Says how full a disk is."""
        self.bed.comet.disks[(self.name, f"{fleets.NAME}-{ordinal}")] = percent

    def snapshots(self) -> list[dict]:
        """Returns all snapshots of volumes, the oldest first."""
        found = self.bed.api.must("GET", snapshots.path(self.name))["items"]
        return sorted(found, key=lambda each: each["metadata"]["creationTimestamp"])

    def schedule(self, **spec: object) -> None:
        """Wishes for snapshots."""
        manifest = {
            "apiVersion": "cosmos.strange.love/v1alpha1",
            "kind": "ScheduledVolumeSnapshot",
            "metadata": {"name": "often", "namespace": self.name},
            "spec": {
                "fullNodeRef": {"name": fleets.NAME},
                "schedule": "@every 3s",
                "volumeSnapshotClassName": "fast",
                "deletePod": True,
            }
            | spec,
        }
        self.bed.api.apply(manifest)

    def phase(self) -> str:
        """Returns how far the schedule is."""
        return (self.all("scheduledvolumesnapshots")[0].get("status") or {}).get("phase", "")

    def message(self, plural: str) -> str:
        """Returns what a duty's document says."""
        return (self.all(plural)[0].get("status") or {}).get("status") or ""

    def job(self, command: str, **spec: object) -> None:
        """Wishes for jobs."""
        container = {"name": "work", "image": "busybox", "command": ["sh", "-c", command]}
        manifest = {
            "apiVersion": "cosmos.strange.love/v1alpha1",
            "kind": "StatefulJob",
            "metadata": {"name": "work", "namespace": self.name},
            "spec": {
                "selector": {"of": "hand"},
                "interval": "4s",
                "jobTemplate": {"backoffLimit": 0, "ttlSecondsAfterFinished": 0},
                "podTemplate": {"spec": {"containers": [container]}},
                "volumeClaimTemplate": {"storageClassName": "standard"},
            }
            | spec,
        }
        self.bed.api.apply(manifest)

    def history(self) -> list[dict]:
        """Returns how the last jobs went."""
        return (self.all("statefuljobs")[0].get("status") or {}).get("jobHistory") or []


def amount(text: str) -> float:
    """Reads a quantity."""
    if text.endswith("m"):
        return int(text.removesuffix("m")) / 1000
    for unit, size in UNITS.items():
        if text.endswith(unit):
            return int(text.removesuffix(unit)) * size
    return int(text)


# Claims.

SCALE = {"pvcAutoScale": {"usedSpacePercentage": 80, "increaseQuantity": "50%", "maxSize": "20Gi"}}


def grows(scene: Scene) -> None:
    """A claim grows as it fills, not twice in a short time, and never above its limit."""
    scene.begin(1, {"selfHeal": SCALE})
    scene.never(lambda: scene.size() != 10, "a claim grew that was not full", 3)
    before = scene.uids()
    scene.fill(85)
    scene.until(lambda: scene.size() > 10, "the claim does not grow")
    if not 15 <= scene.size() < 15.5:
        raise Fault(f"the claim asks for {scene.size()} GiB")
    scene.until(lambda: scene.size() > 16, "the claim does not grow again")
    if not 19.9 < scene.size() <= 20:
        raise Fault(f"the claim asks for {scene.size()} GiB, and 20 is its limit")
    scene.never(lambda: scene.size() > 20, "the claim grew above its limit", 7)
    if scene.uids() != before:
        raise Fault("a pod restarted since its claim grew")
    if not (told := scene.told("PVCAutoScale")) or "85 %" not in told[0]:
        raise Fault(f"Events tell {told}")


def fills(scene: Scene) -> None:
    """A disk that is full at one blow grows; one of which nobody knows how full it is does not."""
    scene.begin(2, {"selfHeal": {"pvcAutoScale": {"usedSpacePercentage": 80, "increaseQuantity": "5Gi"}}})
    scene.fill(None, 0)
    scene.until(lambda: bool(scene.told("PVCAutoScaleCollectUsage")), "nobody tells of it")
    scene.fill(100, 1)
    scene.until(lambda: scene.size(1) > 15, "the claim does not grow")
    scene.fill(10, 1)
    scene.never(lambda: scene.size(0) != 10, "a claim grew of which nobody knows how full it is")
    scene.fill(90, 0)
    scene.until(lambda: scene.size(0) > 15, "the claim does not grow once it is known")
    if len(told := scene.told("PVCAutoScaleCollectUsage")) != 1:
        raise Fault(f"Events tell {told}")


# Nodes that lag.


def lags(scene: Scene) -> None:
    """Two nodes that lag restart, one after the other; who is up with the chain stays."""
    scene.begin(3, {"selfHeal": {"heightDriftMitigation": {"threshold": 20}}})
    before = scene.uids()
    lagging = [f"{fleets.NAME}-{ordinal}" for ordinal in (1, 2)]
    for name in lagging:
        scene.bed.comet.say(scene.name, name, height=START - 50)
    restarted: list[str] = []
    fewest = 3

    def is_over() -> bool:
        nonlocal fewest
        ready = scene.uids()
        fewest = min(fewest, len(ready))
        for name in lagging:
            if ready.get(name, before[name]) != before[name] and name not in restarted:
                restarted.append(name)
                # A node that has started anew says how it is.
                scene.bed.comet.hush(scene.name, name)
        return len(restarted) == 2

    scene.until(is_over, "the nodes that lag do not restart")
    if fewest < 2:
        raise Fault(f"of three pods {fewest} were ready at one time")
    after = scene.uids()
    scene.never(lambda: scene.uids() != after, "a pod restarted that does not lag")
    if after[f"{fleets.NAME}-0"] != before[f"{fleets.NAME}-0"]:
        raise Fault("a pod restarted that never lagged")


# Snapshots.


def taken(scene: Scene) -> list[dict]:
    """Returns the snapshots that wait to be taken."""
    return [each for each in scene.snapshots() if not (each.get("status") or {}).get("readyToUse")]


def schedules(scene: Scene) -> None:
    """A pod is away while the snapshot of its volume is taken; as many are kept as are asked for."""
    scene.begin(3, {})
    before = scene.uids()
    scene.schedule(limit=2)
    for _ in range(4):
        scene.until(lambda: bool(taken(scene)), "no snapshot is made")
        (found,) = taken(scene)
        if (claim := found["spec"]["source"]["persistentVolumeClaimName"]) != f"pvc-{fleets.NAME}-0":
            raise Fault(f"the snapshot is of {claim}")
        if f"{fleets.NAME}-0" in scene.pods() or len(scene.pods()) != 2:
            raise Fault(f"the pods are {sorted(scene.pods())}")
        snapshots.ready(scene.bed.api, scene.name, found["metadata"]["name"])
        scene.until(lambda: len(scene.uids()) == 3, "the pod does not come back")
    scene.schedule(limit=2, suspend=True)
    scene.until(lambda: scene.phase() == "Suspended", "it is not suspended")
    scene.until(lambda: len(scene.uids()) == 3, "a pod is away")
    count = len(scene.snapshots())
    if count > 3:
        raise Fault(f"{count} snapshots are kept")
    after = scene.uids()
    others = [f"{fleets.NAME}-{ordinal}" for ordinal in (1, 2)]
    if any(after[name] != before[name] for name in others):
        raise Fault("a pod restarted whose volume was not asked for")


def fails(scene: Scene) -> None:
    """Whatever becomes of a snapshot, the pod comes back."""
    scene.begin(2, {})
    scene.schedule()
    away = f"{fleets.NAME}-0"
    for status in ({}, {"error": {"message": "no room"}}):
        scene.until(lambda: bool(scene.snapshots()) and away not in scene.pods(), "no pod is away")
        (found,) = scene.snapshots()
        if status:
            snapshots.say(scene.bed.api, scene.name, found["metadata"]["name"], **status)
        scene.until(lambda: away in scene.pods(), "the pod does not come back")
        gone = found["metadata"]["uid"]
        scene.until(
            lambda: gone not in {each["metadata"]["uid"] for each in scene.snapshots()},
            "the snapshot would be taken while the node writes",
        )
    if not (told := scene.told("SnapshotFailed")):
        raise Fault(f"Events tell {told}")
    scene.until(lambda: bool(scene.snapshots()) and away not in scene.pods(), "no pod is away")
    scene.bed.api.must("DELETE", f"{DUTIES}/{scene.name}/scheduledvolumesnapshots/often")
    scene.until(lambda: len(scene.uids()) == 2, "the pod stays away though the schedule is gone")
    scene.never(lambda: len(scene.uids()) != 2, "a pod is away though the schedule is gone")


def holds(scene: Scene) -> None:
    """A fleet's only pod is not sent away."""
    scene.begin(1, {})
    before = scene.uids()
    scene.schedule()
    scene.until(lambda: "in sync" in scene.message("scheduledvolumesnapshots"), "it says nothing")
    scene.never(lambda: scene.uids() != before, "the only pod was sent away")
    if scene.snapshots():
        raise Fault("a snapshot was made")


# Jobs.


def by_hand(scene: Scene) -> None:
    """Makes a snapshot that is ready."""
    manifest = {
        "apiVersion": f"{snapshots.GROUP}/v1",
        "kind": "VolumeSnapshot",
        "metadata": {"name": "hand", "namespace": scene.name, "labels": {"of": "hand"}},
        "spec": {"source": {"persistentVolumeClaimName": "some"}},
    }
    scene.bed.api.must("POST", snapshots.path(scene.name), manifest)
    snapshots.ready(scene.bed.api, scene.name, "hand")


def works(scene: Scene) -> None:
    """Jobs run on volumes that are made from the snapshot, again and again; what fails is told."""
    scene.begin(1, {})
    own = set(scene.claims())
    scene.job("sleep 1")
    scene.until(lambda: "waits for" in scene.message("statefuljobs"), "it says nothing")
    by_hand(scene)
    scene.until(lambda: "work" in scene.claims(), "no claim is made")
    if (source := scene.claims()["work"]["spec"]["dataSource"]["name"]) != "hand":
        raise Fault(f"the claim is made from {source}")
    scene.until(lambda: len(scene.history()) > 1, "no second job runs")
    if scene.history()[1].get("succeeded") != 1:
        raise Fault(f"the job ended with {scene.history()}")
    scene.job("exit 3")
    scene.until(lambda: any(each.get("failed") for each in scene.history()), "nothing tells that it fails")
    scene.job("exit 3", interval="1h")
    scene.until(lambda: set(scene.claims()) == own, "the claim of a job that is gone stays")
    if not scene.serves(1):
        raise Fault("the fleet does not serve any more")


def refused(scene: Scene) -> None:
    """A job that the API server refuses costs no volume, and a claim of somebody else's stays."""
    scene.begin(1, {})
    by_hand(scene)
    before = set(scene.claims())
    container = {"name": "No Name", "image": "busybox"}
    scene.job("", podTemplate={"spec": {"containers": [container]}})
    scene.until(lambda: "cannot go on" in scene.message("statefuljobs"), "it says nothing")
    if set(scene.claims()) != before:
        raise Fault("a volume was made for nothing")
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "work", "namespace": scene.name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "standard",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    scene.bed.api.apply(claim)
    uid = scene.claims()["work"]["metadata"]["uid"]
    scene.job("true")
    scene.until(lambda: "not made for" in scene.message("statefuljobs"), "it says nothing")
    if scene.claims()["work"]["metadata"]["uid"] != uid:
        raise Fault("somebody else's claim was deleted")


SCENES: dict[str, Callable[[Scene], None]] = {
    "grows": grows,
    "fills": fills,
    "lags": lags,
    "schedules": schedules,
    "fails": fails,
    "holds": holds,
    "works": works,
    "refused": refused,
}
