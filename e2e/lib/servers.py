"""etcd and an API server, on loopback alone, with everything that they write in one folder."""

import contextlib
import ctypes
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from .api import Api
from .fault import Fault

ADMIN = "system:masters"
PATIENCE = 120.0
BUSY = "address already in use"


@contextlib.contextmanager
def cluster(binaries: dict[str, Path], folder: Path) -> Iterator[Api]:
    """Runs both servers for as long as the block takes. Between the choice of a free port and its
    use somebody else may take it: then other ports are tried."""
    for attempt in range(3):
        home = folder / f"cluster-{attempt}"
        home.mkdir()
        with contextlib.ExitStack() as running:
            try:
                api = start(binaries, home, running)
            except Taken:
                continue
            yield api
            return
    raise Fault("no free ports were found for the servers")


class Taken(Exception):
    """A port was taken in the meantime."""


def start(binaries: dict[str, Path], home: Path, running: contextlib.ExitStack) -> Api:
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
    token = secrets.token_hex(16)
    tokens = home / "tokens.csv"
    tokens.touch(mode=0o600)
    tokens.write_text(f"{token},admin,admin,{ADMIN}\n")
    pki = home / "pki"
    apiserver = [
        f"--etcd-servers={etcd_url}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={api_port}",
        # The server makes its own certificate there, and lends its key to service accounts.
        f"--cert-dir={pki}",
        f"--service-account-key-file={pki}/apiserver.key",
        f"--service-account-signing-key-file={pki}/apiserver.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--token-auth-file={tokens}",
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--endpoint-reconciler-type=none",
        "--profiling=false",
    ]
    servers = [
        running.enter_context(server(binaries["etcd"], etcd, home)),
        running.enter_context(server(binaries["kube-apiserver"], apiserver, home)),
    ]
    api = Api(api_port, token, pki / "apiserver.crt")
    wait_until_ready(api, servers)
    return api


def free_ports(count: int) -> list[int]:
    """Returns ports that nobody has at the moment."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Server:
    """A running server and the file with what it says."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log

    def check(self) -> None:
        """Fails where the server has ended."""
        if self.process.poll() is None:
            return
        if BUSY in self.log.read_text(errors="replace"):
            raise Taken
        raise Fault(f"{self.log.stem} ended with code {self.process.returncode}:\n{self.tail()}")

    def tail(self) -> str:
        """Returns the last lines that the server said."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


@contextlib.contextmanager
def server(program: Path, arguments: list[str], home: Path) -> Iterator[Server]:
    """Runs a server for as long as the block takes."""
    log = home / f"{program.name}.log"
    with open(log, "wb") as out:
        process = subprocess.Popen(
            [program, *arguments],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            # A signal from the terminal is for the driver, which stops servers in order.
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )
    try:
        yield Server(process, log)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def die_with_parent():
    """Returns what makes the next process end with this one, even where this one is killed."""
    if not sys.platform.startswith("linux"):
        return None
    set_death_signal = 1
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(set_death_signal, signal.SIGKILL)


def wait_until_ready(api: Api, servers: list[Server]) -> None:
    """Waits until the API server says that it is ready."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for each in servers:
            each.check()
        with contextlib.suppress(OSError):
            if api.request("GET", "/readyz").status == 200:
                return
        time.sleep(0.1)
    words = "\n".join(f"{each.log.stem}:\n{each.tail()}" for each in servers)
    raise Fault(f"the API server was not ready after {PATIENCE:.0f} s\n{words}")
