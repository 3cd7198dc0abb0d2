"""Which recorded answers this user made or trusts: a signature of each one, kept in the user's data folder.

As with Jupyter's notebook signatures, key and signatures stay on this machine: a recording that comes with somebody's
repository brings none, and signing leaves the recording as it is. A signature is HMAC-SHA256 (RFC 2104), in
hexadecimal, one a line.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from llmos_jupyter import paths
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.system.private_files import FILE_MODE, private_folder

KEY_BYTES = 32
# Windows has neither, and makes no links without a right of its own.
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Signatures:
    """The signatures in one folder; by default the user's data folder as it is named now."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or paths.data_dir()

    @property
    def key_file(self) -> Path:
        return self.folder / "recordings.key"

    @property
    def file(self) -> Path:
        return self.folder / "recordings.signatures"

    def hold(self, text: str) -> bool:
        """Whether this user has signed exactly this text. False where that cannot be found out."""
        try:
            key = _content(self.key_file)
            signed = _content(self.file).split()
        except OSError:
            return False
        if len(key) != KEY_BYTES:
            return False
        wanted = _signature(key, text)
        return any(hmac.compare_digest(wanted, known) for known in signed)

    def sign(self, texts: Iterable[str]) -> None:
        """Sign these texts for this user; the key is made at first need. Raises LLMOSError where that fails."""
        try:
            private_folder(self.folder)
            key = self._key()
            new = b"".join(_signature(key, text) + b"\n" for text in texts if not self.hold(text))
            if new:
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _NO_LINK
                with os.fdopen(os.open(self.file, flags, FILE_MODE), "ab") as output:
                    output.write(new)
        except OSError as error:
            raise LLMOSError(
                f"The recorded answers could not be signed in {self.folder} ({error.strerror}): make that folder "
                "writable, or set LLMOS_DATA_DIR to one that is."
            ) from error

    def _key(self) -> bytes:
        with contextlib.suppress(FileNotFoundError):
            key = _content(self.key_file)
            if len(key) == KEY_BYTES:
                return key
            self.key_file.unlink()  # cut short by a full disk: what it signed is nothing anybody can check
        # Under another name first, so that nobody finds half of it; whoever comes second takes the first one's.
        draft = self.folder / f".{self.key_file.name}.{os.getpid()}.tmp"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "wb") as output:
            output.write(secrets.token_bytes(KEY_BYTES))
        try:
            os.link(draft, self.key_file)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            draft.replace(self.key_file)
        finally:
            draft.unlink(missing_ok=True)
        return _content(self.key_file)


def _content(file: Path) -> bytes:
    """The bytes of a file that is no link."""
    with os.fdopen(os.open(file, os.O_RDONLY | _NO_LINK | getattr(os, "O_BINARY", 0)), "rb") as content:
        return content.read()


def _signature(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode("utf-8", "backslashreplace"), hashlib.sha256).hexdigest().encode()
