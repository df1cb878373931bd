"""Snapshots of volumes without a driver: the kind, and what a driver would say of one."""

import datetime

from .api import MERGE, Api

GROUP = "snapshot.storage.k8s.io"
OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
# As much of the kind as matters here.
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": f"volumesnapshots.{GROUP}",
        "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-csi/external-snapshotter/pull/814"},
    },
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {
            "kind": "VolumeSnapshot",
            "listKind": "VolumeSnapshotList",
            "plural": "volumesnapshots",
            "singular": "volumesnapshot",
        },
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "required": ["spec"],
                        "properties": {"spec": OPEN, "status": OPEN},
                    }
                },
            }
        ],
    },
}


def path(namespace: str) -> str:
    """Returns where the snapshots of a namespace are."""
    return f"/apis/{GROUP}/v1/namespaces/{namespace}/volumesnapshots"


def say(api: Api, namespace: str, name: str, **status: object) -> None:
    """Says how a snapshot is."""
    api.must("PATCH", f"{path(namespace)}/{name}/status", {"status": status}, MERGE)


def ready(api: Api, namespace: str, name: str) -> None:
    """Says that a snapshot was taken."""
    cut = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    say(api, namespace, name, readyToUse=True, creationTime=cut, restoreSize="10Gi")
