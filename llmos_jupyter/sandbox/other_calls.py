"""What the sandbox's calls that reach for the network, for processes and for the machine attempt (see `handlers`)."""

from __future__ import annotations

import errno
import os
import re
import shlex
import signal
import socket
import struct
from collections.abc import Callable

from llmos_jupyter.protocol import Capability
from llmos_jupyter.sandbox.calls import CONTINUE, INERT_SOCKET, Address, Call
from llmos_jupyter.sandbox.judge import Judge

INSTALLING = re.compile(r"\b(?:pip3?|uv|conda|mamba|micromamba|poetry)\b.*\b(?:un)?(?:install|add|remove|sync)\b", re.S)
_NET, _PROC = Capability.NETWORK, Capability.PROCESSES
# The C library asks these, where they are, for the names of users and hosts, and does without where they are not.
_NAME_SERVICES = ("/nscd/socket", "/sss/pipes/nss", "/run/systemd/userdb/")


# --- network ----------------------------------------------------------------------------------------


def _socket(judge: Judge, call: Call) -> int:
    family = call.signed(0)
    if family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6) and not judge.access.network:
        return INERT_SOCKET
    if family in (socket.AF_UNIX, socket.AF_NETLINK):
        return errno.EPERM  # the C library asks for names and addresses so; it does without
    return judge.refuse(_NET, f"open a network socket of family {family}")


def _reaches(judge: Judge, call: Call) -> int:
    """connect, bind, sendto: always refused; the address says what it is written down as."""
    pointer, size = (4, 5) if judge.call_name == "sendto" else (1, 2)
    address = judge.memory.address(call.thread, call.arguments[pointer], call.arguments[size])
    return _reached(judge, address, "listen on" if judge.call_name == "bind" else "connect to")


def _reached(judge: Judge, address: Address | None, verb: str) -> int:
    if address is None or not address.host:
        return judge.refuse(_NET, "open a network connection")
    if address.family == socket.AF_UNIX:
        absent = not address.host.startswith("@") and not os.path.exists(address.host)
        if judge.call_name != "bind" and (absent or any(name in address.host for name in _NAME_SERVICES)):
            return errno.ENOENT
        return judge.refuse(_NET, f"{verb} {address.host}", address.host)
    if judge.call_name == "bind" and not address.port:
        return errno.EPERM  # libraries try so which families there are
    host = f"[{address.host}]" if ":" in address.host else address.host
    return judge.refuse(_NET, f"{verb} {host}:{address.port}", address.host)


def _sends_message(judge: Judge, call: Call) -> int:
    """An ordinary message to the other end of a pair passes; one with an address could not be sent by what is there."""
    # struct msghdr, which struct mmsghdr begins with: the address and its length come first
    header = judge.memory.read(call.thread, call.arguments[1], 12)
    name, size = struct.unpack("=QI", header) if len(header) == 12 else (0, 0)
    address = judge.memory.address(call.thread, name, size) if name and size else None
    return _reached(judge, address, "connect to") if address is not None else CONTINUE


def _listens(judge: Judge, call: Call) -> int:
    return judge.refuse(_NET, "listen on a network port")


# --- processes --------------------------------------------------------------------------------------


def _starts_process(judge: Judge, call: Call) -> int:
    return judge.refuse(_PROC, "start another process")


def _executes(judge: Judge, call: Call) -> int:
    first = 1 if judge.call_name == "execveat" else 0
    program = judge.memory.text(call.thread, call.arguments[first]) or ""
    # Whoever looks for a program in the folders of PATH tries each: only what is there could be run.
    if program and not os.path.exists(program):
        return errno.ENOENT
    command = shlex.join(judge.memory.words(call.thread, call.arguments[first + 1]) or [program])
    capability = Capability.INSTALL if INSTALLING.search(command) else _PROC
    return judge.refuse(capability, f"run {command}".strip(), command)


def _signals(judge: Judge, call: Call) -> int:
    number = call.signed({"tgkill": 2, "rt_tgsigqueueinfo": 2}.get(judge.call_name, 1))
    process = call.signed(0)
    own_thread = judge.call_name == "tkill" and os.path.exists(f"/proc/{judge.pid}/task/{process}")
    if number == 0 or own_thread:
        return errno.EPERM
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    whom = f"process {process}" if process > 0 else "a group of processes"
    return judge.refuse(_PROC, f"send {name} to {whom}", str(process))


def _reaches_process(judge: Judge, call: Call) -> int:
    """Opening another process, or a look into it."""
    if judge.call_name in ("pidfd_send_signal", "pidfd_getfd"):
        return judge.refuse(_PROC, "reach into another process")
    process = call.signed(1 if judge.call_name == "ptrace" else 0)
    if process == judge.pid:
        return errno.EPERM
    return judge.refuse(_PROC, f"reach into process {process}", str(process))


def _changes_machine(judge: Judge, call: Call) -> int:
    return judge.refuse(_PROC, f"change the machine ({judge.call_name})", judge.call_name)


HANDLERS: dict[str, Callable[[Judge, Call], int]] = {
    "socket": _socket, "connect": _reaches, "bind": _reaches, "sendto": _reaches, "listen": _listens,
    "sendmsg": _sends_message, "sendmmsg": _sends_message,
    **dict.fromkeys(("fork", "vfork", "clone"), _starts_process),
    **dict.fromkeys(("execve", "execveat"), _executes),
    **dict.fromkeys(("kill", "tgkill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"), _signals),
    **dict.fromkeys(
        ("pidfd_open", "pidfd_send_signal", "pidfd_getfd", "ptrace", "process_vm_readv", "process_vm_writev"),
        _reaches_process,
    ),
    **dict.fromkeys(
        ("mount", "umount2", "chroot", "unshare", "setns", "reboot", "swapon", "swapoff", "settimeofday",
         "clock_settime", "sethostname", "setdomainname", "init_module", "finit_module", "delete_module", "kexec_load",
         "kexec_file_load", "acct"),
        _changes_machine,
    ),
}  # fmt: skip
