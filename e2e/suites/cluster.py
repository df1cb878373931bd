"""The printed definition on a real API server: the server takes it as it stands, keeps it, and then
accepts and refuses documents as the program does."""

import json
import re
from pathlib import Path

from lib import servers
from lib.api import APPLY, MERGE, YAML, Answer, Api, wait
from lib.edges import edges
from lib.judge import Judge
from lib.program import Program
from lib.report import Report

SERVERS = ["etcd", "kube-apiserver"]

REPOSITORY = Path(__file__).resolve().parents[2]
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SERVED = "cosmos.strange.love"
KIND = f"/apis/{SERVED}/v1/namespaces/{{}}/cosmosfullnodes"
NAME = f"cosmosfullnodes.{SERVED}"
MANAGER = "fieldManager=e2e"

# Fixtures whose objects are applied as they are rendered.
APPLIED = ["additional-and-main", "empty-cluster", "hub-upgrade"]

RESOURCES = {
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "Service": "/api/v1/namespaces/{}/services",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
}


def run(program: Program, binaries: dict[str, Path], folder: Path, report: Report) -> None:
    """Runs the suite."""
    with servers.cluster(binaries, folder) as api:
        if not the_definition_is_taken(program, api, report):
            return
        the_definition_stays(program, api, report)
        the_definition_fits_kubectls_annotation(program, api, report)
        judge = Judge(program, api, KIND, folder, report)
        fixtures = REPOSITORY / "fixtures"
        specs = [*fixtures.glob("*/spec.yaml"), *fixtures.glob("*/specs/**/*.yaml")]
        judge.all("fixtures", sorted(specs))
        own = REPOSITORY / "e2e" / "documents"
        judge.all("e2e", sorted(own.glob("*.yaml")))
        found = edges(own / "edges.txt")
        judge.each("edges", [(f"edges/{name}", document) for name, document in found.items()])
        shared = REPOSITORY.parent / "shared"
        judge.all("oracle", sorted((shared / "oracle" / "cases").glob("*/spec.yaml")))
        the_known_violations_are_refused(judge, shared, report)
        judge.sum()
        a_status_comes_back(program, api, folder, report)
        for name in APPLIED:
            what_was_applied_is_up_to_date(name, program, api, folder, report)


def the_definition_is_taken(program: Program, api: Api, report: Report) -> bool:
    """Creates the definition from JSON, then anew from YAML by server-side apply."""
    printed = program.run("crd", "-o", "json")
    created = api.request("POST", DEFINITIONS, printed.out)
    report.case("crd/create", faults_of(created) or conditions(api))
    api.request("DELETE", f"{DEFINITIONS}/{NAME}")
    gone = wait(lambda: api.request("GET", f"{DEFINITIONS}/{NAME}").status == 404)
    report.case("crd/delete", [] if gone else ["it is still there"])
    applied = apply(program, api)
    faults = faults_of(applied) or conditions(api)
    report.case("crd/apply", faults)
    return not faults


def apply(program: Program, api: Api) -> Answer:
    """Applies what `crd` prints by default."""
    path = f"{DEFINITIONS}/{NAME}?{MANAGER}"
    return api.request("PATCH", path, program.run("crd").out, APPLY)


def faults_of(answer: Answer) -> list[str]:
    """Returns what is wrong with an answer that should say nothing but yes."""
    faults = [f"warned: {warning}" for warning in answer.warnings]
    if not answer.accepted:
        faults.append(f"refused with {answer.status}: {answer.message}")
    return faults


def conditions(api: Api) -> list[str]:
    """Waits until the kind is served; returns what the server says against it."""
    found: dict[str, str] = {}

    def is_served() -> bool:
        status = api.request("GET", f"{DEFINITIONS}/{NAME}").body.get("status") or {}
        found.clear()
        found.update({each["type"]: each["status"] for each in status.get("conditions") or []})
        return found.get("Established") == "True" and resources().accepted

    def resources() -> Answer:
        return api.request("GET", KIND.format("default"))

    faults = [] if wait(is_served) else ["it is never established"]
    if found.get("NamesAccepted") != "True":
        faults.append("its names are not accepted")
    if "NonStructuralSchema" in found:
        faults.append("its schema is not structural")
    return faults


def the_definition_stays(program: Program, api: Api, report: Report) -> None:
    """What the server keeps is what was printed; applying it again changes nothing."""
    printed = json.loads(program.run("crd", "-o", "json").out)["spec"]
    stored = api.request("GET", f"{DEFINITIONS}/{NAME}").body
    faults = []
    if stored["spec"].pop("conversion") != {"strategy": "None"}:
        faults.append("it converts")
    faults += differences(printed, stored["spec"], "spec")
    report.case("crd/stored", faults[:5])
    before = stored["metadata"]
    again = apply(program, api)
    after = again.body.get("metadata", {})
    same = all(before[key] == after.get(key) for key in ("generation", "resourceVersion"))
    report.case("crd/again", faults_of(again) + ([] if same else ["it was changed"]))


def differences(want, have, path: str) -> list[str]:
    """Returns where two values differ."""
    if isinstance(want, dict) and isinstance(have, dict):
        keys = sorted(want.keys() | have.keys())
        return [d for k in keys for d in differences(want.get(k), have.get(k), f"{path}.{k}")]
    if isinstance(want, list) and isinstance(have, list) and len(want) == len(have):
        pairs = enumerate(zip(want, have))
        return [d for i, (a, b) in pairs for d in differences(a, b, f"{path}[{i}]")]
    return [] if want == have else [f"{path}: printed {want!r}, stored {have!r}"]


def the_definition_fits_kubectls_annotation(program: Program, api: Api, report: Report) -> None:
    """`kubectl apply` keeps what it sent, without blanks, in an annotation of at most 256 KiB."""
    printed = json.loads(program.run("crd", "-o", "json").out)
    text = json.dumps(printed, separators=(",", ":"))
    report.note(f"the definition has {len(text)} bytes in an annotation")
    key = "kubectl.kubernetes.io/last-applied-configuration"
    patch = {"metadata": {"annotations": {key: text + "\n"}}}
    answer = api.request("PATCH", f"{DEFINITIONS}/{NAME}", patch, MERGE)
    report.case("crd/annotation", faults_of(answer))


def the_known_violations_are_refused(judge: Judge, shared: Path, report: Report) -> None:
    """What is known to break the reference's definition breaks ours, at the same fields."""
    table = shared / "oracle" / "tables" / "crd_validation.json"
    if not table.exists():
        report.note(f"crd_validation: {table} is not here; skipped")
        return
    for row in json.loads(table.read_text()):
        name = f"oracle/{row['case'].removeprefix('public-')}"
        if name not in judge.fields:
            report.note(f"crd_validation: {row['case']} has no document here; skipped")
            continue
        said = " ".join(judge.fields[name])
        places = [violation.split()[0].lstrip(".").rstrip(":") for violation in row["violations"]]
        missing = [f"{place} is not refused: {said}" for place in places if place not in said]
        report.case(f"crd_validation/{row['case']}", missing)


def a_status_comes_back(program: Program, api: Api, folder: Path, report: Report) -> None:
    """Heights and sync, written through the status subresource, decide what is planned."""
    spec = (REPOSITORY / "e2e" / "documents" / "upgrade.yaml").read_text()
    path = KIND.format("default")
    created = api.request("POST", f"{path}?fieldValidation=Strict", spec, YAML)
    report.case("status/create", faults_of(created))
    if not created.accepted:
        return
    document = created.body
    if "status" in document:
        report.case("status/none", ["a status was taken with the document"])
    document["status"] = {
        "observedGeneration": document["metadata"]["generation"],
        "phase": "Complete",
        "height": {"kelp-0": 2000, "kelp-1": 900, "kelp-2": 900},
        "sync": {
            "kelp-0": {"timestamp": "2026-01-02T03:04:05Z", "height": 2000, "inSync": True},
            "kelp-1": {"timestamp": "2026-01-02T03:04:05Z", "error": "connection refused"},
        },
        "peers": ["0f2e4c6a8b1d3f507192a3b4c5d6e7f8091a2b3c@p2p.example.com:26656"],
        "scheduledSnapshotStatus": {"default.daily.snapshots": {"podCandidate": "kelp-2"}},
        "selfHealing": {"pvcAutoScaler": {"pvc-kelp-0": {
            "requestedSize": "20Gi", "requestedAt": "2026-01-02T03:04:05Z"}}},
    }
    strict = f"fieldValidation=Strict&{MANAGER}"
    updated = api.request("PUT", f"{path}/kelp/status?{strict}", document)
    faults = faults_of(updated)
    if not faults:
        faults = differences(document["status"], updated.body["status"], "status")
    report.case("status/update", faults)
    if updated.accepted:
        report.case("status/plan", planned(program, api, folder, path))
        report.case("status/refused", refused(api, f"{path}/kelp/status?{strict}", updated.body))
    api.request("DELETE", f"{path}/kelp")


def planned(program: Program, api: Api, folder: Path, path: str) -> list[str]:
    """Renders with the document as the server prints it: the node past the upgrade has the new
    image, the one below it the old one, the third is away, and the first claim has grown."""
    snapshot = folder / "live.json"
    snapshot.write_text(json.dumps(api.request("GET", path).body))
    spec = REPOSITORY / "e2e" / "documents" / "upgrade.yaml"
    ran = program.run("render", spec, "--snapshot", snapshot, "-o", "json")
    if not ran.accepted:
        return [f"it is refused: {each}" for each in ran.said]
    objects = json.loads(ran.out)["items"]
    images = {
        each["metadata"]["name"]: container["image"]
        for each in objects
        if each["kind"] == "Pod"
        for container in each["spec"]["containers"]
        if container["name"] == "node"
    }
    sizes = {
        each["metadata"]["name"]: each["spec"]["resources"]["requests"]["storage"]
        for each in objects
        if each["kind"] == "PersistentVolumeClaim"
    }
    image = "registry.example.com/kelp"
    faults = differences({"kelp-0": f"{image}:v2", "kelp-1": f"{image}:v1"}, images, "images")
    grown = [name for name, size in sizes.items() if size != "10Gi"]
    return faults + differences(["pvc-kelp-0"], grown, "grown")


def refused(api: Api, path: str, document: dict) -> list[str]:
    """A status that breaks the definition is refused."""
    document["status"]["sync"]["kelp-0"]["timestamp"] = "yesterday"
    document["status"]["height"]["kelp-0"] = "high"
    answer = api.request("PUT", path, document)
    want = {"status.sync.kelp-0.timestamp", "status.height.kelp-0"}
    return [] if want <= set(answer.fields) else [f"{answer.status}: {answer.message}"]


def what_was_applied_is_up_to_date(
    fixture: str, program: Program, api: Api, folder: Path, report: Report
) -> None:
    """Applies what is rendered for an empty cluster. The server fills in its defaults, admission
    adds volumes and tolerations; in all that the next plan must find nothing to do."""
    specs = [REPOSITORY / "fixtures" / fixture / name for name in ("spec.yaml", "identities.yaml")]
    specs = [spec for spec in specs if spec.exists()]
    namespace = f"applied-{fixture}"
    api.request("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    # No controller runs that makes it.
    accounts = RESOURCES["ServiceAccount"].format(namespace)
    api.request("POST", accounts, {"metadata": {"name": "default"}})
    spec = folder / f"{fixture}.yaml"
    text = "\n---\n".join(each.read_text() for each in specs)
    spec.write_text(re.sub(r"(?m)^  namespace: .*$", f"  namespace: {namespace}", text))
    ran = program.run("render", spec, "-o", "json")
    objects = json.loads(ran.out)["items"] if ran.accepted else []
    faults = [] if objects else ["nothing is rendered"]
    for each in objects:
        answer = applied(api, each)
        name = f"{each['kind']}/{each['metadata']['name']}"
        faults += [f"{name}: {fault}" for fault in faults_of(answer)]
    report.case(f"applied/{fixture}", faults)
    snapshot = folder / f"{fixture}.json"
    snapshot.write_text(json.dumps(captured(api, namespace)))
    planned = program.run("plan", spec, "--snapshot", snapshot, "--detailed-exitcode", "-o", "json")
    found = [] if planned.code == 0 else [f"code {planned.code}, not 0: {left(planned.out)}"]
    report.case(f"applied/{fixture}/plan", found)


def applied(api: Api, manifest: dict) -> Answer:
    """Applies one object, as server-side apply does it; a pod then runs and a claim is bound."""
    metadata = manifest["metadata"]
    base = RESOURCES[manifest["kind"]].format(metadata["namespace"])
    path = f"{base}/{metadata['name']}"
    query = f"{MANAGER}&fieldValidation=Strict"
    answer = api.request("PATCH", f"{path}?{query}", json.dumps(manifest), APPLY)
    status = {
        "Pod": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
        "PersistentVolumeClaim": {
            "phase": "Bound",
            "capacity": (manifest.get("spec", {}).get("resources") or {}).get("requests"),
        },
    }.get(manifest["kind"])
    if status and answer.accepted:
        api.request("PATCH", f"{path}/status", {"status": status}, MERGE)
    return answer


def captured(api: Api, namespace: str) -> dict:
    """Returns what `kubectl get` prints of all kinds that are planned."""
    items = []
    for kind, path in RESOURCES.items():
        listed = api.request("GET", path.format(namespace)).body
        frame = {"apiVersion": listed["apiVersion"], "kind": kind}
        items += [frame | item for item in listed["items"]]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def left(plan: str) -> str:
    """Returns in a line what a plan would do."""
    fleets = json.loads(plan)["fleets"] if plan else []
    steps = [step for fleet in fleets for wave in fleet["waves"] for step in wave["steps"]]
    changes = [
        f"{step['action']} {step['object']['kind']}/{step['object']['name']} "
        f"{[change['path'] for change in step.get('changes', [])]}"
        for step in steps
    ]
    blocked = [json.dumps(fleet["blocked"]) for fleet in fleets if fleet["blocked"]]
    return "; ".join(changes + blocked)
