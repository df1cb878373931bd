"""What takes traces: OTLP over HTTP, as protobuf. It reads as much of them as tests look at."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# The size of what has one of its own, by protobuf's wire types.
FIXED = {1: 8, 5: 4}


@dataclass(frozen=True)
class Span:
    """Something that took its time."""

    service: str
    trace: bytes
    id: bytes
    parent: bytes
    name: str
    attributes: dict[str, str]
    is_failed: bool


@dataclass
class Collector:
    """All spans that were taken."""

    port: int
    spans: list[Span] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """Returns what has traces sent here, soon after they end."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "OTEL_BSP_SCHEDULE_DELAY": "500",
        }

    def named(self, name: str) -> list[Span]:
        """Returns those of a name."""
        return [span for span in self.spans if span.name == name]

    def above(self, span: Span) -> list[str]:
        """Returns the names of a span and of all that it is a part of, from within."""
        known = {(each.trace, each.id): each for each in self.spans}
        names = [span.name]
        while span.parent:
            found = known.get((span.trace, span.parent))
            if found is None:
                return [*names, "?"]
            span = found
            names.append(span.name)
        return names


@contextlib.contextmanager
def collector() -> Iterator[Collector]:
    """Takes traces for as long as the block takes."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_ours = (self.path, self.headers["Content-Type"]) == (
                "/v1/traces",
                "application/x-protobuf",
            )
            if is_ours:
                found.spans += spans(body)
            self.send_response(200 if is_ours else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Collector(server.server_address[1])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield found
        finally:
            server.shutdown()


def spans(body: bytes) -> list[Span]:
    """Reads a request."""
    found = []
    for of_resource in fields(body).get(1, []):
        parts = fields(of_resource)
        resource = attributes(fields(parts[1][0]).get(1, []))
        for of_scope in parts.get(2, []):
            found += [span(each, resource) for each in fields(of_scope).get(2, [])]
    return found


def span(body: bytes, resource: dict[str, str]) -> Span:
    """Reads a span."""
    parts = fields(body)
    status = fields(parts[15][0]) if 15 in parts else {}
    return Span(
        service=resource.get("service.name", ""),
        trace=parts[1][0],
        id=parts[2][0],
        parent=parts.get(4, [b""])[0],
        name=parts[5][0].decode(),
        attributes=attributes(parts.get(9, [])),
        is_failed=status.get(3) == [2],
    )


def attributes(pairs: list[bytes]) -> dict[str, str]:
    """Reads names and values; of these, texts alone."""
    found = {}
    for pair in pairs:
        parts = fields(pair)
        value = fields(parts[2][0]) if 2 in parts else {}
        found[parts[1][0].decode()] = value[1][0].decode() if 1 in value else ""
    return found


def fields(body: bytes) -> dict[int, list]:
    """Reads a message: what is under each number, in order."""
    found: dict[int, list] = {}
    at = 0
    while at < len(body):
        key, at = varint(body, at)
        match key & 7:
            case 0:
                value, at = varint(body, at)
            case 2:
                size, at = varint(body, at)
                value, at = body[at : at + size], at + size
            case kind:
                size = FIXED[kind]
                value, at = body[at : at + size], at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def varint(body: bytes, at: int) -> tuple[int, int]:
    """Reads a number; returns it and what is behind it."""
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
