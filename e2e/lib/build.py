"""The servers' programs, built from the Go module proxy by the versions in `go.mod` and kept in the
user's cache folder under the hash of go.mod and go.sum: another version is another folder."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from .fault import Fault

PACKAGES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
}


def binaries(module: Path, names: list[str]) -> dict[str, Path]:
    """Returns the paths of programs, building those that are not there yet."""
    folder = cache(module)
    folder.mkdir(parents=True, exist_ok=True)
    found = {name: folder / name for name in names}
    # Two runs at a time build one after the other, and the second finds all done.
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name, path in found.items():
            if not path.exists():
                build(module, name, path)
    return found


def cache(module: Path) -> Path:
    """Returns the folder in which the programs of a module are kept."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    files = [(module / name).read_bytes() for name in ("go.mod", "go.sum")]
    digest = hashlib.sha256(b"\0".join(files)).hexdigest()
    return base / "cosmos-render" / "e2e" / digest[:16]


def build(module: Path, name: str, path: Path) -> None:
    """Builds one program; what is there under its name is whole."""
    if not shutil.which("go"):
        raise Fault(
            f"Go is not installed: it builds {name}, which these tests run; "
            "install Go 1.24 or later (https://go.dev/dl)"
        )
    print(f"building {name} (takes minutes the first time)", flush=True)
    begun = time.monotonic()
    half = path.with_name(f"{name}.half")
    command = ["go", "build", "-trimpath", "-ldflags", linker_flags(module), "-o", half]
    own = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    ended = subprocess.run(
        [*command, PACKAGES[name]],
        cwd=module,
        env=os.environ | own,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if ended.returncode:
        half.unlink(missing_ok=True)
        raise Fault(f"{name} could not be built:\n{ended.stdout}")
    half.rename(path)
    print(f"built {name} in {time.monotonic() - begun:.0f} s", flush=True)


def linker_flags(module: Path) -> str:
    """Returns what tells Kubernetes' programs their version: without it they call themselves
    v0.0.0, and some features look at it."""
    pattern = r"^\tk8s\.io/kubernetes (v(\d+)\.(\d+)\S+)$"
    required = re.search(pattern, (module / "go.mod").read_text(), re.M)
    if not required:
        raise Fault("e2e/go.mod requires no k8s.io/kubernetes")
    names = ("gitVersion", "gitMajor", "gitMinor")
    facts = dict(zip(names, required.groups())) | {"gitTreeState": "clean"}
    given = [f"-X k8s.io/component-base/version.{name}={fact}" for name, fact in facts.items()]
    return " ".join(["-s", "-w", *given])
