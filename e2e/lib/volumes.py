"""Volumes for claims, without a disk: made when the cluster's own controllers say that it is time,
grown when a claim asks for more, deleted when the claim is gone and the volume is not retained.

The host-path provisioner of Kubernetes would do the first; it keeps its folders below /tmp whatever
it is told, and can't grow them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .api import MERGE, Api
from .feed import Feed

PROVISIONER = "e2e.cosmos-render/volumes"
# By name: when a volume is bound, and what becomes of it when its claim is deleted.
CLASSES = {
    "standard": ("Immediate", "Delete"),
    "waits": ("WaitForFirstConsumer", "Delete"),
    # What the captured fleets of the fixtures ask for.
    "fast-ssd": ("WaitForFirstConsumer", "Delete"),
}
CLAIMED_BY = "volume.kubernetes.io/storage-provisioner"
SELECTED_NODE = "volume.kubernetes.io/selected-node"


def classes() -> list[dict]:
    """Returns the storage classes."""
    return [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": PROVISIONER,
            "reclaimPolicy": policy,
            "allowVolumeExpansion": True,
            "volumeBindingMode": mode,
        }
        for name, (mode, policy) in CLASSES.items()
    ]


class Volumes:
    """The provisioner of those classes."""

    def __init__(self, api: Api, feed: Feed) -> None:
        self.api = api
        self.feed = feed
        self.workers = ThreadPoolExecutor(2, "volumes")
        feed.tell("v1", "PersistentVolumeClaim", self.claim)
        feed.tell("v1", "PersistentVolume", self.volume)

    def claim(self, what: str, found: dict) -> None:
        """Looks at a claim: is it time for a volume, or for more room?"""
        metadata = found["metadata"]
        if what == "DELETED" or "deletionTimestamp" in metadata:
            return
        annotations = metadata.get("annotations") or {}
        name = found["spec"].get("storageClassName")
        if annotations.get(CLAIMED_BY) == PROVISIONER and not found["spec"].get("volumeName"):
            if CLASSES[name][0] == "Immediate" or SELECTED_NODE in annotations:
                self.submit(self.provision, found)
        asked = found["spec"]["resources"]["requests"]["storage"]
        has = (found.get("status", {}).get("capacity") or {}).get("storage")
        if name in CLASSES and has and has != asked:
            self.submit(self.grow, found, asked)

    def submit(self, task: Callable[..., Any], *arguments: Any) -> None:
        """Has something done by and by."""
        self.workers.submit(self.feed.tried, task, *arguments)

    def provision(self, claim: dict) -> None:
        """Makes the volume of a claim; the cluster's controllers bind the two."""
        metadata, spec = claim["metadata"], claim["spec"]
        name = spec["storageClassName"]
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {
                "name": f"pvc-{metadata['uid']}",
                "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER},
            },
            "spec": {
                "capacity": {"storage": spec["resources"]["requests"]["storage"]},
                "accessModes": spec["accessModes"],
                "storageClassName": name,
                "persistentVolumeReclaimPolicy": CLASSES[name][1],
                "volumeMode": "Filesystem",
                # Never mounted: there are no real nodes.
                "hostPath": {"path": f"/nonexistent/{metadata['uid']}"},
                "claimRef": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "namespace": metadata["namespace"],
                    "name": metadata["name"],
                    "uid": metadata["uid"],
                },
            },
        }
        # Asked twice for one claim, it exists the second time.
        self.api.request("POST", "/api/v1/persistentvolumes", volume)

    def grow(self, claim: dict, size: str) -> None:
        """Gives a volume and its claim the size that the claim asks for."""
        metadata = claim["metadata"]
        volume = f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}"
        self.api.request("PATCH", volume, {"spec": {"capacity": {"storage": size}}}, MERGE)
        path = f"/api/v1/namespaces/{metadata['namespace']}/persistentvolumeclaims"
        patch = {"status": {"capacity": {"storage": size}, "conditions": []}}
        self.api.request("PATCH", f"{path}/{metadata['name']}/status", patch, MERGE)

    def volume(self, what: str, found: dict) -> None:
        """Looks at a volume: one whose claim is gone goes too, unless it is retained."""
        policy = found["spec"]["persistentVolumeReclaimPolicy"]
        phase = found.get("status", {}).get("phase")
        if what == "DELETED" or "deletionTimestamp" in found["metadata"]:
            return
        if (phase, policy) == ("Released", "Delete"):
            path = f"/api/v1/persistentvolumes/{found['metadata']['name']}"
            self.submit(self.api.request, "DELETE", path)

    def close(self) -> None:
        """Leaves what is not begun."""
        self.workers.shutdown(wait=False, cancel_futures=True)
