"""What happens to the objects of a cluster, as the API server tells it: one watch for each kind,
and whoever wants to know."""

import contextlib
import http.client
import json
import socket
import threading
import traceback
from collections.abc import Callable
from typing import Any

from . import stop
from .api import Api
from .fault import Fault
from .paths import collection

# What happened (ADDED, MODIFIED or DELETED), and the object as it is then.
Listener = Callable[[str, dict], None]


class Feed:
    """Watches of kinds, from when it is started to when it is closed."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.listeners: dict[tuple[str, str], list[Listener]] = {}
        self.faults: list[str] = []
        self.streams: list[http.client.HTTPSConnection] = []
        self.closed = False

    def tell(self, version: str, kind: str, listener: Listener) -> None:
        """Has somebody told of every object of a kind. Listeners are called in order, one event
        after the other, and must not take their time."""
        self.listeners.setdefault((version, kind), []).append(listener)

    def start(self) -> None:
        """Begins: what is there already counts as added."""
        for version, kind in self.listeners:
            path = collection(version, kind)
            listed = self.api.must("GET", path)
            for each in listed["items"]:
                self.pass_on(version, kind, "ADDED", {"apiVersion": version, "kind": kind} | each)
            since = listed["metadata"]["resourceVersion"]
            arguments = (version, kind, path, since)
            threading.Thread(target=self.follow, args=arguments, daemon=True).start()

    def follow(self, version: str, kind: str, path: str, since: str) -> None:
        """Reads one watch. A stream that ends is taken up where it ended."""
        while not self.closed:
            try:
                for event in self.read(path, since):
                    if event["type"] == "ERROR":
                        raise Fault(f"the watch of {kind}s failed: {event['object']}")
                    since = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] != "BOOKMARK":
                        self.pass_on(version, kind, event["type"], event["object"])
            except (OSError, http.client.HTTPException, json.JSONDecodeError, ValueError):
                pass
            # A listener that fails would let tests pass that nobody looks at.
            except Exception:
                self.faults.append(traceback.format_exc())
                return

    def read(self, path: str, since: str):
        """Yields the events of one stream."""
        connection = self.api.connect(None)
        self.streams.append(connection)
        with contextlib.closing(connection):
            query = f"?watch=1&resourceVersion={since}&allowWatchBookmarks=true"
            connection.request("GET", path + query, headers=self.api.headers())
            response = connection.getresponse()
            while line := response.readline():
                yield json.loads(line)
        self.streams.remove(connection)

    def pass_on(self, version: str, kind: str, what: str, found: dict) -> None:
        """Tells all who want to know."""
        for listener in self.listeners[(version, kind)]:
            listener(what, found)

    def tried(self, task: Callable[..., Any], *arguments: Any) -> None:
        """Does something that nobody waits for. What fails would leave pods waiting for no visible
        reason, so it is noted."""
        try:
            task(*arguments)
        except stop.Stopped:
            pass
        except Exception:
            self.faults.append(traceback.format_exc())

    def check(self) -> None:
        """Fails where somebody could not be told."""
        if self.faults:
            raise Fault(f"a watch broke off:\n{self.faults[0]}")

    def close(self) -> None:
        """Ends all watches."""
        self.closed = True
        for connection in list(self.streams):
            with contextlib.suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)
