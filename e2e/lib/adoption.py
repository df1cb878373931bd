"""A fleet that an operator has run: its objects, as they were captured, put into the cluster with
their owner, and then taken over."""

import json
from pathlib import Path

from .api import APPLY, MERGE, wait
from .course import Course, Expect, Row, Step
from .fault import Fault
from .paths import collection, path_of
from .snapshot import listed

CAPTURED = Path(__file__).resolve().parents[2] / "fixtures" / "hub-upgrade" / "live"
FILES = ("rbac", "services", "configmaps", "persistentvolumeclaims", "pods")
FLEET = "hub"
VERSION = "cosmos.strange.love/v1"
KIND = "CosmosFullNode"
DEFINITION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{}"
OWNED = [
    ("v1", "ConfigMap"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Pod"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
]
# What a cluster adds to an object, and what it knows of it.
ADDED = {
    "Pod": ("nodeName", "priority", "preemptionPolicy", "serviceAccount"),
    "PersistentVolumeClaim": ("volumeName",),
    "Service": ("clusterIP", "clusterIPs", "healthCheckNodePort"),
}


def run_by_an_operator(course: Course) -> None:
    """Puts a captured fleet into a namespace, with all that its operator has made."""
    course.fleet = FLEET
    course.bed.namespace(course.name)
    course.specs.mkdir(parents=True)
    document = json.loads((CAPTURED / "cosmosfullnodes.json").read_text())["items"][0]
    status = document.pop("status")
    document["metadata"] = {"name": FLEET, "namespace": course.name}
    course.document = document
    course.write({})
    made = course.bed.api.apply(document, "operator")
    path = f"{path_of(document)}/status"
    course.bed.api.must("PATCH", path, {"status": status}, MERGE)
    for file in FILES:
        for each in json.loads((CAPTURED / f"{file}.json").read_text())["items"]:
            put(course, each, made["metadata"]["uid"])
    if not wait(course.is_whole, sign=course.count):
        raise Fault(f"of the captured pods only {sorted(course.ready())} are ready")


def put(course: Course, captured: dict, owner: str) -> None:
    """Puts an object into the cluster, with another owner's UID."""
    status = captured.pop("status", None)
    metadata = captured["metadata"]
    kept = {key: metadata[key] for key in ("name", "labels", "annotations") if key in metadata}
    if captured["kind"] == "PersistentVolumeClaim":
        kept.pop("annotations")
    owners = [reference | {"uid": owner} for reference in metadata["ownerReferences"]]
    captured["metadata"] = kept | {"namespace": course.name, "ownerReferences": owners}
    for key in ADDED.get(captured["kind"], ()):
        captured["spec"].pop(key, None)
    for port in captured.get("spec", {}).get("ports") or []:
        port.pop("nodePort", None)
    if captured["kind"] == "Pod":
        without_token(captured["spec"])
    if captured["kind"] == "RoleBinding":
        for subject in captured["subjects"]:
            subject["namespace"] = course.name
    course.bed.api.apply(captured, "operator")
    if status and captured["kind"] == "Service":
        # Nobody else gives addresses.
        course.bed.api.must("PATCH", f"{path_of(captured)}/status", {"status": status}, MERGE)


def without_token(spec: dict) -> None:
    """Takes out of a pod what admission has put there."""
    names = [each["name"] for each in spec["volumes"] if each["name"].startswith("kube-api-access")]
    spec["volumes"] = [each for each in spec["volumes"] if each["name"] not in names]
    for container in [*spec["containers"], *(spec.get("initContainers") or [])]:
        mounts = container.get("volumeMounts") or []
        container["volumeMounts"] = [each for each in mounts if each["name"] not in names]


def take_over(course: Course) -> None:
    """Takes the fleet over: keys into a Secret, objects from their owner, and then delivery."""
    ran = course.run("keys", "import", str(course.specs), "--snapshot", str(course.capture()))
    path = f"/api/v1/namespaces/{course.name}/secrets/{FLEET}-node-keys"
    course.bed.api.must("PATCH", f"{path}?fieldManager=e2e", ran.out, APPLY)
    for version, kind in OWNED:
        for each in listed(course.bed.api, version, kind, course.name):
            release(course, each)
    course.first()


def release(course: Course, found: dict) -> None:
    """Takes an object from its owner, if it is still the one that was looked at."""
    metadata = found["metadata"]
    owners = metadata.get("ownerReferences") or []
    if any(each["kind"] == KIND for each in owners):
        known = {key: metadata[key] for key in ("uid", "resourceVersion")}
        patch = {"metadata": known | {"ownerReferences": None}}
        course.bed.api.must("PATCH", path_of(found), patch, MERGE)


def delete_the_kind(course: Course) -> None:
    """Deletes the document and its kind, as whoever removes an operator does it."""
    api = course.bed.api
    api.request("DELETE", f"{collection(VERSION, KIND, course.name)}/{FLEET}")
    path = DEFINITION.format("cosmosfullnodes.cosmos.strange.love")
    api.must("DELETE", path)
    if not course.soon(lambda: api.find(path) is None):
        raise Fault("the definition is still there")
    # The collector of garbage looks at what has lost its owner within seconds.
    if wait(lambda: not course.is_whole(), 10):
        raise Fault("pods went with the document")


# A fleet of three, which goes on as it was.
ADOPTED = Row(
    "adopted",
    (
        Step("taken-over", take_over),
        Step("owner-deleted", delete_the_kind, Expect(whole=False)),
    ),
    start=run_by_an_operator,
)
