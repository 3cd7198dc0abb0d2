"""What running steps take of their resources, and whether one more fits."""

from __future__ import annotations

from collections.abc import Mapping

from llmos_jupyter.scheduling.problem import Resource, Step, chain

# Sums of floats that were taken and given back in another order do not come back to exactly zero.
TOLERANCE = 1e-9


class Usage:
    """Slots, cores, memory and GPUs in use, by resource."""

    def __init__(self, resources: Mapping[str, Resource]) -> None:
        self.resources = dict(resources)
        self._chains = {name: [r.id for r in chain(name, self.resources)] for name in self.resources}
        self.slots = dict.fromkeys(self.resources, 0)
        self._cores = dict.fromkeys(self.resources, 0.0)
        self._memory = dict.fromkeys(self.resources, 0.0)
        self._gpus = dict.fromkeys(self.resources, 0)

    def lacking(self, step: Step, name: str) -> str | None:
        """What keeps the step from starting on a resource now, as words ("a slot of worker-1"); None if it fits."""
        if self.slots[name] >= self.resources[name].slots:
            return f"a slot of {name}"
        held = self.resources[name].held_cores if self.slots[name] == 0 else 0.0
        for around in self._chains[name]:
            limit = self.resources[around]
            cores = step.cores if around == name else step.cores + held
            if limit.cores is not None and self._cores[around] + cores > limit.cores + TOLERANCE:
                return f"{around}, on which another engine writes" if limit.undivided else f"cores of {around}"
            if limit.memory is not None and self._memory[around] + step.memory > limit.memory * (1 + TOLERANCE):
                return f"memory of {around}"
            if limit.gpus is not None and self._gpus[around] + step.gpus > limit.gpus:
                return f"a GPU of {around}"
        return None

    def take(self, step: Step, name: str) -> None:
        """Count a step that starts on a resource."""
        self._change(step, name, +1)

    def give(self, step: Step, name: str) -> None:
        """Count a step that ended on a resource."""
        self._change(step, name, -1)

    def _change(self, step: Step, name: str, sign: int) -> None:
        alone = self.slots[name] == (0 if sign > 0 else 1)
        held = self.resources[name].held_cores if alone else 0.0
        self.slots[name] += sign
        for around in self._chains[name]:
            self._cores[around] += sign * (step.cores if around == name else step.cores + held)
            self._memory[around] += sign * step.memory
            self._gpus[around] += sign * step.gpus
