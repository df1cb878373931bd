"""Runs a program as a container of a pod would: `contained.py JSON`. It finds the root read-only, its
account's token where a pod finds it, an environment that is given in full, and itself as the user of
the pod. `contained.py try` tells by its exit code whether that is possible.

JSON has `run` (a folder that is laid over /var/run), `program` (its path in the new world), `words`,
`environment` and `user`. Who is not root stays who he is."""

import ctypes
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

TRY = "try"
NEW_MOUNTS = 0x20000
NEW_USER = 0x10000000
READ_ONLY = 0x1
REMOUNT = 0x20
BIND = 0x1000
RECURSIVE = 0x4000
PRIVATE = 0x40000
DEATH_SIGNAL = 1


def is_possible() -> bool:
    """Tries in a process of its own whether the system lends a world of files."""
    if not sys.platform.startswith("linux"):
        return False
    return subprocess.run([sys.executable, __file__, TRY], capture_output=True).returncode == 0


def enter(run: str) -> None:
    """Lays a folder over /var/run, and has nothing written to the root any more."""
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    # Who is not root may be the root of a world of their own, for as long as they do not become
    # another program.
    if libc.unshare(NEW_MOUNTS if user == 0 else NEW_MOUNTS | NEW_USER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    if user != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    mount(libc, "none", "/", RECURSIVE | PRIVATE)
    mount(libc, run, os.path.realpath("/var/run"), BIND)
    mount(libc, "none", "/", REMOUNT | BIND | READ_ONLY)


def mount(libc: ctypes.CDLL, source: str, target: str, flags: int) -> None:
    """Mounts, or changes a mount."""
    if libc.mount(source.encode(), target.encode(), None, flags, None) != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}")


def main() -> None:
    """Becomes the program, or only tries whether it could."""
    if sys.argv[1] == TRY:
        enter("/tmp")
        return
    given = json.loads(sys.argv[1])
    enter(given["run"])
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(given["user"], given["user"], given["user"])
        os.setresuid(given["user"], given["user"], given["user"])
    # Whose rights change has to ask for it anew.
    ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL)
    os.chdir("/")
    os.execve(given["program"], ["cosmos-render", *given["words"]], given["environment"])


if __name__ == "__main__":
    main()
