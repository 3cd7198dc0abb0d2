"""What Python and its libraries do for their own ends, and so need nobody's yes: told by who does it.

Which files they may touch is told by path alone, in `sandbox.roots`.
"""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any

# Small programs that the standard library, matplotlib and joblib (under scikit-learn) ask about the system.
_ASKING = {
    "platform": frozenset({"uname", "cmd", "ver"}),
    "matplotlib.font_manager": frozenset({"fc-list", "system_profiler"}),
    "joblib.externals.loky.backend.context": frozenset({"lscpu", "sysctl", "wmic", "powershell.exe"}),
}
_FINDING = frozenset({"ctypes.util"})
# Between the library that starts a program and the one who looks: Python's own modules, and ours.
_STARTING = frozenset({"subprocess", "os", "shutil", "llmos_jupyter"})


def asks_the_system(frame: FrameType | None, program: str) -> bool:
    """Whether a library, and not the candidate, starts one of the programs it asks about the system.

    `frame`: where the program is started, or any frame that this called.
    """
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in _STARTING:
        frame = frame.f_back
    name = frame.f_globals.get("__name__") if frame is not None else None
    if frame is None or not isinstance(name, str) or frame.f_globals is not vars(sys.modules.get(name, sys)):
        return False
    return name in _FINDING or program in _ASKING.get(name, ())


def program_of(command: Any) -> str:
    """The name of the program of a command line, given as text or as words."""
    first = command[0] if isinstance(command, list | tuple) and command else command
    text = os.fsdecode(first) if isinstance(first, str | bytes | os.PathLike) else ""
    return os.path.basename(text.partition(" ")[0])
