"""Whether a chosen candidate may run: the mode, the notebook's grants, the administrator's caps, and the user's yes."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from llmos_jupyter.agent.answering.drafts import Draft
from llmos_jupyter.agent.answering.events import AgentEvent, Question
from llmos_jupyter.agent.capability.capabilities import ASKED_EACH_TIME, Grants, Want, wants
from llmos_jupyter.agent.capability.caps import ALL, Caps
from llmos_jupyter.agent.replay.recording import FOREIGN
from llmos_jupyter.protocol import Mode

_VERBS = {"network": "use the network", "processes": "start processes"}


@dataclass(frozen=True)
class Verdict:
    """`asked`: the user has said yes or no; `here`: yes to a run in the notebook itself, outside the sandbox."""

    allowed: bool
    why: str = ""
    asked: bool = False
    here: bool = False


def decide(draft: Draft, mode: Mode, grants: Grants, caps: Caps) -> Generator[AgentEvent, bool | None, Verdict]:
    """Ask if need be. A yes grants what was asked for; a run in the notebook itself is asked for each time."""
    if caps.mode(mode) == "show":
        return Verdict(False, "show mode never runs code" if mode == "show" else _capped(caps))
    missing = grants.missing(wants(draft.findings, draft.rehearsal, grants.roots))
    for want in missing:
        if not caps.permits(want.capability):
            return Verdict(False, caps.refusal(want.capability).rstrip("."))
    here = outside(draft)
    if here and (barred := _barred(caps)):
        return Verdict(False, f"it would have to run in the notebook itself ({here}), and {barred}")
    why = _reasons(draft, missing, here)
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
    return Verdict(True, why or "ask mode", asked=True, here=bool(here))


def outside(draft: Draft) -> str:
    """Why a candidate can run in the notebook itself only, as a clause; empty if the sandbox will do."""
    if draft.outside:
        return draft.outside
    rehearsal = draft.rehearsal
    if rehearsal is None or rehearsal.status == "unavailable":
        return rehearsal.reason.rstrip(".") if rehearsal else "it was not tried in the sandbox"
    if draft.ran is not None and draft.ran.cannot:
        return str(draft.ran.cannot[0])
    of_kernel = (r.what for r in rehearsal.refusals if r.capability in ASKED_EACH_TIME)
    return next((f"it reaches for the kernel: {what}" for what in of_kernel), "")


def _barred(caps: Caps) -> str:
    """What an administrator says against code that nothing holds; empty if nothing."""
    closed = next((capability for capability in sorted(ALL) if not caps.permits(capability)), None)
    return caps.refusal(closed).rstrip(".") if closed else ""


def _reasons(draft: Draft, missing: list[Want], here: str) -> str:
    said = [f"{FOREIGN}, nor said `%llmos trust` of its file"] if draft.foreign else []
    if here:
        said.append(
            f"this has to run in the notebook itself, outside the sandbox ({here}): it can then do whatever your own "
            "code can, and what it does outside the notebook's variables cannot be undone"
        )
    if missing:
        said.append("it wants to " + ", ".join(dict.fromkeys(map(_in_words, missing[:4]))))
    if said and draft.done_again:
        said.append("what it has done so far over the network or with processes would be done again")
    return "; ".join(said)


def _in_words(want: Want) -> str:
    verb = _VERBS.get(want.capability.value, want.capability.value)
    # What ends the kernel or asks for input says so already.
    return verb if not want.what or want.capability in ASKED_EACH_TIME else f"{verb} ({want.what})"


def _capped(caps: Caps) -> str:
    return caps.faults[0].rstrip(".") if caps.faults else "this machine's administrator lets answers be shown only"
