"""What makes a cluster of an API server: controllers, a scheduler, and nodes that kwok plays."""

import contextlib
from pathlib import Path

from .process import free_ports, server, wait_until
from .servers import Cluster
from .volumes import classes

PARTS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"]

STAGES = Path(__file__).resolve().parents[1] / "kwok" / "stages.yaml"
NODES = 4
CORE = "v1"


def furnish(
    cluster: Cluster,
    parts: dict[str, Path],
    running: contextlib.ExitStack,
    without: tuple[str, ...] = (),
) -> None:
    """Starts what a cluster has beside its API server, without some of the controllers, and waits
    until a pod could run."""
    ports = free_ports(3)
    controllers = controller_manager(cluster, ports[0], without)
    scheduler = [
        f"--kubeconfig={cluster.kubeconfig('system:kube-scheduler')}",
        "--bind-address=127.0.0.1",
        f"--secure-port={ports[1]}",
        "--leader-elect=false",
    ]
    kwok = [
        f"--kubeconfig={cluster.kubeconfig('admin')}",
        f"--config={STAGES}",
        "--manage-all-nodes=true",
        # Without leases the controllers take the nodes for dead.
        "--node-lease-duration-seconds=40",
        "--node-ip=127.0.0.1",
        f"--server-address=127.0.0.1:{ports[2]}",
    ]
    servers = [
        running.enter_context(server(parts["kube-controller-manager"], controllers, cluster.home)),
        running.enter_context(server(parts["kube-scheduler"], scheduler, cluster.home)),
        running.enter_context(server(parts["kwok"], kwok, cluster.home)),
    ]
    for manifest in [*nodes(), *classes()]:
        cluster.api.apply(manifest)
    wait_until("pods can run", servers, lambda: is_furnished(cluster))


def controller_manager(cluster: Cluster, port: int, without: tuple[str, ...]) -> list[str]:
    """Returns what the controllers are started with."""
    return [
        f"--kubeconfig={cluster.kubeconfig('system:kube-controller-manager')}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        "--leader-elect=false",
        f"--service-account-private-key-file={cluster.key}",
        f"--root-ca-file={cluster.authority}",
        # The rights that exist are those of the controllers' own accounts.
        "--use-service-account-credentials=true",
        # No cloud, no addresses: they would only log.
        "--controllers=*,-node-ipam-controller,-service-lb-controller,"
        "-cloud-node-lifecycle-controller,-node-route-controller"
        + "".join(f",-{each}" for each in without),
    ]


def nodes() -> list[dict]:
    """Returns nodes with room for all pods of all tests."""
    room = {"cpu": "1k", "memory": "16Ti", "pods": "1k", "ephemeral-storage": "16Ti"}
    return [
        {
            "apiVersion": CORE,
            "kind": "Node",
            "metadata": {
                "name": f"node-{number}",
                "labels": {
                    "kubernetes.io/hostname": f"node-{number}",
                    "kubernetes.io/os": "linux",
                    "kubernetes.io/arch": "amd64",
                },
            },
            "status": {"allocatable": room, "capacity": room},
        }
        for number in range(NODES)
    ]


def is_furnished(cluster: Cluster) -> bool:
    """Whether the nodes are ready and the controllers make service accounts."""
    if not cluster.api.find("/api/v1/namespaces/default/serviceaccounts/default"):
        return False
    found = cluster.api.must("GET", "/api/v1/nodes")["items"]
    ready = [node for node in found if is_ready(node) and not node["spec"].get("taints")]
    return len(ready) == NODES


def is_ready(found: dict) -> bool:
    """Whether a node or a pod says that it is ready."""
    conditions = found.get("status", {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
