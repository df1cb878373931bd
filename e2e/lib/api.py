"""The API server, as a client sees it."""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import stop
from .fault import Fault
from .paths import path_of

JSON = "application/json"
YAML = "application/yaml"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
# The server closes a connection that nobody has used for 90 s, and what is sent into it is lost.
IDLE_SECONDS = 30.0
# In seconds: for longer nobody waits, whatever happens.
MOST = 1800.0


@dataclass(frozen=True)
class Answer:
    """What the server answered."""

    status: int
    body: Any
    warnings: list[str]

    @property
    def accepted(self) -> bool:
        """Whether the server did what it was asked for."""
        return 200 <= self.status < 300

    @property
    def message(self) -> str:
        """What the server says was wrong."""
        return self.body.get("message", "") if isinstance(self.body, dict) else str(self.body)

    @property
    def fields(self) -> list[str]:
        """The fields that the server finds fault with."""
        details = self.body.get("details") or {} if isinstance(self.body, dict) else {}
        found = [cause.get("field") for cause in details.get("causes") or []]
        # Rules that were not tried since the form is wrong already are told without a field.
        return [field for field in found if field and field != "<nil>"]


class Api:
    """A client with all rights. Each thread has a connection of its own."""

    def __init__(self, port: int, token: str, authority: Path) -> None:
        self.port = port
        self.token = token
        self.authority = authority
        self.own = threading.local()

    def must(self, method: str, path: str, body: Any = None, kind: str = JSON) -> Any:
        """Asks for what has to be done; returns what the server made of it."""
        answer = self.request(method, path, body, kind)
        if not answer.accepted:
            raise Fault(f"{method} {path} ended with {answer.status}: {answer.message}")
        return answer.body

    def apply(self, manifest: dict, manager: str = "e2e") -> Any:
        """Applies an object, as server-side apply does it."""
        path = f"{path_of(manifest)}?fieldManager={manager}&force=true"
        return self.must("PATCH", path, json.dumps(manifest), APPLY)

    def find(self, path: str) -> Any:
        """Returns an object, or nothing where there is none."""
        answer = self.request("GET", path)
        if answer.status != 404 and not answer.accepted:
            raise Fault(f"GET {path} ended with {answer.status}: {answer.message}")
        return answer.body if answer.accepted else None

    def connect(self, timeout: float | None) -> http.client.HTTPSConnection:
        """Returns a new connection."""
        context = ssl.create_default_context(cafile=str(self.authority))
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=timeout, context=context
        )

    def headers(self) -> dict[str, str]:
        """Returns what every request says."""
        return {"Authorization": f"Bearer {self.token}", "Accept": JSON}

    def connected(self) -> http.client.HTTPSConnection:
        """Returns this thread's connection, a new one where the last was not used for long."""
        connection = getattr(self.own, "connection", None)
        if connection is not None and time.monotonic() - self.own.used < IDLE_SECONDS:
            return connection
        if connection is not None:
            connection.close()
        self.own.connection = self.connect(300)
        return self.own.connection

    def request(self, method: str, path: str, body: Any = None, kind: str = JSON) -> Answer:
        """Asks once. Texts are sent as they are, other bodies as JSON."""
        stop.check()
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        headers = self.headers() | {"Content-Type": kind}
        try:
            connection = self.connected()
            data = None if text is None else text.encode()
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            said = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.own.connection = None
            raise OSError(str(error)) from error
        self.own.used = time.monotonic()
        is_json = response.getheader("Content-Type", "").startswith(JSON)
        return Answer(
            response.status,
            json.loads(said) if is_json else said,
            response.headers.get_all("Warning") or [],
        )


def wait(
    what: Callable[[], bool],
    patience: float = 300.0,
    longest: float = 0.5,
    sign: Callable[[], Any] = lambda: None,
) -> bool:
    """Waits until something holds; returns whether it came to that. As long as there is a new sign of
    life now and then, on a machine that is busy with something else, it may take its time. Looks less
    and less often: whoever asks all the time leaves the server no time for what is waited for."""
    begun = since = time.monotonic()
    last = None
    pause = 0.05
    while not what():
        stop.check()
        now, new = time.monotonic(), sign()
        if new != last:
            last, since = new, now
        if now > since + patience or now > begun + MOST:
            return False
        time.sleep(min(pause, longest))
        pause *= 1.3
    return True
