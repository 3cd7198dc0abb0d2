"""Engines as the schedule sees them: each a resource of its own, within its device, of which one has all while it
writes. On processors two engines that write at once wait for each other's threads, and on a GPU neither is faster."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from llmos_jupyter import config
from llmos_jupyter.daemon.engines.engine_room import EngineRoom
from llmos_jupyter.scheduling.problem import Resource

_PREFIX = "engine "


def resource_of(model: str) -> str:
    """The resource that a model's engine is."""
    return f"{_PREFIX}{model}"


def engine_resources(engines: EngineRoom, wanted: Collection[str]) -> Iterator[Resource]:
    """Those of the models that are loaded, and the wanted ones, each with its device. A server elsewhere shares nothing
    with others."""
    slots = {resource_of(resident.model.name): resident.engine.slots for resident in engines.residents}
    names = sorted({*slots, *(name for name in wanted if name.startswith(_PREFIX))})
    devices = {name: engines.device(name.removeprefix(_PREFIX)) for name in names}
    for device in sorted({*devices.values()} - {""}):
        yield Resource(device, cores=1, undivided=True)
    for name in names:
        device = devices[name]
        yield Resource(
            name,
            slots=slots.get(name, config.load().slots),
            within=device or None,
            held_cores=1.0 if device else 0.0,
            undivided=True,
        )
