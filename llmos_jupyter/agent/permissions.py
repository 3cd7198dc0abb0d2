"""Whether a chosen candidate may run: the mode, the notebook's grants, the administrator's caps, and the user's yes."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from llmos_jupyter.agent.capabilities import ASKED_EACH_TIME, Grants, Want, wants
from llmos_jupyter.agent.caps import Caps
from llmos_jupyter.agent.drafts import Draft
from llmos_jupyter.agent.events import AgentEvent, Question
from llmos_jupyter.agent.replay import FOREIGN
from llmos_jupyter.protocol import Mode

_VERBS = {"network": "use the network", "processes": "start processes"}


@dataclass(frozen=True)
class Verdict:
    """`decision`: approved (by nobody's asking, or by a yes), refused, or shown because it may not be asked."""

    allowed: bool
    why: str = ""
    asked: bool = False


def decide(draft: Draft, mode: Mode, grants: Grants, caps: Caps) -> Generator[AgentEvent, bool | None, Verdict]:
    """Ask if need be. A yes grants what was asked for, once a notebook."""
    if caps.mode(mode) == "show":
        return Verdict(False, "show mode never runs code" if mode == "show" else _capped(caps))
    missing = grants.missing(wants(draft.findings, draft.rehearsal, grants.roots))
    for want in missing:
        if not caps.permits(want.capability):
            return Verdict(False, caps.refusal(want.capability).rstrip("."))
    why = _reasons(draft, missing)
    ask_mode = caps.mode(mode) == "ask"
    if not why and not ask_mode:
        return Verdict(True)
    said = yield Question(draft.code, why)
    if said is None:
        return Verdict(False, f"nobody could be asked ({why or 'ask mode'})")
    if not said:
        return Verdict(False, "you said no", asked=True)
    for want in missing:
        grants.grant_answer(want)
    return Verdict(True, why or "ask mode", asked=True)


def _reasons(draft: Draft, missing: list[Want]) -> str:
    rehearsal = draft.rehearsal
    said = [f"{FOREIGN}, nor said `%llmos trust` of its file"] if draft.foreign else []
    if rehearsal is None or rehearsal.status == "unavailable":
        said.append(f"it could not be rehearsed: {rehearsal.reason}" if rehearsal else "it was not rehearsed")
    elif draft.ran is not None and draft.ran.cannot:
        said.append(f"it has to run in the notebook itself ({draft.ran.cannot[0]})")
    if missing:
        said.append("it wants to " + ", ".join(dict.fromkeys(map(_in_words, missing[:4]))))
    return "; ".join(said)


def _in_words(want: Want) -> str:
    verb = _VERBS.get(want.capability.value, want.capability.value)
    # What ends the kernel or asks for input says so already.
    return verb if not want.what or want.capability in ASKED_EACH_TIME else f"{verb} ({want.what})"


def _capped(caps: Caps) -> str:
    return caps.faults[0].rstrip(".") if caps.faults else "this machine's administrator lets answers be shown only"
