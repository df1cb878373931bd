"""What is tried with `snapshot`, and with the cluster itself as one: all that a plan needs is there,
and nothing that nobody else may read."""

import base64
import json
from pathlib import Path
from typing import Any

from . import parallel
from .applies import says, unchanged
from .commanded import kubeconfig, ran
from .course import Course, Expect, Row, Step
from .fault import Fault
from .fleets import NAME, changed, image, replicas, retention
from .program import Ran

# More than a page of a list holds.
MANY = 620
# What a fleet is planned from, and more: what may be read within a namespace.
READ = [
    {
        "apiGroups": [""],
        "resources": [
            "configmaps",
            "persistentvolumeclaims",
            "pods",
            "secrets",
            "serviceaccounts",
            "services",
        ],
        "verbs": ["list"],
    },
    {
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["roles", "rolebindings"],
        "verbs": ["list"],
    },
    {"apiGroups": ["cosmos.strange.love"], "resources": ["cosmosfullnodes"], "verbs": ["list"]},
]


def same_plan(course: Course) -> None:
    """Plans with a captured folder, with the cluster, and with what `kubectl` prints."""
    ask(course)
    folder = capture(course, "captured")
    plans = {
        "folder": planned(course, str(folder)),
        "cluster": planned(course, "cluster"),
        "context": planned(course, "cluster:e2e"),
        "kubectl": planned(course, str(course.capture())),
    }
    if not plans["folder"]["waves"]:
        raise Fault("nothing is planned")
    differ = [name for name, plan in plans.items() if plan != plans["folder"]]
    if differ:
        raise Fault(f"plans with {differ} are others than with a captured folder")
    again(course, folder)


def ask(course: Course) -> None:
    """Asks for something in every way that a plan can name."""
    course.write(changed(changed(image("v2"), replicas(4)), retention("Delete")))


def again(course: Course, folder: Path) -> None:
    """Captures into the folder that is there, and next to somebody's file."""
    ran(course, "snapshot", "--namespace", course.name, "--out", str(folder))
    theirs = course.home / "theirs"
    theirs.mkdir()
    (theirs / "notes.txt").write_text("mine\n")
    ran(course, "snapshot", "--namespace", course.name, "--out", str(theirs), codes=(0, 1))
    if (theirs / "notes.txt").read_text() != "mine\n":
        raise Fault("somebody's file was written over")


def capture(course: Course, name: str, *words: str) -> Path:
    """Captures the course's namespace into a folder; returns it."""
    folder = course.home / name
    ran(course, "snapshot", "--namespace", course.name, "--out", str(folder), *words)
    return folder


def planned(course: Course, snapshot: str) -> dict:
    """Returns what is planned for the fleet."""
    words = ("plan", str(course.specs), "--snapshot", snapshot, "-o", "json")
    # Other namespaces' fleets have no documents here.
    said = ran(course, *words, codes=(0, 3))
    fleets = json.loads(said.out)["fleets"]
    return next(fleet for fleet in fleets if fleet["namespace"] == course.name)


def no_keys(course: Course) -> None:
    """Looks for private keys in all that is captured."""
    folder = capture(course, "searched")
    printed = ran(course, "snapshot", "--namespace", course.name)
    texts = {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}
    texts |= {"standard output": printed.out, "standard error": printed.err}
    for secret in secrets(course):
        found = [name for name, text in texts.items() if secret in text]
        if found:
            raise Fault(f"a private key is in {found}")
    if "secret.json" not in texts:
        raise Fault(f"the Secret's public IDs are not there: {sorted(texts)}")


def secrets(course: Course) -> list[str]:
    """Returns the fleet's private keys, in all the ways in which they could be written down."""
    path = f"/api/v1/namespaces/{course.name}/secrets/{NAME}-node-keys"
    found = []
    for entry in course.bed.api.must("GET", path)["data"].values():
        key = base64.b64decode(entry).decode()
        private = json.loads(key)["priv_key"]["value"]
        # The latter half is public.
        seed = base64.b64decode(private)[:32]
        found += [entry, private, private[:40], seed.hex()]
    if not found:
        raise Fault("the Secret holds no keys")
    return found


def many(course: Course) -> None:
    """Captures more ConfigMaps than a page of a list holds: the fleet's are on the second one."""
    path = f"/api/v1/namespaces/{course.name}/configmaps"

    def make(number: int) -> None:
        body = {"metadata": {"name": f"a-{number:04}"}, "data": {"a": "b"}}
        course.bed.api.must("POST", path, body)

    faults = parallel.run([lambda number=number: make(number) for number in range(MANY)], 4)
    if faults:
        raise Fault(faults[0])
    said = ran(course, "snapshot", "--namespace", course.name).out
    items = json.loads(said)["items"]
    names = {each["metadata"]["name"] for each in items if each["kind"] == "ConfigMap"}
    missing = {f"a-{number:04}" for number in range(MANY)} - names
    if missing:
        raise Fault(f"{len(missing)} ConfigMaps were not captured")
    if waves := planned(course, "cluster")["waves"]:
        raise Fault(f"something is planned for a fleet as it should be: {waves}")


def with_rights(course: Course, name: str, rules: list[dict[str, Any]]) -> dict[str, str]:
    """Makes an account with rights within the namespace; returns its environment."""
    api, version = course.bed.api, "rbac.authorization.k8s.io/v1"
    metadata = {"name": name, "namespace": course.name}
    api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    api.apply({"apiVersion": version, "kind": "Role", "metadata": metadata, "rules": rules})
    binding = {
        "apiVersion": version,
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount"} | metadata],
    }
    api.apply(binding)
    path = f"/api/v1/namespaces/{course.name}/serviceaccounts/{name}/token"
    token = api.must("POST", path, {"spec": {"expirationSeconds": 3600}})["status"]["token"]
    file = course.home / f"{name}.kubeconfig"
    course.bed.cluster.write_kubeconfig(file, token, course.name)
    return {"KUBECONFIG": str(file)}


def run_as(course: Course, own: dict[str, str], code: int, *words: str) -> Ran:
    """Runs the program as somebody else; fails where it ends with another code."""
    said = course.program.run(*words, environment=own)
    if said.code != code:
        raise Fault(f"`{' '.join(words)}` ended with code {said.code}, not {code}: {said.err}")
    return said


def within_a_namespace(course: Course) -> None:
    """Captures with rights in a namespace alone: what is missing is said, and a plan still made."""
    own = with_rights(course, "reader", READ)
    everywhere = run_as(course, own, 1, "snapshot")
    says("pods cannot be read", everywhere.err)
    if everywhere.out:
        raise Fault("half a snapshot was printed")
    folder = course.home / "own"
    here = run_as(course, own, 0, "snapshot", "-n", course.name, "--out", str(folder))
    for words in ("persistentvolumes cannot be read", "storageclasses cannot be read"):
        says(words, here.err)
    ask(course)
    specs = str(course.specs)
    by_folder = run_as(course, own, 0, "plan", specs, "--snapshot", str(folder), "-o", "json")
    by_cluster = run_as(course, own, 0, "plan", specs, "--snapshot", "cluster", "-o", "json")
    plans = [json.loads(each.out)["fleets"] for each in (by_folder, by_cluster)]
    if plans[0] != plans[1] or not plans[0][0]["waves"]:
        raise Fault("the plan with the cluster is another than with what was captured of it")


def without_a_right(course: Course) -> None:
    """Captures without a right that no fleet is known without, and without ones that it is."""
    for resource, code in (("pods", 1), ("configmaps", 1), ("secrets", 0), ("serviceaccounts", 0)):
        rules = [
            rule | {"resources": [each for each in rule["resources"] if each != resource]}
            for rule in READ
        ]
        own = with_rights(course, f"without-{resource}", rules)
        said = run_as(course, own, code, "snapshot", "-n", course.name)
        says(f"{resource} of namespace {course.name} cannot be read", said.err)
        if code and said.out:
            raise Fault("half a snapshot was printed")


def no_way(course: Course) -> None:
    """Captures without a way to any cluster."""
    unreachable = course.home / "unreachable.kubeconfig"
    known = kubeconfig(course)["KUBECONFIG"]
    content = json.loads(Path(known).read_text())
    content["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    unreachable.write_text(json.dumps(content))
    for own in ({"KUBECONFIG": str(unreachable)}, {"KUBECONFIG": str(course.home / "absent")}):
        says("no-way-to-cluster", run_as(course, own, 1, "snapshot").err)
        words = ("plan", str(course.specs), "--snapshot", "cluster")
        says("no-way-to-cluster", run_as(course, own, 1, *words).err)
    says("no-way-to-cluster", run_as(course, kubeconfig(course), 1, "snapshot", "--context", "x").err)


LOOK = Expect(whole=False)
ROWS = [
    Row(
        "snapshot",
        (
            Step("same-plan", unchanged(same_plan), LOOK),
            Step("no-keys", unchanged(no_keys), LOOK),
            Step("no-way", unchanged(no_way), LOOK),
        ),
    ),
    Row("snapshot-pages", (Step("many", many, LOOK),)),
    Row(
        "snapshot-rights",
        (
            Step("namespace", within_a_namespace, LOOK),
            Step("missing", without_a_right, LOOK),
        ),
    ),
]
