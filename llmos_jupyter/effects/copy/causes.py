"""Whether an exception of the code's goes back to a refusal of the lock: told by it and by what it was raised from."""

from __future__ import annotations

import contextlib
import dis
import errno
import os
import re

_LOCK_ERRNOS = frozenset({errno.EPERM, errno.EACCES, errno.EROFS, errno.EBADF, errno.ENOTSOCK, errno.EFBIG})
# Words of the C libraries' messages, where a library reports no errno.
_LOCK_WORDS = re.compile(
    r"operation not permitted|permission denied|read-?only (?:file ?system|database)|"
    r"temporary failure in name resolution|name or service not known|name resolution|not permitted in the sandbox",
    re.I,
)
OWN_FAULTS = (NameError, AttributeError, TypeError, SyntaxError, AssertionError)
_RAISE = dis.opmap["RAISE_VARARGS"]


class Refused(PermissionError):
    """Raised by the stand-ins for input, shell commands and leaving."""

    def __init__(self, what: str) -> None:
        super().__init__(errno.EPERM, f"{what} is not permitted in the sandbox")


def from_lock(error: BaseException, *, told: bool, open_files: bool) -> bool:
    """Whether an exception is what the lock's refusal came to. `told`: whether any refusal is known; `open_files`:
    whether the notebook has files open, which the copy does not."""
    if isinstance(error, Refused):
        return True
    if not told and _raised_by_hand(error):
        return False
    if isinstance(error, OSError):
        if error.errno == errno.EBADF:
            return open_files
        if error.errno in _LOCK_ERRNOS:
            return not _unreadable(error)
        return type(error).__name__ == "gaierror" or bool(_LOCK_WORDS.search(str(error)))
    module = type(error).__module__
    if module == "sqlite3":
        return bool(re.search(r"readonly database|unable to open|disk I/O", str(error)))
    if module in ("builtins", "__main__"):
        return False
    with contextlib.suppress(Exception):  # str() of somebody's exception
        return bool(_LOCK_WORDS.search(str(error)))
    return False


def chain_of(error: BaseException) -> list[BaseException]:
    """The error and what it was raised from. A slip made while handling a refusal is a slip all the same."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and not any(link is known for known in chain):
        chain.append(link)
        inner = getattr(link, "exceptions", ())  # of an exception group
        chain += [error for error in inner if isinstance(error, BaseException)] if isinstance(inner, tuple) else []
        if link.__cause__ is not None:
            link = link.__cause__
        elif link.__suppress_context__ or isinstance(link, OWN_FAULTS):
            link = None
        else:
            link = link.__context__
    return chain


def _raised_by_hand(error: BaseException) -> bool:
    """Whether a `raise` statement outside all libraries made it, and no system call."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return False
    own = last.tb_frame.f_globals.get("__name__") == "__main__"
    return own and last.tb_frame.f_code.co_code[last.tb_lasti] == _RAISE


def _unreadable(error: OSError) -> bool:
    """A file that the user may not read either (`os.access` knows nothing of Landlock)."""
    name = error.filename
    return (
        error.errno == errno.EACCES
        and isinstance(name, str | bytes)
        and os.path.exists(name)
        and not os.access(name, os.R_OK)
    )
