"""What may cost the kernel itself: code that looks endless, or that was taking all memory when its rehearsal ended."""

from __future__ import annotations

from collections.abc import Sequence

import psutil

from llmos_jupyter.protocol import Finding, Rehearsal

# The share of the memory still free that unfinished code may have taken without a question.
SHARE = 0.25


def hazard(findings: Sequence[Finding], rehearsal: Rehearsal) -> str:
    """Why this candidate must not run without the user's yes, as the end of "Asking because ..."; empty if it may.

    Only of code that had not ended with its rehearsal: what ended there will end.
    """
    if rehearsal.status != "unfinished":
        return ""
    for finding in findings:
        if finding.kind == "endless-loop":
            where = f" in line {finding.line}" if finding.line else ""
            return f"it was still running after {rehearsal.seconds:g} s, with a loop{where} that nothing ends"
    if rehearsal.peak_bytes > SHARE * psutil.virtual_memory().available:
        took = rehearsal.peak_bytes / 2**30
        return f"it had taken {took:.1f} GB of memory after {rehearsal.seconds:g} s and was still running"
    return ""
