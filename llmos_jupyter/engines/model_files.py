"""Where a model's files lie on this machine, and the receipts of what was verified, so that it is not hashed again."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from llmos_jupyter.engines import catalogue, hub
from llmos_jupyter.engines.catalogue import Model
from llmos_jupyter.system.private_files import as_the_users

_log = logging.getLogger(__name__)


def target(model: Model) -> Path:
    """Where a model's file belongs."""
    return catalogue.folder(model) / catalogue.file_name(model)


def partial(model: Model) -> Path:
    """What an unfinished download keeps: the begun file of the hub, the wheels of the mirror."""
    file = target(model)
    return file.parent / ".partial" / file.name


def lock_file(model: Model) -> Path:
    """Held by the process that downloads the model."""
    return partial(model).with_name(target(model).name + ".lock")


def cached(model: Model) -> Path | None:
    """Its file in the Hugging Face cache, which other programs share."""
    try:
        return hub.cached(model.repo, model.file) if model.repo else None
    except ValueError:  # a name the library refuses cannot be in its cache
        return None


def verified(model: Model) -> Path | None:
    """The file an earlier verification was written down for, if it is still the same file."""
    try:
        receipt = json.loads(catalogue.receipt_file(model).read_text(encoding="utf-8"))
        path = Path(receipt["path"])
        status = path.stat()
        same = (status.st_size, status.st_mtime_ns) == (receipt["size"], receipt["mtime_ns"])
        known = model.sha256 in (None, receipt["model"]["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # no receipt, or one that cannot be read: verify again
    return path if same and known else None


def write_receipt(model: Model, path: Path) -> None:
    """Write down that this file was verified."""
    status = path.stat()
    receipt = {
        "path": str(path),
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "model": catalogue.to_record(model),
    }
    file = catalogue.receipt_file(model)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f"{file.name}.{os.getpid()}.new")
        new.write_text(json.dumps(receipt, indent=1), encoding="utf-8")
        os.replace(new, file)
        as_the_users(file)
    except OSError as error:
        # A model folder shared read-only by an administrator: it is verified on every start instead.
        _log.info("no receipt for %s: %s", path, error)
