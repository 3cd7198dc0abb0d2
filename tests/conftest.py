"""Every test works in folders of its own; only the downloaded models are the user's."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from llmos_jupyter import config, paths
from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.effects.objects import names

# What a script starts in its background ignores interrupts, and every test of them would wait for its end.
signal.signal(signal.SIGINT, signal.default_int_handler)

SMALL = "qwen2.5-coder-0.5b"
MIDDLE = "qwen2.5-coder-1.5b"


@pytest.fixture(scope="session", autouse=True)
def models_of_the_user() -> None:
    """Downloading gigabytes once a machine is enough."""
    os.environ["LLMOS_MODEL_DIR"] = str(paths.model_dir())


@pytest.fixture(scope="session", autouse=True)
def the_tests_are_no_modules_of_the_users() -> Iterator[None]:
    """A notebook in this process would watch all that the tests have imported for changes."""
    own = names.own_modules

    def of_the_notebook() -> dict[str, ModuleType]:
        return {name: module for name, module in own().items() if name.partition(".")[0] not in ("tests", "benchmarks")}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(names, "own_modules", of_the_notebook)
        yield


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Data and runtime folders of this test; its daemon, if it started one, is ended."""
    # A short path: a socket's name may not be longer than about 100 characters.
    monkeypatch.setenv("LLMOS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "run"))
    config.change("replay=false")  # what a test asks twice is answered twice
    yield tmp_path
    lifecycle.stop()


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """As `home`, for all tests of a module: the model is loaded once."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMOS_DATA_DIR", str(folder / "data"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "run"))
        config.change("replay=false")
        yield folder
        lifecycle.stop()
