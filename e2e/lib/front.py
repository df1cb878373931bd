"""A second API server before the same etcd, for those who are tested: what they ask for is in an audit
log of their own, and it can be stopped and started again without anybody else noticing. They have the
rights that `deploy/` gives, and no others."""

import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .api import APPLY, Api
from .fault import Fault
from .process import Server, Taken, free_ports, wait_until
from .servers import Cluster, is_ready

POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [{"level": "Metadata"}],
}
USER = "cosmos-render"
BASE = Path(__file__).resolve().parents[2] / "deploy" / "base"
GROUP = "rbac.authorization.k8s.io"
ROLES = f"/apis/{GROUP}/v1/clusterroles"
# Runners here have Leases of many names in many namespaces, where `deploy/` gives the right to one alone.
LEASES = {
    "apiVersion": f"{GROUP}/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "cosmos-render-leases"},
    "rules": [
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "verbs": ["create", "get", "update"],
        }
    ],
}
WRITES = ("create", "update", "patch", "delete", "deletecollection")


@dataclass(frozen=True)
class Call:
    """A request that was answered."""

    verb: str
    # Like `pods` or `pods/eviction`.
    resource: str
    namespace: str
    name: str
    code: int

    @property
    def is_write(self) -> bool:
        """Whether something was to be written."""
        return self.verb in WRITES

    def __str__(self) -> str:
        return f"{self.verb} {self.resource} {self.namespace}/{self.name} ({self.code})"


@dataclass
class Front:
    """The server, and what it has noted."""

    cluster: Cluster
    server: Server
    port: int
    log: Path

    def kubeconfig(self) -> dict[str, str]:
        """Returns the environment of those who are tested."""
        path = self.cluster.home / f"front-{self.port}.kubeconfig"
        if not path.exists():
            token = self.cluster.tokens[USER]
            self.cluster.write_kubeconfig(path, token, "default", self.port)
        return {"KUBECONFIG": str(path)}

    def mark(self) -> int:
        """Returns where the log ends now: what happens later is behind it."""
        return self.log.stat().st_size

    def calls(self, since: int = 0, namespace: str | None = None) -> list[Call]:
        """Returns what was asked for, behind a mark, in a namespace or in all."""
        with open(self.log, "rb") as file:
            file.seek(since)
            lines = [line for line in file if line.endswith(b"\n")]
        found = [call_of(json.loads(line)) for line in lines if USER.encode() in line]
        return [each for each in found if each and namespace in (None, each.namespace)]

    def restart(self, pause: float) -> None:
        """Ends the server as a machine that fails would, and starts it again after a while."""
        self.server.kill()
        time.sleep(pause)
        self.server.start()

    def is_answering(self) -> bool:
        """Whether it answers, where it may be away."""
        with contextlib.suppress(OSError):
            return self.is_up()
        return False

    def is_up(self) -> bool:
        """Whether it answers."""
        api = Api(self.port, self.cluster.tokens["admin"], self.cluster.authority)
        return is_ready(api)


def call_of(entry: dict) -> Call | None:
    """Reads a line of the log."""
    if entry.get("user", {}).get("username") != USER:
        return None
    found = entry.get("objectRef") or {}
    parts = [found.get("resource", entry.get("requestURI", "")), found.get("subresource")]
    return Call(
        entry["verb"],
        "/".join(part for part in parts if part),
        found.get("namespace", ""),
        found.get("name", ""),
        (entry.get("responseStatus") or {}).get("code", 0),
    )


def counted(calls: list[Call]) -> str:
    """Returns how often what was asked for."""
    counts = Counter(f"{each.verb} {each.resource}" for each in calls)
    return ", ".join(f"{what} {many}" for what, many in sorted(counts.items()))


def give_rights(api: Api) -> None:
    """Gives those who are tested the rights that `deploy/` gives."""
    text = (BASE / "cluster-role.yaml").read_text()
    wide = api.must("PATCH", f"{ROLES}/{USER}?fieldManager=e2e&fieldValidation=Strict", text, APPLY)
    for role in (wide, api.apply(LEASES)):
        name = role["metadata"]["name"]
        api.apply(
            {
                "apiVersion": f"{GROUP}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": name},
                "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": name},
                "subjects": [{"apiGroup": GROUP, "kind": "User", "name": USER}],
            }
        )


@contextlib.contextmanager
def front(cluster: Cluster, parts: dict[str, Path]) -> Iterator[Front]:
    """Runs it for as long as the block takes."""
    give_rights(cluster.api)
    for attempt in range(3):
        home = cluster.home / f"front-{attempt}"
        home.mkdir()
        policy = home / "policy.json"
        policy.write_text(json.dumps(POLICY))
        log = home / "audit.log"
        log.touch()
        (port,) = free_ports(1)
        arguments = [
            *cluster.arguments,
            f"--secure-port={port}",
            f"--audit-policy-file={policy}",
            f"--audit-log-path={log}",
            "--audit-log-maxsize=0",
        ]
        server = Server(parts["kube-apiserver"], arguments, home / "kube-apiserver.log")
        server.start()
        found = Front(cluster, server, port, log)
        try:
            wait_until("the second API server is ready", [server], found.is_up)
            yield found
            return
        except Taken:
            continue
        finally:
            server.stop()
    raise Fault("no free port was found for the second API server")
