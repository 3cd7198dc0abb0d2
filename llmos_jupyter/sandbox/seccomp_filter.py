"""The seccomp filter: what is refused by system call, as a program in classic BPF.

It looks at registers only, so that nothing the code changes afterwards can alter what was decided. A refused call
answers EPERM by itself, or, where a process outside is listening (`notify`), is put to it: that one writes down what
was attempted and answers. Without a listener every opening passes, and Landlock alone decides; with one, openings and
changes of files are put to it as well, and it may refuse them or leave them to Landlock.
Sources: linux/seccomp.h, linux/filter.h, kernel 6.12.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from llmos_jupyter.sandbox.system_calls import ARCHITECTURES, NUMBERS, syscall

SET_MODE_FILTER, GET_ACTION_AVAILABLE = 1, 2
FLAG_TSYNC, FLAG_NEW_LISTENER = 1, 8
RETURN_ERRNO, RETURN_ALLOW, RETURN_KILL_PROCESS, RETURN_USER_NOTIFICATION = (
    0x00050000,
    0x7FFF0000,
    0x80000000,
    0x7FC00000,
)

OPENINGS = ("open", "openat", "openat2", "creat")
FILE_CHANGES = (
    "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "rmdir", "link", "linkat", "symlink",
    "symlinkat", "mknod", "mknodat", "truncate",
)  # fmt: skip
# The parts of a file that Landlock leaves alone: mode, owner, times, attributes.
ATTRIBUTES = (
    "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat", "utime", "utimes",
    "utimensat", "futimesat", "setxattr", "lsetxattr", "fsetxattr", "setxattrat", "removexattr", "lremovexattr",
    "fremovexattr", "removexattrat", "file_setattr",
)  # fmt: skip
NETWORK = ("socket", "connect", "bind", "listen", "accept", "accept4")
PROCESSES = (
    "fork", "vfork", "execve", "execveat", "tkill", "pidfd_open", "pidfd_send_signal", "mq_open", "mq_unlink",
    "shmget", "shmat", "shmctl", "semget", "semop", "semctl", "semtimedop", "msgget", "msgsnd", "msgrcv", "msgctl",
)  # fmt: skip
SIGNALS = ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")
# Reaching into other processes, and the machine: refused whatever was granted.
ALWAYS = (
    "pidfd_getfd", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "setpriority",
    "ioprio_set", "sched_setscheduler", "sched_setparam", "sched_setattr", "migrate_pages", "move_pages", "setrlimit",
    "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick",
    "mount_setattr", "unshare", "setns", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter",
    "io_uring_register", "add_key", "request_key", "keyctl", "open_by_handle_at", "fanotify_init", "reboot", "swapon",
    "swapoff", "settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "sethostname", "setdomainname",
    "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "acct", "quotactl",
    "quotactl_fd", "syslog", "vhangup", "iopl", "ioperm",
)  # fmt: skip
# Writing by a descriptor, which only a file that was open before can need: all others were opened under the lock.
WRITES = ("write", "writev", "pwrite64", "pwritev", "pwritev2", "ftruncate", "fallocate", "fcntl")
_TO_LOCK = (6, 7, 37, 38)  # F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW (linux/fcntl.h)
# What libraries try for their own ends is refused without a word; these are told of.
TOLD = frozenset((
    *OPENINGS, *FILE_CHANGES, *ATTRIBUTES, *WRITES, *SIGNALS, "socket", "connect", "bind", "listen", "sendto",
    "sendmsg", "sendmmsg", "fork", "vfork", "clone", "execve", "execveat", "tkill", "pidfd_open", "pidfd_send_signal",
    "pidfd_getfd", "ptrace", "process_vm_readv", "process_vm_writev", "mount", "umount2", "chroot", "unshare", "setns",
    "reboot", "swapon", "swapoff", "settimeofday", "clock_settime", "sethostname", "setdomainname", "init_module",
    "finit_module", "delete_module", "kexec_load", "kexec_file_load", "acct",
))  # fmt: skip

MOST_INHERITED = 64  # descriptors; a jump of the filter's reaches no further than 255 steps
CLONE_THREAD = 0x00010000
OPENS_TO_CHANGE = (
    os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | (getattr(os, "O_TMPFILE", 0) & ~getattr(os, "O_DIRECTORY", 0))
)
# TIOCSTI and TIOCLINUX type into a terminal; FS_IOC_SETFLAGS and FS_IOC_FSSETXATTR need no writable file.
_REFUSED_IOCTLS = (0x5412, 0x541C, 0x40086602, 0x401C5820)
# IPPROTO_IP, IPPROTO_TCP, IPPROTO_IPV6 (linux/in.h): options that the stand-in for a socket does not have.
_INTERNET_LEVELS = (0, 6, 41)


@dataclass(frozen=True)
class Rules:
    """What a filter leaves open, and how it refuses. `landlock`: the version in force, 0 for none; `notify`: whether
    somebody listens; `keep_fd`: a descriptor that cannot be closed."""

    pid: int
    landlock: int
    keep_fd: int | None = None
    network: bool = False
    processes: bool = False
    attributes: bool = False
    notify: bool = False
    control_fd: int = -1
    # Descriptors of the user's files, open for reading only since the fork: attempts to write by them are told.
    inherited: tuple[int, ...] = ()

    def notifying(self, control_fd: int) -> Rules:
        """The same, with somebody who listens, reached through this descriptor."""
        return replace(self, notify=True, control_fd=control_fd)


def available() -> bool:
    """Whether this kernel can put refused calls to another process."""
    action = ctypes.create_string_buffer(struct.pack("=I", RETURN_USER_NOTIFICATION))
    try:
        number = NUMBERS["seccomp"][ARCHITECTURES[platform.machine()][0]]
        assert number is not None
        syscall(number, ctypes.c_uint(GET_ACTION_AVAILABLE), ctypes.c_uint(0), action)
    except (OSError, KeyError):
        return False
    return True


def install(program: bytes, flags: int = 0) -> int:
    """Put a filter on the calling thread; the listener's descriptor with `FLAG_NEW_LISTENER`. Raises OSError."""
    number = NUMBERS["seccomp"][ARCHITECTURES[platform.machine()][0]]
    assert number is not None
    # struct sock_fprog { unsigned short len; struct sock_filter *filter; }
    buffer = ctypes.create_string_buffer(program, len(program))
    loaded = ctypes.create_string_buffer(struct.pack("HP", len(program) // 8, ctypes.addressof(buffer)))
    return syscall(number, ctypes.c_uint(SET_MODE_FILTER), ctypes.c_uint(flags), loaded)


def program(rules: Rules) -> bytes:
    """The filter, as the kernel takes it."""
    return _Program(rules).build()


# --- classic BPF ------------------------------------------------------------------------------------

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN, _AND = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
_NUMBER, _ARCH = 0, 4


def _argument(index: int) -> int:
    """Offset of the low half of an argument; both architectures are little-endian."""
    return 16 + 8 * index


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value & 0xFFFFFFFF)


_PASS = _op(_RETURN, RETURN_ALLOW)
_ABSENT = _op(_RETURN, RETURN_ERRNO | errno.ENOSYS)
_DONE = _op(_RETURN, RETURN_ERRNO)  # answers 0, and nothing happens


class _Program:
    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._column, self._arch = ARCHITECTURES[platform.machine()]
        self._code: list[bytes] = []

    def build(self) -> bytes:
        rules = self._rules
        self._code = [
            _op(_LOAD, _ARCH),
            _op(_EQUAL, self._arch, 1, 0),
            _op(_RETURN, RETURN_KILL_PROCESS),
            _op(_LOAD, _NUMBER),
        ]
        if self._column == 0:  # x32 calls carry this bit and would slip past every number below
            self._code += [_op(_AT_LEAST, 0x40000000, 0, 1), _ABSENT]
        if rules.notify:
            self._openings_told()
        if rules.keep_fd is not None:
            # It is said that the sandbox's threads are scheduled as ordinary ones: else ZeroMQ ends the process.
            ordinary = [_op(_LOAD, _argument(1)), _op(_EQUAL, 0, 0, 1), _DONE, self._refusal("sched_setscheduler")]
            self._add("sched_setscheduler", ordinary)
        for name in ALWAYS:
            self._refuse(name)
        for name in () if rules.attributes else ATTRIBUTES:
            self._refuse(name)
        self._processes()
        self._network()
        self._own()
        if not rules.notify:
            self._openings_untold()
        self._code.append(_PASS)
        return b"".join(self._code)

    # --- the parts ------------------------------------------------------------------------------

    def _openings_told(self) -> None:
        for name in ("open", "openat", "creat", *FILE_CHANGES):
            self._refuse(name)
        # openat2's flags lie in memory, where only Landlock can be trusted with them.
        self._add("openat2", [self._refusal("openat2") if self._rules.landlock >= 3 else _ABSENT])
        if inherited := self._rules.inherited[:MOST_INHERITED]:
            for name in WRITES[:-1]:
                self._add(name, self._unless_equal(name, 0, *inherited))
            locks = self._unless_equal("fcntl", 1, *_TO_LOCK)
            passes = [_op(_EQUAL, fd, len(inherited) - i, 0) for i, fd in enumerate(inherited)]
            self._add("fcntl", [_op(_LOAD, _argument(0)), *passes, _PASS, *locks])

    def _openings_untold(self) -> None:
        landlock = self._rules.landlock
        if not landlock:
            for name in FILE_CHANGES:
                self._refuse(name)
            self._refuse("creat")
            self._add("openat2", [_ABSENT])
            self._add("open", self._unless_any_bit("open", 1, OPENS_TO_CHANGE))
            self._add("openat", self._unless_any_bit("openat", 2, OPENS_TO_CHANGE))
        elif landlock < 3:  # which know nothing of truncating
            self._refuse("truncate")
            self._add("open", self._if_truncates_without_writing("open", 1))
            self._add("openat", self._if_truncates_without_writing("openat", 2))

    def _processes(self) -> None:
        rules = self._rules
        if rules.processes and (rules.keep_fd is None or rules.landlock >= 6):
            return
        if rules.processes:  # before version 6 Landlock knows nothing of signals
            for name in SIGNALS:
                self._add(name, self._only_if_equal(name, 0, rules.pid))
            for name in ("tkill", "pidfd_send_signal"):
                self._refuse(name)
            return
        for name in PROCESSES:
            self._refuse(name)
        # Threads are made, processes are not; glibc falls back from clone3, whose flags lie in memory, to clone.
        self._add("clone3", [_ABSENT])
        self._add(
            "clone",
            [_op(_LOAD, _argument(0)), _op(_ANY_BIT, CLONE_THREAD, 1, 0), self._refusal("clone"), _PASS],
        )
        for name in SIGNALS:
            self._add(name, self._only_if_equal(name, 0, rules.pid))
        self._add("sched_setaffinity", self._only_if_equal("sched_setaffinity", 0, 0, rules.pid))
        self._add("prlimit64", self._if_null("prlimit64", 2))  # read limits, never lift them

    def _network(self) -> None:
        rules = self._rules
        # A stream pair has no address to send to; a datagram pair could reach any socket by its path.
        stream = [_op(_LOAD, _argument(1)), _op(_AND, 0xF), _op(_EQUAL, socket.SOCK_STREAM, 1, 0)]
        pair = [*stream, self._refusal("socketpair"), _PASS]
        if rules.network:
            if rules.keep_fd is not None:  # the sandbox: the internet, not the sockets of this machine's programs
                kind = [_op(_LOAD, _argument(1)), _op(_AND, 0xF), _op(_EQUAL, socket.SOCK_STREAM, 2, 0)]
                kind += [_op(_EQUAL, socket.SOCK_DGRAM, 1, 0)]  # and no raw packets
                family = [_op(_LOAD, _argument(0)), _op(_EQUAL, socket.AF_INET, 1, 0)]
                family += [_op(_EQUAL, socket.AF_INET6, 0, len(kind))]
                self._add("socket", [*family, *kind, self._refusal("socket"), _PASS])
                self._add("socketpair", pair)
            return
        if rules.notify:
            # A stream socket in the file system's family can be made: it reaches nobody before `connect`.
            family = [_op(_LOAD, _argument(0)), _op(_EQUAL, socket.AF_UNIX, 0, len(stream))]
            self._add("socket", [*family, *stream, self._refusal("socket"), _PASS])
            # With an address in memory they are told; what can be made here sends to no address.
            # The listener itself goes out by one of these, before anybody answers.
            self._add("sendmsg", self._only_if_equal("sendmsg", 0, rules.control_fd))
            self._refuse("sendmmsg")
            self._add("setsockopt", self._unless_equal("setsockopt", 1, *_INTERNET_LEVELS, refusal=_DONE))
        for name in NETWORK[1:] if rules.notify else NETWORK:
            self._refuse(name)
        self._add("socketpair", pair)
        self._add("sendto", self._if_null("sendto", 4))

    def _own(self) -> None:
        """What a process may do with its own descriptors."""
        keep = self._rules.keep_fd
        self._add("ioctl", self._unless_equal("ioctl", 1, *_REFUSED_IOCTLS))
        if keep is not None:
            # The report's pipe outlives `os.closerange`.
            self._add("close", self._unless_equal("close", 0, keep))
            self._add("dup2", self._unless_equal("dup2", 1, keep))
            self._add("dup3", self._unless_equal("dup3", 1, keep))
            self._add("close_range", [_ABSENT])

    # --- their pieces ---------------------------------------------------------------------------

    def _add(self, name: str, body: Sequence[bytes]) -> None:
        """`body`, which returns on every path, for one system call."""
        if (number := NUMBERS[name][self._column]) is not None:
            self._code += [_op(_EQUAL, number, 0, len(body)), *body]

    def _refuse(self, name: str) -> None:
        self._add(name, [self._refusal(name)])

    def _refusal(self, name: str) -> bytes:
        if self._rules.notify and name in TOLD:
            return _op(_RETURN, RETURN_USER_NOTIFICATION)
        return _op(_RETURN, RETURN_ERRNO | errno.EPERM)

    def _only_if_equal(self, name: str, index: int, *values: int) -> list[bytes]:
        tests = [_op(_EQUAL, value, len(values) - i, 0) for i, value in enumerate(values)]
        return [_op(_LOAD, _argument(index)), *tests, self._refusal(name), _PASS]

    def _unless_equal(self, name: str, index: int, *values: int, refusal: bytes = b"") -> list[bytes]:
        tests = [_op(_EQUAL, value, len(values) - i, 0) for i, value in enumerate(values)]
        return [_op(_LOAD, _argument(index)), *tests, _PASS, refusal or self._refusal(name)]

    def _if_null(self, name: str, index: int) -> list[bytes]:
        return [
            _op(_LOAD, _argument(index)),
            _op(_EQUAL, 0, 0, 2),
            _op(_LOAD, _argument(index) + 4),
            _op(_EQUAL, 0, 1, 0),
            self._refusal(name),
            _PASS,
        ]

    def _unless_any_bit(self, name: str, index: int, bits: int) -> list[bytes]:
        return [_op(_LOAD, _argument(index)), _op(_ANY_BIT, bits, 0, 1), self._refusal(name), _PASS]

    def _if_truncates_without_writing(self, name: str, index: int) -> list[bytes]:
        return [
            _op(_LOAD, _argument(index)),
            _op(_ANY_BIT, os.O_TRUNC, 0, 3),
            _op(_ANY_BIT, os.O_ACCMODE, 2, 0),
            self._refusal(name),
            _PASS,
            _PASS,
        ]
