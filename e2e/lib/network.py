"""A network with nothing in it but this machine, where the system lets us have one: servers that
listen everywhere then listen to nobody."""

import ctypes
import fcntl
import os
import socket
import struct
import sys

NEW_USER = 0x10000000
NEW_NETWORK = 0x40000000
GET_FLAGS = 0x8913
SET_FLAGS = 0x8914
UP = 1
# The name of an interface, and its flags.
REQUEST = "16sH14x"


def leave() -> bool:
    """Moves this process, and all that it starts, into a network of its own, which ends with it.
    Returns whether that could be done."""
    if not sys.platform.startswith("linux") or not is_possible():
        return False
    enter()
    return True


def is_possible() -> bool:
    """Tries it in a child: some systems give a new network and then no right to turn it on."""
    child = os.fork()
    if child == 0:
        try:
            enter()
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def enter() -> None:
    """Does it. Fails half way where the system is against it."""
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    # Who is not root may be the root of a world of their own.
    kinds = NEW_NETWORK if user == 0 else NEW_NETWORK | NEW_USER
    if libc.unshare(kinds) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    if user != 0:
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", f"{user} {user} 1")
        write("/proc/self/gid_map", f"{group} {group} 1")
    raise_loopback()


def write(path: str, text: str) -> None:
    """Writes to one of the kernel's files."""
    with open(path, "w") as file:
        file.write(text)


def raise_loopback() -> None:
    """Turns on the one interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack(REQUEST, b"lo", 0)
        _, flags = struct.unpack(REQUEST, fcntl.ioctl(any_socket, GET_FLAGS, asked))
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack(REQUEST, b"lo", flags | UP))
