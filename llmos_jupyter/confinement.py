"""The lock: Landlock and seccomp, put by a process on itself, for good.

`lock` is the whole of it at once, for the rehearsal's forked copy. A worker puts it on in two steps: `lock_files` while
it has one thread, `lock_calls` for all threads when its sockets are open.

Landlock refuses every change of a file outside one folder. What Landlock cannot express (sockets,
processes, signals, modes and owners of files) a seccomp filter refuses by system call, with EPERM, so
that Python raises an ordinary `PermissionError`. Where the kernel has no Landlock the filter refuses
every opening for writing instead. Reading stays allowed.

Only ctypes and numbers of the kernel's interface are used: these two calls must run in a forked copy of a
kernel with hundreds of threads' worth of state, where starting a helper program is not possible.
Sources: linux/landlock.h, linux/seccomp.h, linux/filter.h, and the system call tables of x86_64 and of
the generic table (aarch64), kernel 6.12.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PR_GET_SECCOMP = 21
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2
SECCOMP_SET_MODE_FILTER = 1
SECCOMP_TSYNC = 1

LANDLOCK_CREATE_RULESET = 444
LANDLOCK_ADD_RULE = 445
LANDLOCK_RESTRICT_SELF = 446
LANDLOCK_CREATE_RULESET_VERSION = 1
LANDLOCK_RULE_PATH_BENEATH = 1
ACCESS_FS_WRITE_FILE = 1 << 1
ACCESS_FS_CHANGE_TREE = sum(1 << bit for bit in range(4, 13))  # REMOVE_DIR ... MAKE_SYM
ACCESS_FS_REFER = 1 << 13  # ABI 2
ACCESS_FS_TRUNCATE = 1 << 14  # ABI 3
ACCESS_FS_IOCTL_DEV = 1 << 15  # ABI 5
ACCESS_NET_BIND_AND_CONNECT_TCP = 0b11  # ABI 4
SCOPE_ABSTRACT_SOCKET_AND_SIGNAL = 0b11  # ABI 6

Calls = dict[str, tuple[int | None, int | None]]

# name: (x86_64, aarch64); None where the architecture has no such call.
# `socketpair` stays: event loops wake themselves through one.
_NETWORK: Calls = {
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242),
}  # fmt: skip

# Starting processes, what they need to speak to each other, and signals to them.
_PROCESSES: Calls = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "tkill": (200, 130), "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424),
    "mq_open": (240, 180), "mq_unlink": (241, 181), "shmget": (29, 194), "shmat": (30, 196),
    "shmctl": (31, 195), "semget": (64, 190), "semop": (65, 193), "semctl": (66, 191),
    "semtimedop": (220, 192), "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188),
    "msgctl": (71, 187),
}  # fmt: skip

# The parts of a file that Landlock leaves alone: mode, owner, times, attributes.
_ATTRIBUTES: Calls = {
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utime": (132, None), "utimes": (235, None), "utimensat": (280, 88), "futimesat": (261, None),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "removexattrat": (466, 466), "file_setattr": (469, 469),
}  # fmt: skip

# Reaching into other processes, and the machine: refused whatever was granted.
_ALWAYS: Calls = {
    "pidfd_getfd": (438, 438), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "process_madvise": (440, 440), "kcmp": (312, 272),
    "setpriority": (141, 140), "ioprio_set": (251, 30), "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118), "sched_setattr": (314, 274), "migrate_pages": (256, 238),
    "move_pages": (279, 239), "setrlimit": (160, 164),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "move_mount": (429, 429), "open_tree": (428, 428), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "unshare": (272, 97),
    "setns": (308, 268), "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "open_by_handle_at": (304, 265), "fanotify_init": (300, 262), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266),
    "sethostname": (170, 161), "setdomainname": (171, 162), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "acct": (163, 89), "quotactl": (179, 60),
    "quotactl_fd": (443, 443), "syslog": (103, 116), "vhangup": (153, 58), "iopl": (172, None),
    "ioperm": (173, None),
}  # fmt: skip

# Refused only where Landlock cannot do it by path.
_FILE_CHANGES: Calls = {
    "creat": (85, None), "unlink": (87, None), "unlinkat": (263, 35), "rename": (82, None),
    "renameat": (264, 38), "renameat2": (316, 276), "mkdir": (83, None), "mkdirat": (258, 34),
    "rmdir": (84, None), "link": (86, None), "linkat": (265, 37), "symlink": (88, None),
    "symlinkat": (266, 36), "mknod": (133, None), "mknodat": (259, 33), "truncate": (76, 45),
}  # fmt: skip

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_ERRNO = 0x00050000
_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_CLONE_THREAD = 0x00010000
_OPEN_TO_CHANGE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | (getattr(os, "O_TMPFILE", 0) & ~os.O_DIRECTORY)
# TIOCSTI and TIOCLINUX type into a terminal; FS_IOC_SETFLAGS and FS_IOC_FSSETXATTR need no writable file.
_REFUSED_IOCTLS = (0x5412, 0x541C, 0x40086602, 0x401C5820)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _syscall(number: int, *arguments: object) -> int:
    result = int(_libc().syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def _prctl(option: int, value: int = 0, pointer: object = None) -> int:
    result = int(_libc().prctl(option, ctypes.c_ulong(value), pointer, ctypes.c_ulong(0), ctypes.c_ulong(0)))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when the thread that forked it ends."""
    _prctl(PR_SET_PDEATHSIG, 9)
    if os.getppid() != parent:  # it ended before the call above
        os._exit(1)


def adopt_orphans() -> None:
    """Make this process the parent of every descendant whose own parent ends, so that none is lost sight of."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


@cache
def landlock_version() -> int:
    """The Landlock interface's version, 0 where the kernel has none."""
    try:
        return _syscall(
            LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(LANDLOCK_CREATE_RULESET_VERSION)
        )
    except OSError:
        return 0


@cache
def unsupported() -> str | None:
    """Why this machine has no lock, as one sentence, or None."""
    machine = platform.machine()
    if sys.platform != "linux":
        return "The rehearsal's lock needs Linux; on this system code is not rehearsed."
    if machine not in _ARCHITECTURES or sys.maxsize < 2**32:
        return f"The rehearsal's lock knows 64-bit x86_64 and aarch64 only, and this machine is {machine}."
    try:
        _prctl(PR_GET_SECCOMP)
    except OSError:
        return "The rehearsal's lock needs seccomp, which this Linux kernel was built without."
    return None


@dataclass(frozen=True)
class Lock:
    """What `lock` achieved."""

    description: str
    writes_in_scratch: bool


def lock(scratch: str, keep_fd: int) -> Lock:
    """Confine the calling process, which must have one thread, for the rest of its life.

    Afterwards files can be changed beneath `scratch` only (nowhere, without Landlock), `keep_fd` cannot be
    closed, and there are no sockets and no processes. Raises OSError when the kernel refuses seccomp.
    """
    version = landlock_version()
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    if version:
        try:
            _restrict_files([scratch], version, ACCESS_NET_BIND_AND_CONNECT_TCP)
        except OSError:  # built in but not switched on, or a container's own filter
            version = 0
    with _loaded(_filter(os.getpid(), keep_fd, landlock=version)) as program:
        _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program)
    if version:
        return Lock(f"Landlock v{version} + seccomp", True)
    return Lock("seccomp, no file writes at all", False)


def lock_files(folders: Sequence[str], devices: Sequence[str] = ()) -> int:
    """Let the calling thread, and all it will start, change files beneath these folders only, for good, and write to
    these devices and control them.

    Returns the Landlock interface's version, 0 where nothing was restricted. No process outside can be signalled
    from version 6 on.
    """
    version = landlock_version()
    if not version:
        return 0
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    try:
        _restrict_files(folders, version, devices=devices)
    except OSError:
        return 0
    return version


def lock_calls(*, landlock: int, network: bool, processes: bool, attributes: bool) -> None:
    """Refuse system calls to all threads of this process and its children, for good: sockets, processes and changes
    of files' modes, owners and times, each unless allowed, and what nobody may.

    `landlock` is what `lock_files` returned. Raises OSError when the kernel refuses.
    """
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    program = _filter(os.getpid(), None, landlock=landlock, network=network, processes=processes, attributes=attributes)
    number = (317, 277)[_ARCHITECTURES[platform.machine()][0]]
    with _loaded(program) as loaded:
        stuck = _syscall(number, ctypes.c_uint(SECCOMP_SET_MODE_FILTER), ctypes.c_uint(SECCOMP_TSYNC), loaded)
    if stuck:
        raise OSError(errno.EBUSY, f"thread {stuck} has a filter of its own")


@contextlib.contextmanager
def _loaded(program: bytes) -> Iterator[object]:
    """The program as the kernel takes it: struct sock_fprog { unsigned short len; struct sock_filter *filter; }."""
    buffer = ctypes.create_string_buffer(program, len(program))
    yield ctypes.create_string_buffer(struct.pack("HP", len(program) // 8, ctypes.addressof(buffer)))


def _restrict_files(folders: Sequence[str], version: int, tcp: int = 0, devices: Sequence[str] = ()) -> None:
    handled = ACCESS_FS_WRITE_FILE | ACCESS_FS_CHANGE_TREE
    handled |= ACCESS_FS_REFER if version >= 2 else 0
    handled |= ACCESS_FS_TRUNCATE if version >= 3 else 0
    handled |= ACCESS_FS_IOCTL_DEV if version >= 5 else 0
    net = tcp if version >= 4 else 0
    scoped = SCOPE_ABSTRACT_SOCKET_AND_SIGNAL if version >= 6 else 0
    attributes = struct.pack("=QQQ", handled, net, scoped)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = _syscall(LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    on_files = handled & (ACCESS_FS_WRITE_FILE | ACCESS_FS_TRUNCATE | ACCESS_FS_IOCTL_DEV)
    try:
        trees = [(folder, handled) for folder in folders]
        # A device that went meanwhile grants nothing.
        files = [(path, on_files) for path in ("/dev/null", *devices) if os.path.exists(path)]
        for path, access in trees + files:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                # struct landlock_path_beneath_attr is packed: u64 access, s32 descriptor
                rule = struct.pack("=Qi", access, opened)
                _syscall(
                    LANDLOCK_ADD_RULE,
                    ctypes.c_int(ruleset),
                    ctypes.c_int(LANDLOCK_RULE_PATH_BENEATH),
                    rule,
                    ctypes.c_uint32(0),
                )
            finally:
                os.close(opened)
        _syscall(LANDLOCK_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


# --- the seccomp filter, in classic BPF ------------------------------------------------------------

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN, _AND = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
_NUMBER, _ARCH = 0, 4


def _argument(index: int) -> int:
    """Offset of the low half of an argument; both architectures are little-endian."""
    return 16 + 8 * index


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value & 0xFFFFFFFF)


def _when(number: int, body: list[bytes]) -> list[bytes]:
    """`body`, which returns on every path, for one system call."""
    return [_op(_EQUAL, number, 0, len(body)), *body]


_REFUSE = _op(_RETURN, _ERRNO | errno.EPERM)
_PASS = _op(_RETURN, _ALLOW)
_ABSENT = _op(_RETURN, _ERRNO | errno.ENOSYS)


def _filter(
    pid: int,
    keep_fd: int | None,
    *,
    landlock: int,
    network: bool = False,
    processes: bool = False,
    attributes: bool = False,
) -> bytes:
    column, arch = _ARCHITECTURES[platform.machine()]
    program = [
        _op(_LOAD, _ARCH),
        _op(_EQUAL, arch, 1, 0),
        _op(_RETURN, _KILL_PROCESS),
        _op(_LOAD, _NUMBER),
    ]
    if column == 0:  # x32 calls carry this bit and would slip past every number below
        program += [_op(_AT_LEAST, 0x40000000, 0, 1), _ABSENT]

    def number(x86_64: int | None, aarch64: int | None) -> int | None:
        return (x86_64, aarch64)[column]

    def add(numbers: tuple[int | None, int | None], body: list[bytes]) -> None:
        if (own := number(*numbers)) is not None:
            program.extend(_when(own, body))

    def only_if_equal(index: int, *values: int) -> list[bytes]:
        tests = [_op(_EQUAL, value, len(values) - i, 0) for i, value in enumerate(values)]
        return [_op(_LOAD, _argument(index)), *tests, _REFUSE, _PASS]

    def unless_equal(index: int, *values: int) -> list[bytes]:
        tests = [_op(_EQUAL, value, len(values) - i, 0) for i, value in enumerate(values)]
        return [_op(_LOAD, _argument(index)), *tests, _PASS, _REFUSE]

    def if_null(index: int) -> list[bytes]:
        return [
            _op(_LOAD, _argument(index)),
            _op(_EQUAL, 0, 0, 2),
            _op(_LOAD, _argument(index) + 4),
            _op(_EQUAL, 0, 1, 0),
            _REFUSE,
            _PASS,
        ]

    def unless_any_bit(index: int, bits: int) -> list[bytes]:
        return [_op(_LOAD, _argument(index)), _op(_ANY_BIT, bits, 0, 1), _REFUSE, _PASS]

    for calls, granted in ((_ALWAYS, False), (_NETWORK, network), (_PROCESSES, processes), (_ATTRIBUTES, attributes)):
        for numbers in () if granted else calls.values():
            add(numbers, [_REFUSE])
    if not processes:
        # Threads are made, processes are not; glibc falls back from clone3, whose flags lie in memory, to clone.
        add((435, 435), [_ABSENT])
        add((56, 220), [_op(_LOAD, _argument(0)), _op(_ANY_BIT, _CLONE_THREAD, 1, 0), _REFUSE, _PASS])
        for signal_call in ((62, 129), (234, 131), (129, 138), (297, 240)):  # kill, tgkill, rt_(tg)sigqueueinfo
            add(signal_call, only_if_equal(0, pid))
        add((203, 122), only_if_equal(0, 0, pid))  # sched_setaffinity
        add((302, 261), if_null(2))  # prlimit64: read limits, never lift them
    if not network:
        # A stream pair has no address to send to; a datagram pair could reach any socket by its path.
        add((53, 199), [_op(_LOAD, _argument(1)), _op(_AND, 0xF), _op(_EQUAL, 1, 1, 0), _REFUSE, _PASS])
        add((44, 206), if_null(4))  # sendto with an address
    add((16, 29), unless_equal(1, *_REFUSED_IOCTLS))
    if keep_fd is not None:
        # The report's pipe outlives `os.closerange`.
        add((3, 57), unless_equal(0, keep_fd))
        add((33, None), unless_equal(1, keep_fd))
        add((292, 24), unless_equal(1, keep_fd))
        add((436, 436), [_ABSENT])
    if landlock < 3:
        add(_FILE_CHANGES["truncate"], [_REFUSE])
    if not landlock:
        for numbers in _FILE_CHANGES.values():
            add(numbers, [_REFUSE])
        add((437, 437), [_ABSENT])  # openat2's flags lie in memory
        add((2, None), unless_any_bit(1, _OPEN_TO_CHANGE))
        add((257, 56), unless_any_bit(2, _OPEN_TO_CHANGE))
    program.append(_PASS)
    return b"".join(program)


def leaks(scratch: str, *, writable: Iterable[str] = (), network: bool = False, processes: bool = False) -> str | None:
    """Try the lock from inside: what it failed to refuse, or None. What was granted is not tried; `writable` are the
    folders beneath which files may be changed.

    A filter that was accepted but does nothing (some sandboxes answer so) must not be taken for a lock.
    """
    import socket

    granted = [os.path.realpath(folder) for folder in writable]
    for folder in (os.path.dirname(scratch), "/tmp", "/var/tmp", os.path.expanduser("~")):
        real = os.path.realpath(folder)
        if any(os.path.commonpath([real, one]) == one for one in granted):
            continue
        outside = os.path.join(real, f"llmos-lock-test-{os.getpid()}-{os.urandom(4).hex()}")
        try:
            os.close(os.open(outside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError:
            break
        os.unlink(outside)
        return "a file outside the scratch folder could be written"
    if not network:
        try:
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
        except PermissionError:
            pass
        except OSError:  # a machine without this family has nothing to refuse
            pass
        else:
            return "a socket could be opened"
    if not processes:
        try:
            os.kill(os.getppid(), 0)
        except PermissionError:
            pass
        else:
            return "another process could be signalled"
    return None
