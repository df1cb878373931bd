"""What is below `deploy/` in a cluster that knows nothing of it: taken by the API server as it
stands, and used as somebody would who has it alone. The pods of the Deployment are played; what one
of them would run is run for real, with its arguments, its environment and the token of its account."""

import http.client
import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import contained, rendered
from .api import APPLY, Answer, Api, wait
from .bed import Bed
from .fault import Fault
from .fleets import document
from .nodes import is_ready
from .paths import collection, path_of
from .process import Server
from .program import Program
from .report import Report

RUNNER = "cosmos-render"
LABELS = "app.kubernetes.io/name%3Dcosmos-render"
POD_MONITORS = "monitoring.coreos.com_podmonitors.yaml"
# What a pod finds there.
ACCOUNT = "secrets/kubernetes.io/serviceaccount"
TOKEN_SECONDS = 3600
# What a runtime sets of its own.
RUNTIME = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/"}
LEVELS = ("WARN", "ERROR")
# What an API server says of kinds that it was only just taught, until it has made room for them.
SOON = "storage is (re)initializing"


# Taken as it stands.


def renderings(parts: dict[str, Path]) -> dict[str, list[dict]]:
    """Returns the objects of all that is rendered, by what it is rendered of."""
    found = {
        "base": rendered.kustomized(parts),
        "pod-monitor": rendered.kustomized(parts, ("pod-monitor",)),
        "chart": rendered.templated(parts),
    }
    for path in sorted(rendered.VALUES.glob("*.yaml")):
        found[f"chart-{path.stem}"] = rendered.templated(parts, "-f", path)
    return found


def taken(bed: Bed, parts: dict[str, Path], report: Report) -> None:
    """Has the API server say what it thinks of every object, and keep none but namespaces."""
    define_pod_monitors(bed.api, parts)
    found = renderings(parts)
    base = rendered.of_kind(found["base"], "Namespace")
    bed.api.apply(base)
    for name in ("fleets", "hub", "testnets"):
        bed.namespace(name)
    for name, objects in found.items():
        faults = [
            f"{each['kind']} {each['metadata']['name']}: {fault}"
            for each in objects
            for fault in faults_of(applied(bed.api, each, "dryRun=All&"))
        ]
        report.case(f"taken/{name}", faults if objects else ["nothing is rendered"])


def define_pod_monitors(api: Api, parts: dict[str, Path]) -> None:
    """Teaches the cluster the kind of the Prometheus operator."""
    text = (parts["prometheus-crds"] / POD_MONITORS).read_text()
    path = collection("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    name = "podmonitors.monitoring.coreos.com"
    api.must("PATCH", f"{path}/{name}?fieldManager=e2e", text, APPLY)
    kind = collection("monitoring.coreos.com/v1", "PodMonitor")
    if not wait(lambda: api.request("GET", kind).accepted):
        raise Fault("the API server does not serve PodMonitors")


def applied(api: Api, manifest: dict, query: str = "") -> Answer:
    """Applies an object as `kubectl apply --server-side` does, which knows every field."""
    path = f"{path_of(manifest)}?{query}fieldManager=kubectl&fieldValidation=Strict"
    return api.request("PATCH", path, json.dumps(manifest), APPLY)


def faults_of(answer: Answer) -> list[str]:
    """Returns what is wrong with an answer that should say nothing but yes."""
    faults = [f"warned: {warning}" for warning in answer.warnings]
    if not answer.accepted:
        faults.append(f"refused with {answer.status}: {answer.message}")
    return faults


# Used.


@dataclass
class Container:
    """The container of a pod of the Deployment, as a process."""

    bed: Bed
    program: Program
    pod: dict
    home: Path
    notes: list[str] = field(default_factory=list)
    server: Server = field(init=False)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True)
        self.server = self.contained() if contained.is_possible() else self.bare()

    @property
    def spec(self) -> dict:
        """The container."""
        (found,) = self.pod["spec"]["containers"]
        return found

    @property
    def port(self) -> int:
        """The port of its pages."""
        (found,) = self.spec["ports"]
        return found["containerPort"]

    def environment(self) -> dict[str, str]:
        """Returns what it finds in its environment, and nothing else."""
        own = {each["name"]: each.get("value", "") for each in self.spec.get("env") or []}
        server = {
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(self.bed.cluster.port),
        }
        return RUNTIME | server | {"HOSTNAME": self.pod["metadata"]["name"]} | own

    def contained(self) -> Server:
        """Returns it as a process in a world of its own."""
        run = self.home / "run"
        account = run / ACCOUNT
        account.mkdir(parents=True)
        (account / "token").write_text(self.token())
        (account / "namespace").write_text(self.pod["metadata"]["namespace"])
        shutil.copy(self.bed.cluster.authority, account / "ca.crt")
        # The folder of the tests is nobody else's to look into.
        shutil.copy(self.program.path, run / RUNNER)
        for path in (run, *run.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.name == RUNNER else 0o644)
        given = {
            "run": str(run),
            "program": f"/var/run/{RUNNER}",
            "words": self.spec["args"],
            "environment": self.environment(),
            "user": self.pod["spec"]["securityContext"]["runAsUser"],
        }
        words = [contained.__file__, json.dumps(given)]
        return Server(Path(sys.executable), words, self.home / "runner.log")

    def bare(self) -> Server:
        """Returns it as a process among others, where the system lends no world: it is told what it
        would find there."""
        self.notes.append("the runner sees this machine's files: it lends no world of its own")
        path = self.home / "kubeconfig"
        namespace = self.pod["metadata"]["namespace"]
        self.bed.cluster.write_kubeconfig(path, self.token(), namespace)
        words = [*self.spec["args"], f"--lease-namespace={namespace}"]
        environment = self.environment() | {"KUBECONFIG": str(path)}
        return Server(self.program.path, words, self.home / "runner.log", environment)

    def token(self) -> str:
        """Returns a token of the pod's account, as the kubelet asks for it."""
        metadata = self.pod["metadata"]
        bound = {"apiVersion": "v1", "kind": "Pod"}
        bound |= {"name": metadata["name"], "uid": metadata["uid"]}
        request = {"spec": {"expirationSeconds": TOKEN_SECONDS, "boundObjectRef": bound}}
        account = self.pod["spec"]["serviceAccountName"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
        return self.bed.api.must("POST", path, request)["status"]["token"]

    def probe(self, name: str) -> bool:
        """Asks what the kubelet asks."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", self.spec[name]["httpGet"]["path"])
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def await_ready(self) -> None:
        """Waits until the kubelet would call it alive and ready."""

        def is_so() -> bool:
            self.server.check()
            return self.probe("livenessProbe") and self.probe("readinessProbe")

        if not wait(is_so, longest=0.2):
            raise Fault(f"the runner never is ready: {self.server.tail()}")

    def stop(self) -> None:
        """Tells it to end, and fails where it takes longer than a pod may, or did not like something."""
        self.server.process.terminate()
        code = self.server.process.wait(self.pod["spec"]["terminationGracePeriodSeconds"])
        if code != 0:
            raise Fault(f"the runner ended with code {code}: {self.server.tail()}")
        lines = self.server.log.read_text().splitlines()
        said = [json.loads(line) for line in lines if line.startswith("{")]
        odd = [line for line in lines if not line.startswith("{")]
        warned = [json.dumps(each) for each in said if each["level"] in LEVELS]
        odd += [each for each in warned if SOON not in each]
        if odd or not said:
            raise Fault(f"the runner says: {odd[:3]}")


def await_deployment(bed: Bed) -> dict:
    """Waits until all replicas are there; returns one of their pods."""
    path = f"{collection('apps/v1', 'Deployment', RUNNER)}/{RUNNER}"

    def is_so() -> bool:
        found = bed.api.must("GET", path)
        status = found.get("status", {})
        is_new = status.get("observedGeneration") == found["metadata"]["generation"]
        return is_new and status.get("availableReplicas") == found["spec"]["replicas"]

    if not wait(is_so):
        raise Fault(f"the Deployment is never available: {bed.api.must('GET', path).get('status')}")
    pods = bed.api.must("GET", f"/api/v1/namespaces/{RUNNER}/pods?labelSelector={LABELS}")["items"]
    return next(each for each in pods if is_ready(each) and "deletionTimestamp" not in each["metadata"])


def looked_after(bed: Bed, namespace: str) -> None:
    """Writes a document, and waits until it says that its fleet is complete."""
    wanted = document(namespace)
    generation = bed.api.apply(wanted)["metadata"]["generation"]
    found: dict = {}

    def is_so() -> bool:
        found.clear()
        found.update(bed.api.must("GET", path_of(wanted)).get("status") or {})
        is_new = found.get("observedGeneration", 0) >= generation
        return is_new and found.get("phase") == "Complete"

    if not wait(is_so):
        raise Fault(f"the fleet never is complete: {found}")
    pods = bed.api.must("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]
    if len(pods) != wanted["spec"]["replicas"] or not all(is_ready(pod) for pod in pods):
        raise Fault(f"the fleet is complete with {len(pods)} pods")


def used(bed: Bed, program: Program, home: Path, act: Callable[[], None], report: Report) -> None:
    """Runs what one of the pods would run while something is done."""
    container = Container(bed, program, await_deployment(bed), home)
    for note in container.notes:
        report.note(note)
    container.server.start()
    try:
        container.await_ready()
        act()
        container.stop()
    finally:
        container.server.kill()


def by_kustomize(bed: Bed, program: Program, parts: dict[str, Path], report: Report) -> None:
    """Applies the base, whose runner looks after all namespaces."""
    base = rendered.kustomized(parts)
    for each in base:
        if faults := faults_of(applied(bed.api, each)):
            raise Fault(f"{each['kind']} {each['metadata']['name']}: {faults}")
    namespace = bed.namespace("anywhere")
    home = bed.cluster.home / "by-kustomize"
    used(bed, program, home, lambda: looked_after(bed, namespace), report)


def by_helm(bed: Bed, program: Program, parts: dict[str, Path], report: Report) -> None:
    """Installs the chart with rights in one namespace, and removes it: the fleet stays."""
    namespace = bed.namespace("fleets")
    helm(bed, parts, "install", rendered.CHART, "-f", rendered.VALUES / "namespaced.yaml", "--wait")
    home = bed.cluster.home / "by-helm"
    used(bed, program, home, lambda: looked_after(bed, namespace), report)
    helm(bed, parts, "uninstall", "--wait")
    left = path_of(document(namespace))
    if not bed.api.find(left) or "deletionTimestamp" in bed.api.must("GET", left)["metadata"]:
        raise Fault("the fleet went with the release")


def helm(bed: Bed, parts: dict[str, Path], verb: str, *words: str | Path) -> None:
    """Has Helm do something about the release."""
    command = [parts["helm"], verb, RUNNER, "--namespace", RUNNER, "--timeout", "300s", *words]
    environment = {"KUBECONFIG": str(bed.cluster.kubeconfig("admin"))}
    ran = rendered.run(command, environment=environment)
    if ran.returncode:
        raise Fault(f"`helm {verb}` ended with code {ran.returncode}: {ran.stderr.strip()}")


ROWS = {"helm": by_helm, "kustomize": by_kustomize}


def play(bed: Bed, program: Program, parts: dict[str, Path], report: Report) -> None:
    """Plays the rows one after the other: they are one cluster's."""
    for name, row in ROWS.items():
        if not report.wants(f"deploy-{name}"):
            continue
        begun, faults = time.monotonic(), []
        try:
            row(bed, program, parts, report)
        except Fault as fault:
            faults = [str(fault), *bed.feed.faults]
        report.case(f"deploy-{name}", faults, time.monotonic() - begun)
