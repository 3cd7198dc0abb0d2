"""What a generation will take, from what is known before it starts; and learning what it took."""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from dataclasses import dataclass

from llmos_jupyter.daemon.engines.engine_room import EngineRoom
from llmos_jupyter.daemon.stores.learned import Learned
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Generation
from llmos_jupyter.scheduling.estimating.estimates import Estimate, Features, Outcome, Prior

log = logging.getLogger(__name__)

# Tokens that an answer is taken to have before anything is known.
USUAL_TOKENS = 40
# Reading is so many times as fast as writing (1.5B on two cores: 43 and 15.5 tokens/s); characters of a token.
READING, CHARS_A_TOKEN = 2.8, 3.5
# The engine has forgotten what it read before so many other prompts.
PROMPTS_CACHED = 100


@dataclass(frozen=True)
class Expected:
    """What is known of a generation beforehand."""

    kind: str
    model: str
    features: Features
    prior: Prior
    estimate: Estimate
    prompt: str


class Expectations:
    """Of each model, in the order in which it is asked. Methods may be called in threads."""

    def __init__(self, engines: EngineRoom, learned: Learned) -> None:
        self._engines = engines
        self._learned = learned
        self._prompts: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=PROMPTS_CACHED))

    def of(self, generation: Generation) -> Expected:
        """What a generation will take, on the model that would serve it."""
        model = self._engines.named(generation.model)
        prompt = "\n".join(f"{message.role}\n{message.content}" for message in generation.messages)
        known = max((_shared(prompt, other) for other in tuple(self._prompts[model])), default=0)
        fresh = (len(prompt) - known) / CHARS_A_TOKEN
        features = Features(prompt_tokens=fresh, candidates=float(generation.n))
        speed = self._engines.speed(model)
        tokens = float(min(max(generation.max_tokens, 1), USUAL_TOKENS))
        prior = Prior(seconds=0.2 + (fresh / READING + tokens) / speed, tokens=tokens, probability=0.9)
        kind = "repair" if generation.purpose == "repair" else "generation"
        return Expected(kind, model, features, prior, self._learned.predict(kind, model, features, prior), prompt)

    def learn(self, task_id: str, expected: Expected, seconds: float, tokens: int) -> None:
        """A generation was written without a break, in so many seconds. Writes to the disk."""
        self._prompts[expected.model].append(expected.prompt)
        try:
            outcome = Outcome(seconds=seconds, tokens=float(tokens), succeeded=None)
            self._learned.learn(expected.kind, expected.model, expected.features, expected.prior, outcome, task_id)
        except LLMOSError as error:
            log.error("nothing is learned of a generation: %s", error)


def _shared(text: str, other: str) -> int:
    """How many characters two texts begin with together."""
    low, high = 0, min(len(text), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if text[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
