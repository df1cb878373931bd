"""etcd and an API server, on loopback alone, with everything that they write in one folder."""

import contextlib
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from .api import Api
from .fault import Fault
from .process import Taken, free_ports, server, wait_until

# Who may log in with a token of their own, and the group that they are in.
USERS = {
    "admin": "system:masters",
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
    # Who acts on fleets, to be told from all others. It may do what it is given in tests alone.
    "cosmos-render": "",
}
T = TypeVar("T")
ISSUER = "https://kubernetes.default.svc"


@dataclass(frozen=True)
class Cluster:
    """Running servers, and how to reach them."""

    api: Api
    home: Path
    port: int
    tokens: dict[str, str]
    # What its API server was started with, but for the port.
    arguments: tuple[str, ...] = ()

    @property
    def authority(self) -> Path:
        """The certificates by which the API server is known."""
        return self.home / "pki" / "apiserver.crt"

    @property
    def key(self) -> Path:
        """The key that signs the tokens of service accounts."""
        return self.home / "pki" / "apiserver.key"

    def kubeconfig(self, user: str) -> Path:
        """Returns the configuration of a user that has a token."""
        path = self.home / f"{user.rpartition(':')[2]}.kubeconfig"
        if not path.exists():
            self.write_kubeconfig(path, self.tokens[user], "default")
        return path

    def write_kubeconfig(
        self, path: Path, token: str, namespace: str, port: int | None = None
    ) -> None:
        """Writes the configuration of a client with a token."""
        server = {
            "server": f"https://127.0.0.1:{port or self.port}",
            "certificate-authority": str(self.authority),
        }
        context = {"cluster": "e2e", "user": "e2e", "namespace": namespace}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "e2e", "cluster": server}],
            "users": [{"name": "e2e", "user": {"token": token}}],
            "contexts": [{"name": "e2e", "context": context}],
            "current-context": "e2e",
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(content))


@contextlib.contextmanager
def cluster(parts: dict[str, Path], folder: Path) -> Iterator[Api]:
    """Runs both servers for as long as the block takes."""
    with served(parts, folder, lambda found, running: found.api) as api:
        yield api


@contextlib.contextmanager
def served(
    parts: dict[str, Path], folder: Path, more: Callable[[Cluster, contextlib.ExitStack], T]
) -> Iterator[T]:
    """Runs both servers and what else is to run beside them. Between the choice of a free port and
    its use somebody else may take it: then all is started again with other ports."""
    for attempt in range(3):
        home = folder / f"cluster-{attempt}"
        home.mkdir()
        with contextlib.ExitStack() as running:
            try:
                found = more(start(parts, home, running), running)
            except Taken:
                continue
            yield found
            return
    raise Fault("no free ports were found for the servers")


def start(parts: dict[str, Path], home: Path, running: contextlib.ExitStack) -> Cluster:
    """Starts both servers, and waits until they answer."""
    etcd_port, peer_port, api_port = free_ports(3)
    etcd_url = f"http://127.0.0.1:{etcd_port}"
    peer_url = f"http://127.0.0.1:{peer_port}"
    etcd = [
        f"--data-dir={home}/etcd",
        f"--listen-client-urls={etcd_url}",
        f"--advertise-client-urls={etcd_url}",
        f"--listen-peer-urls={peer_url}",
        f"--initial-advertise-peer-urls={peer_url}",
        f"--initial-cluster=default={peer_url}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]
    given = {user: secrets.token_hex(16) for user in USERS}
    tokens = home / "tokens.csv"
    tokens.touch(mode=0o600)
    rows = [f"{given[user]},{user},{user},{group}\n" for user, group in USERS.items()]
    tokens.write_text("".join(rows))
    pki = home / "pki"
    apiserver = [
        f"--etcd-servers={etcd_url}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        # The server makes its own certificate there, and lends its key to service accounts.
        f"--cert-dir={pki}",
        f"--service-account-key-file={pki}/apiserver.key",
        f"--service-account-signing-key-file={pki}/apiserver.key",
        f"--service-account-issuer={ISSUER}",
        f"--token-auth-file={tokens}",
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--endpoint-reconciler-type=none",
        "--profiling=false",
    ]
    servers = [
        running.enter_context(server(parts["etcd"], etcd, home)),
        running.enter_context(
            server(parts["kube-apiserver"], [*apiserver, f"--secure-port={api_port}"], home)
        ),
    ]
    api = Api(api_port, given["admin"], pki / "apiserver.crt")
    wait_until("the API server is ready", servers, lambda: is_ready(api))
    return Cluster(api, home, api_port, given, tuple(apiserver))


def is_ready(api: Api) -> bool:
    """Whether the API server says that it is ready."""
    return api.request("GET", "/readyz").status == 200
