"""Estimates, and beside them what single things came to that are done again and again: a cell that is run once more.

A kind of two words, "run 1f0c", is one such thing: it teaches the kind of its first word, "run", too, and is predicted
like that kind until it was seen itself.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace

from llmos_jupyter.scheduling.estimating.calibration import Observation
from llmos_jupyter.scheduling.estimating.estimates import QUANTITIES, Estimate, Estimates, Features, Outcome, Prior

# So many single things are held in memory; those not asked about for longest go first.
HELD = 500


class Recurring:
    """What one thing came to each time, as a factor on what it came to the first time.

    How long it took when it failed says nothing of how long it takes when it works: that counts until it has worked.
    """

    def __init__(self) -> None:
        self.seen = 0
        self._first: dict[str, dict[str, float]] = {}
        self._estimates = Estimates()

    def predict(self, resource: str, features: Features, prior: Prior) -> Estimate:
        amounts = "worked" if "worked" in self._first else "failed"
        expected = self._estimates.predict(amounts, resource, features, self._expected(amounts, prior))
        success = self._estimates.predict("success", resource, features, prior)
        return replace(expected, probability=success.probability, seen=self.seen)

    def learn(self, resource: str, features: Features, prior: Prior, outcome: Outcome) -> None:
        self.seen += 1
        amounts = "failed" if outcome.succeeded is False else "worked"
        first = self._first.setdefault(amounts, {})
        for name in QUANTITIES:
            value = getattr(outcome, name)
            if value is not None:
                first.setdefault(name, value)
        expected = self._expected(amounts, prior)
        self._estimates.learn(amounts, resource, features, expected, replace(outcome, succeeded=None))
        self._estimates.learn("success", resource, features, prior, Outcome(succeeded=outcome.succeeded))

    def _expected(self, amounts: str, prior: Prior) -> Prior:
        return replace(prior, **self._first.get(amounts, {}))


class Knowledge:
    """`Estimates` by kind and resource, and a `Recurring` for each kind of two words.

    recall: what was seen of such a kind, oldest first, when it is not held in memory.
    """

    def __init__(
        self, estimates: Estimates | None = None, recall: Callable[[str], Iterable[Observation]] = lambda kind: ()
    ) -> None:
        self.estimates = Estimates() if estimates is None else estimates
        self._recall = recall
        self._recurring: OrderedDict[str, Recurring] = OrderedDict()

    def predict(self, kind: str, resource: str, features: Features, prior: Prior) -> Estimate:
        """What a step of a kind is expected to come to on a resource."""
        if (own := self.recurring(kind)) and own.seen:
            return own.predict(resource, features, prior)
        return self.estimates.predict(general(kind), resource, features, prior)

    def learn(self, kind: str, resource: str, features: Features, prior: Prior, outcome: Outcome) -> None:
        """Take in what a step came to. `features` and `prior` as they were when it was predicted."""
        if own := self.recurring(kind):
            own.learn(resource, features, prior, outcome)
        self.estimates.learn(general(kind), resource, features, prior, outcome)

    def recurring(self, kind: str) -> Recurring | None:
        """What is known of a kind of two words alone, recalled if need be; None for a kind of one word."""
        if general(kind) == kind:
            return None
        found = self._recurring.get(kind)
        if found is None:
            found = self._recurring[kind] = Recurring()
            for seen in self._recall(kind):
                found.learn(seen.resource, seen.features, seen.prior, seen.outcome)
            if len(self._recurring) > HELD:
                self._recurring.popitem(last=False)
        self._recurring.move_to_end(kind)
        return found

    def forget_recurring(self) -> None:
        """Let all kinds of two words go from memory: those still known are recalled when asked about."""
        self._recurring.clear()


def general(kind: str) -> str:
    """The kind that a kind of two words is a case of; a kind of one word itself."""
    return kind.partition(" ")[0]
