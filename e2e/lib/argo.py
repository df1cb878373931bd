"""Argo CD: its controller, its repository server, and our plugin behind a real plugin server."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .api import APPLY, MERGE, Api, wait
from .fault import Fault
from .process import Server, free_ports, server, wait_until
from .program import Program
from .repository import BRANCH, FOLDER, Repository
from .servers import Cluster

PARTS = [
    "redis",
    "argocd-application-controller",
    "argocd-cmp-server",
    "argocd-repo-server",
    "argocd-crds",
]
NAMESPACE = "argocd"
VERSION = "argoproj.io/v1alpha1"
APPLICATIONS = f"/apis/{VERSION}/namespaces/{NAMESPACE}/applications"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
HERE = "https://kubernetes.default.svc"
ENDED = ("Succeeded", "Failed", "Error")
REFRESH = "argocd.argoproj.io/refresh"
CASCADE = "resources-finalizer.argocd.argoproj.io"
# Settings that the servers ask for by name, with what they are to hold.
SETTINGS: dict[str, dict[str, str]] = {
    "argocd-cm": {},
    "argocd-rbac-cm": {},
    "argocd-ssh-known-hosts-cm": {},
    "argocd-tls-certs-cm": {},
    "argocd-gpg-keys-cm": {},
}
PART_OF = "app.kubernetes.io/part-of"


@dataclass
class Argo:
    """A running Argo CD."""

    api: Api
    controller: Server
    others: list[Server]

    def create(self, name: str, repository: Repository, **more: Any) -> None:
        """Creates an Application: what a repository holds goes into a namespace of that name."""
        source = {"repoURL": repository.url, "path": FOLDER, "targetRevision": BRANCH}
        spec = {
            "project": "default",
            "source": source | more.pop("source", {}),
            "destination": {"server": HERE, "namespace": name},
        }
        manifest = {
            "apiVersion": VERSION,
            "kind": "Application",
            "metadata": {"name": name, "namespace": NAMESPACE} | more.pop("metadata", {}),
            "spec": spec | more,
        }
        self.api.must("POST", APPLICATIONS, manifest)

    def application(self, name: str) -> dict:
        """Returns an Application as it is."""
        return self.api.must("GET", f"{APPLICATIONS}/{name}")

    def refresh(self, name: str, how: str = "normal") -> None:
        """Has an Application compared with what its repository holds now."""
        patch = {"metadata": {"annotations": {REFRESH: how}}}
        self.api.must("PATCH", f"{APPLICATIONS}/{name}", patch, MERGE)
        done = wait(lambda: REFRESH not in annotations(self.application(name)))
        if not done:
            raise Fault(f"the Application {name} is not refreshed")

    def sync(self, name: str, **how: Any) -> None:
        """Asks for a sync, as the command line and the page do it: what is left of the one before
        is taken away first, or this one would take it for its own."""
        operation = {"initiatedBy": {"username": "e2e"}, "sync": how, "retry": {"limit": 0}}
        patch = {"operation": operation, "status": {"operationState": None}}
        self.api.must("PATCH", f"{APPLICATIONS}/{name}", patch, MERGE)

    def terminate(self, name: str) -> None:
        """Ends the operation that runs."""
        patch = {"status": {"operationState": {"phase": "Terminating"}}}
        self.api.must("PATCH", f"{APPLICATIONS}/{name}", patch, MERGE)

    def ended(self, name: str, revision: str | None = None, patience: float = 300) -> dict:
        """Waits until the last operation, of a revision if one is given, has ended; returns it."""
        found: dict = {}

        def is_so() -> bool:
            application = self.application(name)
            state = (application.get("status") or {}).get("operationState") or {}
            found.clear()
            found.update(state)
            of = (state.get("syncResult") or {}).get("revision")
            own = revision is None or of == revision
            return "operation" not in application and state.get("phase") in ENDED and own

        if not wait(is_so, patience, sign=lambda: dict(found)):
            raise Fault(f"no operation of {name} has ended: {told(found)}")
        return found

    def settled(self, name: str, revision: str, patience: float = 300) -> None:
        """Waits until an Application is in sync with a revision, healthy and at rest."""

        application: dict = {}

        def is_so() -> bool:
            application.clear()
            application.update(self.application(name))
            return state_of(application) == ("Synced", "Healthy", revision, False)

        if not wait(is_so, patience, sign=lambda: signs(application)):
            state = (application.get("status") or {}).get("operationState") or {}
            raise Fault(f"{name} is {state_of(application)[:2]}, not settled: {told(state)}")

    def delete(self, name: str, cascade: bool) -> None:
        """Deletes an Application, with or without what it delivered."""
        patch = {"metadata": {"finalizers": [CASCADE] if cascade else []}}
        self.api.must("PATCH", f"{APPLICATIONS}/{name}", patch, MERGE)
        self.api.must("DELETE", f"{APPLICATIONS}/{name}")
        if not wait(lambda: self.api.find(f"{APPLICATIONS}/{name}") is None):
            raise Fault(f"the Application {name} is still there")


def state_of(application: dict) -> tuple[str, str, str, bool]:
    """Returns whether an Application is in sync and healthy, with which revision, and whether an
    operation runs."""
    status = application.get("status") or {}
    sync = status.get("sync") or {}
    phase = (status.get("operationState") or {}).get("phase")
    runs = "operation" in application or phase in ("Running", "Terminating")
    health = (status.get("health") or {}).get("status", "")
    return sync.get("status", ""), health, sync.get("revision", ""), runs


def signs(application: dict) -> tuple:
    """Returns what tells that something goes on: how far an operation is, and who is healthy."""
    status = application.get("status") or {}
    return state_of(application), status.get("operationState"), status.get("resources")


def told(state: dict) -> str:
    """Returns in a line what an operation says."""
    resources = (state.get("syncResult") or {}).get("resources") or []
    resources = [each for each in resources if each.get("status") != "Synced"]
    words = [f"{each['kind']}/{each['name']}: {each.get('message')}" for each in resources]
    return f"{state.get('phase')}: {state.get('message')} ({'; '.join(words)})"


def annotations(found: dict) -> dict[str, str]:
    """Returns the annotations of an object."""
    return found["metadata"].get("annotations") or {}


@contextlib.contextmanager
def argo(
    cluster: Cluster, parts: dict[str, Path], program: Program, plugin: str | None
) -> Iterator[Argo]:
    """Runs Argo CD, and the plugin where there is one, for as long as the block takes."""
    home = cluster.home / "argo"
    ports = dict(zip(("redis", "repository", "repository-metrics", "metrics"), free_ports(4)))
    settle(cluster.api, parts["argocd-crds"])
    own = environment(cluster, home, program)
    with contextlib.ExitStack() as running:

        def run(name: str, arguments: list[str]) -> Server:
            return running.enter_context(server(parts[name], arguments, home, own))

        redis = f"127.0.0.1:{ports['redis']}"
        others = [run("redis", [f"--address={redis}"])]
        if plugin is not None:
            (home / "plugin").mkdir()
            (home / "plugin" / "plugin.yaml").write_text(plugin)
            others.append(run("argocd-cmp-server", [f"--config-dir-path={home}/plugin"]))
        repository = [
            "--address=127.0.0.1",
            f"--port={ports['repository']}",
            "--metrics-address=127.0.0.1",
            f"--metrics-port={ports['repository-metrics']}",
            f"--redis={redis}",
            "--disable-tls",
        ]
        others.append(run("argocd-repo-server", repository))
        controller = [
            f"--kubeconfig={cluster.kubeconfig('admin')}",
            f"--namespace={NAMESPACE}",
            f"--repo-server=127.0.0.1:{ports['repository']}",
            "--repo-server-plaintext",
            f"--redis={redis}",
            # Each sync keeps one of these for as long as it pauses between two waves.
            "--operation-processors=20",
            # It listens everywhere, whatever it is told.
            f"--metrics-port={ports['metrics']}",
        ]
        found = Argo(cluster.api, run("argocd-application-controller", controller), others)
        is_there = (home / "plugins").iterdir
        wait_until("the plugin is there", others, lambda: plugin is None or any(is_there()))
        yield found


def environment(cluster: Cluster, home: Path, program: Program) -> dict[str, str]:
    """Makes the folders that the servers keep things in; returns where they are to look."""
    folders = ("tls", "ssh", "gpg", "plugins", "work", "tmp", "bin")
    for name in folders:
        (home / name).mkdir(parents=True)
    (home / "bin" / "cosmos-render").symlink_to(program.path)
    return {
        "PATH": f"{home}/bin:{os.environ['PATH']}",
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "POD_NAME": "argocd-application-controller-0",
        "ARGOCD_PLUGINSOCKFILEPATH": str(home / "plugins"),
        "ARGOCD_TLS_DATA_PATH": str(home / "tls"),
        "ARGOCD_SSH_DATA_PATH": str(home / "ssh"),
        "ARGOCD_GNUPGHOME": str(home / "gpg"),
        "ARGOCD_GPG_DATA_PATH": str(home / "gpg"),
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_CMP_WORKDIR": str(home / "work"),
        "ARGOCD_ASK_PASS_SOCK": str(home / "ask-pass.sock"),
        # The cluster that it is said to run in is the one of its configuration.
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "KUBECONFIG": str(cluster.kubeconfig("admin")),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
    }


def settle(api: Api, definitions: Path) -> None:
    """Creates what Argo CD finds in a cluster that it is installed in."""
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    for name in ("application", "appproject"):
        define(api, definitions / f"{name}-crd.yaml", f"{name}s.argoproj.io")
    labels = {PART_OF: "argocd"}
    for name, data in SETTINGS.items():
        metadata = {"name": name, "namespace": NAMESPACE, "labels": labels}
        api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
    metadata = {"name": "argocd-secret", "namespace": NAMESPACE, "labels": labels}
    data = {"server.secretkey": secrets.token_hex(16)}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}
    api.apply(secret)
    spec = {
        "sourceRepos": ["*"],
        "destinations": [{"namespace": "*", "server": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    }
    metadata = {"name": "default", "namespace": NAMESPACE}
    api.apply({"apiVersion": VERSION, "kind": "AppProject", "metadata": metadata, "spec": spec})


def define(api: Api, file: Path, name: str) -> None:
    """Applies a definition as it is published, and waits until its kind is served."""
    path = f"{DEFINITIONS}/{name}"
    api.must("PATCH", f"{path}?fieldManager=e2e&force=true", file.read_text(), APPLY)
    spec = api.must("GET", path)["spec"]
    version = next(each["name"] for each in spec["versions"] if each["storage"])
    kind = f"/apis/{spec['group']}/{version}/{spec['names']['plural']}"
    if not wait(lambda: api.request("GET", kind).accepted):
        raise Fault(f"the API server does not serve {kind}")
