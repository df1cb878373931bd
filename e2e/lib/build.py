"""The servers' programs, built from the Go module proxy by the versions in `go.mod`, and files out
of their modules. All is kept in the user's cache folder under the hash of the module that it is
built by: another version is another folder."""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .fault import Fault

LEAST_GO = "1.26"


@dataclass(frozen=True)
class Built:
    """A program: the folder of its module below ours, and its package. Names of one package are one
    program, which looks at what it is called."""

    module: str
    package: str


@dataclass(frozen=True)
class Taken:
    """A folder of a module of upstream's, as it is published. A version is named where our modules
    name none, since what is in the module is not compiled."""

    path: str
    folder: str
    version: str = ""


# The module of those who render what is deployed.
DEPLOY = "../.ci/deploy"
PARTS = {
    "etcd": Built("", "go.etcd.io/etcd/server/v3"),
    "kube-apiserver": Built("", "k8s.io/kubernetes/cmd/kube-apiserver"),
    "kube-controller-manager": Built("", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    "kube-scheduler": Built("", "k8s.io/kubernetes/cmd/kube-scheduler"),
    "kwok": Built("kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    "helm": Built(DEPLOY, "helm.sh/helm/v3/cmd/helm"),
    "kustomize": Built(DEPLOY, "sigs.k8s.io/kustomize/kustomize/v5"),
    "objects": Built(DEPLOY, "./objects"),
    "redis": Built("", "./argo"),
    "argocd-application-controller": Built("", "./argo"),
    "argocd-cmp-server": Built("", "./argo"),
    "argocd-repo-server": Built("", "./argo"),
    "argocd-crds": Taken("github.com/argoproj/argo-cd/v3", "manifests/crds"),
    "kustomize-controller": Built("", "github.com/fluxcd/kustomize-controller"),
    "kustomize-crds": Taken("github.com/fluxcd/kustomize-controller", "config/crd/bases"),
    "source-crds": Taken("github.com/fluxcd/source-controller", "config/crd/bases", "v1.7.3"),
    "prometheus-crds": Taken(
        "github.com/prometheus-operator/prometheus-operator",
        "example/prometheus-operator-crd",
        "v0.85.0",
    ),
}


def parts(root: Path, names: list[str]) -> dict[str, Path]:
    """Returns the paths of programs and folders, making those that are not there yet."""
    found = {}
    for name in names:
        part = PARTS[name]
        module = root / part.module if isinstance(part, Built) else root
        found[name] = cache(module) / name
        if found[name].exists():
            continue
        with locked(found[name].parent):
            if found[name].exists():
                continue
            if isinstance(part, Built):
                build(module, part.package, found[name])
            else:
                take(module, part, found[name])
    return found


def cache(module: Path) -> Path:
    """Returns the folder in which what a module makes is kept."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    own = [*module.glob("argo/*.go"), *module.glob("objects/*.go")]
    files = [module / "go.mod", module / "go.sum", *sorted(own)]
    digest = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
    return base / "cosmos-render" / "e2e" / digest[:16]


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Two runs at a time build one after the other, and the second finds all done."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(module: Path, package: str, path: Path) -> None:
    """Builds a program and gives it its name; what is there under a name is whole."""
    twin = next((twin for twin in twins(package, path) if twin.exists()), None)
    if twin:
        os.link(twin, path)
        return
    print(f"building {path.name} (takes minutes the first time)", flush=True)
    begun = time.monotonic()
    half = path.with_name(f"{path.name}.half")
    go(module, "build", "-trimpath", "-ldflags", linker_flags(module), "-o", str(half), package)
    half.rename(path)
    print(f"built {path.name} in {time.monotonic() - begun:.0f} s", flush=True)


def twins(package: str, path: Path) -> list[Path]:
    """Returns the paths of all names of a program."""
    return [
        path.with_name(name)
        for name, part in PARTS.items()
        if isinstance(part, Built) and part.package == package
    ]


def take(module: Path, part: Taken, path: Path) -> None:
    """Copies a folder out of a module, which Go checks against its checksum database."""
    version = part.version or required(module, part.path)
    said = json.loads(go(module, "mod", "download", "-json", f"{part.path}@{version}"))
    half = path.with_name(f"{path.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    # What is in Go's module folder may not be written to: a copy of its modes could not be removed.
    shutil.copytree(Path(said["Dir"]) / part.folder, half, copy_function=shutil.copyfile)
    half.chmod(0o755)
    half.rename(path)


def go(module: Path, *arguments: str) -> str:
    """Runs Go, which gives way to all else on the machine; returns what it prints."""
    if not shutil.which("go"):
        raise Fault(
            "Go is not installed: it builds the servers that these tests run; "
            f"install Go {LEAST_GO} or later (https://go.dev/dl)"
        )
    own = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    ended = subprocess.run(
        ["go", *arguments],
        cwd=module,
        env=os.environ | own,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.nice(10),
    )
    if ended.returncode:
        raise Fault(f"`go {' '.join(arguments)}` failed:\n{ended.stdout}{ended.stderr}")
    return ended.stdout


def linker_flags(module: Path) -> str:
    """Returns what tells Kubernetes' programs their version: without it they call themselves
    v0.0.0, and some features look at it."""
    flags = ["-s", "-w"]
    if "k8s.io/kubernetes " in (module / "go.mod").read_text():
        version = required(module, "k8s.io/kubernetes")
        major, minor, _ = version.removeprefix("v").split(".", 2)
        facts = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
        facts["gitTreeState"] = "clean"
        flags += [f"-X k8s.io/component-base/version.{name}={fact}" for name, fact in facts.items()]
    return " ".join(flags)


def required(module: Path, path: str) -> str:
    """Returns the version of a module that ours requires."""
    found = re.search(rf"^\t{re.escape(path)} (v\S+)", (module / "go.mod").read_text(), re.M)
    if not found:
        raise Fault(f"e2e/go.mod requires no {path}")
    return found[1]
