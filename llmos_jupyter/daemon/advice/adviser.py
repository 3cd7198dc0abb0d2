"""Advice on each request in words: which model, how many candidates and repairs. And what is learned of how it went.

An answer that ended is not thereby right, and nobody judges most of them. So it counts as right with the chance that
was predicted for it (`agent/answering/chance.py`, fitted on public questions). One that the user takes back counts as
wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final, NamedTuple

from llmos_jupyter import config
from llmos_jupyter.daemon.engines.engine_room import EngineRoom
from llmos_jupyter.daemon.stores.learned import Learned
from llmos_jupyter.engines import catalogue, selection
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import (
    CandidateRecord,
    Decision,
    DecisionRecord,
    FeedbackRecord,
    Options,
    Record,
    Request,
    RunRecord,
    Session,
    Trace,
)
from llmos_jupyter.scheduling.choice.strategies import (
    ANSWER,
    EFFORTS,
    Chosen,
    Considered,
    Strategy,
    choose,
    load_prior,
    prior,
)
from llmos_jupyter.scheduling.estimating.estimates import Features, Outcome
from llmos_jupyter.system.device_names import parse

log = logging.getLogger(__name__)

LOAD = "load"
# A model of a server elsewhere is taken to be like one of 8B at four bits until its answers have been seen.
ELSEWHERE_BYTES = 5_000_000_000
STRATEGY: Final = "strategy"
# An answer in words is taken to be right so often: 19 of 26 of the project's own tasks. Of one that was recorded
# without a chance nothing is known.
_IN_WORDS, _UNKNOWN = 0.73, 0.5
# Of a request that was answered so, nothing is learned of its strategy.
_TELLS_NOTHING: tuple[Decision, ...] = ("replayed", "shown")


class _Known(NamedTuple):
    """A model that may answer: bytes of its file, and tokens it is taken to write in a second. `to_load`: bytes that
    are read until it can."""

    name: str
    size: int
    speed: float
    to_load: int


class Adviser:
    """Methods may block for a few milliseconds, and for the disk: call them in a thread where it says so."""

    def __init__(self, learned: Learned, engines: EngineRoom) -> None:
        self._learned = learned
        self._engines = engines

    async def advise(self, request: Request) -> tuple[Request, str]:
        """The request with all of its options filled in, and why so; as it is, and nothing, where there is no choice:
        no model is here yet."""
        try:
            chosen = await asyncio.to_thread(self._choose, request)
        except LLMOSError as error:  # a settings file that is broken, say: what loads the model tells of it
            log.warning("no strategy: %s", error)
            chosen = None
        if chosen is None:
            return request, ""
        strategy = chosen.strategy
        numbers = {"model": strategy.model, "candidates": strategy.candidates, "retries": strategy.retries}
        options = request.options.model_copy(update=numbers)
        return request.model_copy(update={"options": options}), chosen.why

    def prepare(self) -> None:
        """Make ready for the first request: what solves takes a fifth of a second to import. Call it in a thread."""
        with contextlib.suppress(LLMOSError):
            session = Session(id="", pid=0, started=0.0)
            self._choose(Request(id="0" * 32, text="?", session=session))

    def _choose(self, request: Request) -> Chosen | None:
        options, settings = request.options, config.load()
        loaded = self._engines.names()
        considered = [
            self._considered(strategy, model, request, loaded)
            for model in self._models(options)
            for strategy in _strategies(model.name, options)
        ]
        return choose(considered, settings.preference, options.deadline) if considered else None

    def _considered(self, strategy: Strategy, model: _Known, request: Request, loaded: set[str]) -> Considered:
        estimate = self._learned.predict(
            ANSWER, strategy.name, _features(request.text), prior(strategy, model.size, model.speed)
        )
        load = 0.0
        if model.name not in loaded:
            size = model.to_load
            load = self._learned.predict(LOAD, model.name, _load_features(size), load_prior(size)).p50
        return Considered(strategy, estimate, load)

    def _models(self, options: Options) -> list[_Known]:
        """The models that may answer: the one that was named, or all that are here and fit."""
        machine = self._engines.machine()
        settings = config.load()
        device = parse(settings.device)
        wanted = options.model if options.model != "auto" else settings.model
        if wanted != "auto":
            found = catalogue.on_device(selection.resolve(wanted), device)
            return [_known(found, machine)]
        here = {info.name for info in selection.model_infos(machine) if info.downloaded and info.fits}
        return [
            _known(catalogue.on_device(model, device), machine) for model in catalogue.models() if model.name in here
        ]

    # --- learning ---------------------------------------------------------------------------

    def learn(self, trace: Trace) -> None:
        """What a request came to that has ended. Reads and writes the disk."""
        task = trace.task
        records = [stored.record for stored in trace.records]
        decisions = [record.decision for record in records if isinstance(record, DecisionRecord)]
        asked = "approved" in decisions or "refused" in decisions
        if "asked again" in decisions:  # the recorded answer did not work, and the model wrote another
            decisions.remove("replayed")
        if task.state == "cancelled" or set(_TELLS_NOTHING) & set(decisions) or not _was_advised(records):
            return
        seconds = None if asked else max(0.0, task.updated - task.created)
        tokens = sum(r.candidate.timings.tokens for r in records if isinstance(r, CandidateRecord))
        outcome = Outcome(seconds=seconds, tokens=float(tokens), succeeded=_worth(task.state == "done", records))
        self._teach(trace, outcome)

    def judged(self, trace: Trace) -> None:
        """The user has undone an answer, or given it a thumb: it counts as wrong, or as right. Each is heard once: a
        thumb that goes up and down says no more with each turn."""
        records = [stored.record for stored in trace.records]
        said = [record.feedback for record in records if isinstance(record, FeedbackRecord)]
        # What was edited may have been right, and not to the user's taste.
        if said and said[-1] not in ("", "edited", *said[:-1]) and _was_advised(records):
            self._teach(trace, Outcome(succeeded=said[-1] == "up"))

    def loaded(self, model: str, size: int, seconds: float) -> None:
        """A model has been loaded in so many seconds."""
        try:
            outcome = Outcome(seconds=seconds, succeeded=True)
            self._learned.learn(LOAD, model, _load_features(size), load_prior(size), outcome)
        except LLMOSError as error:
            log.error("%s", error)

    def _teach(self, trace: Trace, outcome: Outcome) -> None:
        task, options = trace.task, trace.task.options
        strategy = Strategy(options.model, options.candidates, options.retries or 0)
        try:
            found = selection.resolve(options.model)
            known = _known(found, self._engines.machine())
            expected = prior(strategy, known.size, known.speed)
            self._learned.learn(ANSWER, strategy.name, _features(task.text), expected, outcome, task.id)
        except LLMOSError as error:
            log.error("nothing is learned of request %s: %s", task.number, error)


def _known(model: catalogue.Model, machine: selection.Machine) -> _Known:
    size = ELSEWHERE_BYTES if model.url else model.size_bytes
    return _Known(model.name, size, selection.decode_speed(model, machine), model.size_bytes)


def _strategies(model: str, options: Options) -> list[Strategy]:
    """Every effort, as far as the user left it open."""
    made = [
        Strategy(
            model,
            candidates if options.candidates is None else options.candidates,
            retries if options.retries is None else options.retries,
        )
        for candidates, retries in EFFORTS.values()
    ]
    return list(dict.fromkeys(made))


def _features(text: str) -> Features:
    return Features(request_chars=float(len(text)))


def _load_features(size: int) -> Features:
    return Features(data_bytes=float(size))


def _was_advised(records: list[Record]) -> bool:
    return any(isinstance(record, DecisionRecord) and record.decision == STRATEGY for record in records)


def _worth(done: bool, records: list[Record]) -> float:
    """How likely an answer is right that ended so."""
    if not done:
        return 0.0
    runs = [record for record in records if isinstance(record, RunRecord)]
    if not runs:
        return _IN_WORDS
    return _UNKNOWN if runs[-1].chance is None else runs[-1].chance
