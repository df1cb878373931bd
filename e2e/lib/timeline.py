"""What happened in a cluster, as somebody outside sees it: which pod, claim, volume and Job came,
got ready, was being deleted and was gone, in the order in which the cluster did it."""

import threading
import time
from dataclasses import dataclass, field

from .feed import Feed

KINDS = [
    ("v1", "Pod"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "PersistentVolume"),
    ("batch/v1", "Job"),
]


@dataclass(frozen=True)
class Event:
    """Something that happened to an object. The version orders all of them."""

    version: int
    at: float
    what: str
    kind: str
    namespace: str
    name: str
    uid: str
    # Whose pod it is, for pods of Jobs.
    job: str = ""

    def __str__(self) -> str:
        return f"{self.at:7.2f} {self.kind}/{self.name} {self.what} ({self.uid[:8]})"


@dataclass
class Timeline:
    """All events since the beginning."""

    events: list[Event] = field(default_factory=list)
    states: dict[str, set[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    begun: float = field(default_factory=time.monotonic)

    def listen(self, feed: Feed) -> None:
        """Has itself told of all that it keeps."""
        for version, kind in KINDS:
            # The default is what this kind is, not the one that the loop ends with.
            feed.tell(version, kind, lambda what, found, kind=kind: self.note(kind, what, found))

    def note(self, kind: str, what: str, found: dict) -> None:
        """Notes what is new of an object."""
        with self.lock:
            metadata = found["metadata"]
            uid = metadata["uid"]
            before = self.states.get(uid)
            now = state_of(kind, found)
            news = [] if before is not None else ["added"]
            for state, gained, lost in CHANGES:
                if state in now and state not in (before or set()):
                    news.append(gained)
                elif lost and before is not None and state not in now and state in before:
                    news.append(lost)
            if what == "DELETED":
                # What is deleted by force is never seen being deleted.
                news = ["gone"] if "deleting" in (before or set()) else ["deleting", "gone"]
            self.states[uid] = now
            self.events += [self.event(kind, found, each) for each in news]

    def event(self, kind: str, found: dict, what: str) -> Event:
        """Returns an event that happened just now."""
        metadata = found["metadata"]
        claim = found.get("spec", {}).get("claimRef") or {}
        owners = metadata.get("ownerReferences") or []
        jobs = [each["name"] for each in owners if each["kind"] == "Job"]
        return Event(
            version=int(metadata["resourceVersion"]),
            at=time.monotonic() - self.begun,
            what=what,
            kind=kind,
            # A volume is told of where its claim is.
            namespace=metadata.get("namespace") or claim.get("namespace", ""),
            name=claim.get("name") or metadata["name"],
            uid=metadata["uid"],
            job=jobs[0] if jobs else "",
        )

    def of(self, namespace: str) -> list[Event]:
        """Returns what happened in a namespace, in order."""
        with self.lock:
            found = [event for event in self.events if event.namespace == namespace]
        return sorted(found, key=lambda event: event.version)


# A state, and the events that say that it begins and ends.
CHANGES = [
    ("ready", "ready", "unready"),
    ("bound", "bound", "unbound"),
    ("complete", "complete", ""),
    ("failed", "failed", ""),
    ("deleting", "deleting", ""),
]


def state_of(kind: str, found: dict) -> set[str]:
    """Returns what can be said of an object."""
    status = found.get("status") or {}
    conditions = {
        each["type"] for each in status.get("conditions") or [] if each["status"] == "True"
    }
    states = {
        "ready": kind == "Pod" and "Ready" in conditions,
        "bound": kind != "Pod" and status.get("phase") == "Bound",
        "complete": kind == "Job" and "Complete" in conditions,
        "failed": kind == "Job" and "Failed" in conditions,
        "deleting": "deletionTimestamp" in found["metadata"],
    }
    return {state for state, is_so in states.items() if is_so}
