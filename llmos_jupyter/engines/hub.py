"""Everything asked of the Hugging Face hub, through `huggingface_hub`.

Run as a program (`python -m llmos_jupyter.engines.hub`) it is the child that speaks to the hub; imported,
it offers the calls that start this child. The user's settings hold: HF_ENDPOINT, HF_HUB_OFFLINE, tokens.

`hf_hub_download` is not used: since version 2 it starts again from nothing after an interrupt. `http_get`
of the same library resumes.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmos_jupyter.engines import child

_log = logging.getLogger(__name__)

# Seconds for one answer of the hub, and for the whole child that asks (the interpreter's start included).
_ANSWER_SECONDS = 8
_QUESTION_SECONDS = 12


class HubError(Exception):
    """The hub did not give what was asked. `str(error)` is a clause: "cannot be reached"."""


class HubDiskFull(HubError):
    """The disk filled up while downloading."""


@dataclass(frozen=True)
class RemoteFile:
    """A file as the hub describes it. `sha256` is None where the hub gives none."""

    name: str
    size_bytes: int | None
    sha256: str | None
    revision: str = "main"


@dataclass(frozen=True)
class Repository:
    """A model repository: its files, its licence, and the trained context if the hub knows it."""

    files: tuple[RemoteFile, ...]
    licence: str
    context: int


def repository(repo: str) -> Repository:
    """List a repository. Raises `HubError`, after about ten seconds when the hub cannot be reached."""
    answer = _ask("list", repo)
    return Repository(tuple(RemoteFile(**file) for file in answer["files"]), answer["licence"], answer["context"])


def describe(repo: str, file: str, revision: str = "main", poll: Callable[[], None] = lambda: None) -> RemoteFile:
    """Size and hash of one file at a revision. Raises `HubError`, after about ten seconds if nothing answers."""
    return RemoteFile(**_ask("describe", repo, file, revision, poll=poll))


def fetch(repo: str, file: RemoteFile, to: Path, poll: Callable[[], None]) -> None:
    """Download a file to `to`, going on where an earlier attempt stopped. Raises `HubError`."""
    size = "" if file.size_bytes is None else str(file.size_bytes)
    _answer("fetch", repo, file.name, file.revision, size, str(to), poll=poll)


def cached(repo: str, file: str) -> Path | None:
    """The file in the user's Hugging Face cache, if it holds it."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repo, file)
    return Path(found) if isinstance(found, str) else None


def _ask(*arguments: str, poll: Callable[[], None] = lambda: None) -> Any:
    ends = time.monotonic() + _QUESTION_SECONDS

    def poll_within_time() -> None:
        poll()
        if time.monotonic() > ends:
            raise HubError("cannot be reached")

    return _answer(*arguments, poll=poll_within_time)


def _answer(*arguments: str, poll: Callable[[], None]) -> Any:
    quiet = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    ended = child.run(__name__, arguments, environment=quiet, poll=poll)
    if ended.errors:
        _log.info("the hub, asked to %s: %s", " ".join(arguments[:3]), ended.errors.strip())
    try:
        answer = json.loads(ended.output.splitlines()[-1])
    except (IndexError, ValueError):
        last = ended.errors.strip().splitlines()[-1:] or [f"exit code {ended.code}"]
        raise HubError(f"failed ({last[0][:200]})") from None
    if "error" in answer:
        raise HubDiskFull(answer["error"]) if answer["disk_full"] else HubError(answer["error"])
    return answer


# --- the child ----------------------------------------------------------------------------------


def _list(repo: str) -> dict[str, Any]:
    from huggingface_hub import HfApi

    info = HfApi().model_info(repo, files_metadata=True, timeout=_ANSWER_SECONDS)
    files = [
        {
            "name": file.rfilename,
            "size_bytes": file.size,
            "sha256": file.lfs.sha256 if file.lfs else None,
        }
        for file in info.siblings or []
    ]
    licences = [tag.removeprefix("license:") for tag in info.tags or [] if tag.startswith("license:")]
    gguf = getattr(info, "gguf", None) or {}
    context = gguf.get("context_length")
    return {
        "files": files,
        "licence": licences[0] if licences else "",
        "context": context if isinstance(context, int) else 0,
    }


def _describe(repo: str, file: str, revision: str) -> dict[str, Any]:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    found = get_hf_file_metadata(hf_hub_url(repo, file, revision=revision), timeout=_ANSWER_SECONDS)
    etag = (found.etag or "").lower()
    is_sha256 = len(etag) == 64 and all(letter in "0123456789abcdef" for letter in etag)
    return {
        "name": file,
        "size_bytes": found.size,
        "sha256": etag if is_sha256 else None,
        "revision": found.commit_hash or "main",
    }


def _fetch(repo: str, file: str, revision: str, size: str, to: str) -> dict[str, Any]:
    from huggingface_hub import constants, hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    # What has not filled a chunk is lost when we are killed, and does not show as progress: the library's
    # own 10 MB are minutes on a slow line.
    constants.DOWNLOAD_CHUNK_SIZE = 1 << 20
    with open(to, "ab") as part:
        http_get(
            hf_hub_url(repo, file, revision=revision),
            part,
            resume_size=part.tell(),
            headers=build_hf_headers(),
            expected_size=int(size) if size else None,
        )
    return {}


def _clause(error: Exception, repo: str) -> str:
    from huggingface_hub import errors

    if isinstance(error, errors.OfflineModeIsEnabled):
        return "is switched off by HF_HUB_OFFLINE"
    if isinstance(error, errors.GatedRepoError):
        return f"asks you to accept the licence of {repo} on its page and to log in with `hf auth login`"
    if isinstance(error, errors.RepositoryNotFoundError | errors.HFValidationError):
        return f"has no public repository {repo} (for a private one, log in with `hf auth login`)"
    if isinstance(error, errors.EntryNotFoundError):
        return f"has no such file in {repo}"
    if isinstance(error, errors.HfHubHTTPError) and error.response is not None:
        return f"answered with HTTP status {error.response.status_code}"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "could not be used, as the disk is full"
    return "cannot be reached"


def _leave_with_parent() -> None:
    """End this process when the pipe from the one that started it closes, however that one ended."""

    def wait() -> None:
        # Not through sys.stdin: a thread that holds its lock makes the interpreter abort at its end.
        while os.read(0, 1024):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def main(arguments: list[str]) -> int:
    _leave_with_parent()
    command, repo, *rest = arguments
    try:
        if command == "list":
            answer = _list(repo)
        elif command == "describe":
            answer = _describe(repo, *rest)
        else:
            answer = _fetch(repo, *rest)
    except Exception as error:  # the border of the process: every failure becomes a clause for the user
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        print(json.dumps({"error": _clause(error, repo), "disk_full": full}))
        return 1
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
