"""What `%load_ext llmos_jupyter` costs a notebook, beside jupyter-ai's magics.

    python -m benchmarks.load [--runs 5] [--no-peers]

Every run is a fresh process that starts IPython's shell, and then loads the extension or not. The figures
are what loading adds to the shell alone in the same environment: processor seconds (user and system, of the
whole process, as the operating system counts them), modules imported, resident memory at its peak. Peers are
installed from the package index into environments of their own under `benchmarks/.venvs`, once. Network use
is told by Python's audit events for connecting, sending and looking up names.

llmos-jupyter imports what a request needs when the first request comes, peers mostly while they load; so the
column `first_use_cpu_s` is ours with that included, and is the fair one to hold beside theirs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import NamedTuple

from benchmarks.common import median, note, report

AIM_SECONDS = 0.3
FIRST_USE = "llmos_jupyter.session.notebook"  # what the magics import for the first request
VENVS = Path(__file__).parent / ".venvs"

# The child starts the shell as `ipython` does, without the user's profile, history or startup files.
CHILD = """
import os, sys
extension, then, audit, home = sys.argv[1:5]
os.environ["IPYTHONDIR"] = home
calls = []
if audit:
    def hook(event, args):
        if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
            calls.append(event)
    sys.addaudithook(hook)
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
if extension:
    shell.extension_manager.load_extension(extension)
    if extension not in shell.extension_manager.loaded:
        sys.exit("the extension did not load")
if then:
    import importlib
    importlib.import_module(then)
import json
print("\\n" + json.dumps({"modules": len(sys.modules), "calls": calls}))
"""


class Peer(NamedTuple):
    title: str
    requirement: str
    extension: str


PEERS = (
    Peer("jupyter-ai 3 magics", "jupyter-ai-magic-commands", "jupyter_ai_magic_commands"),
    Peer("jupyter-ai 2 magics", "jupyter-ai-magics", "jupyter_ai_magics"),
)


class Start(NamedTuple):
    """One fresh process."""

    cpu: float
    rss_mb: float
    modules: int
    calls: list[str]


def start(python: Path, extension: str, *, then: str = "", audit: bool = False) -> Start:
    """Start a shell in a fresh process, load `extension`, import `then`.

    Raises RuntimeError with the child's words if it fails.
    """
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryFile("w+") as errors:
        command = [str(python), "-c", CHILD, extension, then, "audit" if audit else "", home]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=home)
        assert child.stdout is not None
        with child.stdout:
            lines = child.stdout.read().split("\n")
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            errors.seek(0)
            raise RuntimeError(f"loading {extension or 'nothing'} failed:\n{errors.read().strip()[-2000:]}")
    said = json.loads(next(line for line in reversed(lines) if line.startswith("{")))
    scale = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss: bytes on macOS, kilobytes elsewhere
    return Start(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale, said["modules"], said["calls"])


def environment(peer: Peer) -> Path:
    """The Python of the peer's own environment, made and filled on first use."""
    folder = VENVS / peer.requirement
    python = folder / "bin" / "python"
    ready = folder / "installed"
    if not ready.exists():
        note(f"installing {peer.requirement} (once)")
        VENVS.mkdir(exist_ok=True)
        (VENVS / ".gitignore").write_text("*\n", encoding="utf-8")
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", peer.requirement], check=True)
        ready.touch()
    return python


def version(python: Path, package: str) -> str:
    code = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    done = subprocess.run([python, "-c", code, package], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def measure(
    title: str, python: Path, package: str, extension: str, runs: int, first_use: str = ""
) -> dict[str, object]:
    """One row: medians of what loading adds to the bare shell. Bare and loaded runs alternate, so that a
    machine that gets busier burdens both."""
    note(f"measuring {title}")
    start(python, extension, then=first_use)  # byte-code and the disk's cache are warm, as on every start but the first
    bare: list[Start] = []
    loaded: list[Start] = []
    used: list[Start] = []
    for _ in range(runs):
        bare.append(start(python, ""))
        loaded.append(start(python, extension))
        if first_use:
            used.append(start(python, extension, then=first_use))
    bare_cpu = median([s.cpu for s in bare])
    calls = start(python, extension, audit=True).calls
    return {
        "extension": title,
        "version": version(python, package),
        "cpu_s": round(median([s.cpu for s in loaded]) - bare_cpu, 3),
        "first_use_cpu_s": round(median([s.cpu for s in used]) - bare_cpu, 3) if used else None,
        "modules": round(median([s.modules for s in loaded]) - median([s.modules for s in bare])),
        "rss_mb": round(median([s.rss_mb for s in loaded]) - median([s.rss_mb for s in bare]), 1),
        "network_calls": len(calls),
        "bare_cpu_s": round(bare_cpu, 3),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="fresh processes each (default 5)")
    parser.add_argument("--no-peers", action="store_true", help="measure llmos-jupyter only")
    options = parser.parse_args(arguments)
    if options.runs < 1:
        parser.error("--runs must be at least 1")

    ours = measure("llmos-jupyter", Path(sys.executable), "llmos-jupyter", "llmos_jupyter", options.runs, FIRST_USE)
    rows = [ours]
    failures: dict[str, str] = {}
    for peer in () if options.no_peers else PEERS:
        try:
            python = environment(peer)
            rows.append(measure(peer.title, python, peer.requirement, peer.extension, options.runs))
        except (OSError, subprocess.CalledProcessError, RuntimeError) as error:
            # A peer that no longer installs or loads is not a failure of ours, but it must be seen.
            failures[peer.title] = str(error).splitlines()[-1]
            note(f"{peer.title} could not be measured: {error}")

    cpu, first_use = float(str(ours["cpu_s"])), float(str(ours["first_use_cpu_s"]))

    def ratios(base: float) -> dict[str, float]:
        return {str(r["extension"]): round(float(str(r["cpu_s"])) / max(base, 0.001), 1) for r in rows[1:]}

    report(
        "load",
        rows,
        runs=options.runs,
        aim_cpu_s=AIM_SECONDS,
        met=cpu < AIM_SECONDS and ours["network_calls"] == 0,
        times_our_load=ratios(cpu),
        times_our_first_use=ratios(first_use),
        not_measured=failures,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
