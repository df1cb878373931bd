"""The API server, as a client sees it."""

import http.client
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JSON = "application/json"
YAML = "application/yaml"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


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
    """A client with all rights."""

    def __init__(self, port: int, token: str, authority: Path) -> None:
        self.port = port
        self.token = token
        self.authority = authority
        self.connection: http.client.HTTPSConnection | None = None

    def request(self, method: str, path: str, body: Any = None, kind: str = JSON) -> Answer:
        """Asks once. Texts are sent as they are, other bodies as JSON."""
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        headers = {"Authorization": f"Bearer {self.token}", "Accept": JSON, "Content-Type": kind}
        try:
            if self.connection is None:
                context = ssl.create_default_context(cafile=str(self.authority))
                self.connection = http.client.HTTPSConnection(
                    "127.0.0.1", self.port, timeout=60, context=context
                )
            data = None if text is None else text.encode()
            self.connection.request(method, path, data, headers)
            response = self.connection.getresponse()
            said = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.connection = None
            raise OSError(str(error)) from error
        is_json = response.getheader("Content-Type", "").startswith(JSON)
        return Answer(
            response.status,
            json.loads(said) if is_json else said,
            response.headers.get_all("Warning") or [],
        )


def wait(what: Callable[[], bool], patience: float = 30.0) -> bool:
    """Waits until something holds; returns whether it came to that."""
    end = time.monotonic() + patience
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
