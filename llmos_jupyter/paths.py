"""Where things lie on disk. Every folder can be moved by an environment variable, in a kernel until the extension is
loaded.

| folder  | variable           | default                                            |
|---------|--------------------|----------------------------------------------------|
| models  | `LLMOS_MODEL_DIR`  | the user's cache folder, `llmos-jupyter/models`    |
| data    | `LLMOS_DATA_DIR`   | the user's data folder, `llmos-jupyter`            |
| runtime | `JUPYTER_RUNTIME_DIR` | Jupyter's runtime folder                        |
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

# The variable by which whoever runs this machine names a server for all its users.
ENGINE = "LLMOS_ENGINE"
# And the one by which they, or a user, name the device that engines compute on unless a model is used with another.
DEVICE = "LLMOS_DEVICE"


class _Fixed(NamedTuple):
    models: Path
    data: Path
    runtime: Path
    engine: str
    device: str


_fixed: _Fixed | None = None


def fix() -> None:
    """From now on in this process the folders stay where they are: an answer's code may change the environment and the
    working folder, and must not say by them which settings hold, which daemon is asked, or where words are sent."""
    global _fixed
    if _fixed is None:
        _fixed = _Fixed(
            model_dir().absolute(),
            data_dir().absolute(),
            runtime_dir().absolute(),
            os.environ.get(ENGINE, ""),
            os.environ.get(DEVICE, ""),
        )


def fixed_environment() -> dict[str, str]:
    """The variables by which a child process finds the folders that were fixed; none if they were not."""
    if _fixed is None:
        return {}
    return {
        ENGINE: _fixed.engine,
        DEVICE: _fixed.device,
        "LLMOS_MODEL_DIR": str(_fixed.models),
        "LLMOS_DATA_DIR": str(_fixed.data),
        "JUPYTER_RUNTIME_DIR": str(_fixed.runtime),
    }


def engine_address() -> str:
    """What LLMOS_ENGINE names: the server that `auto` means on this machine; empty if none."""
    return _fixed.engine if _fixed is not None else os.environ.get(ENGINE, "").strip()


def device_name() -> str:
    """What LLMOS_DEVICE names; empty if nothing."""
    return _fixed.device if _fixed is not None else os.environ.get(DEVICE, "").strip()


def model_dir() -> Path:
    """The folder of downloaded model files."""
    if _fixed is not None:
        return _fixed.models
    if moved := os.environ.get("LLMOS_MODEL_DIR"):
        return Path(moved).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("llmos-jupyter") / "models"


def data_dir() -> Path:
    """The folder of the database, the configuration and the logs."""
    if _fixed is not None:
        return _fixed.data
    if moved := os.environ.get("LLMOS_DATA_DIR"):
        return Path(moved).expanduser()
    from platformdirs import user_data_path

    return user_data_path("llmos-jupyter")


# Names of the files in the data folder, for those who close them to other users.
DATA_FILES = ("llmos.db*", "daemon.log*", "engine.log*", "config.json", "recordings.*", "servers.told")


def database_file() -> Path:
    return data_dir() / "llmos.db"


def config_file() -> Path:
    return data_dir() / "config.json"


def told_file() -> Path:
    """The file of the servers elsewhere that the user has been told of."""
    return data_dir() / "servers.told"


def log_file() -> Path:
    return data_dir() / "daemon.log"


def jobs_dir() -> Path:
    """The folder of what background tasks were given: each has one beneath it, kept until it has ended well."""
    return data_dir() / "jobs"


def results_dir() -> Path:
    """The folder of what background tasks gave back: each has one beneath it, until its notebook has taken it."""
    return data_dir() / "results"


def states_dir() -> Path:
    """The folder in which engines keep what generations that gave way had read and written, each in one beneath."""
    return data_dir() / "states"


def workers_dir() -> Path:
    """The folder of what running background cells write; each has its own beneath, which ends with it."""
    return data_dir() / "workers"


def data_folders() -> tuple[Path, ...]:
    """The folders in the data folder."""
    return jobs_dir(), results_dir(), states_dir(), workers_dir()


def runtime_dir() -> Path:
    """Jupyter's runtime folder, where clients look for the daemon."""
    if _fixed is not None:
        return _fixed.runtime
    from jupyter_core.paths import jupyter_runtime_dir

    return Path(jupyter_runtime_dir())


def runtime_file() -> Path:
    return runtime_dir() / "llmos-daemon.json"
