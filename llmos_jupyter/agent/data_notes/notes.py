"""What a user should know of the data before trusting what the code makes of them: one plain sentence each.

Only where the code's own operation is affected: missing values that a mean leaves out, rows that count twice, text
that is sorted as text. Read from the code and the live values; nothing is run.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from llmos_jupyter.agent.data_notes.gaps import duplicates, missing, unknown
from llmos_jupyter.agent.data_notes.joins import multiplied
from llmos_jupyter.agent.data_notes.texts import long_numbers, text_numbers, unclear_dates
from llmos_jupyter.agent.data_notes.uses import Note, Uses
from llmos_jupyter.agent.inspection import source
from llmos_jupyter.privacy.masking import mask
from llmos_jupyter.protocol import Finding

log = logging.getLogger(__name__)

SECONDS = 0.1  # no further look begins after this time
MOST = 6  # notes
OF_A_KIND = 3

_CHECKS: tuple[Callable[[Uses], Iterator[Note]], ...] = (
    multiplied,
    text_numbers,
    unclear_dates,
    long_numbers,
    unknown,
    missing,
    duplicates,
)


def data_notes(code: str, namespace: Mapping[str, Any]) -> list[Finding]:
    """Findings of kind `data`, at most six, in the order of the lines; empty if there is nothing to say. Never raises.

    `code` is as it would run; of magics only what they run as Python is read.
    """
    ends = time.perf_counter() + SECONDS
    found: dict[str, Finding] = {}
    try:
        read = source.read(code, None)
        uses = Uses(read.tree, namespace)
    except Exception:  # code that cannot be read has findings of its own
        log.info("the data were not looked at, as the code cannot be read", exc_info=True)
        return []
    for check in _CHECKS:
        if time.perf_counter() > ends:
            break
        for text, line, name in _some(check, uses, ends):
            finding = Finding(
                kind="data", severity="note", message=mask(text), line=line if read.numbered else None, name=name
            )
            found.setdefault(finding.message, finding)
    return sorted(list(found.values())[:MOST], key=lambda finding: finding.line or 0)


def _some(check: Callable[[Uses], Iterator[Note]], uses: Uses, ends: float) -> list[Note]:
    """The first different notes of a check."""
    notes: dict[str, Note] = {}
    try:
        for note in check(uses):
            notes.setdefault(note.text, note)
            if len(notes) == OF_A_KIND or time.perf_counter() > ends:
                break
    except Exception:  # a note is a courtesy: data nobody thought of must not cost the user the answer
        log.exception("a look at the data failed; its notes are missing")
    return list(notes.values())


__all__ = ["data_notes"]
