"""Results of code that the model wrote and a worker ran, brought into the notebook.

Unpickling runs whatever a pickle says. So these are unpickled in the sandbox, which may read them and nothing else, and
their values are committed from there like those of any answer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from llmos_jupyter.effects.table import CannotComeHome
from llmos_jupyter.effects.transaction import Ran, commit, run_in_sandbox
from llmos_jupyter.protocol.jobs import Bundle, Missing, Packed
from llmos_jupyter.sandbox.roots import Access
from llmos_jupyter.workers.fingerprints import Seen
from llmos_jupyter.workers.transfer import Merged, placed

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

BUDGET_SECONDS = 60.0  # to load results: gigabytes take seconds, and a pickle may never end


def merge(shell: InteractiveShell, results: Bundle, seen: Mapping[str, Seen | None], number: int) -> Merged:
    """Bring results into the notebook, by the rules of `transfer.merge`. All at once, so that what they share stays
    shared; where that fails one by one, and what cannot come is told."""
    merged = Merged(missing=list(results.missing))
    names = placed(shell.user_ns, [packed.name for packed in results.variables], seen, number)
    parts = [
        [packed, *(p for p in results.variables if p.same_as == packed.name)]
        for packed in results.variables
        if not packed.same_as
    ]
    if len(parts) > 1 and not _load(shell, results.variables, names, results.folder):
        for packed in results.variables:
            merged.note(packed.name, names[packed.name])
        return merged
    for part in parts:
        reason = _load(shell, part, names, results.folder)
        for packed in part:
            if reason:
                merged.missing.append(Missing(name=packed.name, reason=reason))
            else:
                merged.note(packed.name, names[packed.name])
    return merged


def _load(shell: InteractiveShell, variables: Sequence[Packed], names: Mapping[str, str], folder: str) -> str:
    """Why these could not be loaded, as a clause; empty if they stand in the notebook."""
    if not all(name.isidentifier() for name in names.values()):
        return "a result has no name that could be bound"
    lines = []
    for packed in variables:
        file = os.path.realpath(os.path.join(folder, os.path.basename(packed.file)))
        loaded = f"__import__('pickle').loads(__import__('pathlib').Path({file!r}).read_bytes())"
        # An unpickled array lies in the memory of the pickle's own bytes, which cannot come home; its copy does not.
        loaded = f"__import__('copy').deepcopy({loaded})"
        lines.append(f"{names[packed.name]} = {names[packed.same_as] if packed.same_as else loaded}")
    access = Access(read=(os.path.realpath(folder),))
    with run_in_sandbox("\n".join(lines), shell, budget_seconds=BUDGET_SECONDS, access=access) as ran:
        if ran.refusals:
            return f"unpickling it wants to {ran.refusals[0].what}, which it may not"
        if not ran.committable:
            return _why(ran)
        try:
            commit(ran)
        except CannotComeHome as error:
            return f"{error.reason}; save it to a file instead"
    return ""


def _why(ran: Ran) -> str:
    if ran.cannot:
        return f"{ran.cannot[0].reason}; save it to a file instead"
    if ran.error is not None:
        return f"{ran.error.type}: {ran.error.message}"
    return ran.report.reason.rstrip(".") or "it could not be loaded"
