"""The checks beside a node: against a node that is played, and documents on a real API server."""

import json
import urllib.error
import urllib.request
from contextlib import closing, contextmanager
from collections.abc import Iterator
from pathlib import Path

from lib import bed as beds
from lib import fleets, scenarios
from lib.api import MERGE, wait
from lib.bed import Bed
from lib.comet import PORT
from lib.fault import Fault
from lib.nodes import is_ready
from lib.process import Server, free_ports
from lib.program import Program
from lib.report import Report

SERVERS = beds.PARTS
NAMESPACE = "sidecars"
POD = f"{fleets.NAME}-0"
POD_PATH = f"/api/v1/namespaces/{NAMESPACE}/pods/{POD}"
DOCUMENTS = f"/apis/cosmos.strange.love/v1/namespaces/{NAMESPACE}/cosmosfullnodes"
VERSIONS = [{"height": 1, "image": "kelp:v1"}, {"height": 1000, "image": "kelp:v2"}]


def run(program: Program, parts: dict[str, Path], folder: Path, report: Report) -> None:
    """Runs the suite."""
    if program.lacks("sidecar") or not program.acts():
        report.note("skipped: the program is built without access to clusters")
        return
    with beds.speaking(parts, program, folder) as bed:
        scenarios.define(bed, program)
        bed.namespace(NAMESPACE)
        bed.api.apply(pod())
        if not wait(lambda: is_ready(bed.api.must("GET", POD_PATH))):
            raise Fault("the pod is never ready")
        for name, play in (("health", health), ("version", version)):
            if report.wants(f"sidecars-{name}"):
                faults = list(play(bed, program, folder))
                report.case(f"sidecars-{name}", faults)


def pod() -> dict:
    """Returns a pod of a fleet."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": POD,
            "namespace": NAMESPACE,
            "labels": {"app.kubernetes.io/name": fleets.NAME},
        },
        "spec": {"containers": [{"name": "node", "image": "kelp:v1"}]},
    }


def address(bed: Bed) -> str:
    """Returns where the pod's node answers."""
    return f"http://{bed.api.must('GET', POD_PATH)['status']['podIP']}:{PORT}"


# The health check.


@contextmanager
def checked(program: Program, rpc: str, home: Path) -> Iterator[str]:
    """Runs a health check; returns where its pages are."""
    (port,) = free_ports(1)
    words = ["sidecar", "healthcheck", "--rpc-host", rpc, "--addr", f"127.0.0.1:{port}", "--timeout", "2s"]
    server = Server(program.path, words, home / "healthcheck.log")
    server.start()
    try:
        base = f"http://127.0.0.1:{port}"
        if not wait(lambda: page(f"{base}/disk")[0] == 400, 20):
            raise Fault(f"the health check does not listen: {server.tail()}")
        yield base
        server.process.terminate()
        if server.process.wait(5) != 0:
            raise Fault(f"the health check ended with an error: {server.tail()}")
    finally:
        server.kill()


def page(url: str) -> tuple[int, dict]:
    """Returns a page's code and what it says; code 0 where nobody answers."""
    try:
        with closing(urllib.request.urlopen(url, timeout=10)) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except OSError:
        return 0, {}


def health(bed: Bed, program: Program, folder: Path) -> Iterator[str]:
    """Looks at the pages while the node is in sync, behind, in trouble, and silent."""
    rpc = address(bed)
    with checked(program, rpc, folder) as base:
        for said, code, in_sync in (
            ({}, 200, True),
            ({"catching_up": True}, 422, False),
            ({"code": 500}, 503, False),
            ({"is_silent": True}, 503, False),
            ({}, 200, True),
        ):
            bed.comet.say(NAMESPACE, POD, **said)
            found, answer = page(f"{base}/")
            if (found, answer.get("in_sync"), answer.get("address")) != (code, in_sync, rpc):
                yield f"a node that says {said} is answered with {found} {answer}"
            if ("error" in answer) != (code == 503):
                yield f"a node that says {said} is answered with {answer}"
        found, answer = page(f"{base}/disk?dir={folder}")
        if found != 200 or not 0 < answer["free_bytes"] <= answer["all_bytes"]:
            yield f"a folder is answered with {found} {answer}"
        found, answer = page(f"{base}/disk?dir=/no/such/folder")
        if found != 500 or not answer.get("error"):
            yield f"a folder that is not there is answered with {found} {answer}"


# The check of versions.


def version(bed: Bed, program: Program, folder: Path) -> Iterator[str]:
    """Checks the pod before its node starts, on documents and heights of all sorts."""
    data = folder / "data"
    data.mkdir()
    kubeconfig = folder / "kubeconfig"
    bed.cluster.write_kubeconfig(kubeconfig, bed.api.token, NAMESPACE)
    own = {"KUBECONFIG": str(kubeconfig), "HOSTNAME": POD, "DATA_DIR": str(data)}

    def check(code: int, part: str, *words: str) -> list[str]:
        ran = program.run("sidecar", "version-check", *words, environment=own)
        if ran.code == code and part in ran.err:
            return []
        return [f"expected {code} and {part!r}, and it ended with {ran.code}: {ran.err}"]

    yield from check(0, "no CosmosFullNode")
    document = fleets.document(NAMESPACE)
    bed.api.apply(document)
    yield from check(0, "declares no versions")
    bed.api.apply(fleets.changed(document, {"spec": {"chain": {"versions": VERSIONS}}}))
    yield from check(0, "nobody knows its height")
    # Nobody has written a status yet.
    (data / "upgrade-info.json").write_text('{"name":"v1","height":"998"}')
    yield from check(0, "is the version for height 998")
    if (found := height(bed)) != 998:
        yield f"the height {found} is recorded"
    (data / "upgrade-info.json").unlink()
    set_height(bed, 999)
    yield from check(0, "is the version for height 999", "-b", "goleveldb")
    # The node has halted for the upgrade.
    (data / "upgrade-info.json").write_text('{"name":"v2","height":1000,"info":""}')
    yield from check(1, "height 1000 asks for kelp:v2")
    if (found := height(bed)) != 1000:
        yield f"the height {found} is recorded"
    (data / "upgrade-info.json").unlink()
    yield from check(1, "height 1000 asks for kelp:v2")
    chosen = {"spec": {"instanceOverrides": {POD: {"image": "kelp:v1"}}}}
    bed.api.must("PATCH", f"{DOCUMENTS}/{fleets.NAME}", chosen, MERGE)
    yield from check(0, "chooses the image")
    own["HOSTNAME"] = "kelp-7"
    yield from check(1, "no pod kelp-7")
    yield from check(0, "no pod kelp-7", "-c")


def set_height(bed: Bed, height: int) -> None:
    """Records a height."""
    status = {"status": {"height": {POD: height}, "observedGeneration": 1, "phase": "Complete"}}
    bed.api.must("PATCH", f"{DOCUMENTS}/{fleets.NAME}/status", status, MERGE)


def height(bed: Bed) -> int:
    """Returns the height that is recorded."""
    return bed.api.must("GET", f"{DOCUMENTS}/{fleets.NAME}")["status"]["height"][POD]
