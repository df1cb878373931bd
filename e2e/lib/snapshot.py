"""What a cluster holds, as `kubectl get -o json` would print it."""

from .api import Api
from .paths import collection

KINDS = [
    ("v1", "ConfigMap"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Pod"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("cosmos.strange.love/v1", "CosmosFullNode"),
]


def captured(api: Api, namespace: str) -> dict:
    """Returns the objects of a namespace, the volumes that its claims have, and all classes."""
    found = [
        each
        for version, kind in KINDS
        for each in listed(api, version, kind, namespace)
        # What controllers put into every namespace, and what belongs to Jobs, is no fleet's.
        if not each["metadata"]["name"].startswith("kube-root-ca") and not is_of_job(each)
    ]
    volumes = listed(api, "v1", "PersistentVolume", None)
    found += [
        each for each in volumes if each["spec"].get("claimRef", {}).get("namespace") == namespace
    ]
    found += listed(api, "storage.k8s.io/v1", "StorageClass", None)
    return {"apiVersion": "v1", "kind": "List", "items": found}


def public(live: dict) -> dict:
    """Returns what may lie in Git: keys are nobody's business there."""
    return live | {"items": [each for each in live["items"] if each["kind"] != "Secret"]}


def listed(api: Api, version: str, kind: str, namespace: str | None) -> list[dict]:
    """Returns objects of a kind; a list leaves out what kind its items are of."""
    answer = api.request("GET", collection(version, kind, namespace))
    items = answer.body["items"] if answer.accepted else []
    return [{"apiVersion": version, "kind": kind} | each for each in items]


def is_of_job(found: dict) -> bool:
    """Whether an object is a Job's pod."""
    owners = found["metadata"].get("ownerReferences") or []
    return any(each["kind"] == "Job" for each in owners)
