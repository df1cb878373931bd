"""What is below `deploy/`, as kustomize and Helm make objects of it."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from .fault import Fault

PARTS = ["helm", "kustomize", "objects"]
REPOSITORY = Path(__file__).resolve().parents[2]
BASE = REPOSITORY / "deploy" / "base"
COMPONENTS = REPOSITORY / "deploy" / "components"
CHART = REPOSITORY / "deploy" / "helm" / "cosmos-render"
VALUES = REPOSITORY / ".ci" / "deploy" / "values"
# The release, and its namespace, with which the chart comes to the same objects as kustomize.
NAME = "cosmos-render"
# Helm's own build would know a version of Kubernetes; ours is told one.
KUBERNETES = "v1.34.0"
PATIENCE = 300


def kustomized(parts: dict[str, Path], components: tuple[str, ...] = (), **more: object) -> list[dict]:
    """Returns the objects of a kustomization of somebody who uses ours."""
    with tempfile.TemporaryDirectory(prefix="cosmos-render-kustomize-") as folder:
        # kustomize knows no links where it compares paths
        home = Path(folder).resolve()
        content = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [os.path.relpath(BASE, home)],
            "components": [os.path.relpath(COMPONENTS / name, home) for name in components],
            **more,
        }
        (home / "kustomization.yaml").write_text(json.dumps(content))
        return objects(parts, printed([parts["kustomize"], "build", home]))


def templated(parts: dict[str, Path], *words: str | Path) -> list[dict]:
    """Returns the objects of the chart, with values that words give."""
    command = [parts["helm"], "template", NAME, CHART, "--namespace", NAME]
    return objects(parts, printed([*command, "--kube-version", KUBERNETES, *words]))


def objects(parts: dict[str, Path], text: str) -> list[dict]:
    """Reads YAML as Kubernetes does."""
    return json.loads(printed([parts["objects"]], text))


def printed(command: list[str | Path], given: str = "") -> str:
    """Returns what a program prints."""
    ran = run(command, given)
    if ran.returncode:
        words = " ".join(map(str, command))
        raise Fault(f"`{words}` ended with code {ran.returncode}: {ran.stderr.strip()}")
    return ran.stdout


def run(
    command: list[str | Path], given: str = "", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end. Helm's own settings are not read."""
    with tempfile.TemporaryDirectory(prefix="cosmos-render-helm-") as home:
        own = {each: home for each in ("HELM_CONFIG_HOME", "HELM_CACHE_HOME", "HELM_DATA_HOME")}
        return subprocess.run(
            command,
            input=given,
            env=os.environ | own | (environment or {}),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )


def of_kind(found: list[dict], kind: str) -> dict:
    """Returns the one object of a kind."""
    (one,) = (each for each in found if each["kind"] == kind)
    return one
