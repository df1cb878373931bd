"""A whole cluster to test in: servers, nodes, volumes, Jobs that run, and somebody who watches."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import nodes
from .api import Api
from .comet import Comet, NO_ENDPOINTS
from .feed import Feed
from .hooks import Hooks
from .leaving import Leaving
from .program import Program
from .servers import Cluster, served
from .timeline import Timeline
from .volumes import Volumes

PARTS = nodes.PARTS


@dataclass(frozen=True)
class Bed:
    """A cluster, and what is seen of it."""

    cluster: Cluster
    feed: Feed
    timeline: Timeline
    hooks: Hooks
    # What nodes say of themselves, where a suite wants to know.
    comet: Comet | None = None

    @property
    def api(self) -> Api:
        """The API server."""
        return self.cluster.api

    def namespace(self, name: str) -> str:
        """Makes a namespace, in which pods can run; returns its name."""
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self.api.apply(manifest)
        return name

    def version(self) -> int:
        """Returns the version that the cluster is at: what happens later has a higher one."""
        return int(self.api.must("GET", "/api/v1/pods?limit=1")["metadata"]["resourceVersion"])


@contextlib.contextmanager
def bed(parts: dict[str, Path], program: Program, folder: Path) -> Iterator[Bed]:
    """Makes one for as long as the block takes."""
    with served(parts, folder, lambda *found: furnished(*found, parts, program)) as found:
        yield found


@contextlib.contextmanager
def speaking(parts: dict[str, Path], program: Program, folder: Path) -> Iterator[Bed]:
    """Makes one whose nodes answer whoever asks them."""
    kind = Comet
    with served(parts, folder, lambda *found: furnished(*found, parts, program, kind)) as found:
        yield found


def furnished(
    cluster: Cluster,
    running: contextlib.ExitStack,
    parts: dict[str, Path],
    program: Program,
    speaker: type[Comet] | None = None,
) -> Bed:
    """Starts all that is beside the API server."""
    feed = Feed(cluster.api)
    timeline = Timeline()
    timeline.listen(feed)
    hooks = Hooks(cluster, program, cluster.home / "hooks")
    hooks.listen(feed)
    volumes = Volumes(cluster.api, feed)
    leaving = Leaving(cluster.api, feed)
    running.callback(volumes.close)
    running.callback(leaving.close)
    running.callback(hooks.close)
    comet = speaker(cluster.api, feed) if speaker else None
    if comet:
        running.callback(comet.close)
        comet.start()
    nodes.furnish(cluster, parts, running, NO_ENDPOINTS if comet else ())
    feed.start()
    # First of all that ends.
    running.callback(feed.close)
    return Bed(cluster, feed, timeline, hooks, comet)
