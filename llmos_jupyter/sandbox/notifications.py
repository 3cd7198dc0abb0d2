"""Refused calls, told by the kernel to the process outside, which writes them down and answers.

The sandbox puts its filter on with a listener, sends that descriptor through a socket, and keeps none. A thread of the
notebook's kernel, the `Supervisor`, reads each notification and answers it. Nobody can hang: a listener that is closed
answers every call with ENOSYS, a sandbox that is gone ends the thread, and a kernel that is gone takes its sandbox
along. Source: SECCOMP_RET_USER_NOTIF in seccomp_unotify(2), linux/seccomp.h.
"""

from __future__ import annotations

import array
import contextlib
import errno
import logging
import os
import select
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass

from llmos_jupyter.protocol import Refusal
from llmos_jupyter.sandbox.calls import CONTINUE, INERT_SOCKET, OPENED, OWN_MEMORY, Call
from llmos_jupyter.sandbox.handlers import answer
from llmos_jupyter.sandbox.judge import Judge

with contextlib.suppress(ImportError):  # Windows has none, and no lock
    import fcntl

_RECEIVE, _SEND, _STILL_WAITS, _ADD_FD = 0xC0502100, 0xC0182101, 0x40082102, 0x40182103
_CONTINUE_FLAG = 1
_NOTIFICATION = struct.Struct("=QIIiIQ6Q")  # struct seccomp_notif
_ANSWER = struct.Struct("=QqiI")  # struct seccomp_notif_resp: id, value, error, flags
_ADDED = struct.Struct("=QIIII")  # struct seccomp_notif_addfd: id, flags, source, number, flags of the new one
LONGEST_END = 5.0  # seconds
LOOK_MILLISECONDS = 100  # before Linux 5.8 nothing tells that a sandbox is gone
_BEGIN, _BEGUN = b"b", b"g"

log = logging.getLogger(__name__)


# --- the sandbox's side ------------------------------------------------------------------------------


def hand_over(control: socket.socket, listener: int, landlock: int) -> None:
    """Send the listener out of this process, which must not be able to answer itself.

    `landlock`: the version that is in force. Nothing here may open a file: its notification would wait for a listener
    that nobody has yet.
    """
    try:
        rights = array.array("i", [listener])
        control.sendmsg([bytes([landlock])], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
    finally:
        os.close(listener)


def begin(control: socket.socket) -> None:
    """From now on what is refused is written down: wait until that is so. Raises OSError when nobody is there."""
    control.sendall(_BEGIN)
    if control.recv(1) != _BEGUN:
        raise OSError(errno.EPIPE, "nobody listens to the lock")


# --- the side outside --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Answer:
    value: int = 0
    error: int = 0
    flags: int = 0


class Supervisor:
    """Listens to one sandbox, in a thread of its own, from `start` until `stop`."""

    def __init__(self, control: socket.socket, judge: Judge) -> None:
        """`control`: this side of the pair of sockets whose other side the sandbox has; it is closed here."""
        self._control = control
        self._judge = judge
        self._stopping = False
        self.failed = ""
        self.listened = False  # whether the sandbox's calls were told here at all
        self._thread = threading.Thread(target=self._run, name="llmos sandbox", daemon=True)

    def start(self) -> None:
        """To be called once the sandbox's process exists."""
        self._thread.start()

    def stop(self) -> list[Refusal]:
        """Stop listening, once the sandbox is gone; what it was refused."""
        self._stopping = True
        if self._thread.ident is not None:
            # A file system that does not answer holds the thread up; it lets go of everything when that ends.
            self._thread.join(LONGEST_END)
        self._control.close()
        return list(self._judge.refusals)

    def _run(self) -> None:
        listener = -1
        try:
            listener = self._receive_listener()
            if listener >= 0:
                self.listened = True
                self._listen(listener)
        except Exception as error:  # the sandbox is answered ENOSYS from now on, and its report tells
            self.failed = f"{type(error).__name__}: {error}"
            log.exception("the sandbox's supervisor ended")
        finally:
            if listener >= 0:
                os.close(listener)
            self._judge.close()
            self._control.close()

    def _receive_listener(self) -> int:
        """The listener; -1 if the sandbox has none, or is gone."""
        poll = select.poll()  # select takes no descriptor above 1023, and a kernel may have more files open
        poll.register(self._control, select.POLLIN)
        while not self._stopping:
            if not poll.poll(LOOK_MILLISECONDS):
                continue
            message, ancillary, _, _ = self._control.recvmsg(1, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC)
            for level, kind, data in ancillary:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    self._judge.landlock = message[0]
                    return int(array.array("i", data[:4])[0])
            self._begin(message)
            return -1
        return -1

    def _begin(self, message: bytes) -> None:
        if message == _BEGIN:
            self._judge.begin()
            with contextlib.suppress(OSError):
                self._control.sendall(_BEGUN)

    def _listen(self, listener: int) -> None:
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        control = self._control.fileno()
        poll.register(control, select.POLLIN)
        while not self._stopping:
            for descriptor, events in poll.poll(LOOK_MILLISECONDS):
                if descriptor == control:
                    self._begin(self._control.recv(1))
                    poll.unregister(control)
                elif events & select.POLLIN:
                    self._take(listener)
                elif events & (select.POLLHUP | select.POLLERR):
                    return

    def _take(self, listener: int) -> None:
        try:
            notification = fcntl.ioctl(listener, _RECEIVE, bytes(_NOTIFICATION.size))
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):  # the one who called was killed meanwhile
                return
            raise
        ident, thread, _, number, _, _, *arguments = _NOTIFICATION.unpack(notification)

        def waits() -> bool:
            try:
                fcntl.ioctl(listener, _STILL_WAITS, struct.pack("=Q", ident))
            except OSError:
                return False
            return True

        answer = self._answer(listener, ident, Call(number, tuple(arguments), thread), waits)
        with contextlib.suppress(OSError):  # killed while it was looked at
            fcntl.ioctl(listener, _SEND, _ANSWER.pack(ident, answer.value, answer.error, answer.flags))

    def _answer(self, listener: int, ident: int, call: Call, waits: Callable[[], bool]) -> _Answer:
        verdict = answer(self._judge, call, waits)
        if verdict == CONTINUE:
            return _Answer(flags=_CONTINUE_FLAG)
        if verdict == OPENED:
            opened, self._judge.opened = self._judge.opened, -1
            try:
                return _Answer(value=_add_descriptor(listener, ident, opened, os.O_CLOEXEC))
            except OSError:
                return _Answer(error=-errno.EACCES)
            finally:
                os.close(opened)
        if verdict in (INERT_SOCKET, OWN_MEMORY):
            give = _give_socket if verdict == INERT_SOCKET else _give_memory
            with contextlib.suppress(OSError):
                return _Answer(value=give(listener, ident, call))
            return _Answer(error=-errno.EPERM)
        return _Answer(error=-verdict)


def _give_socket(listener: int, ident: int, call: Call) -> int:
    """Put a socket that reaches nobody into the sandbox in place of the one it asked for; its number there.

    A stream socket of the file system's family can send nothing before it is connected, whatever address it is given,
    and `connect` is refused: but told, with the address.
    """
    kind = call.arguments[1]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as inert:
        inert.setblocking(not kind & socket.SOCK_NONBLOCK)
        flags = os.O_CLOEXEC if kind & socket.SOCK_CLOEXEC else 0
        return _add_descriptor(listener, ident, inert.fileno(), flags)


def _give_memory(listener: int, ident: int, call: Call) -> int:
    """Put a file of memory into the sandbox, which nobody else has."""
    memory = os.memfd_create("sandbox", os.MFD_CLOEXEC)
    try:
        return _add_descriptor(listener, ident, memory, os.O_CLOEXEC)
    finally:
        os.close(memory)


def _add_descriptor(listener: int, ident: int, source: int, flags: int) -> int:
    # A buffer that can be written makes Python return the call's number instead of the buffer.
    return int(fcntl.ioctl(listener, _ADD_FD, bytearray(_ADDED.pack(ident, 0, source, 0, flags))))
