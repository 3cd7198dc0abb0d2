"""Landlock: beneath which folders a process, and all it starts, may change and read files, for good.

Source: linux/landlock.h and Documentation/userspace-api/landlock.rst, kernel 6.12.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from functools import cache

from llmos_jupyter.sandbox.system_calls import PR_SET_NO_NEW_PRIVS, prctl, syscall

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
CREATE_RULESET_VERSION = 1
RULE_PATH_BENEATH = 1

FS_WRITE_FILE = 1 << 1
FS_READ = (1 << 2) | (1 << 3)  # READ_FILE, READ_DIR
FS_CHANGE_TREE = sum(1 << bit for bit in range(4, 13))  # REMOVE_DIR ... MAKE_SYM
FS_REFER = 1 << 13  # ABI 2
FS_TRUNCATE = 1 << 14  # ABI 3
FS_IOCTL_DEV = 1 << 15  # ABI 5
FS_OF_FILES = FS_WRITE_FILE | (1 << 2) | FS_TRUNCATE | FS_IOCTL_DEV  # what a rule for a file may name
NET_BIND_AND_CONNECT_TCP = 0b11  # ABI 4
SCOPE_ABSTRACT_SOCKET_AND_SIGNAL = 0b11  # ABI 6


@cache
def landlock_version() -> int:
    """The Landlock interface's version, 0 where the kernel has none."""
    try:
        return syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(CREATE_RULESET_VERSION))
    except OSError:
        return 0


def restrict(
    version: int,
    *,
    write: Iterable[str],
    read: Iterable[str] | None = None,
    list_only: Iterable[str] = (),
    devices: Iterable[str] = (),
    tcp: bool = True,
) -> None:
    """Restrict the calling thread, and all it will start. Raises OSError when the kernel refuses.

    Files beneath `write` may be changed and read; `devices` written to, read and controlled. `read`: what may be read,
    None: everything; `list_only`: folders beneath which names may be listed. `tcp`: whether TCP stays possible. What
    does not exist grants nothing.
    """
    handled = FS_WRITE_FILE | FS_CHANGE_TREE
    handled |= FS_READ if read is not None else 0
    handled |= FS_REFER if version >= 2 else 0
    handled |= FS_TRUNCATE if version >= 3 else 0
    handled |= FS_IOCTL_DEV if version >= 5 else 0
    net = NET_BIND_AND_CONNECT_TCP if version >= 4 and not tcp else 0
    scoped = SCOPE_ABSTRACT_SOCKET_AND_SIGNAL if version >= 6 else 0
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    attributes = struct.pack("=QQQ", handled, net, scoped)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    ruleset = syscall(CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    rules = [(path, handled) for path in (*write, *devices)]
    if read is not None:
        rules += [(path, FS_READ) for path in read] + [(path, FS_READ & ~FS_OF_FILES) for path in list_only]
    try:
        for path, access in rules:
            _add_rule(ruleset, path, access)
        syscall(RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


def _add_rule(ruleset: int, path: str, access: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(f"/proc/self/fd/{opened}"):
            access &= FS_OF_FILES
        if access:
            # struct landlock_path_beneath_attr is packed: u64 access, s32 descriptor
            rule = struct.pack("=Qi", access, opened)
            syscall(ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(RULE_PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(opened)
