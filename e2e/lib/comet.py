"""Nodes that answer: CometBFT's `/status` for every pod, each at an address of its own on loopback.
What a node says is what a test has it say: how high it is, how old its last block is, whether it is
still catching up, an error, or nothing at all. The health check beside it says how full its disk is."""

import asyncio
import contextlib
import datetime
import itertools
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from .api import MERGE, Api
from .fault import Fault
from .feed import Feed
from .hooks import pod_path
from .nodes import is_ready
from .snapshot import is_of_job

PORT = 26657
# Where the health check of a pod tells how full its disk is.
HEALTHCHECK = 1251
DISK = 1 << 30
# The API server writes no loopback address into an endpoint, and its controllers would try for ever.
NO_ENDPOINTS = (
    "endpoints-controller",
    "endpointslice-controller",
    "endpointslice-mirroring-controller",
)
# Which addresses pods have: 127.1.0.1 and up.
FIRST = 127 << 24 | 1 << 16 | 1
# Blocks in a second.
PACE = 1.0
START = 100_000


@dataclass(frozen=True)
class Speech:
    """What a node answers."""

    # Where it stays; without one it grows with everybody else.
    height: int | None = None
    catching_up: bool = False
    # How old its last block is, in seconds.
    block_age: float = 0.5
    # A status of HTTP that is an error.
    code: int = 200
    # Whether it takes the question and says nothing.
    is_silent: bool = False
    # For so long it says nothing.
    seconds: float = 0.0


@dataclass
class Node:
    """A pod that has an address."""

    namespace: str
    name: str
    uid: str
    # Whether its process takes connections.
    is_up: bool = False


@dataclass
class Comet:
    """All nodes of a cluster."""

    api: Api
    feed: Feed
    nodes: dict[str, Node] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    speeches: dict[tuple[str, str], Speech] = field(default_factory=dict)
    # How full disks are, in percent; `None` where a health check cannot tell.
    disks: dict[tuple[str, str], int | None] = field(default_factory=dict)
    asked: dict[tuple[str, str], int] = field(default_factory=dict)
    begun: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        self.next = itertools.count(FIRST)
        self.lock = threading.Lock()
        self.workers = ThreadPoolExecutor(2, "addresses")
        self.loop = asyncio.new_event_loop()
        self.feed.tell("v1", "Pod", self.pod)

    def say(self, namespace: str, name: str, **what: object) -> None:
        """Has a node say something from now on, whichever pod it is in."""
        self.speeches[(namespace, name)] = replace(Speech(), **what)

    def hush(self, namespace: str, name: str) -> None:
        """Has a node say again what all say."""
        self.speeches.pop((namespace, name), None)

    def height(self) -> int:
        """Returns how high the chain is."""
        return START + int((time.time() - self.begun) * PACE)

    def count(self, namespace: str) -> int:
        """Returns how often nodes of a namespace were asked."""
        return sum(many for (found, _), many in list(self.asked.items()) if found == namespace)

    def pod(self, what: str, found: dict) -> None:
        """Gives a pod that has a node an address."""
        if is_of_job(found):
            return
        metadata = found["metadata"]
        uid = metadata["uid"]
        with self.lock:
            known = self.nodes.get(self.addresses.get(uid, ""))
            if known is not None:
                known.is_up = what != "DELETED" and is_ready(found)
                return
            if what == "DELETED" or not found["spec"].get("nodeName"):
                return
            number = next(self.next)
            address = ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))
            self.addresses[uid] = address
            self.nodes[address] = Node(metadata["namespace"], metadata["name"], uid, is_ready(found))
        with contextlib.suppress(RuntimeError):
            self.workers.submit(self.feed.tried, self.give, found, address)

    def give(self, found: dict, address: str) -> None:
        """Writes the address of a pod, unless another pod has its name by now."""
        patch = {
            "metadata": {"uid": found["metadata"]["uid"]},
            "status": {"podIP": address, "podIPs": [{"ip": address}]},
        }
        answer = self.api.request("PATCH", f"{pod_path(found)}/status", patch, MERGE)
        if not answer.accepted and answer.status not in (404, 409):
            raise Fault(f"{pod_path(found)} gets no address: {answer.message}")

    def start(self) -> None:
        """Begins to listen."""
        self.servers = []
        for port in (PORT, HEALTHCHECK):
            try:
                serving = asyncio.start_server(self.serve, "0.0.0.0", port, backlog=1000)
                self.servers.append(self.loop.run_until_complete(serving))
            except OSError as error:
                raise Fault(f"nodes cannot listen on port {port}: {error}") from error
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one client until it goes."""
        address, port = writer.get_extra_info("sockname")[:2]
        ends = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
        with contextlib.suppress(*ends, asyncio.CancelledError):
            while request := await reader.readuntil(b"\r\n\r\n"):
                node = self.nodes.get(address)
                # Nobody listens there. A health check does, whatever the node itself does.
                if node is None or not node.is_up and port == PORT:
                    break
                path = request.split(b" ", 2)[1].decode()
                writer.write(await self.answer(node, path) if port == PORT else self.disk(node))
                await writer.drain()
        writer.close()

    async def answer(self, node: Node, path: str) -> bytes:
        """Returns what a node answers, once it does."""
        key = (node.namespace, node.name)
        self.asked[key] = self.asked.get(key, 0) + 1
        speech = self.speeches.get(key, Speech())
        await asyncio.sleep(3600 if speech.is_silent else speech.seconds)
        if path.split("?")[0] not in ("/status", "/status/"):
            return http(404, "404 page not found\n")
        if speech.code != 200:
            return http(speech.code, "internal error\n")
        return http(200, json.dumps(self.status(node, speech)))

    def disk(self, node: Node) -> bytes:
        """Returns how full a node's disk is, as the reference's health check does."""
        full = self.disks.get((node.namespace, node.name), 10)
        if full is None:
            return http(500, json.dumps({"dir": "/home/operator/cosmos", "error": "no such file"}))
        free = DISK * (100 - full) // 100
        return http(200, json.dumps({"dir": "/home", "all_bytes": DISK, "free_bytes": free}))

    def status(self, node: Node, speech: Speech) -> dict:
        """Returns what CometBFT v0.38 says of itself."""
        block = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=speech.block_age)
        height = self.height() if speech.height is None else speech.height
        sync = {
            "latest_block_hash": f"{height:064X}",
            "latest_app_hash": f"{height + 1:064X}",
            "latest_block_height": str(height),
            "latest_block_time": block.strftime("%Y-%m-%dT%H:%M:%S.%f000Z"),
            "earliest_block_hash": f"{1:064X}",
            "earliest_app_hash": f"{2:064X}",
            "earliest_block_height": "1",
            "earliest_block_time": "2024-01-02T03:04:05.678901234Z",
            "catching_up": speech.catching_up,
        }
        return {
            "jsonrpc": "2.0",
            "id": -1,
            "result": {
                "node_info": {
                    "protocol_version": {"p2p": "8", "block": "11", "app": "0"},
                    "id": f"{abs(hash(node.uid)):040x}",
                    "listen_addr": "tcp://0.0.0.0:26656",
                    "network": "kelp-1",
                    "version": "0.38.17",
                    "channels": "40202122233038606100",
                    "moniker": node.name,
                    "other": {"tx_index": "on", "rpc_address": f"tcp://0.0.0.0:{PORT}"},
                },
                "sync_info": sync,
                "validator_info": {
                    "address": "0123456789ABCDEF0123456789ABCDEF01234567",
                    "pub_key": {
                        "type": "tendermint/PubKeyEd25519",
                        "value": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                    },
                    "voting_power": "0",
                },
            },
        }

    def close(self) -> None:
        """Ends all of it."""
        self.workers.shutdown(wait=False, cancel_futures=True)
        asyncio.run_coroutine_threadsafe(self.cancel(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)

    async def cancel(self) -> None:
        """Leaves all clients without an answer."""
        for server in self.servers:
            server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def http(code: int, body: str) -> bytes:
    """Returns an answer as HTTP has it."""
    kind = "application/json" if code == 200 else "text/plain"
    words = {200: "OK", 404: "Not Found", 500: "Internal Server Error"}
    head = f"HTTP/1.1 {code} {words.get(code, 'Error')}\r\nContent-Type: {kind}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
