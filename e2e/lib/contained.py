"""Runs a program as a container of a pod would: `contained.py JSON`. It finds the root read-only, its
account's token where a pod finds it, an environment that is given in full, and itself as the user of
the pod.

JSON has `run` (a folder that is laid over /var/run), `program` (its path in the new world), `words`,
`environment` and `user`. Who is not root stays who he is."""

import ctypes
import json
import os
import signal
import sys

NEW_MOUNTS = 0x20000
READ_ONLY = 0x1
REMOUNT = 0x20
BIND = 0x1000
RECURSIVE = 0x4000
PRIVATE = 0x40000
DEATH_SIGNAL = 1


def is_possible() -> bool:
    """Tries in a child whether the system lends a world of files."""
    if not sys.platform.startswith("linux"):
        return False
    child = os.fork()
    if child == 0:
        try:
            enter("/tmp")
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def enter(run: str) -> None:
    """Lays a folder over /var/run, and has nothing written to the root any more."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_MOUNTS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    mount(libc, "none", "/", RECURSIVE | PRIVATE)
    mount(libc, run, os.path.realpath("/var/run"), BIND)
    mount(libc, "none", "/", REMOUNT | BIND | READ_ONLY)


def mount(libc: ctypes.CDLL, source: str, target: str, flags: int) -> None:
    """Mounts, or changes a mount."""
    if libc.mount(source.encode(), target.encode(), None, flags, None) != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}")


def main() -> None:
    """Becomes the program."""
    given = json.loads(sys.argv[1])
    enter(given["run"])
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(given["user"], given["user"], given["user"])
        os.setresuid(given["user"], given["user"], given["user"])
        # who becomes somebody else has to ask for it anew
        ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL)
    os.chdir("/")
    os.execve(given["program"], ["cosmos-render", *given["words"]], given["environment"])


if __name__ == "__main__":
    main()
