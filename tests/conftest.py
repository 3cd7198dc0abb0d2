"""Every test works in folders of its own; only the downloaded models are the user's."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

from llmos_jupyter import config, paths
from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.effects.objects import names
from tests.examples import examples

# What a script starts in its background ignores interrupts, and every test of them would wait for its end.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long one example takes says nothing on a machine that does other things too.
settings.register_profile("ours", max_examples=examples(100), deadline=None)
settings.load_profile("ours")

SMALL = "qwen2.5-coder-0.5b"
MIDDLE = "qwen2.5-coder-1.5b"


# Files that take longest, by processor time.
LONGEST = (
    "tests/effects/test_programs.py",
    "tests/scenarios/test_right_stays_right.py",
    "tests/ui/",
    "tests/test_packaging.py",
    "tests/session/",
    "tests/effects/",
    "tests/sandbox/",
    "tests/workers/",
    "tests/daemon/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Beside others the longest go first: at the end nobody is to be left alone with one of them."""
    if os.environ.get("PYTEST_XDIST_WORKER"):
        items.sort(key=lambda item: next((n for n, name in enumerate(LONGEST) if item.nodeid.startswith(name)), 99))


def pytest_configure(config: pytest.Config) -> None:
    """Tests that run beside others (`pytest -n`) look for what was left over in a folder of their own."""
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        os.environ["TMPDIR"] = tempfile.tempdir = tempfile.mkdtemp(prefix=f"{worker}-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True))


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


def _alone() -> None:
    """What a test asks twice is answered twice, what one asks is no example for the next, and the engine is not begun
    anew because other tests take the processors."""
    config.change("replay=false")
    config.change("examples=false")
    config.change("threads=512")


@pytest.fixture(scope="module", autouse=True)
def what_is_imported_is_no_garbage() -> None:
    """IPython collects garbage whenever a shell is reset: half a second each time in a process that has imported all
    that the tests need. What is here by now is looked at no more, in the copies that rehearsals fork neither."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Data and runtime folders of this test; its daemon, if it started one, is ended."""
    # A short path: a socket's name may not be longer than about 100 characters.
    monkeypatch.setenv("LLMOS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "run"))
    _alone()
    yield tmp_path
    lifecycle.stop()


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """As `home`, for all tests of a module: the model is loaded once."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMOS_DATA_DIR", str(folder / "data"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "run"))
        _alone()
        yield folder
        lifecycle.stop()
