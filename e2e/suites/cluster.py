"""The printed definition on a real API server: the server takes it as it stands, keeps it, and then
accepts and refuses documents as the program does."""

import json
import re
from pathlib import Path

from lib import servers
from lib.api import APPLY, MERGE, YAML, Api, wait
from lib.documents import Document, documents
from lib.edges import edges
from lib.program import Program, Said
from lib.report import Report

SERVERS = ["etcd", "kube-apiserver"]

REPOSITORY = Path(__file__).resolve().parents[2]
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SERVED = "cosmos.strange.love"
GROUP = f"/apis/{SERVED}/v1"
NAME = f"cosmosfullnodes.{SERVED}"
MANAGER = "fieldManager=e2e"

# What the program refuses and no schema can: the meaning of a document, not its form. A path is the
# whole path, or what it ends in.
MEANING = {
    "bad-toml": [""],
    # A schema's pattern counts no digits.
    "bad-max-unavailable": ["spec.strategy.maxUnavailable"],
    "duplicate-name": [""],
    "name-clash": [""],
    "no-container": [""],
    "no-image": [""],
    "no-storage": [""],
    # The parts of a document that must be names are names of other objects.
    "bad-name": [".name"],
    # Whole sums and heights: a schema knows a minimum for each field alone.
    "out-of-range": ["spec.ordinals.start", ".height"],
    "too-short": [".image", ".name"],
    # A size of nothing, and texts that may be a quantity or a percentage.
    "bad-quantity": [".storage", ".maxSize", ".increaseQuantity"],
    # The reference's definition does not ask for a spec, and a server would make up a name.
    "missing-field": ["spec", "metadata.name"],
}
# Whatever the field: servers neither count the bits of a number nor see that one which is nearly
# whole is none, and what reads the documents in the cluster then fails.
MEANING_OF_NUMBERS = re.compile(r"does not fit a number of 32 bits$|^expected a whole number, found [0-9.]+$")
# What the server refuses and the program lets be, on purpose.
PATIENCE = {
    # Appliers read YAML into JSON before they send it, and take the merge key as YAML has it.
    "a key beside `<<`": re.compile(r'yaml: unmarshal errors: .*key "\w+" already set in map'),
    # A specification's status is nobody's wish: it is passed over, whatever it holds.
    "a field of `status`": re.compile(r'unknown field "status\.'),
}


def run(program: Program, binaries: dict[str, Path], folder: Path, report: Report) -> None:
    """Runs the suite."""
    with servers.cluster(binaries, folder) as api:
        if not the_definition_is_taken(program, api, report):
            return
        the_definition_stays(program, api, report)
        the_definition_fits_kubectls_annotation(program, api, report)
        judge = Judge(program, api, folder, report)
        fixtures = REPOSITORY / "fixtures"
        judge.all("fixtures", sorted([*fixtures.glob("*/spec.yaml"), *fixtures.glob("*/specs/**/*.yaml")]))
        own = REPOSITORY / "e2e" / "documents"
        judge.all("e2e", sorted(own.glob("*.yaml")))
        for name, document in edges(own / "edges.txt").items():
            judge.one(f"edges/{name}", document)
        shared = REPOSITORY.parent / "shared"
        judge.all("oracle", sorted((shared / "oracle" / "cases").glob("*/spec.yaml")))
        the_known_violations_are_refused(judge, shared, report)
        judge.sum()
        a_status_comes_back(program, api, folder, report)


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


def apply(program: Program, api: Api):
    """Applies what `crd` prints by default."""
    path = f"{DEFINITIONS}/{NAME}?{MANAGER}"
    return api.request("PATCH", path, program.run("crd").out, APPLY)


def faults_of(answer) -> list[str]:
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

    def resources():
        return api.request("GET", f"{GROUP}/cosmosfullnodes")

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


class Judge:
    """Holds documents before the program and the server, and compares what they say."""

    def __init__(self, program: Program, api: Api, folder: Path, report: Report) -> None:
        self.program = program
        self.api = api
        self.folder = folder / "documents"
        self.folder.mkdir()
        self.report = report
        self.namespaces = {"default"}
        self.counts = {"accepted": 0, "refused": 0}
        self.meaning: dict[str, list[str]] = {}
        self.patience: dict[str, list[str]] = {}
        self.fields: dict[str, list[str]] = {}

    def all(self, group: str, files: list[Path]) -> None:
        """Judges every document of files; what is no fleet is left out."""
        if not files:
            self.report.note(f"{group}: nothing is here; skipped")
        for file in files:
            whole = documents(file.read_text())
            for index, document in enumerate(whole, 1):
                part = f"#{index}" if len(whole) > 1 else ""
                place = file.parent.name if file.name == "spec.yaml" else file.stem
                self.one(f"{group}/{place}{part}", document)

    def one(self, name: str, document: Document) -> None:
        """Judges one document."""
        file = self.folder / "spec.yaml"
        file.write_text(document.text)
        said = self.program.run("plan", file)
        answer = self.ask(document)
        self.fields[name] = answer.fields or [answer.message]
        errors = [each for each in said.said if each.severity == "error"]
        if answer.accepted and said.accepted:
            self.counts["accepted"] += 1
            # The group is the file's own again: it shows in what is rendered.
            returned = answer.body | {"apiVersion": f"{document.group}/v1"}
            self.report.case(name, self.as_returned(file, returned))
        elif answer.accepted:
            self.report.case(name, [f"refuses alone: {e}" for e in errors if not is_meaning(e)])
            self.meaning.setdefault(", ".join(sorted({e.code for e in errors})), []).append(name)
        elif said.accepted:
            why = patience(said.said, answer.message)
            fault = f"accepts alone; the server says: {answer.message}"
            self.report.case(name, [] if why else [fault])
            if why:
                self.patience.setdefault(why, []).append(name)
        else:
            self.counts["refused"] += 1
            self.report.case(name, unnamed(answer.fields, errors))

    def ask(self, document: Document):
        """Asks the server, in the words of the file, whether it would take a document."""
        namespace = document.namespace
        if namespace not in self.namespaces:
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
            self.api.request("POST", "/api/v1/namespaces", body)
            self.namespaces.add(namespace)
        path = f"{GROUP}/namespaces/{namespace}/cosmosfullnodes"
        query = f"dryRun=All&fieldValidation=Strict&{MANAGER}"
        return self.api.request("POST", f"{path}?{query}", document.of_group(SERVED), YAML)

    def as_returned(self, file: Path, returned: dict) -> list[str]:
        """Renders what was written and what the server made of it: where both fill in the same
        defaults and read the same values, the same objects come out."""
        other = self.folder / "returned.json"
        other.write_text(json.dumps(returned))
        written = self.program.run("render", file)
        stored = self.program.run("render", other)
        if (written.code, written.out) == (stored.code, stored.out):
            return []
        if not stored.accepted:
            return [f"refuses what the server returned: {each}" for each in stored.said]
        return ["what the server returned renders to other objects"]

    def sum(self) -> None:
        """Says how it went, and lists what only the program refuses."""
        self.report.note(f"{self.counts['accepted']} documents are accepted, "
                         f"{self.counts['refused']} refused, by program and server alike")
        for code, names in sorted(self.meaning.items()):
            self.report.note(f"refused by the program alone, for its meaning ({code}): {', '.join(names)}")
        for why, names in sorted(self.patience.items()):
            self.report.note(f"taken by the program alone ({why}): {', '.join(names)}")


def is_meaning(fault: Said) -> bool:
    """Whether a fault is one of meaning."""
    if fault.code in ("out-of-range", "wrong-type") and MEANING_OF_NUMBERS.search(fault.message):
        return True
    return any(fault.path.endswith(end) for end in MEANING.get(fault.code, []))


def patience(said: list[Said], message: str) -> str | None:
    """Returns why the program takes what the server refuses with a message, where it should."""
    if any(each.code == "renamed-field" for each in said):
        return "a former field name"
    return next((why for why, pattern in PATIENCE.items() if pattern.search(message)), None)


def unnamed(fields: list[str], errors: list[Said]) -> list[str]:
    """Returns the fields that the server finds fault with and the program does not."""
    paths = [each.path for each in errors]
    missing = [field for field in fields if not any(path.startswith(field) for path in paths)]
    return [f"the server also refuses {field}" for field in missing]


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
    path = f"{GROUP}/namespaces/default/cosmosfullnodes"
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
        "scheduledSnapshotStatus": {"default.daily.cosmos.strange.love": {"podCandidate": "kelp-2"}},
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
    """Plans with the document as the server prints it: the node past the upgrade has the new image,
    the one below it the old one, the third is away for a snapshot, and the first claim has grown."""
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
