"""Flux: its kustomize-controller, and artifacts as its source-controller would publish them."""

import contextlib
import datetime
import functools
import hashlib
import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .api import MERGE, Api, wait
from .argo import define
from .fault import Fault
from .process import Server, free_ports, server
from .servers import Cluster

PARTS = ["kustomize-controller", "kustomize-crds", "source-crds"]
KUSTOMIZATION = "kustomize.toolkit.fluxcd.io/v1"
SOURCE = "source.toolkit.fluxcd.io/v1"
SOURCE_NAME = "fleet"
REQUEST = "reconcile.fluxcd.io/requestedAt"
SYSTEM = "flux-system"
# How often it looks whether what a Kustomization waits for is there (30 s if nothing is said).
LOOK_AGAIN = "1s"
KINDS = {
    "kustomize.toolkit.fluxcd.io_kustomizations": "kustomizations.kustomize.toolkit.fluxcd.io",
    "source.toolkit.fluxcd.io_buckets": "buckets.source.toolkit.fluxcd.io",
    "source.toolkit.fluxcd.io_externalartifacts": "externalartifacts.source.toolkit.fluxcd.io",
    "source.toolkit.fluxcd.io_gitrepositories": "gitrepositories.source.toolkit.fluxcd.io",
    "source.toolkit.fluxcd.io_ocirepositories": "ocirepositories.source.toolkit.fluxcd.io",
}


@dataclass
class Flux:
    """A running Flux. Each namespace has a source of its own, and Kustomizations that read it."""

    api: Api
    controller: Server
    artifacts: Path
    port: int
    count: int = 0

    def publish(self, namespace: str, files: dict[str, str]) -> str:
        """Publishes files as the newest revision of a namespace's source; returns that."""
        content = packed(files)
        self.count += 1
        name = f"{namespace}-{self.count}.tar.gz"
        (self.artifacts / name).write_bytes(content)
        base = f"/apis/{SOURCE}/namespaces/{namespace}/gitrepositories"
        if self.api.find(f"{base}/{SOURCE_NAME}") is None:
            # Nobody fetches it: that is what we do.
            spec = {"interval": "1h", "url": "http://127.0.0.1/none.git", "suspend": True}
            metadata = {"name": SOURCE_NAME, "namespace": namespace}
            manifest = {"apiVersion": SOURCE, "kind": "GitRepository", "metadata": metadata}
            self.api.must("POST", base, manifest | {"spec": spec})
        commit = hashlib.sha1(f"{name}".encode() + content).hexdigest()
        revision = f"main@sha1:{commit}"
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        artifact = {
            "path": name,
            "url": f"http://127.0.0.1:{self.port}/{name}",
            "revision": revision,
            "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
            "lastUpdateTime": now,
            "size": len(content),
        }
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "Succeeded",
            "message": "published",
            "observedGeneration": 1,
            "lastTransitionTime": now,
        }
        status = {"observedGeneration": 1, "artifact": artifact, "conditions": [ready]}
        self.api.must("PATCH", f"{base}/{SOURCE_NAME}/status", {"status": status}, MERGE)
        return revision

    def kustomization(self, namespace: str, name: str, **spec: object) -> None:
        """Creates or changes a Kustomization of a namespace's source."""
        source = {"kind": "GitRepository", "name": SOURCE_NAME}
        own = {"interval": "1h", "retryInterval": "2s", "sourceRef": source, "prune": True}
        metadata = {"name": name, "namespace": namespace}
        manifest = {"apiVersion": KUSTOMIZATION, "kind": "Kustomization", "metadata": metadata}
        self.api.apply(manifest | {"spec": own | spec})

    def reconcile(self, namespace: str, name: str) -> None:
        """Asks for a reconciliation, as the command line does it."""
        now = datetime.datetime.now(datetime.UTC).isoformat()
        patch = {"metadata": {"annotations": {REQUEST: now}}}
        self.api.must("PATCH", path(namespace, name), patch, MERGE)

    def settled(self, namespace: str, revision: str, patience: float = 300) -> None:
        """Waits until every Kustomization of a namespace has made a revision so."""
        words: list[str] = []

        def is_so() -> bool:
            found = self.api.must("GET", path(namespace))["items"]
            words[:] = [told(each) for each in found if not is_applied(each, revision)]
            return bool(found) and not words

        if not wait(is_so, patience, sign=lambda: list(words)):
            raise Fault(f"these are not at {revision}: {'; '.join(words)}")


def path(namespace: str, name: str | None = None) -> str:
    """Returns the path of Kustomizations."""
    base = f"/apis/{KUSTOMIZATION}/namespaces/{namespace}/kustomizations"
    return base if name is None else f"{base}/{name}"


def is_applied(kustomization: dict, revision: str) -> bool:
    """Whether a Kustomization is ready with a revision and its own newest form."""
    status = kustomization.get("status") or {}
    return (
        status.get("lastAppliedRevision") == revision
        and status.get("observedGeneration") == kustomization["metadata"]["generation"]
        and any(
            each["type"] == "Ready" and each["status"] == "True"
            for each in status.get("conditions") or []
        )
    )


def told(kustomization: dict) -> str:
    """Returns in a line what a Kustomization says."""
    conditions = (kustomization.get("status") or {}).get("conditions") or []
    words = [f"{each['type']}={each['status']} {each['message']}" for each in conditions]
    return f"{kustomization['metadata']['name']}: {', '.join(words)}"


def packed(files: dict[str, str]) -> bytes:
    """Returns files as an archive, the same for the same files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for name, text in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *_: object) -> None:
        """Says nothing."""


@contextlib.contextmanager
def flux(cluster: Cluster, parts: dict[str, Path]) -> Iterator[Flux]:
    """Runs Flux for as long as the block takes."""
    home = cluster.home / "flux"
    (home / "artifacts").mkdir(parents=True)
    (home / "tmp").mkdir()
    api = cluster.api
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}})
    for file, name in KINDS.items():
        folder = parts["kustomize-crds" if file.startswith("kustomize") else "source-crds"]
        define(api, folder / f"{file}.yaml", name)
    metrics, health = free_ports(2)
    arguments = [
        "--enable-leader-election=false",
        "--watch-all-namespaces=true",
        "--events-addr=",
        f"--metrics-addr=127.0.0.1:{metrics}",
        f"--health-addr=127.0.0.1:{health}",
        f"--requeue-dependency={LOOK_AGAIN}",
        "--concurrent=20",
        # Else a node that does not get ready holds up its own mending until its time is out.
        "--feature-gates=CancelHealthCheckOnNewRevision=true",
    ]
    own = {
        "RUNTIME_NAMESPACE": SYSTEM,
        "TMPDIR": str(home / "tmp"),
        "HOME": str(home),
        "KUBECONFIG": str(cluster.kubeconfig("admin")),
    }
    served = functools.partial(Quiet, directory=home / "artifacts")
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), served)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    try:
        with server(parts["kustomize-controller"], arguments, home, own) as controller:
            yield Flux(api, controller, home / "artifacts", listener.server_port)
    finally:
        listener.shutdown()
        listener.server_close()
