"""What holds for the package as a whole: light to load, the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from llmos_jupyter import config, paths
from llmos_jupyter.agent.replay.recording import Recording, record
from llmos_jupyter.cli import main
from llmos_jupyter.protocol import Options
from llmos_jupyter.sandbox import lock
from llmos_jupyter.signatures import Signatures


def test_loading_the_extension_imports_nothing_heavy() -> None:
    script = """
import sys, json
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before = set(sys.modules)
shell.run_line_magic("load_ext", "llmos_jupyter")
print(json.dumps(sorted(set(sys.modules) - before)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout.strip().splitlines()[-1])
    assert "llmos_jupyter.session.magics" in loaded
    heavy = {"pydantic", "httpx", "fastapi", "xllamacpp", "huggingface_hub", "numpy", "pandas", "sqlite3", "psutil"}
    assert heavy & {name.split(".")[0] for name in loaded} == set()


def test_deciding_imports_no_solver() -> None:
    """The daemon decides with these in its own process; what solves is imported where it is asked to."""
    rooms = ("dispatch.online", "choice.models", "improving.solver", "improving.background")
    script = "import sys, json; " + "; ".join(f"import llmos_jupyter.scheduling.{room}" for room in rooms)
    done = subprocess.run(
        [sys.executable, "-c", script + "; print(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert {"ortools", "scipy", "numpy", "pandas"} & loaded == set()


def test_a_recording_is_trusted_on_the_command_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "n.llmos.json"
    made = record("x", Options(), {}, kind="code", answer="1", model="m")
    Recording(file, Signatures(home / "somebody else")).add(made)
    assert main(["trust", str(file), str(home / "n.ipynb")]) == 0
    assert "1 recorded answer in n.llmos.json may now run" in capsys.readouterr().out
    answer = Recording(file).find("x", Options(), {})
    assert answer is not None
    assert Recording(file).signed(answer)
    assert main(["trust", str(home / "none.ipynb")]) == 1
    assert "There is no recording" in capsys.readouterr().err


def test_status_and_stop_without_a_daemon(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 0
    assert "No llmos daemon is running" in capsys.readouterr().out
    assert main(["stop"]) == 0
    assert main(["cancel", "1"]) == 1
    assert "No llmos daemon" in capsys.readouterr().err


def test_models_on_the_command_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    listed = capsys.readouterr().out
    for name in ("qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b", "qwen2.5-coder-7b", "14b", "32b", "Apache-2.0"):
        assert name in listed
    assert main(["models", "path", "nosuch"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_settings_are_kept_and_checked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "mode=ask"]) == 0
    assert config.load().mode == "ask"
    chosen = {"mode": "ask", "replay": False, "examples": False, "threads": 512}
    assert json.loads(paths.config_file().read_text()) == chosen
    for wrong in ("mode=perhaps", "retries=-1", "colour=red", "mode", "timeout=soon"):
        assert main(["config", wrong]) == 1
        assert capsys.readouterr().err.count("\n") == 1
    assert config.load().mode == "ask"
    assert main(["config", "workers=tcp://10.0.0.5:8786"]) == 0
    assert config.load().workers == "tcp://10.0.0.5:8786"
    for wrong in ("tpc://x", "tcp://x", "tcp://:8786", "tcp://x:99999", "tcp://x:8786/y", "10.0.0.5:8786", "Local"):
        assert main(["config", f"workers={wrong}"]) == 1
        said = capsys.readouterr().err
        assert "Dask scheduler such as tcp://10.0.0.5:8786" in said
        assert said.count("\n") == 1
    assert config.load().workers == "tcp://10.0.0.5:8786"
    paths.config_file().write_text("{")
    assert main(["config"]) == 1
    assert "mend or delete" in capsys.readouterr().err


def test_a_preference_is_set_in_a_notebook(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert config.load().preference == "balanced"
    script = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "llmos_jupyter")
shell.run_line_magic("llmos", "config preference=fast")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "preference       = fast " in done.stdout
    assert config.load().preference == "fast"
    assert main(["config", "preference=quickest"]) == 1
    assert "'fast', 'balanced' or 'best'" in capsys.readouterr().err
    assert config.load().preference == "fast"


def test_doctor_looks_at_everything_and_starts_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    for name in ("versions", "settings", "machine", "model", "disk", "sandbox", "runtime"):
        assert name in said
    if sys.platform == "linux" and lock.unsupported() is None:
        assert lock.describe() in said
    assert not paths.runtime_file().exists()
    paths.runtime_dir().mkdir(parents=True, exist_ok=True)
    paths.runtime_file().write_text("{}")
    paths.runtime_file().chmod(0o644)
    main(["doctor"])
    assert "can be read by others" in capsys.readouterr().out
