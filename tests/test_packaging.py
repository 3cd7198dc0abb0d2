"""What is shipped: the source distribution, the wheel that is built from it, and what installing either gives."""

from __future__ import annotations

import email
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import llmos_jupyter

ROOT = Path(__file__).parent.parent
DATA = f"llmos_jupyter-{llmos_jupyter.__version__}.data/data/"
PANEL = f"{DATA}share/jupyter/labextensions/llmos-jupyter/"
SERVER = f"{DATA}etc/jupyter/jupyter_server_config.d/llmos_jupyter.json"


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both, built as for the package index: in an environment of its own, the wheel from the sources."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)], capture_output=True, text=True
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(next(dist.glob("*.whl")))


def test_the_wheel_has_the_panel_built(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert len(names) == len(wheel.namelist())  # nothing twice
    package = json.loads(wheel.read(f"{PANEL}package.json"))
    assert package["name"] == "llmos-jupyter"
    assert package["version"] == llmos_jupyter.__version__
    assert PANEL + package["jupyterlab"]["_build"]["load"] in names
    assert f"{PANEL}static/style.js" in names
    assert json.loads(wheel.read(f"{PANEL}install.json"))["packageName"] == "llmos-jupyter"
    for plugin in (ROOT / "labextension" / "schema").glob("*.json"):
        assert wheel.read(f"{PANEL}schemas/llmos-jupyter/{plugin.name}") == plugin.read_bytes()


def test_the_wheel_enables_the_proxy(wheel: zipfile.ZipFile) -> None:
    assert json.loads(wheel.read(SERVER)) == {"ServerApp": {"jpserver_extensions": {"llmos_jupyter": True}}}
    assert "llmos_jupyter/server_extension.py" in wheel.namelist()


def test_the_wheel_has_nothing_that_only_building_needs(wheel: zipfile.ZipFile) -> None:
    for name in wheel.namelist():
        assert not name.endswith((".ts", ".tsx", ".map", ".lock", ".tsbuildinfo")), name
        assert "node_modules" not in name
        assert name.startswith(("llmos_jupyter/", f"{DATA}etc/", PANEL, DATA.replace(".data/data/", ".dist-info/"))), (
            name
        )
        assert not name.startswith("llmos_jupyter/labextension/"), name  # the panel is there once


def test_the_metadata(wheel: zipfile.ZipFile) -> None:
    metadata = email.message_from_bytes(wheel.read(DATA.replace(".data/data/", ".dist-info/METADATA")))
    assert (metadata["Name"], metadata["Version"]) == ("llmos-jupyter", llmos_jupyter.__version__)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "Framework :: Jupyter :: JupyterLab :: Extensions :: Prebuilt" in metadata.get_all("Classifier", [])
    needed = {line.split(";")[0].strip() for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line}
    assert not any("node" in name or "builder" in name for name in needed)


def test_the_sources_can_be_built_with_or_without_node(dist: Path) -> None:
    """They have the panel built, which the wheel of these tests was made of, and what it is built from."""
    with tarfile.open(next(dist.glob("*.tar.gz"))) as sources:
        names = {name.partition("/")[2] for name in sources.getnames()}
    for name in (
        "llmos_jupyter/labextension/package.json",
        "labextension/package.json",
        "labextension/yarn.lock",
        "labextension/src/index.ts",
        "labextension/schema/plugin.json",
        "labextension/style/index.css",
        "labextension/jupyter-config/llmos_jupyter.json",
        "labextension/install.json",
        "pyproject.toml",
    ):
        assert name in names
    made = (
        "labextension/lib/",
        "labextension/.yarn/",
        "labextension/node_modules/",
        "labextension/tsconfig.tsbuildinfo",
    )
    assert not any(name.startswith(made) for name in names)


def test_what_pip_lays_where(dist: Path, tmp_path: Path) -> None:
    """With no program to be found, Node.js least of all."""
    wheel = next(dist.glob("*.whl"))
    # Without --ignore-installed it would take the place of the one that these tests run with.
    options = ["--quiet", "--no-deps", "--no-index", "--ignore-installed", "--prefix", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(wheel)], check=True, env={"PATH": ""})
    panel = tmp_path / "share" / "jupyter" / "labextensions" / "llmos-jupyter"
    load = json.loads((panel / "package.json").read_text(encoding="utf-8"))["jupyterlab"]["_build"]["load"]
    assert (panel / load).stat().st_size > 1000
    assert (tmp_path / "etc" / "jupyter" / "jupyter_server_config.d" / "llmos_jupyter.json").is_file()


def test_here_both_are_enabled() -> None:
    """In the environment of the tests, whichever way the package was installed in it."""
    jupyter = [sys.executable, "-m", "jupyter"]
    listed = subprocess.run([*jupyter, "labextension", "list"], capture_output=True, text=True, check=True)
    said = next(line for line in (listed.stdout + listed.stderr).splitlines() if "llmos-jupyter v" in line)
    assert "enabled" in said
    assert "OK" in said
    listed = subprocess.run([*jupyter, "server", "extension", "list"], capture_output=True, text=True, check=True)
    lines = (listed.stdout + listed.stderr).splitlines()
    assert any("llmos_jupyter" in line and "enabled" in line for line in lines)
    assert any(f"llmos_jupyter {llmos_jupyter.__version__}" in line and "OK" in line for line in lines)


def test_both_are_found_without_loading_them() -> None:
    script = (
        "import sys, json, llmos_jupyter as package; "
        "print(json.dumps([package._jupyter_server_extension_points(), package._jupyter_labextension_paths(), "
        "sorted(sys.modules)]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    points, panel, modules = json.loads(done.stdout)
    assert points == [{"module": "llmos_jupyter.server_extension"}]
    assert panel == [{"src": "labextension", "dest": "llmos-jupyter"}]
    assert not {"tornado", "jupyter_server", "httpx", "pydantic", "llmos_jupyter.server_extension"} & set(modules)
