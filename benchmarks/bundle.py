"""How large the side panel is that the wheel ships, beside those of two other JupyterLab extensions.

    python -m benchmarks.bundle [--no-peers]

Our wheel is built and theirs are downloaded from the package index in the same run. Counted is what each installs below
`share/jupyter/labextensions`: `all_kb` of all files, `scripts_kb` of the JavaScript (styles are in it),
`gzip_kb` of the same as a server that compresses would send it, `start_kb` of its entry, which loads the rest. 1 kB is
1,000 bytes.
"""

from __future__ import annotations

import argparse
import gzip
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from benchmarks.common import note, report

ROOT = Path(__file__).parent.parent
# jupyterlab-git's panel is in a distribution of its own.
PEERS = ("jupyterlab-nvdashboard", "jupyterlab-git-core")


def wheel(requirement: str, folder: Path) -> Path:
    """The wheel of a requirement, or of a folder with sources. Raises CalledProcessError."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), requirement]
    subprocess.run(command, check=True)
    return next(folder.glob("*.whl"))


def measure(file: Path) -> dict[str, object]:
    """One row: the front end in a wheel, in kB. Raises ValueError for a wheel that has none."""
    name, version = file.name.split("-")[:2]
    with zipfile.ZipFile(file) as archive:
        files = {
            match[1]: archive.read(entry)
            for entry in archive.namelist()
            if (match := re.search(r"/share/jupyter/labextensions/(.+[^/])$", entry))
        }
    if not files:
        raise ValueError(f"{file.name} installs nothing for JupyterLab")
    scripts = [content for path, content in files.items() if path.endswith(".js")]
    start = [content for path, content in files.items() if "/remoteEntry." in path and path.endswith(".js")]
    return {
        "extension": name.replace("_", "-"),
        "version": version,
        "files": len(files),
        "all_kb": round(sum(map(len, files.values())) / 1000, 1),
        "scripts_kb": round(sum(map(len, scripts)) / 1000, 1),
        "gzip_kb": round(sum(len(gzip.compress(content, 6)) for content in scripts) / 1000, 1),
        "start_kb": round(sum(map(len, start)) / 1000, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bundle", description=__doc__.splitlines()[0])
    parser.add_argument("--no-peers", action="store_true", help="measure llmos-jupyter only")
    options = parser.parse_args()
    rows = []
    failures: dict[str, str] = {}
    for requirement in (str(ROOT), *(() if options.no_peers else PEERS)):
        note("building our wheel" if requirement == str(ROOT) else f"downloading {requirement}")
        with tempfile.TemporaryDirectory() as folder:
            try:
                rows.append(measure(wheel(requirement, Path(folder))))
            except (subprocess.CalledProcessError, ValueError) as error:
                if requirement == str(ROOT):
                    raise
                # A peer that can no longer be had is not a failure of ours, but it must be seen.
                failures[requirement] = str(error).splitlines()[-1]
                note(f"{requirement} could not be measured: {error}")
    ours = float(str(rows[0]["scripts_kb"]))
    report(
        "bundle",
        rows,
        times_our_scripts={row["extension"]: round(float(str(row["scripts_kb"])) / ours, 1) for row in rows[1:]},
        not_measured=failures,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
